//! Weights of an attribute's two classes in the loss.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How the weights of an attribute's classes follow from the numbers of samples, n+ and n-, in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// 1 for both classes: the paper's unbalanced classifier.
    None,
    /// 1 for the minority class and n_minority / n_majority for the majority class: the paper's balanced classifier.
    /// These are the probabilities with which MOON (Rudd et al. 2016, section 3.2, target distribution 50:50) keeps a
    /// sample's term in the loss. The weighted numbers of both classes are equal.
    DomainAdaptive,
    /// n / (2 n_class) with n = n+ + n-. The weighted numbers of both classes are equal and the mean weight of all
    /// samples is 1.
    InverseFrequency,
    /// (1 - beta) / (1 - beta^n_class), scaled so that the two weights add to 2 (Cui et al. 2019, equation 4 and
    /// section 4.2). beta = 0 is no weighting; for beta towards 1 the ratio of the weights goes to the inverse ratio of
    /// the numbers.
    EffectiveNumber,
}

/// A scheme and how strongly it weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Weighting {
    /// The scheme.
    pub scheme: Scheme,
    /// The power of its weights, which interpolates between no weighting (0) and the scheme (1).
    pub exponent: f64,
    /// 0 <= beta < 1 of [`Scheme::EffectiveNumber`]: the closer to 1, the stronger the weighting.
    pub beta: f64,
}

impl Weighting {
    /// The beta of [`Scheme::EffectiveNumber`] unless told otherwise.
    pub const BETA: f64 = 0.9999;
}

/// The whole of a scheme.
impl From<Scheme> for Weighting {
    fn from(scheme: Scheme) -> Self {
        Self {
            scheme,
            exponent: 1.0,
            beta: Self::BETA,
        }
    }
}

/// Weight of each attribute's positive and negative class in the loss, all > 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassWeights {
    /// Weight of the label +1, per attribute.
    pub positive: Vec<f32>,
    /// Weight of the label -1, per attribute.
    pub negative: Vec<f32>,
}

impl ClassWeights {
    /// The scheme's weights to the power of the exponent.
    ///
    /// `counts` has the numbers of positive and negative training samples of each attribute.
    ///
    /// # Errors
    /// [`Error::OneClass`] for an attribute without positives or without negatives, whatever the scheme, because such an
    /// attribute cannot be learned; [`Error::Setting`] for an exponent outside of [0, 1] or a beta outside of [0, 1).
    pub fn new(weighting: impl Into<Weighting>, counts: &[(usize, usize)]) -> Result<Self> {
        let weighting = weighting.into();
        let Weighting { scheme, exponent, beta } = weighting;
        if !(0.0..=1.0).contains(&exponent) {
            return Err(Error::setting("exponent", exponent, "0 to 1"));
        }
        if scheme == Scheme::EffectiveNumber && !(0.0..1.0).contains(&beta) {
            return Err(Error::setting("beta", beta, "at least 0 and below 1"));
        }
        let mut weights = Self {
            positive: Vec::new(),
            negative: Vec::new(),
        };
        for (attribute, &(positives, negatives)) in counts.iter().enumerate() {
            if positives == 0 || negatives == 0 {
                return Err(Error::OneClass {
                    attribute,
                    positives,
                    negatives,
                });
            }
            let (positive, negative) = weighting.pair(positives as f64, negatives as f64);
            weights.positive.push(positive.powf(exponent) as f32);
            weights.negative.push(negative.powf(exponent) as f32);
        }
        Ok(weights)
    }

    /// Weight 1 for both classes of `attributes` attributes.
    pub fn uniform(attributes: usize) -> Self {
        Self {
            positive: vec![1.0; attributes],
            negative: vec![1.0; attributes],
        }
    }

    /// Number of attributes.
    pub fn len(&self) -> usize {
        self.positive.len()
    }

    /// Whether there are no attributes.
    pub fn is_empty(&self) -> bool {
        self.positive.is_empty()
    }
}

