//! Which samples a mean runs over.

use std::fmt;
use std::str::FromStr;

use crate::class::Class;
use crate::error::Error;

/// A selection of samples by label (`gt`, ground truth) and prediction (`pr`), with the names of the authors' code.
///
/// Filters that look at the label select no sample without annotation (label 0); the others do not look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filter {
    /// `none`: every sample.
    None,
    /// `gt=1`: label `+1`.
    Positives,
    /// `gt=-1`: label `-1`.
    Negatives,
    /// `pr=1`: score `>= 0`.
    PredictedPositive,
    /// `pr=-1`: score `< 0`.
    PredictedNegative,
    /// `gt==pr`: label x score `>= 0`. A score of exactly 0 is correct for either label here, although it counts as a positive
    /// prediction elsewhere: the authors' code does so.
    Correct,
    /// `gt!=pr`: label x score `< 0`.
    Wrong,
}

impl Filter {
    /// All filters, in the order of the paper's code.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Positives,
        Self::Negatives,
        Self::PredictedPositive,
        Self::PredictedNegative,
        Self::Correct,
        Self::Wrong,
    ];

    /// The name in tables and experiment files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Positives => "gt=1",
            Self::Negatives => "gt=-1",
            Self::PredictedPositive => "pr=1",
            Self::PredictedNegative => "pr=-1",
            Self::Correct => "gt==pr",
            Self::Wrong => "gt!=pr",
        }
    }

    /// The filter by prediction for a class: `pr=1` or `pr=-1`.
    #[must_use]
    pub fn predicted(class: Class) -> Self {
        match class {
            Class::Positive => Self::PredictedPositive,
            Class::Negative => Self::PredictedNegative,
        }
    }

    /// Whether a sample with this label (`-1`, `0`, `+1`) and score passes.
    #[must_use]
    pub fn selects(self, label: impl Into<f32>, score: f32) -> bool {
        let label = label.into();
        match self {
            Self::None => true,
            Self::Positives => label > 0.0,
            Self::Negatives => label < 0.0,
            Self::PredictedPositive => Class::predicted(score) == Class::Positive,
            Self::PredictedNegative => Class::predicted(score) == Class::Negative,
            Self::Correct => label != 0.0 && label * score >= 0.0,
            Self::Wrong => label * score < 0.0,
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|filter| filter.name() == name)
            .ok_or_else(|| Error::Filter {
                found: name.to_owned(),
                allowed: Self::ALL.map(Self::name).join(", "),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_unknown_ones_list_what_is_allowed() {
        for filter in Filter::ALL {
            assert_eq!(filter.name().parse(), Ok(filter));
        }
        let message = "gt=2".parse::<Filter>().unwrap_err().to_string();
        assert!(message.contains("gt=2") && message.contains("gt!=pr"), "{message}");
    }

    #[test]
    fn a_score_of_zero_is_correct_for_both_labels() {
        for label in [-1_i8, 1] {
            for score in [0.0, -0.0] {
                assert!(Filter::Correct.selects(label, score));
                assert!(!Filter::Wrong.selects(label, score));
                assert!(Filter::PredictedPositive.selects(label, score));
            }
        }
    }

    #[test]
    fn unannotated_samples_pass_only_filters_that_ignore_the_label() {
        let passed: Vec<_> = Filter::ALL.into_iter().filter(|f| f.selects(0_i8, -2.0)).collect();
        assert_eq!(passed, [Filter::None, Filter::PredictedNegative]);
    }

    #[test]
    fn every_annotated_sample_is_either_correct_or_wrong() {
        for label in [-1_i8, 1] {
            for score in [-3.0, -0.0, 0.0, 0.1] {
                assert_ne!(
                    Filter::Correct.selects(label, score),
                    Filter::Wrong.selects(label, score)
                );
            }
        }
    }
}
