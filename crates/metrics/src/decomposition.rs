//! What sets two classifiers apart, shared out among threshold, head and features.
//!
//! The paper compares an unbalanced classifier with a balanced one. They differ in three things at once: where the decision threshold
//! lies, what the head reads out of the features, and what the features are. Derived classifiers change one at a time: from the unbalanced
//! end the threshold is moved, then the head refitted with the balanced weights, then the features exchanged; from the balanced end the
//! threshold is moved back, the head refitted without weights, and the features exchanged. Either way the steps add up to the whole
//! difference. A part is the mean of its two steps, one from either end, because a step may weigh otherwise where the others are done
//! already.

/// A classifier among those that a difference is shared out by, in the order from the unbalanced one to the balanced one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arm {
    /// The unbalanced classifier.
    Unbalanced,
    /// Its threshold moved to where balanced weights would have it.
    UnbalancedThreshold,
    /// Its head refitted with the balanced weights.
    UnbalancedHead,
    /// The balanced classifier's head refitted without them.
    BalancedHead,
    /// The balanced classifier's threshold moved back.
    BalancedThreshold,
    /// The balanced classifier.
    Balanced,
}

impl Arm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Unbalanced,
        Self::UnbalancedThreshold,
        Self::UnbalancedHead,
        Self::BalancedHead,
        Self::BalancedThreshold,
        Self::Balanced,
    ];

    /// A name for files and keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unbalanced => "unbalanced",
            Self::UnbalancedThreshold => "unbalanced_threshold",
            Self::UnbalancedHead => "unbalanced_head",
            Self::BalancedHead => "balanced_head",
            Self::BalancedThreshold => "balanced_threshold",
            Self::Balanced => "balanced",
        }
    }
}

/// A part of the difference between the two classifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Where the decision lies: other images are decided otherwise, and no map changes but for its sign.
    Threshold,
    /// What is read out of the features.
    Head,
    /// What the features are.
    Features,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Threshold, Self::Head, Self::Features];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Head => "head",
            Self::Features => "features",
        }
    }

    /// The step from the unbalanced end, of a quantity's values by [`Arm::ALL`].
    #[must_use]
    pub fn from_unbalanced(self, [u, u_threshold, u_head, _, _, b]: [f64; 6]) -> f64 {
        match self {
            Self::Threshold => u_threshold - u,
            Self::Head => u_head - u_threshold,
            Self::Features => b - u_head,
        }
    }

    /// The step from the balanced end, of the same.
    #[must_use]
    pub fn from_balanced(self, [u, _, _, b_head, b_threshold, b]: [f64; 6]) -> f64 {
        match self {
            Self::Threshold => b - b_threshold,
            Self::Head => b_threshold - b_head,
            Self::Features => b_head - u,
        }
    }

    /// The part: the mean of both. The three parts add up to balanced - unbalanced.
    #[must_use]
    pub fn of(self, values: [f64; 6]) -> f64 {
        f64::midpoint(self.from_unbalanced(values), self.from_balanced(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        let values = [0.25, 0.5, 0.75, 0.375, 0.625, 1.0];
        assert_eq!(Part::ALL.map(|part| part.from_unbalanced(values)), [0.25, 0.25, 0.25]);
        assert_eq!(Part::ALL.map(|part| part.from_balanced(values)), [0.375, 0.25, 0.125]);
        assert_eq!(Part::ALL.map(|part| part.of(values)), [0.3125, 0.25, 0.1875]);
    }

    proptest! {
        /// 1e-12: float64 sums of numbers below 1.
        #[test]
        fn the_parts_add_up(values in prop::array::uniform6(-1.0_f64..1.0)) {
            let difference = values[5] - values[0];
            for sum in [
                Part::ALL.map(|part| part.of(values)),
                Part::ALL.map(|part| part.from_unbalanced(values)),
                Part::ALL.map(|part| part.from_balanced(values)),
            ] {
                prop_assert!((sum.iter().sum::<f64>() - difference).abs() < 1e-12);
            }
        }

        /// Where the threshold alone differs, the threshold is all of it.
        #[test]
        fn what_does_not_change_has_no_part(before in -1.0_f64..1.0, after in -1.0_f64..1.0) {
            let values = [before, after, after, before, before, after];
            prop_assert_eq!(Part::ALL.map(|part| part.of(values)), [after - before, 0.0, 0.0]);
        }
    }
}
