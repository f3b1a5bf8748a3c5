//! What is made of a family of tests: four outcomes, and attributes counted.

use std::fmt;

use super::estimate::Estimate;
use crate::statistics::{CONFIDENCE, holm};

/// What a sample says of an effect that was expected to be positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Judgement {
    /// The effect is there: positive, and its adjusted p value is below 5 %.
    Observed,
    /// The opposite is there: negative, and its adjusted p value is below 5 %.
    Contradicted,
    /// It could be either, or nothing: the adjusted p value is 5 % or more.
    NoClearEffect,
    /// There is no p value: groups are empty, or too few people differ.
    TooLittleData,
}

impl Judgement {
    /// The rule, in words for whoever reads a verdict.
    pub const RULE: &'static str = "Observed: the effect is positive and its p value over people, after Holm's correction for the number of \
        claims, is below 5 %. Contradicted: the same for a negative effect. No clear effect: the p value is 5 % or more. Too \
        little data: people who would have to be compared are missing, or do not differ.";

    /// The judgement of an effect with its adjusted p value.
    #[must_use]
    pub fn of(value: f64, adjusted_p_value: Option<f64>) -> Self {
        match adjusted_p_value {
            None => Self::TooLittleData,
            Some(p) if p < 1.0 - CONFIDENCE && value > 0.0 => Self::Observed,
            Some(p) if p < 1.0 - CONFIDENCE && value < 0.0 => Self::Contradicted,
            Some(_) => Self::NoClearEffect,
        }
    }

    /// A name for files and keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Contradicted => "contradicted",
            Self::NoClearEffect => "no_clear_effect",
            Self::TooLittleData => "too_little_data",
        }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Observed => "observed",
            Self::Contradicted => "contradicted",
            Self::NoClearEffect => "no clear effect",
            Self::TooLittleData => "too little data",
        })
    }
}

/// One member of a family of tests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// What is said of it.
    pub judgement: Judgement,
    /// Its p value after Holm's correction; `None` where it has none.
    pub adjusted_p_value: Option<f64>,
}

/// Judges a family of effects together, each a value and the p value of its being 0: with Holm's correction ([`holm`]), the chance that any
/// effect that is not there is called observed or contradicted is at most 5 %, however they depend on each other. Effects without a p
/// value are no members: nothing can be said of them by chance.
#[must_use]
pub fn judge(effects: &[Option<(f64, Option<f64>)>]) -> Vec<Judged> {
    let p_values: Vec<f64> = effects
        .iter()
        .filter_map(|effect| effect.and_then(|(_, p)| p))
        .collect();
    let mut adjusted = holm(&p_values).into_iter();
    effects
        .iter()
        .map(|effect| {
            let (value, p) = effect.unwrap_or((0.0, None));
            let adjusted_p_value = p.and_then(|_| adjusted.next());
            Judged {
                judgement: Judgement::of(value, adjusted_p_value),
                adjusted_p_value,
            }
        })
        .collect()
}

/// In how many attributes an effect is seen. Attributes are counted, not resampled: they are measured on the same people by the same
/// network, and are no sample of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttributeCounts {
    /// Attributes that could be judged.
    pub judged: usize,
    /// Attributes that show the effect at 5 %, after Holm's correction for the number judged.
    pub showing: usize,
    /// Attributes that show the opposite, likewise.
    pub opposite: usize,
}

impl AttributeCounts {
    /// Counts the attributes' estimates of an effect, `None` for an attribute that has none.
    #[must_use]
    pub fn of(effects: impl IntoIterator<Item = Option<Estimate>>) -> Self {
        let effects: Vec<_> = effects
            .into_iter()
            .map(|effect| effect.map(|effect| (effect.value, effect.p_value)))
            .collect();
        let judged = judge(&effects);
        let count = |wanted| judged.iter().filter(|judged| judged.judgement == wanted).count();
        Self {
            judged: judged.iter().filter(|judged| judged.adjusted_p_value.is_some()).count(),
            showing: count(Judgement::Observed),
            opposite: count(Judgement::Contradicted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::IntervalMethod;
    use proptest::prelude::*;

    #[test]
    fn a_family_by_hand() {
        // Holm over five: .004 * 5, .011 * 4, .02 * 3. The one without p value takes no place.
        let found = judge(&[
            Some((0.2, Some(0.011))),
            Some((-0.3, Some(0.004))),
            None,
            Some((0.1, Some(0.02))),
            Some((0.1, None)),
            Some((0.0, Some(0.5))),
            Some((1.0, Some(0.9))),
        ]);
        let judgements: Vec<_> = found.iter().map(|judged| judged.judgement.name()).collect();
        assert_eq!(
            judgements,
            [
                "observed",
                "contradicted",
                "too_little_data",
                "no_clear_effect",
                "too_little_data",
                "no_clear_effect",
                "no_clear_effect"
            ]
        );
        let p_values: Vec<_> = found.iter().filter_map(|judged| judged.adjusted_p_value).collect();
        for (found, expected) in p_values.into_iter().zip([0.044, 0.02, 0.06, 1.0, 1.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn attributes_are_counted() {
        let effect = |value: f64, p_value: Option<f64>| {
            Some(Estimate {
                value,
                interval: None,
                standard_error: None,
                p_value,
                people: 2,
                method: IntervalMethod::Bca,
            })
        };
        let effects = [
            effect(0.1, Some(0.001)),
            effect(0.2, Some(0.002)),
            effect(-0.2, Some(0.003)),
            // Below 5 %, but not after the correction.
            effect(0.1, Some(0.03)),
            effect(0.1, Some(0.4)),
            effect(0.1, None),
            None,
        ];
        let expected = AttributeCounts {
            judged: 5,
            showing: 2,
            opposite: 1,
        };
        assert_eq!(AttributeCounts::of(effects), expected);
        assert_eq!(AttributeCounts::of([]), AttributeCounts::default());
    }

    proptest! {
        /// The other sign of an effect is the other judgement.
        #[test]
        fn a_reversed_effect_is_contradicted(value in 0.01_f64..1.0, p in prop::option::of(0.0_f64..0.1)) {
            let turned = match Judgement::of(value, p) {
                Judgement::Observed => Judgement::Contradicted,
                other => other,
            };
            prop_assert_eq!(Judgement::of(-value, p), turned);
            prop_assert_eq!(turned == Judgement::TooLittleData, p.is_none());
        }
    }
}
