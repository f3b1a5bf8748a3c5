//! Noisy linear imputation of one and the same hole in many images.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::equations::System;
use crate::error::{Error, check_length};
use crate::region::Region;

/// Fills one hole in image after image, as [`noisy_linear_imputation`](crate::noisy_linear_imputation) fills it in one.
///
/// The system of equations depends on the hole alone. It is factorised once (Cholesky, by its band); an image then costs two
/// substitutions, some hundred times less than solving it anew. Memory: one float32 for each missing pixel and pixel of the band,
/// which is about the hole's width.
///
/// ```
/// let hole = metrics::Region::from_mask(8, (0..64).map(|pixel| pixel == 27).collect())?;
/// let imputer = metrics::Imputer::new(&hole);
/// let mut image = vec![0.5; 64 * 3];
/// image[27 * 3] = 0.0;
/// imputer.fill(&mut image, 0.0, 1)?;
/// assert!((image[27 * 3] - 0.5).abs() < 1e-6);
/// # Ok::<(), metrics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Imputer {
    /// Positions of the missing pixels in the image.
    pixels: Vec<usize>,
    /// Each missing pixel's known neighbours and their weights, one after the other; `ends` says where each one's end.
    known: Vec<(usize, f32)>,
    ends: Vec<usize>,
    /// Lower factor by rows of `band + 1`: entry `[i, band - d]` is that of unknowns i and i - d.
    lower: Vec<f32>,
    band: usize,
    /// Pixels of an image.
    total: usize,
}

impl Imputer {
    /// For images of the region's size whose pixels inside of it are to be filled.
    #[must_use]
    pub fn new(region: &Region) -> Self {
        let size = region.size();
        let total = size * size;
        let system = System::new(region.mask(), size, size);
        let mut imputer = Self {
            pixels: Vec::new(),
            known: Vec::new(),
            ends: Vec::new(),
            lower: Vec::new(),
            band: 0,
            total,
        };
        for neighbours in &system.neighbours {
            let known = neighbours.iter().filter(|(_, unknown, _)| unknown.is_none());
            imputer.known.extend(known.map(|&(at, _, weight)| (at, weight as f32)));
            imputer.ends.push(imputer.known.len());
        }
        // Where nothing is known the system has no solution, and the mean colour takes its place.
        if system.pixels.len() < total {
            (imputer.lower, imputer.band) = factorise(&system);
        }
        imputer.pixels = system.pixels;
        imputer
    }

