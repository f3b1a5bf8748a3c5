//! Holes in images, and what stands in them.

use serde::{Deserialize, Serialize};

use super::imputation::{IMPUTATION_NOISE, Imputer};
use crate::error::Error;
use crate::region::Region;

/// What stands in the place of what is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// Each pixel the weighted mean of its neighbours, and noise (Rong et al. 2022): no border that a network could see, and
    /// nothing of what was there.
    NoisyLinear,
    /// The image itself, blurred: its colours stay.
    Blur,
    /// The mean of the images: an average face, whose attributes are the majority's.
    Mean,
}

/// A part of the image, ready to be hidden in many.
#[derive(Debug)]
pub struct Hole {
    pixels: Vec<usize>,
    /// Where it is filled from its border.
    imputer: Option<Imputer>,
}

impl Hole {
    /// The pixels of a region.
    #[must_use]
    pub fn new(region: &Region, fill: Fill) -> Self {
        let size = region.size();
        let imputer = match fill {
            Fill::NoisyLinear => Some(Imputer::new(region)),
            Fill::Blur | Fill::Mean => None,
        };
        Self {
            pixels: (0..size * size).filter(|&pixel| region.mask()[pixel]).collect(),
            imputer,
        }
    }

    /// Hides it in `image` `[S, S, 3]`. `substitute`, of the same size, is what shows in a hole that is not filled from its border;
    /// `seed` is of the noise in one that is.
    ///
    /// # Errors
    /// When the image is of another size than the region.
    pub fn hide(&self, image: &mut [f32], substitute: &[f32], seed: u64) -> Result<(), Error> {
        match &self.imputer {
            Some(imputer) => imputer.fill(image, IMPUTATION_NOISE, seed)?,
            None => self.pixels.iter().for_each(|&pixel| {
                let range = 3 * pixel..3 * pixel + 3;
                image[range.clone()].copy_from_slice(&substitute[range]);
            }),
        }
        Ok(())
    }
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
            Hole::new(&none, fill).hide(&mut hidden, &substitute, 1).unwrap();
            assert_eq!(hidden, image);
            Hole::new(&some, fill).hide(&mut hidden, &substitute, 1).unwrap();
            for (pixel, (found, before)) in hidden.chunks(3).zip(image.chunks(3)).enumerate() {
                assert_eq!(found != before, some.mask()[pixel], "{fill:?} {pixel}");
            }
        }
    }
}
