//! Images blurred until nothing in them can be recognised.

use rayon::prelude::*;

/// Deviation of the blur in pixels of a square of 224: Fong and Vedaldi 2017, *Interpretable Explanations of Black Boxes by
/// Meaningful Perturbation*, section 4.3, whose images have that size.
const BLUR: f64 = 10.0 / 224.0;

/// Images `[N, S, S, 3]`, each blurred by a Gaussian whose deviation is 10 pixels in a square of 224.
pub fn blurred(images: &[f32], size: usize) -> Vec<f32> {
    let deviation = BLUR * size as f64;
    let reach = (3.0 * deviation).ceil() as isize;
    let weights: Vec<f64> = (-reach..=reach)
        .map(|at| (-0.5 * (at as f64 / deviation).powi(2)).exp())
        .collect();
    let sum: f64 = weights.iter().sum();
    let weights: Vec<f32> = weights.iter().map(|weight| (weight / sum) as f32).collect();
    let mut out = images.to_vec();
    let row = 3 * size;
    out.par_chunks_mut((row * size).max(1)).for_each(|image| {
        // Along one direction, then the other: lines begin at `starts`, and their pixels are `step` values apart. Beyond the edge the
        // last pixel goes on.
        let down: Vec<usize> = (0..row).collect();
        let along: Vec<usize> = (0..size).flat_map(|line| (0..3).map(move |c| line * row + c)).collect();
        for (starts, step) in [(down, row), (along, 3)] {
            let from = image.to_vec();
            for start in starts {
                for i in 0..size as isize {
                    let at = |offset: isize| from[start + (i + offset).clamp(0, size as isize - 1) as usize * step];
                    let sum = (-reach..=reach)
                        .zip(&weights)
                        .map(|(offset, weight)| weight * at(offset))
                        .sum();
                    image[start + i as usize * step] = sum;
                }
            }
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_what_is_even_and_spreads_a_point_evenly() {
        let size = 56;
        let even = vec![0.25; size * size * 3];
        assert!(blurred(&even, size).iter().all(|value| (value - 0.25).abs() < 1e-5));
        let mut point = vec![0.0; size * size * 3];
        point[3 * (28 * size + 28) + 1] = 1.0;
        let spread = blurred(&point, size);
        // Deviation 2.5 pixels: a Gaussian's value at its middle, and at one pixel to the right or below.
        let value = |row: usize, column: usize| f64::from(spread[3 * (row * size + column) + 1]);
        let middle = 1.0 / (std::f64::consts::TAU * 6.25);
        assert!((value(28, 28) - middle).abs() < 0.01 * middle, "{}", value(28, 28));
        let beside = middle * (-0.5_f64 / 6.25).exp();
        assert!((value(28, 29) - beside).abs() < 0.01 * beside && (value(27, 28) - beside).abs() < 0.01 * beside);
        assert!(spread.iter().step_by(3).all(|&value| value == 0.0));
    }
}