    /// Fills the hole in `image` `[height, width, 3]`; `noise` and `seed` as in
    /// [`noisy_linear_imputation`](crate::noisy_linear_imputation). Rounding is float32's, some 1e-4 in the middle of a hole of a hundred
    /// pixels: far below one step of an 8-bit image.
    ///
    /// # Errors
    /// [`Error::Length`] for an image of another size.
    pub fn fill(&self, image: &mut [f32], noise: f32, seed: u64) -> Result<(), Error> {
        check_length("image", image.len(), 3 * self.total)?;
        let solution = if self.lower.is_empty() {
            let mean = [0, 1, 2].map(|c| image.iter().skip(c).step_by(3).sum::<f32>() / self.total.max(1) as f32);
            vec![[mean[0], mean[1], mean[2], 0.0]; self.pixels.len()]
        } else {
            self.solve(image)
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for (&pixel, values) in self.pixels.iter().zip(solution) {
            for (to, value) in image[3 * pixel..3 * pixel + 3].iter_mut().zip(values) {
                let random: f32 = if noise == 0.0 {
                    0.0
                } else {
                    StandardNormal.sample(&mut rng)
                };
                *to = value + noise * random;
            }
        }
        Ok(())
    }

    /// The three channels side by side, in four lanes.
    fn solve(&self, image: &[f32]) -> Vec<[f32; 4]> {
        let (n, band) = (self.pixels.len(), self.band);
        // As many zeros before the first unknown as the band is wide: then every row is whole.
        let mut x = vec![[0.0_f32; 4]; band + n];
        let mut start = 0;
        for (x, &end) in x[band..].iter_mut().zip(&self.ends) {
            for &(at, weight) in &self.known[start..end] {
                (0..3).for_each(|c| x[c] += weight * image[3 * at + c]);
            }
            start = end;
        }
        for (i, row) in self.lower.chunks_exact(band + 1).enumerate() {
            let sum = weighted_sum(&row[..band], &x[i..i + band]);
            let own = &mut x[i + band];
            (0..4).for_each(|c| own[c] = (own[c] - sum[c]) / row[band]);
        }
        for (i, row) in self.lower.chunks_exact(band + 1).enumerate().rev() {
            let (before, own) = x[i..].split_at_mut(band);
            let own = &mut own[0];
            (0..4).for_each(|c| own[c] /= row[band]);
            for (to, weight) in before.iter_mut().zip(row) {
                (0..4).for_each(|c| to[c] -= weight * own[c]);
            }
        }
        x.split_off(band)
    }
}

/// Sum of values times weights; four sums side by side, so that no addition waits for the one before.
fn weighted_sum(weights: &[f32], values: &[[f32; 4]]) -> [f32; 4] {
    let mut sums = [[0.0_f32; 4]; 4];
    let (whole, rest) = weights.as_chunks::<4>();
    let (values, last) = values.split_at(4 * whole.len());
    for (weights, values) in whole.iter().zip(values.chunks_exact(4)) {
        for lane in 0..4 {
            (0..4).for_each(|c| sums[lane][c] += weights[lane] * values[lane][c]);
        }
    }
    for (weight, value) in rest.iter().zip(last) {
        (0..4).for_each(|c| sums[0][c] += weight * value[c]);
    }
    [0, 1, 2, 3].map(|c| (sums[0][c] + sums[1][c]) + (sums[2][c] + sums[3][c]))
}

/// The lower Cholesky factor by rows of the band, and the band. The matrix is positive definite as long as one pixel is known.
fn factorise(system: &System) -> (Vec<f32>, usize) {
    let n = system.pixels.len();
    let unknowns = |i: usize| {
        let all = system.neighbours[i].iter();
        all.filter_map(move |&(_, unknown, weight)| Some((unknown?, weight)).filter(|(j, _)| *j < i))
    };
    let band = (0..n)
        .flat_map(|i| unknowns(i).map(move |(j, _)| i - j))
        .max()
        .unwrap_or(0);
    let row = band + 1;
    let mut lower = vec![0.0_f64; n * row];
    for i in 0..n {
        lower[i * row + band] = system.sums[i];
        for (j, weight) in unknowns(i) {
            lower[i * row + band - (i - j)] = -weight;
        }
        let (before, own) = lower.split_at_mut(i * row);
        for j in i.saturating_sub(band)..i {
            // Both rows from column i - band on: row i begins there, row j begins i - j columns earlier.
            let offset = i - j;
            let at = band - offset;
            let other = &before[j * row..(j + 1) * row];
            let product: f64 = own[..at].iter().zip(&other[offset..band]).map(|(a, b)| a * b).sum();
            own[at] = (own[at] - product) / other[band];
        }
        let square: f64 = own[..band].iter().map(|value| value * value).sum();
        own[band] = (own[band] - square).sqrt();
    }
    (lower.into_iter().map(|value| value as f32).collect(), band)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perturbation::noisy_linear_imputation;

    /// Against the iterative solution, which a test holds to ROAD's authors' code. 1e-4: float32's rounding times the system's
    /// condition, which is about the square of the hole's side.
    #[test]
    fn every_image_is_filled_as_by_itself() {
        let side = 40;
        let holes: [fn(usize, usize) -> bool; 4] = [
            |row, column| (5..35).contains(&row) && (8..30).contains(&column),
            |row, _| row < 11,
            |row, column| (row + 2 * column) % 3 != 0,
            |row, column| row < 20 && !(5..18).contains(&column),
        ];
        for hole in holes {
            let missing: Vec<bool> = (0..side * side).map(|i| hole(i / side, i % side)).collect();
            let imputer = Imputer::new(&Region::from_mask(side, missing.clone()).unwrap());
            for shift in 0..2 {
                let value = |i: usize| ((i * 37 + shift * 11) % 101) as f32 / 101.0;
                let image: Vec<f32> = (0..side * side * 3).map(value).collect();
                let expected = noisy_linear_imputation(&image, &missing, [side, side], 0.01, 5).unwrap();
                let mut filled = image.clone();
                imputer.fill(&mut filled, 0.01, 5).unwrap();
                for (found, expected) in filled.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-4, "{found} {expected}");
                }
            }
        }
    }

    #[test]
    fn nothing_missing_and_nothing_known() {
        let image: Vec<f32> = [[0.0, 0.5, 1.0], [1.0, 0.5, 0.0]].concat().repeat(2);
        let hole = |inside| Imputer::new(&Region::from_mask(2, vec![inside; 4]).unwrap());
        let (none, all) = (hole(false), hole(true));
        let mut filled = image.clone();
        none.fill(&mut filled, 1.0, 1).unwrap();
        assert_eq!(filled, image);
        all.fill(&mut filled, 0.0, 1).unwrap();
        assert_eq!(filled, [0.5; 12]);
        assert!(all.fill(&mut [0.0; 3], 0.0, 1).is_err());
    }
}
