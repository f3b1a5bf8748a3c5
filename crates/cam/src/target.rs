//! The score that a map explains.

use crate::error::named;

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
}

named!(
    Target,
    "target",
    [Predicted = "predicted", Positive = "positive", Negative = "negative"]
);

impl Target {
    /// Derivative of the score by the logit: +1 or -1.
    pub fn sign(self, logit: f32) -> f32 {
        match self {
            Self::Predicted if logit >= 0.0 => 1.0,
            Self::Predicted => -1.0,
            Self::Positive => 1.0,
            Self::Negative => -1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_predicted_class_is_explained() {
        let signs = |target: Target| [2.0, 0.0, -0.0, -2.0].map(|logit| target.sign(logit));
        assert_eq!(signs(Target::Predicted), [1.0, 1.0, 1.0, -1.0]);
        assert_eq!(signs(Target::Positive), [1.0; 4]);
        assert_eq!(signs(Target::Negative), [-1.0; 4]);
    }
}
