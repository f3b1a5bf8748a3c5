//! What is audited, wherever it comes from.

use metrics::{Class, OperatingPoint};

/// Regions that cover less of the image than this tell where a classifier looks. Of the paper's, those of the whole face cover more.
const LOCAL: f64 = 0.5;

/// A table of rates and energies.
#[derive(Debug, Clone)]
pub(super) struct Audited {
    /// Where it comes from, as a heading.
    pub source: String,
    /// What a reader must know of its numbers, in sentences.
    pub notes: Vec<String>,
    /// One classifier, or two that are compared: the first is the one without class weights.
    pub classifiers: Vec<String>,
    pub attributes: Vec<Attribute>,
    /// Decimals of the rates; `None` where they were computed here.
    pub decimals: Option<u32>,
}

/// What is known of an attribute.
#[derive(Debug, Clone)]
pub(super) struct Attribute {
    pub name: String,
    /// Share of positives, in [0, 1].
    pub positive_rate: Option<f64>,
    /// The class with fewer training images.
    pub minority: Option<Class>,
    /// Area of its region, as a part of the image.
    pub area: Option<f64>,
    /// A number that attributes of one region share.
    pub region: Option<usize>,
    /// Images with either label behind the rates.
    pub counts: Option<(usize, usize)>,
    /// One entry a classifier.
    pub numbers: Vec<Numbers>,
}

/// What is known of a classifier of an attribute.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Numbers {
    pub false_negative_rate: Option<f64>,
    pub false_positive_rate: Option<f64>,
    /// Mean energy of the images predicted positive.
    pub positive: Group,
    /// Of those predicted negative.
    pub negative: Group,
}

/// Images predicted as one class.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Group {
    /// Their mean energy.
    pub energy: Option<f64>,
    /// How many they are.
    pub images: Option<usize>,
}

impl Attribute {
    /// Whether its region is small enough to tell where a classifier looks.
    pub fn is_local(&self) -> bool {
        self.area.is_some_and(|area| area < LOCAL)
    }

    /// How far the classes are from equal shares, in [0, 1].
    pub fn imbalance(&self) -> Option<f64> {
        self.positive_rate.map(|rate| (2.0 * rate - 1.0).abs())
    }

    /// The images that a classifier predicts as the minority class.
    pub fn minority(&self, classifier: usize) -> Group {
        self.minority
            .map_or_else(Group::default, |class| self.group(classifier, class))
    }

    /// Those that it predicts as the majority class.
    pub fn majority(&self, classifier: usize) -> Group {
        self.minority
            .map_or_else(Group::default, |class| self.group(classifier, class.opposite()))
    }

    fn group(&self, classifier: usize, class: Class) -> Group {
        let numbers = &self.numbers[classifier];
        match class {
            Class::Positive => numbers.positive,
            Class::Negative => numbers.negative,
        }
    }

    /// Energy of the minority class minus that of the majority class.
    pub fn gap(&self, classifier: usize) -> Option<f64> {
        Some(self.minority(classifier).energy? - self.majority(classifier).energy?)
    }
}

impl Numbers {
    /// Both rates, where both are known.
    pub fn point(&self) -> Option<OperatingPoint> {
        OperatingPoint::of(self.false_negative_rate?, self.false_positive_rate?)
    }

    /// With the images of either label, how many are predicted as each class; rates that are rounded leave it uncertain by as much.
    pub fn count_predictions(&mut self, (positives, negatives): (usize, usize)) {
        if let Some((fnr, fpr)) = self.false_negative_rate.zip(self.false_positive_rate) {
            let (positives, negatives) = (positives as f64, negatives as f64);
            let predicted = |count: f64| Some(count.round() as usize);
            let (positive, negative) = (&mut self.positive.images, &mut self.negative.images);
            *positive = positive.or_else(|| predicted(positives * (1.0 - fnr) + negatives * fpr));
            *negative = negative.or_else(|| predicted(positives * fnr + negatives * (1.0 - fpr)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_follow_from_rates_and_counts() {
        let mut numbers = Numbers {
            false_negative_rate: Some(0.1),
            false_positive_rate: Some(0.02),
            ..Numbers::default()
        };
        numbers.count_predictions((10, 100));
        assert_eq!((numbers.positive.images, numbers.negative.images), (Some(11), Some(99)));
        // What was counted stays.
        numbers.positive.images = Some(12);
        numbers.count_predictions((10, 100));
        assert_eq!(numbers.positive.images, Some(12));
        let mut unknown = Numbers::default();
        unknown.count_predictions((10, 100));
        assert_eq!(unknown.positive.images, None);
    }

    #[test]
    fn classes_are_those_of_the_training_images() {
        let group = |energy| Group {
            energy: Some(energy),
            images: None,
        };
        let mut attribute = Attribute {
            name: "Young".to_owned(),
            positive_rate: Some(0.75),
            minority: Some(Class::Negative),
            area: Some(0.5),
            region: None,
            counts: None,
            numbers: vec![Numbers {
                positive: group(0.25),
                negative: group(0.75),
                ..Numbers::default()
            }],
        };
        assert_eq!((attribute.gap(0), attribute.imbalance()), (Some(0.5), Some(0.5)));
        assert!(!attribute.is_local());
        attribute.minority = None;
        assert_eq!(attribute.gap(0), None);
    }
}
