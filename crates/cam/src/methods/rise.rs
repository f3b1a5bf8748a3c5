//! RISE.

use std::ops::Range;

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::names::named;
use crate::resize::{Resize, Resizer};
use crate::{Error, Result};

/// By what RISE divides a pixel's sum of scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Density {
    /// The sum of the masks at the pixel. It estimates the same as [`Expected`](Self::Expected), E[f(I M) | M(p) = 1], and a score
    /// that the masks do not change has the same map everywhere.
    #[default]
    Observed,
    /// p N, what that sum is expected to be: the paper's formula. A score that the masks hardly change, such as a majority's, then
    /// shows how often each pixel happened to be seen.
    Expected,
}

named!(Density, "density", [Observed = "observed", Expected = "expected"]);

/// Forward passes of an image that nobody waits for.
const MOST_MASKS: usize = 1_000_000;

/// The random masks of RISE.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RiseConfig {
    /// N, the number of masks and forward passes per image; the paper's 4,000 for VGG-16.
    pub masks: usize,
    /// h = w, cells of the small grid along a side; the paper's 7.
    pub grid: usize,
    /// p, the probability that a cell is seen, in (0, 1); the paper's 0.5.
    pub probability: f64,
    /// The masks depend on it and on the image's size alone: all images and attributes share them.
    pub seed: u64,
    /// What sums of scores are divided by.
    pub density: Density,
}

impl Default for RiseConfig {
    fn default() -> Self {
        Self {
            masks: 4000,
            grid: 7,
            probability: 0.5,
            seed: 0,
            density: Density::Observed,
        }
    }
}

impl RiseConfig {
    pub(crate) fn check(&self) -> Result<()> {
        let fault = |field, found: String, expected| Err(Error::Setting { field, found, expected });
        if self.masks == 0 {
            return fault("rise.masks", self.masks.to_string(), "at least 1");
        }
        if self.masks > MOST_MASKS {
            return fault("rise.masks", self.masks.to_string(), "at most 1000000");
        }
        if !(1..=256).contains(&self.grid) {
            return fault("rise.grid", self.grid.to_string(), "1 to 256");
        }
        if !(self.probability > 0.0 && self.probability < 1.0) {
            return fault("rise.probability", self.probability.to_string(), "above 0 and below 1");
        }
        Ok(())
    }

    /// Some of the masks for images of `size` x `size` pixels, `[range, size, size]`, values in [0, 1]: a random grid enlarged to
    /// (grid + 1) cells of ceil(size / grid) pixels and cropped at a random offset, as the paper describes. Each mask has a stream of
    /// random numbers of its own, so that any of them can be made alone.
    pub(crate) fn masks(self, range: Range<usize>, size: usize) -> Vec<f32> {
        let cell = size.div_ceil(self.grid);
        let large = (self.grid + 1) * cell;
        let resizer = Resizer::new(Resize::HalfPixel, [self.grid; 2], [large; 2]);
        let mask = |number: usize| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(number as u64);
            let grid: Vec<f32> = (0..self.grid * self.grid)
                .map(|_| if rng.random_bool(self.probability) { 1.0 } else { 0.0 })
                .collect();
            let enlarged = resizer.resized(&grid);
            let (x, y) = (rng.random_range(0..cell), rng.random_range(0..cell));
            let rows = enlarged.chunks_exact(large).skip(y).take(size);
            rows.flat_map(|row| row[x..x + size].iter().copied())
                .collect::<Vec<_>>()
        };
        let masks: Vec<Vec<f32>> = range.into_par_iter().map(mask).collect();
        masks.concat()
    }
}

/// S(p) = sum_i f(I M_i) M_i(p) / sum_i M_i(p), or over p N as in Petsiuk et al. 2018, *RISE*, with f the explained score.
pub(crate) struct Saliency {
    config: RiseConfig,
    attributes: usize,
    /// `[A, S S]`: sums of scores times masks.
    sums: Vec<f64>,
    /// `[S S]`: sums of masks.
    seen: Vec<f64>,
}

impl Saliency {
    pub(crate) fn new(config: RiseConfig, attributes: usize, pixels: usize) -> Self {
        Self {
            config,
            attributes,
            sums: vec![0.0; attributes * pixels],
            seen: vec![0.0; pixels],
        }
    }

