//! The structural similarity of two maps.

use crate::error::{Error, check_finite, check_length};

/// Rows and columns of a window, scikit-image's default.
const WINDOW: usize = 7;
/// What keeps the quotient of two windows without mean and without variance apart, in shares of the range of values: Wang et al.'s.
const K: [f64; 2] = [0.01, 0.03];

/// Structural similarity (SSIM), in `[-1, 1]`, 1 for the same map: the mean over all windows of 7 x 7 values of
///
/// (2 m n + c) (2 s + d) / ((m² + n² + c) (u + v + d)),
///
/// m and n the windows' means, u and v their variances, s their covariance (all of samples, divided by 48), c and d the squares of 0.01
/// and 0.03 times the range of the values of both maps: Wang, Bovik, Sheikh and Simoncelli, *Image quality assessment*, 2004, as
/// scikit-image computes it, which is Quantus' `ssim`.
///
/// Adebayo et al., *Sanity Checks for Saliency Maps*, 2018, compare maps by it beside the rank correlation. Quantus' test of randomised
/// weights (`MPRT`) takes the rank correlation ([`spearman`](crate::spearman)) of absolute values unless told otherwise.
///
/// `None` for maps that are smaller than a window, and where all values of both maps are equal: there is no range.
///
/// - `a`, `b`: row-major `[rows, columns]`
///
/// # Errors
/// Maps of another length, or with a value that is not finite.
pub fn structural_similarity(a: &[f32], b: &[f32], [rows, columns]: [usize; 2]) -> Result<Option<f64>, Error> {
    check_length("map", a.len(), rows * columns)?;
    check_length("other map", b.len(), rows * columns)?;
    check_finite(a)?;
    check_finite(b)?;
    let all = || a.iter().chain(b).map(|&value| f64::from(value));
    let range = all().fold(f64::NEG_INFINITY, f64::max) - all().fold(f64::INFINITY, f64::min);
    if rows < WINDOW || columns < WINDOW || range <= 0.0 {
        return Ok(None);
    }
    let [c, d] = K.map(|k| (k * range).powi(2));
    let means = |f: &dyn Fn(f64, f64) -> f64| {
        let values: Vec<f64> = a.iter().zip(b).map(|(&a, &b)| f(f64::from(a), f64::from(b))).collect();
        window_means(&values, columns)
    };
    let (mean_a, mean_b) = (means(&|a, _| a), means(&|_, b| b));
    let (square_a, square_b, product) = (means(&|a, _| a * a), means(&|_, b| b * b), means(&|a, b| a * b));
    let count = (WINDOW * WINDOW) as f64;
    let of_sample = count / (count - 1.0);
    let mut sum = 0.0;
    for at in 0..mean_a.len() {
        let (m, n) = (mean_a[at], mean_b[at]);
        let u = of_sample * (square_a[at] - m * m);
        let v = of_sample * (square_b[at] - n * n);
        let s = of_sample * (product[at] - m * n);
        sum += (2.0 * m * n + c) * (2.0 * s + d) / ((m * m + n * n + c) * (u + v + d));
    }
    Ok(Some((sum / mean_a.len() as f64).clamp(-1.0, 1.0)))
}

/// The mean of every window that lies inside: rows first, then columns.
fn window_means(values: &[f64], columns: usize) -> Vec<f64> {
    let along: Vec<Vec<f64>> = values
        .chunks_exact(columns)
        .map(|row| row.windows(WINDOW).map(|window| window.iter().sum()).collect())
        .collect();
    let down = |rows: &[Vec<f64>]| -> Vec<f64> {
        let sum = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>() / (WINDOW * WINDOW) as f64;
        (0..columns + 1 - WINDOW).map(sum).collect()
    };
    along.windows(WINDOW).flat_map(down).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_window_by_hand() {
        // A window whose one corner differs: means 1/49 and 0, variances 1/49 and 0 (49/48 (1/49 - 1/49²)), no covariance.
        let mut a = [0.0; 49];
        a[0] = 1.0;
        let m = 1.0 / 49.0;
        let expected = 1e-4 * 9e-4 / ((m * m + 1e-4) * (m + 9e-4));
        let found = structural_similarity(&a, &[0.0; 49], [7, 7]).unwrap().unwrap();
        assert!((found - expected).abs() < 1e-15, "{found} {expected}");
    }

    #[test]
    fn small_and_constant_maps_have_none() {
        assert_eq!(structural_similarity(&[0.0; 42], &[1.0; 42], [6, 7]), Ok(None));
        for constant in [0.0, 2.0] {
            assert_eq!(
                structural_similarity(&[constant; 49], &[constant; 49], [7, 7]),
                Ok(None)
            );
        }
        structural_similarity(&[0.0; 49], &[0.0; 48], [7, 7]).unwrap_err();
        structural_similarity(&[0.0; 49], &[f32::INFINITY; 49], [7, 7]).unwrap_err();
    }

    proptest! {
        #[test]
        fn it_is_a_symmetric_share_that_no_scale_changes(
            pairs in prop::collection::vec((0.0_f32..1.0, 0.0_f32..1.0), 72),
            exponent in -9_i32..9,
        ) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let of = |a: &[f32], b: &[f32]| structural_similarity(a, b, [8, 9]).unwrap().unwrap();
            let found = of(&a, &b);
            prop_assert!((-1.0..=1.0).contains(&found));
            prop_assert!((found - of(&b, &a)).abs() < 1e-12);
            prop_assert!((of(&a, &a) - 1.0).abs() < 1e-12);
            let scaled = |map: &[f32]| map.iter().map(|value| value * 2.0_f32.powi(exponent)).collect::<Vec<_>>();
            prop_assert!((found - of(&scaled(&a), &scaled(&b))).abs() < 1e-9);
        }
    }
}
