//! The two classes of a binary attribute, and which of them is the majority.

use std::cmp::Reverse;

/// One side of a binary attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The attribute is present: label `+1`, score `>= 0`.
    Positive,
    /// The attribute is absent: label `-1`, score `< 0`.
    Negative,
}

impl Class {
    /// Both classes, positive first.
    pub const BOTH: [Self; 2] = [Self::Positive, Self::Negative];

    /// The class with more samples. A tie makes the negative class the majority, as in the authors' code.
    ///
    /// Counts are those of the training split: the majority is what the network was shown more often.
    #[must_use]
    pub fn majority(positives: usize, negatives: usize) -> Self {
        if positives > negatives {
            Self::Positive
        } else {
            Self::Negative
        }
    }

    /// The class with fewer samples; the opposite of [`Class::majority`].
    #[must_use]
    pub fn minority(positives: usize, negatives: usize) -> Self {
        Self::majority(positives, negatives).opposite()
    }

    /// The other class.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Positive => Self::Negative,
            Self::Negative => Self::Positive,
        }
    }

    /// The class that a score predicts: positive iff `score >= 0`. Zero of either sign is positive; NaN is negative.
    #[must_use]
    pub fn predicted(score: f32) -> Self {
        if score >= 0.0 { Self::Positive } else { Self::Negative }
    }
}

/// The order of the paper's tables and figures: by (size of the minority class, name), both descending.
///
/// `counts` holds (positives, negatives) of the training split. Returns the positions of `names` in that order. What one slice
/// has beyond the other is left out.
#[must_use]
pub fn table_order(names: &[impl AsRef<str>], counts: &[(usize, usize)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..names.len().min(counts.len())).collect();
    order.sort_by_key(|&a| {
        let (positives, negatives) = counts[a];
        Reverse((positives.min(negatives), names[a].as_ref()))
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_makes_the_negative_class_the_majority() {
        assert_eq!(Class::majority(5, 5), Class::Negative);
        assert_eq!(Class::minority(5, 5), Class::Positive);
        assert_eq!(Class::majority(6, 5), Class::Positive);
    }

    #[test]
    fn zero_of_either_sign_predicts_positive() {
        assert_eq!(Class::predicted(0.0), Class::Positive);
        assert_eq!(Class::predicted(-0.0), Class::Positive);
        assert_eq!(Class::predicted(-1e-30), Class::Negative);
    }

    #[test]
    fn order_is_by_minority_size_then_name_both_descending() {
        let order = table_order(&["a", "b", "c", "d"], &[(5, 90), (40, 60), (90, 5), (1, 99)]);
        assert_eq!(order, [1, 2, 0, 3]);
    }
}
