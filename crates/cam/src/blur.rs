//! Gaussian blur of maps of the image's size.

use rayon::prelude::*;

/// The authors' blur of FAME's maps, at this many pixels a side.
const SIDE: usize = 224;
const KERNEL: usize = 49;
const DEVIATION: f64 = 7.7;

/// A Gaussian blur whose weights are cut off and sum to 1, with borders reflected as PyTorch's `reflect`: torchvision's `gaussian_blur`.
#[derive(Debug, Clone)]
pub(crate) struct Blur {
    /// Of the distances 0, 1, ...
    weights: Vec<f32>,
}

impl Blur {
    /// FAME's blur: a kernel of 49 pixels and a deviation of 7.7 at a side of 224, in proportion at any other. The kernel is rounded down,
    /// and one pixel larger if that is even, as the authors' code does. So it never reaches across the image, at any side.
    pub(crate) fn of_fame(side: usize) -> Self {
        let reach = (KERNEL * side / SIDE) / 2;
        let deviation = DEVIATION * side as f64 / SIDE as f64;
        let weight = |distance: usize| (-0.5 * (distance as f64 / deviation).powi(2)).exp();
        // At a side of 0 there is no deviation.
        let weights: Vec<f64> = (0..=reach)
            .map(|distance| if distance == 0 { 1.0 } else { weight(distance) })
            .collect();
        let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f64>();
        Self {
            weights: weights.iter().map(|weight| (weight / sum) as f32).collect(),
        }
    }

    /// Blurs a square map.
    pub(crate) fn apply(&self, map: &mut [f32]) {
        let side = map.len().isqrt();
        if self.weights.len() < 2 || side < 2 {
            return;
        }
        // Rows of the transposed map are columns: twice the same pass.
        let once = self.transposed_rows(map, side);
        map.copy_from_slice(&self.transposed_rows(&once, side));
    }

    /// Each row blurred, as a column of the result.
    fn transposed_rows(&self, map: &[f32], side: usize) -> Vec<f32> {
        let mut columns = vec![0.0; map.len()];
        columns.par_chunks_exact_mut(side).enumerate().for_each(|(x, column)| {
            for (row, value) in map.chunks_exact(side).zip(column) {
                let pairs = self.weights.iter().enumerate().skip(1);
                let sum: f32 = pairs
                    .map(|(distance, weight)| {
                        let before = x.abs_diff(distance);
                        let after = x + distance;
                        let after = if after < side { after } else { 2 * (side - 1) - after };
                        weight * (row[before] + row[after])
                    })
                    .sum();
                *value = sum + self.weights[0] * row[x];
            }
        });
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```python
    /// torchvision.transforms.functional.gaussian_blur(torch.diag(torch.arange(64.0))[None, None], [15, 15], [2.2, 2.2])
    /// ```
    #[test]
    fn it_is_torchvisions() {
        let mut map = vec![0.0; 64 * 64];
        (0..64).for_each(|i| map[i * 65] = i as f32);
        let blur = Blur::of_fame(64);
        assert_eq!(blur.weights.len(), 8);
        blur.apply(&mut map);
        for ([y, x], expected) in TORCHVISION {
            assert!(
                (map[y * 64 + x] - expected).abs() < 2e-5,
                "{y} {x}: {}",
                map[y * 64 + x]
            );
        }
    }

    const TORCHVISION: [([usize; 2], f32); 6] = [
        ([0, 0], 0.3074681),
        ([3, 1], 0.3037029),
        ([20, 22], 2.192606),
        ([40, 40], 5.135),
        ([63, 63], 13.79371),
        ([63, 60], 9.059835),
    ];

    #[test]
    fn at_any_side_a_constant_stays() {
        assert_eq!(Blur::of_fame(224).weights.len(), 25);
        for side in 0..70 {
            let mut map = vec![3.0; side * side];
            let blur = Blur::of_fame(side);
            assert!(side < 2 || blur.weights.len() <= side, "{side}");
            blur.apply(&mut map);
            assert!(map.iter().all(|value| (value - 3.0).abs() < 1e-5), "{side}");
        }
    }
}
