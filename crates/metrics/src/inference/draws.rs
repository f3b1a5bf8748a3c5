//! Who is drawn in which resample.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::statistics::Bootstrap;

/// At most so many blocks of people are weighted one after another for the influence, see [`block`].
const MOST_BLOCKS: usize = 200;

/// The draws of a bootstrap over people, with replacement: how often each is drawn. Every resample has a stream of random numbers of its
/// own, so that it does not matter in which order, or on how many threads, resamples are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draws {
    pub people: usize,
    pub bootstrap: Bootstrap,
}

impl Draws {
    /// Writes how often each person is drawn in one resample; the sum is the number of people.
    pub(super) fn counts(&self, resample: usize, counts: &mut [f64]) {
        counts.fill(0.0);
        let Some(people) = u32::try_from(self.people).ok().filter(|&people| people > 0) else {
            return;
        };
        let mut rng = ChaCha8Rng::seed_from_u64(self.bootstrap.seed);
        rng.set_stream(resample as u64);
        for _ in 0..people {
            counts[rng.random_range(0..people) as usize] += 1.0;
        }
    }

    /// The counts of `WIDTH` resamples from `first`, person by person: what a person adds to all of them is then one run of memory.
    pub(super) fn tile<const WIDTH: usize>(&self, first: usize) -> Vec<[f64; WIDTH]> {
        let mut rows = vec![0.0; WIDTH * self.people];
        if self.people > 0 {
            rows.par_chunks_mut(self.people)
                .enumerate()
                .for_each(|(row, counts)| self.counts(first + row, counts));
        }
        (0..self.people)
            .into_par_iter()
            .map(|person| std::array::from_fn(|row| rows[row * self.people + person]))
            .collect()
    }

    /// Number of blocks of people.
    pub(super) fn blocks(&self) -> usize {
        self.people.min(MOST_BLOCKS)
    }

    /// A person's block.
    ///
    /// The acceleration of BCa is the skewness of what single people do to the estimate, over 6 √people. Blocks of people do the sum of
    /// what their people do; third moments of independent people add up like variances, so that the skewness of B blocks of b people, over
    /// 6 √B, is the same number (Efron & Tibshirani 1993, section 22.5, for grouped jackknives), and costs B evaluations.
    pub(super) fn block(&self, person: usize) -> usize {
        person % self.blocks().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: Draws = Draws {
        people: 7,
        bootstrap: Bootstrap {
            resamples: 100,
            seed: 3,
        },
    };

    fn counts(draws: Draws, resample: usize) -> Vec<f64> {
        let mut counts = vec![9.0; draws.people];
        draws.counts(resample, &mut counts);
        counts
    }

    #[test]
    fn as_many_are_drawn_as_there_are() {
        for resample in 0..20 {
            assert_eq!(counts(DRAWS, resample).iter().sum::<f64>(), 7.0);
        }
        assert_ne!(counts(DRAWS, 0), counts(DRAWS, 1));
        let other = Draws {
            bootstrap: Bootstrap {
                seed: 4,
                ..DRAWS.bootstrap
            },
            ..DRAWS
        };
        assert_ne!(counts(DRAWS, 0), counts(other, 0));
        assert!(counts(Draws { people: 0, ..DRAWS }, 0).is_empty());
    }

    #[test]
    fn a_tile_is_the_counts_turned() {
        let tile = DRAWS.tile::<8>(5);
        for (row, resample) in (5..13).enumerate() {
            let found: Vec<f64> = tile.iter().map(|of_person| of_person[row]).collect();
            assert_eq!(found, counts(DRAWS, resample));
        }
    }

    /// A count is binomial with mean 1 and variance 1 - 1/n: over 7 x 4,000 counts its mean square is 2 - 1/7 within 0.05, four
    /// standard errors of a variable whose square has a deviation of about 2.6.
    #[test]
    fn counts_are_multinomial() {
        let squares: f64 = (0..4000)
            .flat_map(|resample| counts(DRAWS, resample))
            .map(|count| count * count)
            .sum();
        let found = squares / 28_000.0;
        assert!((found - (2.0 - 1.0 / 7.0)).abs() < 0.06, "{found}");
    }
}
