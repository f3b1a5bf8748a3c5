//! Deletion, insertion and ROAD: pixels taken out of an image, or put into an empty one, in the order of a map.
//!
//! - deletion (Petsiuk et al. 2018): the area under the score while the most relevant pixels are replaced by the images' mean colour, a
//!   tenth of them at a time, in logits; low for a map that knows what matters
//! - insertion (the same): the area while they are put into the blurred image; high
//! - ROAD (Rong et al. 2022): half the difference of the mean score with the least and with the most relevant pixels imputed; high
//!
//! Every map of an image is tried with the same ties, noise and start, and the ends of the curves are the same for all.

use candle_core::{Device, Tensor};
use metrics::{ROAD_PERCENTILES, blurred, curve_area, relevance_order_with, removed_pixels, road_combined};
use model::{Mode, Network};
use rayon::prelude::*;

use crate::error::Result;
use pipeline::Sandbox;

/// Equal steps of the curves of deletion and insertion.
const STEPS: usize = 10;
/// Images of one forward pass.
const BATCH: usize = 64;

/// The three scores of one map.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Removed {
    /// Area under the deletion curve.
    pub deletion: Option<f64>,
    /// Area under the insertion curve.
    pub insertion: Option<f64>,
    /// ROAD's combined score; absent where it was not asked for.
    pub road: Option<f64>,
}

/// What all images share.
pub struct Removal<'a> {
    folder: &'a Sandbox<'a>,
    network: &'a Network,
    device: &'a Device,
    size: usize,
    /// The images' mean colour.
    colour: [f32; 3],
}

/// One image to score: in whose curve, and how it is made.
#[derive(Clone, Copy)]
enum Variant {
    /// So many steps deleted.
    Deleted(usize),
    /// So many steps inserted.
    Inserted(usize),
    /// Imputed but for so many percent of the pixels, the most or the least relevant first.
    Imputed(f64, bool),
}

