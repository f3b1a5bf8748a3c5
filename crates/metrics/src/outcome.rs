//! What a decision was, given the label.

use crate::class::Class;

/// What a decision was, given the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Positive, and predicted so.
    TruePositive,
    /// Positive, predicted negative.
    FalseNegative,
    /// Negative, predicted positive.
    FalsePositive,
    /// Negative, and predicted so.
    TrueNegative,
}

impl Outcome {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [
        Self::TruePositive,
        Self::FalseNegative,
        Self::FalsePositive,
        Self::TrueNegative,
    ];

    /// The outcome of a label (1, -1, or 0: not annotated) and a score; `None` without annotation.
    #[must_use]
    pub fn of(label: i8, score: f32) -> Option<Self> {
        match (label.signum(), Class::predicted(score)) {
            (1, Class::Positive) => Some(Self::TruePositive),
            (1, Class::Negative) => Some(Self::FalseNegative),
            (-1, Class::Positive) => Some(Self::FalsePositive),
            (-1, Class::Negative) => Some(Self::TrueNegative),
            _ => None,
        }
    }

    /// A name for files and keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TruePositive => "true_positive",
            Self::FalseNegative => "false_negative",
            Self::FalsePositive => "false_positive",
            Self::TrueNegative => "true_negative",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_those_of_label_and_sign() {
        for (label, score, expected) in [
            (1, 0.0, Some(Outcome::TruePositive)),
            (1, -0.1, Some(Outcome::FalseNegative)),
            (-1, 0.0, Some(Outcome::FalsePositive)),
            (-1, -2.0, Some(Outcome::TrueNegative)),
            (0, 3.0, None),
        ] {
            assert_eq!(Outcome::of(label, score), expected, "{label} {score}");
        }
    }
}
