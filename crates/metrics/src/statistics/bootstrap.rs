//! Confidence intervals, and the bootstrap that makes them of draws.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::quantile::quantile;

/// Coverage of every interval in this crate.
pub const CONFIDENCE: f64 = 0.95;

/// The standard normal quantile at (1 + [`CONFIDENCE`]) / 2.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How a bootstrap draws. The same settings on the same values give the same interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples; 0 gives no interval.
    pub resamples: usize,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 1,000 resamples, seed 1.
    fn default() -> Self {
        Self {
            resamples: 1000,
            seed: 1,
        }
    }
}

impl Bootstrap {
    /// The percentile interval of a statistic of `n` items: `statistic` gets the drawn positions, with replacement, and says `None`
    /// where it is undefined for that draw. `None` if there are fewer than two items or no draw gave a value.
    pub(crate) fn interval(&self, n: usize, mut statistic: impl FnMut(&[usize]) -> Option<f64>) -> Option<Interval> {
        let size = u32::try_from(n).ok().filter(|&size| size >= 2)?;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut draw = vec![0_usize; n];
        let mut values: Vec<f64> = (0..self.resamples)
            .filter_map(|_| {
                draw.iter_mut()
                    .for_each(|position| *position = rng.random_range(0..size) as usize);
                statistic(&draw)
            })
            .collect();
        values.sort_by(f64::total_cmp);
        Some(Interval {
            low: quantile(&values, (1.0 - CONFIDENCE) / 2.0)?,
            high: quantile(&values, (1.0 + CONFIDENCE) / 2.0)?,
        })
    }
}