    /// Takes in the scores `[A, R]` of the image behind some masks `[R, S S]`: one product of matrices, in float32 over the few
    /// masks of a batch and in float64 over the batches.
    pub(crate) fn add(&mut self, masks: &[f32], scores: &[f32]) -> Result<()> {
        let rows = scores.len() / self.attributes;
        for mask in masks.chunks_exact(self.seen.len()) {
            self.seen
                .iter_mut()
                .zip(mask)
                .for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let masks = Tensor::from_slice(masks, (rows, masks.len() / rows), &Device::Cpu)?;
        let scores = Tensor::from_slice(scores, (self.attributes, rows), &Device::Cpu)?;
        let sums = scores.matmul(&masks)?.flatten_all()?.to_vec1::<f32>()?;
        self.sums
            .par_iter_mut()
            .zip(sums)
            .for_each(|(sum, value)| *sum += f64::from(value));
        Ok(())
    }

    /// The maps `[A, S, S]`.
    pub(crate) fn maps(self) -> Vec<f32> {
        let expected = self.config.probability * self.config.masks as f64;
        let divisor = |pixel: usize| match self.config.density {
            // A pixel that no mask shows has no scores either; its map is 0 by either division.
            Density::Observed if self.seen[pixel] > 0.0 => self.seen[pixel],
            _ => expected,
        };
        let pixels = self.seen.len();
        let sums = self.sums.iter().enumerate();
        sums.map(|(at, sum)| (sum / divisor(at % pixels)) as f32).collect()
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
        density: Density::Observed,
    };

    fn saliency(density: Density, score: impl Fn(&[f32]) -> f32) -> Vec<f32> {
        let mut saliency = Saliency::new(RiseConfig { density, ..CONFIG }, 1, 256);
        for start in (0..CONFIG.masks).step_by(100) {
            let masks = CONFIG.masks(start..start + 100, 16);
            let scores: Vec<f32> = masks.chunks(256).map(&score).collect();
            saliency.add(&masks, &scores).unwrap();
        }
        saliency.maps()
    }

    /// A score that no mask changes has the same share everywhere: itself, but for rounding, or within four standard errors of
    /// 4,000 masks (a mask's deviation is at most 0.5, so 4 * 0.5 / 0.4 / sqrt(4000) = 0.08).
    #[test]
    fn a_constant_score_is_everywhere() {
        for (density, tolerance) in [(Density::Observed, 1e-5), (Density::Expected, 0.08)] {
            let map = saliency(density, |_| 1.0);
            assert!(map.iter().all(|value| (value - 1.0).abs() < tolerance), "{density}");
        }
    }

    /// For a score that is one pixel, S = E[M(p) M(q)] / E[M]: largest at that pixel, and p where the masks are independent.
    #[test]
    fn a_single_pixel_is_found() {
        for density in Density::ALL {
            let map = saliency(*density, |mask| mask[5 * 16 + 6]);
            let best = (0..256).max_by(|a, b| map[*a].total_cmp(&map[*b])).unwrap();
            let (row, column) = (best / 16, best % 16);
            assert!(
                row.abs_diff(5) <= 1 && column.abs_diff(6) <= 1,
                "{density} {row} {column}"
            );
            assert!((map[15 * 16 + 15] - 0.4).abs() < 0.05, "{density} {}", map[255]);
        }
    }

    #[test]
    fn masks_are_those_of_the_seed() {
        let some = |seed, range| RiseConfig { seed, ..CONFIG }.masks(range, 16);
        assert_eq!(some(1, 0..2), some(1, 0..2));
        assert_ne!(some(1, 0..1), some(2, 0..1));
        // Whatever the batches: the second mask is the second mask.
        assert_eq!(some(1, 0..2)[256..], some(1, 1..2));
        assert_ne!(some(1, 0..1), some(1, 1..2));
        let all = CONFIG.masks(0..CONFIG.masks, 15);
        assert_eq!(all.len(), CONFIG.masks * 225);
        assert!(all.iter().all(|m| (0.0..=1.0).contains(m)));
        // E[M] = p, within four standard errors of 4,000 masks of deviation at most 0.5.
        let mean = all.iter().map(|m| f64::from(*m)).sum::<f64>() / all.len() as f64;
        assert!((mean - CONFIG.probability).abs() < 0.032, "{mean}");
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
