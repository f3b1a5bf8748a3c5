//! The score that a map explains.

use crate::names::named;
use crate::{Error, Result};

/// The score that a map explains, made of the logit z of an attribute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Target {
    /// |z|, the predicted class: the paper's binary CAM. Gradients are those of z times its sign; z = 0 counts as positive.
    #[default]
    Predicted,
    /// +z, the positive class whatever was predicted: the target of a categorical classifier's CAM.
    Positive,
    /// -z, the negative class whatever was predicted.
    Negative,
    /// z times the label, +1 or -1: the true class whatever was predicted. Only where labels are given.
    Label,
}

named!(
    Target,
    "target",
    [
        Predicted = "predicted",
        Positive = "positive",
        Negative = "negative",
        Label = "label"
    ]
);

impl Target {
    /// Derivative of the score by the logit, +1 or -1; `None` for [`Target::Label`] without one (`None` or 0).
    pub fn sign(self, logit: f32, label: Option<i8>) -> Option<f32> {
        match self {
            Self::Predicted => Some(if logit >= 0.0 { 1.0 } else { -1.0 }),
            Self::Positive => Some(1.0),
            Self::Negative => Some(-1.0),
            Self::Label => label.filter(|label| *label != 0).map(|label| f32::from(label.signum())),
        }
    }

    /// The score at another logit of the same image and attribute, whose own logit gave `sign`. |z| stays |z|, also on the
    /// other side of the decision: so the library scores masked images.
    pub(crate) fn score(self, sign: f32, logit: f32) -> f32 {
        match self {
            Self::Predicted => logit.abs(),
            Self::Positive | Self::Negative | Self::Label => sign * logit,
        }
    }

    /// The signs of logits `[N, A]`, given labels `[N, A]`.
    pub(crate) fn signs(self, logits: &[f32], labels: Option<&[i8]>, attributes: usize) -> Result<Vec<f32>> {
        if let Some(labels) = labels.filter(|labels| labels.len() != logits.len()) {
            return Err(Error::Shape {
                what: "labels",
                found: vec![labels.len()],
                expected: format!("{} values, one for each image and explained attribute", logits.len()),
            });
        }
        let sign = |(i, logit): (usize, &f32)| {
            let sign = self.sign(*logit, labels.map(|labels| labels[i]));
            sign.ok_or(Error::NoLabel {
                image: i / attributes.max(1),
                attribute: i % attributes.max(1),
            })
        };
        logits.iter().enumerate().map(sign).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_predicted_class_is_explained() {
        let signs = |target: Target| [2.0, 0.0, -0.0, -2.0].map(|logit| target.sign(logit, Some(-1)).unwrap());
        assert_eq!(signs(Target::Predicted), [1.0, 1.0, 1.0, -1.0]);
        assert_eq!(signs(Target::Positive), [1.0; 4]);
        assert_eq!(signs(Target::Negative), [-1.0; 4]);
        assert_eq!(signs(Target::Label), [-1.0; 4]);
    }

    #[test]
    fn a_label_is_needed_only_for_its_own_target() {
        assert_eq!(Target::Label.sign(2.0, None), None);
        assert_eq!(Target::Label.sign(2.0, Some(0)), None);
        assert_eq!(Target::Predicted.sign(2.0, None), Some(1.0));
        let message = Target::Label
            .signs(&[1.0; 4], Some(&[1, -1, 1, 0]), 2)
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "image 1 has no label of attribute 1, whose score was to be explained"
        );
        assert!(Target::Label.signs(&[1.0; 4], Some(&[1]), 2).is_err());
    }
}
