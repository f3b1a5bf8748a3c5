//! RISE.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::score_cam::Upsampling;
use crate::{Error, Result};

/// The random masks of RISE.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiseConfig {
    /// N, the number of masks and forward passes per image; the paper's 4,000 for VGG-16.
    pub masks: usize,
    /// h = w, cells of the small grid along a side; the paper's 7.
    pub grid: usize,
    /// p, the probability that a cell is seen, in (0, 1); the paper's 0.5.
    pub probability: f64,
    /// The masks depend on it and on the image's size alone: all images and attributes share them.
    pub seed: u64,
}

impl Default for RiseConfig {
    fn default() -> Self {
        Self {
            masks: 4000,
            grid: 7,
            probability: 0.5,
            seed: 0,
        }
    }
}

impl RiseConfig {
    pub(crate) fn check(&self) -> Result<()> {
        let fault = |field, found: String, expected| Err(Error::Setting { field, found, expected });
        if self.masks == 0 {
            return fault("rise.masks", self.masks.to_string(), "at least 1");
        }
        if !(1..=256).contains(&self.grid) {
            return fault("rise.grid", self.grid.to_string(), "1 to 256");
        }
        if !(self.probability > 0.0 && self.probability < 1.0) {
            return fault("rise.probability", self.probability.to_string(), "above 0 and below 1");
        }
        Ok(())
    }

    /// The masks for images of `size` x `size` pixels, values in [0, 1], one after the other: a random grid enlarged to (grid + 1)
    /// cells of ceil(size / grid) pixels and cropped at a random offset (section 3.2).
    pub(crate) fn masks(self, size: usize) -> impl Iterator<Item = Vec<f32>> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let cell = size.div_ceil(self.grid);
        let large = (self.grid + 1) * cell;
        (0..self.masks).map(move |_| {
            let grid: Vec<f32> = (0..self.grid * self.grid)
                .map(|_| if rng.random_bool(self.probability) { 1.0 } else { 0.0 })
                .collect();
            let enlarged = Upsampling::HalfPixel.enlarge(&grid, [self.grid; 2], [large; 2]);
            let (x, y) = (rng.random_range(0..cell), rng.random_range(0..cell));
            let rows = enlarged.chunks_exact(large).skip(y).take(size);
            rows.flat_map(|row| row[x..x + size].iter().copied()).collect()
        })
    }
}

/// S(p) = sum_i f(I M_i) M_i(p) / (E[M] N): Petsiuk et al. 2018, *RISE*, equation 6, with f the explained score.
pub(crate) struct Saliency {
    /// `[A, S S]`.
    sums: Vec<Vec<f64>>,
    divisor: f64,
}

impl Saliency {
    pub(crate) fn new(config: RiseConfig, attributes: usize, pixels: usize) -> Self {
        Self {
            sums: vec![vec![0.0; pixels]; attributes],
            divisor: config.probability * config.masks as f64,
        }
    }

    /// Takes in the scores `[A]` of the image behind a mask.
    pub(crate) fn add(&mut self, mask: &[f32], scores: &[f32]) {
        for (sums, score) in self.sums.iter_mut().zip(scores) {
            sums.iter_mut()
                .zip(mask)
                .for_each(|(sum, m)| *sum += f64::from(*score) * f64::from(*m));
        }
    }

    /// The maps `[A, S, S]`.
    pub(crate) fn maps(self) -> Vec<f32> {
        let divisor = self.divisor;
        self.sums
            .into_iter()
            .flatten()
            .map(|sum| (sum / divisor) as f32)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: RiseConfig = RiseConfig {
        masks: 4000,
        grid: 4,
        probability: 0.4,
        seed: 3,
    };

    fn saliency(score: impl Fn(&[f32]) -> f32) -> Vec<f32> {
        let mut saliency = Saliency::new(CONFIG, 1, 256);
        CONFIG.masks(16).for_each(|mask| saliency.add(&mask, &[score(&mask)]));
        saliency.maps()
    }

    /// A score that no mask changes has the same share everywhere: itself, within four standard errors of 4,000 masks
    /// (a mask's deviation is at most 0.5, so 4 * 0.5 / 0.4 / sqrt(4000) = 0.08).
    #[test]
    fn a_constant_score_is_everywhere() {
        assert!(saliency(|_| 1.0).iter().all(|value| (value - 1.0).abs() < 0.08));
    }

    /// For a score that is one pixel, S = E[M(p) M(q)] / E[M]: largest at that pixel, and p where the masks are independent.
    #[test]
    fn a_single_pixel_is_found() {
        let map = saliency(|mask| mask[5 * 16 + 6]);
        let best = (0..256).max_by(|a, b| map[*a].total_cmp(&map[*b])).unwrap();
        let (row, column) = (best / 16, best % 16);
        assert!(row.abs_diff(5) <= 1 && column.abs_diff(6) <= 1, "{row} {column}");
        assert!((map[15 * 16 + 15] - 0.4).abs() < 0.05, "{}", map[255]);
    }

    #[test]
    fn masks_are_those_of_the_seed() {
        let first = |seed| RiseConfig { seed, ..CONFIG }.masks(16).next().unwrap();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
        assert_eq!(first(1).len(), 256);
        assert!(
            CONFIG
                .masks(15)
                .all(|mask| mask.len() == 225 && mask.iter().all(|m| (0.0..=1.0).contains(m)))
        );
        assert!(
            RiseConfig {
                probability: 1.0,
                ..CONFIG
            }
            .check()
            .is_err()
        );
        assert!(RiseConfig { masks: 0, ..CONFIG }.check().is_err());
    }
}
