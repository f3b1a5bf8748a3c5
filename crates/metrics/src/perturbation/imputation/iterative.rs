//! Noisy linear imputation of any hole, by conjugate gradients.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::equations::System;
use crate::error::{Error, check_length};

/// Deviation of the noise in ROAD's published code, for images in [0, 1].
pub const IMPUTATION_NOISE: f32 = 0.01;

/// The conjugate gradients stop when the residual is this small a part of the right-hand side: errors are then far below the
/// noise and below one step of an 8-bit image.
const TOLERANCE: f64 = 1e-7;
/// Never reached: convergence takes a few times the side of the hole.
const MOST_STEPS: usize = 5000;

/// The image with every missing pixel replaced by the weighted mean of its neighbours, missing ones included, plus noise (Rong
/// et al., *A Consistent and Efficient Evaluation Strategy for Attribution Methods*, ICML 2022, section 4.2).
///
/// - `image`: `[height, width, 3]`, in [0, 1]
/// - `missing`: `[height, width]`
/// - `noise`: deviation of the normal noise on missing pixels; [`IMPUTATION_NOISE`] is the authors'
/// - `seed`: of the noise
///
/// The means make a linear system with one unknown a missing pixel and channel; at the border only the neighbours that exist
/// count. Without noise, values lie between the least and the largest known one. Where nothing is known, so that the system has
/// no solution, every pixel becomes the image's mean colour.
///
/// # Errors
/// [`Error::Length`] when the lengths are others.
pub fn noisy_linear_imputation(
    image: &[f32],
    missing: &[bool],
    [height, width]: [usize; 2],
    noise: f32,
    seed: u64,
) -> Result<Vec<f32>, Error> {
    check_length("image", image.len(), height * width * 3)?;
    check_length("missing pixels", missing.len(), height * width)?;
    let mut filled = image.to_vec();
    let system = System::new(missing, height, width);
    let unknowns = system.pixels.len();
    let solution = if unknowns == height * width {
        let mean = [0, 1, 2].map(|c| image.iter().skip(c).step_by(3).map(|&v| f64::from(v)).sum::<f64>());
        vec![mean.map(|sum| sum / unknowns.max(1) as f64); unknowns]
    } else {
        solve(&system, image)
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for (&pixel, values) in system.pixels.iter().zip(solution) {
        for (c, value) in values.into_iter().enumerate() {
            let random: f32 = StandardNormal.sample(&mut rng);
            filled[3 * pixel + c] = value as f32 + noise * random;
        }
    }
    Ok(filled)
}

/// Conjugate gradients, the three channels side by side, preconditioned by the diagonal.
fn solve(system: &System, image: &[f32]) -> Vec<[f64; 3]> {
    let n = system.pixels.len();
    let right: Vec<[f64; 3]> = system
        .neighbours
        .iter()
        .map(|all| {
            let known = all.iter().filter(|(_, unknown, _)| unknown.is_none());
            known.fold([0.0; 3], |sum, &(at, _, weight)| {
                [0, 1, 2].map(|c| sum[c] + weight * f64::from(image[3 * at + c]))
            })
        })
        .collect();
    let mut x = vec![[0.0; 3]; n];
    let mut residual = right.clone();
    let scaled = |residual: &[[f64; 3]]| -> Vec<[f64; 3]> {
        let pairs = residual.iter().zip(&system.sums);
        pairs.map(|(values, sum)| values.map(|value| value / sum)).collect()
    };
    let mut direction = scaled(&residual);
    let mut energy = dot(&residual, &direction);
    let enough = dot(&right, &right).map(|square| square * TOLERANCE * TOLERANCE);
    for _ in 0..MOST_STEPS {
        let left = dot(&residual, &residual);
        if (0..3).all(|c| left[c] <= enough[c]) {
            break;
        }
        let product = product(system, &direction);
        let curvature = dot(&direction, &product);
        // A channel that has converged has no direction left to go.
        let step = [0, 1, 2].map(|c| {
            if left[c] > enough[c] {
                energy[c] / curvature[c]
            } else {
                0.0
            }
        });
        for ((x, residual), (direction, product)) in x.iter_mut().zip(&mut residual).zip(direction.iter().zip(&product))
        {
            *x = [0, 1, 2].map(|c| x[c] + step[c] * direction[c]);
            *residual = [0, 1, 2].map(|c| residual[c] - step[c] * product[c]);
        }
        let conditioned = scaled(&residual);
        let next = dot(&residual, &conditioned);
        let share = [0, 1, 2].map(|c| if energy[c] > 0.0 { next[c] / energy[c] } else { 0.0 });
        for (to, from) in direction.iter_mut().zip(&conditioned) {
            *to = [0, 1, 2].map(|c| from[c] + share[c] * to[c]);
        }
        energy = next;
    }
    x
}

fn product(system: &System, x: &[[f64; 3]]) -> Vec<[f64; 3]> {
    (0..x.len())
        .map(|i| {
            let own = x[i].map(|value| value * system.sums[i]);
            system.neighbours[i]
                .iter()
                .fold(own, |sum, &(_, unknown, weight)| match unknown {
                    Some(j) => [0, 1, 2].map(|c| sum[c] - weight * x[j][c]),
                    None => sum,
                })
        })
        .collect()
}

fn dot(a: &[[f64; 3]], b: &[[f64; 3]]) -> [f64; 3] {
    a.iter()
        .zip(b)
        .fold([0.0; 3], |sum, (a, b)| [0, 1, 2].map(|c| sum[c] + a[c] * b[c]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn one_pixel_is_the_mean_of_its_neighbours() {
        let image: Vec<f32> = (0..27).map(|i| i as f32 / 27.0).collect();
        let mut missing = [false; 9];
        missing[4] = true;
        let filled = noisy_linear_imputation(&image, &missing, [3, 3], 0.0, 1).unwrap();
        // Values are linear in the position, so the mean of the neighbours is the pixel itself.
        for (found, expected) in filled.iter().zip(&image) {
            assert_abs_diff_eq!(*found, *expected, epsilon = 1e-6);
        }
        // In a corner three neighbours are left: (1/6 + 1/6 + 2 * 1/12) / (5/12).
        let image: Vec<f32> = [9.0, 1.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0]
            .iter()
            .flat_map(|&v| [v; 3])
            .collect();
        let mut missing = [false; 9];
        missing[0] = true;
        let filled = noisy_linear_imputation(&image, &missing, [3, 3], 0.0, 1).unwrap();
        assert_abs_diff_eq!(filled[0], 1.2, epsilon = 1e-6);
    }

    #[test]
    fn a_large_hole_is_harmonic() {
        // A ramp is its own neighbours' mean inside; a hole of 30 x 30 is far from its known border.
        let side = 40;
        let at = |i: usize| (i % side) as f32 / side as f32;
        let image: Vec<f32> = (0..side * side).flat_map(|i| [at(i), 0.0, 1.0 - at(i)]).collect();
        let missing: Vec<bool> = (0..side * side)
            .map(|i| (5..35).contains(&(i % side)) && (5..35).contains(&(i / side)))
            .collect();
        let filled = noisy_linear_imputation(&image, &missing, [side, side], 0.0, 1).unwrap();
        for (found, expected) in filled.iter().zip(&image) {
            assert_abs_diff_eq!(*found, *expected, epsilon = 1e-4);
        }
    }

    #[test]
    fn noise_is_on_missing_pixels_only_and_of_the_seed() {
        let image = vec![0.5; 8 * 8 * 3];
        let missing: Vec<bool> = (0..64).map(|i| i % 2 == 0).collect();
        let fill = |seed| noisy_linear_imputation(&image, &missing, [8, 8], 0.01, seed).unwrap();
        let filled = fill(1);
        assert_eq!(filled, fill(1));
        assert_ne!(filled, fill(2));
        let off: Vec<f32> = filled.iter().map(|value| value - 0.5).collect();
        assert!(
            off.chunks(3)
                .enumerate()
                .all(|(i, pixel)| missing[i] == (pixel != [0.0; 3]))
        );
        let deviation = (off.iter().map(|value| value * value).sum::<f32>() / 96.0).sqrt();
        assert!((deviation - 0.01).abs() < 0.003, "{deviation}");
    }

    #[test]
    fn nothing_known_and_nothing_missing() {
        let image = [0.0, 0.5, 1.0, 1.0, 0.5, 0.0];
        let all = noisy_linear_imputation(&image, &[true; 2], [1, 2], 0.0, 1).unwrap();
        assert_eq!(all, [0.5; 6]);
        assert_eq!(
            noisy_linear_imputation(&image, &[false; 2], [1, 2], 1.0, 1).unwrap(),
            image
        );
        assert!(noisy_linear_imputation(&[], &[], [0, 0], 0.0, 1).unwrap().is_empty());
        let message = noisy_linear_imputation(&image, &[true; 3], [1, 2], 0.0, 1)
            .unwrap_err()
            .to_string();
        assert_eq!(message, "missing pixels: 3 values, expected 2");
    }
}
