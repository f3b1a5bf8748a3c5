//! How much of a score is a bias: the exact decomposition of one logit.
//!
//! With global average pooling and a linear head, the logit of an attribute is a sum over the P positions of the features A,
//!
//! ```text
//! z = b + sum_p e(p),    e(p) = sum_k w_k A_k(p) / P
//! ```
//!
//! with the head's bias b and the *evidence* e, which is HiresCAM's raw map for +z. With a reference set of images, whose mean
//! evidence is m(p) and whose mean logit is therefore c = b + sum_p m(p),
//!
//! ```text
//! z = c + sum_p (e(p) - m(p))
//! ```
//!
//! c is the *constant part*: the score of an image of which nothing is known. The rest is *specific* to the image. Everything
//! is given for the predicted class: multiplied by the sign of z, as the paper's binary CAM explains |z|.

use crate::class::Class;
use crate::error::{Error, check_length};

/// Evidence for and against the predicted class, inside and outside a region, in units of the logit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evidence {
    /// For the predicted class, inside; at least 0.
    pub for_inside: f64,
    /// For the predicted class, outside; at least 0.
    pub for_outside: f64,
    /// Against it, inside; at most 0.
    pub against_inside: f64,
    /// Against it, outside; at most 0.
    pub against_outside: f64,
}

impl Evidence {
    /// The sum of all four.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.inside() + self.outside()
    }

    /// What the region says, for and against.
    #[must_use]
    pub fn inside(&self) -> f64 {
        self.for_inside + self.against_inside
    }

    /// What the rest of the image says.
    #[must_use]
    pub fn outside(&self) -> f64 {
        self.for_outside + self.against_outside
    }

    fn add(&mut self, value: f64, inside: f64) {
        let (of_inside, of_outside) = if value >= 0.0 {
            (&mut self.for_inside, &mut self.for_outside)
        } else {
            (&mut self.against_inside, &mut self.against_outside)
        };
        *of_inside += value * inside;
        *of_outside += value * (1.0 - inside);
    }
}

/// One score taken apart, for the predicted class: `bias + evidence.sum()` and `constant + specific.sum()` are both |z|.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BiasReliance {
    /// |z|.
    pub score: f64,
    /// The head's bias.
    pub bias: f64,
    /// The constant part: the reference's mean logit. Negative where it speaks against the prediction.
    pub constant: f64,
    /// Evidence as it is.
    pub evidence: Evidence,
    /// Evidence less the reference's mean evidence: the part that is specific to the image.
    pub specific: Evidence,
}

/// Takes one score apart.
///
/// - `bias`: the head's bias
/// - `evidence`: e, one value a position, for +z
/// - `reference`: m, the reference's mean evidence at the same positions
/// - `inside`: how much of each position's cell lies in the region, in [0, 1]
///
/// # Errors
/// [`Error::Length`] when the slices differ in length.
pub fn bias_reliance(bias: f64, evidence: &[f32], reference: &[f32], inside: &[f64]) -> Result<BiasReliance, Error> {
    for (what, found) in [("reference evidence", reference.len()), ("region", inside.len())] {
        check_length(what, found, evidence.len())?;
    }
    let sum = |values: &[f32]| values.iter().map(|&value| f64::from(value)).sum::<f64>();
    let score = bias + sum(evidence);
    let sign = if Class::predicted(score as f32) == Class::Positive {
        1.0
    } else {
        -1.0
    };
    let (mut whole, mut specific) = (Evidence::default(), Evidence::default());
    for ((&evidence, &mean), &inside) in evidence.iter().zip(reference).zip(inside) {
        let (evidence, mean) = (f64::from(evidence), f64::from(mean));
        whole.add(sign * evidence, inside);
        specific.add(sign * (evidence - mean), inside);
    }
    Ok(BiasReliance {
        score: sign * score,
        bias: sign * bias,
        constant: sign * (bias + sum(reference)),
        evidence: whole,
        specific,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        // z = -1 + (0.5 - 2 + 0.5) = -2: predicted negative, so every sign turns.
        let found = bias_reliance(-1.0, &[0.5, -2.0, 0.5], &[0.5, -0.5, 0.0], &[0.0, 1.0, 0.5]).unwrap();
        assert_eq!((found.score, found.bias, found.constant), (2.0, 1.0, 1.0));
        let expected = Evidence {
            for_inside: 2.0,
            for_outside: 0.0,
            against_inside: -0.25,
            against_outside: -0.75,
        };
        assert_eq!(found.evidence, expected);
        assert_eq!((found.specific.for_inside, found.specific.inside()), (1.5, 1.25));
        assert_eq!(found.specific.outside(), -0.25);
    }

    #[test]
    fn slices_must_belong_together() {
        assert!(bias_reliance(0.0, &[1.0], &[], &[1.0]).is_err());
        assert!(bias_reliance(0.0, &[1.0], &[1.0], &[1.0, 0.0]).is_err());
    }

    proptest! {
        /// Both sums are |z|. The values are exact in f64, so only the order of at most 24 additions of values below 10 is between
        /// them: 1e-12 is far above its rounding.
        #[test]
        fn the_parts_make_the_score(
            bias in -3.0_f64..3.0,
            positions in prop::collection::vec((-5.0_f32..5.0, -5.0_f32..5.0, 0.0_f64..1.0), 1..12),
        ) {
            let evidence: Vec<f32> = positions.iter().map(|position| position.0).collect();
            let reference: Vec<f32> = positions.iter().map(|position| position.1).collect();
            let inside: Vec<f64> = positions.iter().map(|position| position.2).collect();
            let found = bias_reliance(bias, &evidence, &reference, &inside).unwrap();
            prop_assert!((found.bias + found.evidence.sum() - found.score).abs() < 1e-12);
            prop_assert!((found.constant + found.specific.sum() - found.score).abs() < 1e-12);
            prop_assert!(found.evidence.for_inside >= 0.0 && found.evidence.against_outside <= 0.0);
            let z = bias + evidence.iter().map(|&value| f64::from(value)).sum::<f64>();
            prop_assert!((found.score - z.abs()).abs() < 1e-6, "{} {}", found.score, z);
        }
    }
}
