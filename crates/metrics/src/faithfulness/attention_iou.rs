//! Attention-IoU.

use crate::error::{Error, check_length};

/// Attention-IoU of two maps that are not negative (Serianni, Zhu, Russakovsky and Ramaswamy, *Attention IoU: Examining Biases in
/// CelebA using Attention Maps*, CVPR 2025; checked against the definition in the authors' code): with a and b divided by their
/// sums,
///
/// sum a b / sum ((a + b) / 2)^2, in [0, 1], 1 iff they are the same map up to a factor.
///
/// Of the maps of two attributes on an image it is the paper's *heatmap score*; of a map and a mask (0 and 1) its *mask score*.
/// `None` when one of them is all zero: it has no distribution to compare. (The authors' code counts 0 there.)
///
/// # Errors
/// Maps of different length, or with negative values or values that are not finite.
pub fn attention_iou(a: &[f32], b: &[f32]) -> Result<Option<f64>, Error> {
    check_length("second map", b.len(), a.len())?;
    if let Some(&bad) = a.iter().chain(b).find(|value| !(value.is_finite() && **value >= 0.0)) {
        return Err(Error::Map { energy: f64::from(bad) });
    }
    let sum = |map: &[f32]| map.iter().map(|&value| f64::from(value)).sum::<f64>();
    let (sum_a, sum_b) = (sum(a), sum(b));
    if sum_a <= 0.0 || sum_b <= 0.0 {
        return Ok(None);
    }
    let (mut product, mut square) = (0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a) / sum_a, f64::from(b) / sum_b);
        product += a * b;
        square += f64::midpoint(a, b).powi(2);
    }
    Ok(Some((product / square).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    #[test]
    fn attention_iou_by_hand() {
        // (1, 0) and (1/2, 1/2): 1/2 / (9/16 + 1/16).
        let value = attention_iou(&[2.0, 0.0], &[3.0, 3.0]).unwrap().unwrap();
        assert_abs_diff_eq!(value, 0.8, epsilon = 1e-12);
        assert_eq!(attention_iou(&[1.0, 0.0], &[0.0, 4.0]), Ok(Some(0.0)));
        assert_eq!(attention_iou(&[0.0, 0.0], &[0.0, 4.0]), Ok(None));
        assert!(attention_iou(&[1.0], &[1.0, 2.0]).is_err());
        assert!(attention_iou(&[1.0, -1.0], &[1.0, 2.0]).is_err());
    }

    proptest! {
        #[test]
        fn attention_iou_is_a_symmetric_share(pairs in prop::collection::vec((0.0_f32..9.0, 0.0_f32..9.0), 1..50)) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let value = attention_iou(&a, &b).unwrap();
            prop_assert_eq!(value, attention_iou(&b, &a).unwrap());
            prop_assert!(value.is_none_or(|value| (0.0..=1.0).contains(&value)));
            let doubled: Vec<f32> = a.iter().map(|value| 2.0 * value).collect();
            let same = attention_iou(&a, &doubled).unwrap();
            prop_assert!(same.is_none_or(|value| (value - 1.0).abs() < 1e-9));
        }
    }
}