impl<'a> Removal<'a> {
    /// For a network, and images of side `size` whose mean colour counts as empty.
    pub fn new<'i>(
        folder: &'a Sandbox<'a>,
        network: &'a Network,
        device: &'a Device,
        size: usize,
        images: impl Iterator<Item = &'i Vec<f32>>,
    ) -> Self {
        let (mut sum, mut pixels) = ([0.0_f64; 3], 0);
        for image in images {
            for pixel in image.chunks_exact(3) {
                (0..3).for_each(|c| sum[c] += f64::from(pixel[c]));
                pixels += 1;
            }
        }
        Self {
            folder,
            network,
            device,
            size,
            colour: sum.map(|sum| (sum / f64::from(pixels.max(1))) as f32),
        }
    }

    /// The scores of each of `maps` `[S, S]` of one image `[S, S, 3]` and attribute; `sign` is the explained score's derivative.
    ///
    /// # Errors
    /// Maps with values that are not finite; those of the network.
    pub fn of(
        &self,
        image: &[f32],
        attribute: usize,
        sign: f64,
        maps: &[&[f32]],
        road: bool,
        seed: u64,
    ) -> Result<Vec<Removed>> {
        let pixels = self.size * self.size;
        let blur = blurred(image, self.size);
        let orders: Vec<[Vec<usize>; 2]> = maps
            .iter()
            .map(|map| {
                let least: Vec<f32> = map.iter().map(|value| 1.0 - value).collect();
                Ok([relevance_order_with(map, seed)?, relevance_order_with(&least, seed)?])
            })
            .collect::<Result<_>>()?;
        let mut variants: Vec<(usize, Variant)> = Vec::new();
        for map in 0..maps.len() {
            let curves = (1..STEPS).flat_map(|step| [Variant::Deleted(step), Variant::Inserted(step)]);
            variants.extend(curves.map(|variant| (map, variant)));
            if road {
                let imputed = ROAD_PERCENTILES
                    .iter()
                    .flat_map(|&stays| [false, true].map(|least| Variant::Imputed(stays, least)));
                variants.extend(imputed.map(|variant| (map, variant)));
            }
        }
        // The ends of the curves, which all maps share.
        let mut images = vec![image.to_vec(), self.colour.repeat(pixels), blur.clone()];
        let made: Result<Vec<Vec<f32>>> = variants
            .par_iter()
            .map(|&(map, variant)| self.variant(image, &blur, &orders[map], variant, seed))
            .collect();
        images.extend(made?);
        let scores = self.scores(&images, attribute, sign)?;
        let [whole, empty, blurred] = [scores[0], scores[1], scores[2]];
        let of_map = |map: usize| {
            let some = |wanted: &dyn Fn(Variant) -> bool| -> Vec<f64> {
                let all = variants.iter().zip(&scores[3..]);
                all.filter(|((of, variant), _)| *of == map && wanted(*variant))
                    .map(|(_, score)| *score)
                    .collect()
            };
            let curve = |start: f64, between: Vec<f64>, end: f64| {
                let all: Vec<f64> = std::iter::once(start).chain(between).chain([end]).collect();
                curve_area(&all)
            };
            let least = some(&|variant| matches!(variant, Variant::Imputed(_, true)));
            let most = some(&|variant| matches!(variant, Variant::Imputed(_, false)));
            Removed {
                deletion: curve(whole, some(&|variant| matches!(variant, Variant::Deleted(_))), empty),
                insertion: curve(blurred, some(&|variant| matches!(variant, Variant::Inserted(_))), whole),
                road: road_combined(&least, &most),
            }
        };
        Ok((0..maps.len()).map(of_map).collect())
    }

    /// The image of one point of a curve. `orders`: pixels by relevance, the most relevant first and the least relevant first.
    fn variant(
        &self,
        image: &[f32],
        blur: &[f32],
        orders: &[Vec<usize>; 2],
        variant: Variant,
        seed: u64,
    ) -> Result<Vec<f32>> {
        let pixels = orders[0].len();
        let steps = |step: usize| &orders[0][..step * pixels / STEPS];
        let range = |pixel: usize| 3 * pixel..3 * pixel + 3;
        Ok(match variant {
            Variant::Deleted(step) => {
                let mut made = image.to_vec();
                steps(step)
                    .iter()
                    .for_each(|&pixel| made[range(pixel)].copy_from_slice(&self.colour));
                made
            }
            Variant::Inserted(step) => {
                let mut made = blur.to_vec();
                steps(step)
                    .iter()
                    .for_each(|&pixel| made[range(pixel)].copy_from_slice(&image[range(pixel)]));
                made
            }
            Variant::Imputed(stays, least) => {
                let removed = removed_pixels(pixels, 1.0 - stays / 100.0);
                let mut missing = vec![false; pixels];
                orders[usize::from(least)][..removed]
                    .iter()
                    .for_each(|&pixel| missing[pixel] = true);
                metrics::noisy_linear_imputation(image, &missing, [self.size; 2], metrics::IMPUTATION_NOISE, seed)?
            }
        })
    }

    fn scores(&self, images: &[Vec<f32>], attribute: usize, sign: f64) -> Result<Vec<f64>> {
        let mut scores = Vec::with_capacity(images.len());
        for some in images.chunks(BATCH) {
            self.folder.interrupt().check()?;
            let shape = (some.len(), self.size, self.size, 3);
            let tensor = Tensor::from_vec(some.concat(), shape, self.device)?.permute((0, 3, 1, 2))?;
            let logits = self
                .network
                .forward(&tensor, Mode::Eval)?
                .logits
                .narrow(1, attribute, 1)?;
            let logits = logits.flatten_all()?.to_vec1::<f32>()?;
            scores.extend(logits.into_iter().map(|logit| sign * f64::from(logit)));
        }
        Ok(scores)
    }
}