impl Weighting {
    /// The scheme's weights of the positive and the negative class, of which there are so many samples, at least one each.
    fn pair(self, positives: f64, negatives: f64) -> (f64, f64) {
        match self.scheme {
            Scheme::None => (1.0, 1.0),
            Scheme::DomainAdaptive => ((negatives / positives).min(1.0), (positives / negatives).min(1.0)),
            Scheme::InverseFrequency => {
                let half = (positives + negatives) / 2.0;
                (half / positives, half / negatives)
            }
            Scheme::EffectiveNumber => {
                // 1 - beta^n without the cancellation that beta near 1 brings.
                let effective = |n: f64| -(n * self.beta.ln()).exp_m1();
                let (positive, negative) = (1.0 / effective(positives), 1.0 / effective(negatives));
                let scale = 2.0 / (positive + negative);
                (scale * positive, scale * negative)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    fn pair(weighting: impl Into<Weighting>, positives: usize, negatives: usize) -> (f64, f64) {
        let weights = ClassWeights::new(weighting, &[(positives, negatives)]).unwrap();
        (f64::from(weights.positive[0]), f64::from(weights.negative[0]))
    }

    fn effective_number(beta: f64) -> Weighting {
        Weighting {
            beta,
            ..Scheme::EffectiveNumber.into()
        }
    }

    #[test]
    fn by_hand() {
        assert_eq!(pair(Scheme::None, 10, 90), (1.0, 1.0));
        assert_eq!(pair(Scheme::DomainAdaptive, 25, 75), (1.0, f64::from(1.0_f32 / 3.0)));
        assert_eq!(pair(Scheme::DomainAdaptive, 75, 25), (f64::from(1.0_f32 / 3.0), 1.0));
        assert_eq!(pair(Scheme::DomainAdaptive, 50, 50), (1.0, 1.0));
        assert_eq!(pair(Scheme::InverseFrequency, 25, 75), (2.0, f64::from(2.0_f32 / 3.0)));
        assert_eq!(pair(effective_number(0.0), 25, 75), (1.0, 1.0));
        // (1 - 0.5) / (1 - 0.5^1) = 1 and (1 - 0.5) / (1 - 0.5^2) = 2/3, scaled by 2 / (5/3).
        let (positive, negative) = pair(effective_number(0.5), 1, 2);
        assert_relative_eq!(positive, 1.2, epsilon = 1e-6);
        assert_relative_eq!(negative, 0.8, epsilon = 1e-6);
    }

    #[test]
    fn an_attribute_of_one_class_is_named() {
        for counts in [(0, 7), (7, 0)] {
            for scheme in [Scheme::None, Scheme::DomainAdaptive] {
                let error = ClassWeights::new(scheme, &[(3, 4), counts]).unwrap_err();
                assert!(matches!(error, Error::OneClass { attribute: 1, .. }), "{error}");
            }
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        for exponent in [-0.1, 1.1, f64::NAN] {
            let weighting = Weighting {
                exponent,
                ..Scheme::None.into()
            };
            assert!(ClassWeights::new(weighting, &[(1, 1)]).is_err());
        }
        for beta in [-0.1, 1.0, f64::NAN] {
            assert!(ClassWeights::new(effective_number(beta), &[(1, 1)]).is_err());
        }
    }

    proptest! {
        #[test]
        fn weights_average_as_the_scheme_promises(positives in 1_usize..200_000, negatives in 1_usize..200_000) {
            let (p, n) = (positives as f64, negatives as f64);
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(b.abs());

            let (wp, wn) = pair(Scheme::DomainAdaptive, positives, negatives);
            prop_assert!(close(wp * p, wn * n));
            prop_assert!(wp.max(wn) == 1.0);

            let (wp, wn) = pair(Scheme::InverseFrequency, positives, negatives);
            prop_assert!(close(wp * p, wn * n));
            prop_assert!(close((wp * p + wn * n) / (p + n), 1.0));

            let (wp, wn) = pair(effective_number(0.9999), positives, negatives);
            prop_assert!(close(wp + wn, 2.0));
            prop_assert!((wp >= wn) == (positives <= negatives) || close(wp, wn));
            let (wp, wn) = pair(effective_number(1.0 - 1e-12), positives, negatives);
            prop_assert!(close(wp * p, wn * n));
        }

        #[test]
        fn the_exponent_interpolates(positives in 1_usize..9999, negatives in 1_usize..9999, exponent in 0.0_f64..=1.0) {
            for whole in [Scheme::DomainAdaptive.into(), Scheme::InverseFrequency.into(), effective_number(0.999)] {
                let (weight, _) = pair(whole, positives, negatives);
                let part = |exponent| ClassWeights::new(Weighting { exponent, ..whole }, &[(positives, negatives)]).unwrap();
                let found = f64::from(part(exponent).positive[0]);
                prop_assert!((found - weight.powf(exponent)).abs() < 1e-5 * weight.max(1.0));
                let none = part(0.0);
                prop_assert_eq!(none, ClassWeights::uniform(1));
            }
        }
    }
}
