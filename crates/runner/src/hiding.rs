//! Parts of images hidden: holes, and what stands in them.

use metrics::Region;
use rayon::prelude::*;

use crate::error::Result;
use crate::experiment::Fill;

/// Deviation of the blur in pixels of a square of 224: Fong and Vedaldi 2017, *Interpretable Explanations of Black Boxes by
/// Meaningful Perturbation*, section 4.3, whose images have that size.
const BLUR: f64 = 10.0 / 224.0;

/// A part of the image, ready to be hidden in many.
#[derive(Debug)]
pub struct Hole {
    pixels: Vec<usize>,
    /// Where it is filled from its border.
    imputer: Option<cam::Imputer>,
}

impl Hole {
    /// The pixels of a region.
    ///
    /// # Errors
    /// None that a region can cause.
    pub fn new(region: &Region, fill: Fill) -> Result<Self> {
        let size = region.size();
        let imputer = match fill {
            Fill::NoisyLinear => Some(cam::Imputer::new(region.mask(), [size, size])?),
            Fill::Blur | Fill::Mean => None,
        };
        Ok(Self {
            pixels: (0..size * size).filter(|&pixel| region.mask()[pixel]).collect(),
            imputer,
        })
    }

    /// Hides it in `image` `[S, S, 3]`. `substitute`, of the same size, is what shows in a hole that is not filled from its border;
    /// `seed` is of the noise in one that is.
    ///
    /// # Errors
    /// When the image is of another size than the region.
    pub fn hide(&self, image: &mut [f32], substitute: &[f32], seed: u64) -> Result<()> {
        match &self.imputer {
            Some(imputer) => imputer.fill(image, cam::IMPUTATION_NOISE, seed)?,
            None => self.pixels.iter().for_each(|&pixel| {
                let range = 3 * pixel..3 * pixel + 3;
                image[range.clone()].copy_from_slice(&substitute[range]);
            }),
        }
        Ok(())
    }
}

/// A number that is drawn by several others: the seed of one image's noise in one hole.
pub fn mixed(numbers: &[u64]) -> u64 {
    // SplitMix64's finaliser.
    numbers.iter().fold(0x9E37_79B9_7F4A_7C15, |state, number| {
        let mut z = (state ^ number).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

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

    fn image(size: usize) -> Vec<f32> {
        (0..size * size * 3).map(|i| (i * 37 % 101) as f32 / 101.0).collect()
    }

    #[test]
    fn an_empty_hole_hides_nothing_and_a_hole_only_its_pixels() {
        let size = 28;
        let image = image(size);
        let region =
            |inside: fn(usize) -> bool| Region::from_mask(size, (0..size * size).map(inside).collect()).unwrap();
        let (none, some) = (region(|_| false), region(|pixel| (100..300).contains(&pixel)));
        for fill in [Fill::NoisyLinear, Fill::Blur, Fill::Mean] {
            let substitute = vec![0.5; image.len()];
            let mut hidden = image.clone();
            Hole::new(&none, fill)
                .unwrap()
                .hide(&mut hidden, &substitute, 1)
                .unwrap();
            assert_eq!(hidden, image);
            Hole::new(&some, fill)
                .unwrap()
                .hide(&mut hidden, &substitute, 1)
                .unwrap();
            for (pixel, (found, before)) in hidden.chunks(3).zip(image.chunks(3)).enumerate() {
                assert_eq!(found != before, some.mask()[pixel], "{fill:?} {pixel}");
            }
        }
    }

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

    #[test]
    fn seeds_differ_by_every_number_and_their_order() {
        let seeds = [mixed(&[1, 2, 3]), mixed(&[1, 3, 2]), mixed(&[2, 2, 3]), mixed(&[1, 2])];
        assert!((0..4).all(|i| (0..i).all(|j| seeds[i] != seeds[j])));
    }
}
