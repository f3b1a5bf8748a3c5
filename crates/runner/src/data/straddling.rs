//! People who are both trained on and tested.

use std::collections::HashMap;
use std::fmt;

use super::set::DataSet;

/// People of whom there are training and test images: a network errs less on whom it has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Straddling {
    /// How many they are.
    people: usize,
    /// How many people are in test images.
    tested: usize,
    /// The first of them in the test images, with the numbers of training and test images.
    example: (String, usize, usize),
}

impl Straddling {
    /// Those of a data set; `None` where there are none, or it does not know who is in its images.
    pub fn of(data: &DataSet) -> Option<Self> {
        let people = data.annotations().people()?;
        let count = |indices: &[usize]| {
            let mut counts: HashMap<u32, usize> = HashMap::new();
            for &index in indices {
                *counts.entry(people[index]).or_default() += 1;
            }
            counts
        };
        let (trained, tested) = (count(&data.training), count(&data.test));
        let first = data.test.iter().find(|index| trained.contains_key(&people[**index]))?;
        let person = people[*first];
        Some(Self {
            people: tested.keys().filter(|person| trained.contains_key(person)).count(),
            tested: tested.len(),
            example: (
                data.source.person(*first)?.into_owned(),
                trained[&person],
                tested[&person],
            ),
        })
    }
}

impl fmt::Display for Straddling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, training, test) = &self.example;
        write!(
            f,
            "{} of the {} in test images are in training images too, such as {name} (training {training}, test {test}): errors on whom \
             a network has seen are smaller than on anyone new",
            self.people, self.tested
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dataset::{Annotations, Attributes, MemorySource, Split};
    use image::RgbImage;

    use super::*;
    use crate::experiment::DataSettings;

    /// A data set of one image a person, who are in these splits.
    fn set(people: Option<&[u32]>, splits: &[Split]) -> DataSet {
        let n = splits.len();
        let annotations = Annotations {
            attributes: Attributes::new(vec!["a".to_owned()]).expect("a name"),
            names: (0..n).map(|index| format!("{index}.jpg")).collect(),
            labels: vec![1; n],
            splits: splits.to_vec(),
            landmarks: None,
            identities: people.map(<[u32]>::to_vec),
        };
        let source = MemorySource::new(annotations, vec![RgbImage::new(2, 2); n]).expect("as many");
        let settings: DataSettings = serde_json::from_str(r#"{"source": "celeba"}"#).expect("settings");
        DataSet::choose(Arc::new(source), &settings).expect("training and test images")
    }

    #[test]
    fn who_is_trained_on_and_tested_is_counted_and_named() {
        use Split::{Test, Train, Validation};
        let splits = [Train, Train, Train, Validation, Test, Test, Test, Test];
        let of = |people: &[u32]| Straddling::of(&set(Some(people), &splits));
        assert_eq!(
            of(&[1, 1, 2, 3, 3, 4, 5, 5]),
            None,
            "who is in validation alone is not trained on"
        );
        assert_eq!(of(&[0, 1, 2, 3, 4, 5, 6, 7]), None);
        assert_eq!(Straddling::of(&set(None, &splits)), None);
        let some = of(&[1, 1, 2, 3, 9, 1, 2, 1]).expect("two");
        assert_eq!(
            some.to_string(),
            "2 of the 3 in test images are in training images too, such as 1 (training 2, test 2): errors on whom a network has seen \
             are smaller than on anyone new"
        );
    }
}
