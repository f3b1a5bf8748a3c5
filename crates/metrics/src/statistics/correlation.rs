//! Correlation over attributes.

use super::bootstrap::{Bootstrap, Interval};

/// A correlation with what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// The coefficient, in `[-1, 1]`.
    pub value: f64,
    /// Its 95 % bootstrap percentile interval over the pairs.
    pub interval: Option<Interval>,
    /// Number of pairs.
    pub n: usize,
}

/// Pearson's correlation, in `[-1, 1]`. `None` for slices of different length, fewer than two pairs, or a constant side.
#[must_use]
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() || x.len() < 2 {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        let (a, b) = (a - mean_x, b - mean_y);
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    let value = xy / (xx.sqrt() * yy.sqrt());
    value.is_finite().then(|| value.clamp(-1.0, 1.0))
}

/// Ranks from 1; equal values share the mean of their ranks.
#[must_use]
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = start as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|&position| ranks[position] = rank);
        start += tied.len();
    }
    ranks
}

/// Spearman's rank correlation: Pearson's correlation of the [`ranks`]. `None` as for [`pearson`].
#[must_use]
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    pearson(&ranks(x), &ranks(y))
}

/// Spearman's rank correlation with its bootstrap interval over the pairs. Draws that leave a side constant are not counted.
#[must_use]
pub fn spearman_with_interval(x: &[f64], y: &[f64], bootstrap: Bootstrap) -> Option<Correlation> {
    let value = spearman(x, y)?;
    let interval = bootstrap.interval(x.len(), |draw| {
        let pick = |values: &[f64]| draw.iter().map(|&position| values[position]).collect::<Vec<_>>();
        spearman(&pick(x), &pick(y))
    });
    Some(Correlation {
        value,
        interval,
        n: x.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn pearson_by_hand() {
        // Deviations (-1, 0, 1) and (-4/3, -1/3, 5/3): 3 / sqrt(2 * 42/9).
        assert_abs_diff_eq!(
            pearson(&[1.0, 2.0, 3.0], &[1.0, 2.0, 4.0]).unwrap(),
            3.0 / (28.0_f64 / 3.0).sqrt(),
            epsilon = 1e-12
        );
        assert_eq!(pearson(&[1.0, 2.0], &[5.0, 5.0]), None);
        assert_eq!(pearson(&[1.0, 2.0], &[5.0]), None);
        assert_eq!(pearson(&[1.0], &[5.0]), None);
    }

    #[test]
    fn ties_share_ranks() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(ranks(&[0.0, -0.0]), [1.5, 1.5]);
    }

    #[test]
    fn spearman_sees_order_only() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_abs_diff_eq!(spearman(&x, &x.map(|v: f64| v.exp())).unwrap(), 1.0, epsilon = 1e-12);
        // 1 - 6 * (1 + 1) / (5 * 24)
        assert_abs_diff_eq!(spearman(&x, &[1.0, 3.0, 2.0, 4.0, 5.0]).unwrap(), 0.9, epsilon = 1e-12);
    }

    #[test]
    fn the_interval_contains_the_value_and_narrows_with_pairs() {
        let noisy = |n: usize| -> (Vec<f64>, Vec<f64>) {
            (0..n)
                .map(|i| (i as f64, i as f64 + (i * 7919 % 101) as f64 / 101.0 * n as f64))
                .unzip()
        };
        let width = |n| {
            let (x, y) = noisy(n);
            let found = spearman_with_interval(&x, &y, Bootstrap::default()).unwrap();
            let interval = found.interval.unwrap();
            assert!(interval.low <= found.value && found.value <= interval.high);
            interval.high - interval.low
        };
        assert!(width(200) < width(12));
    }
}
