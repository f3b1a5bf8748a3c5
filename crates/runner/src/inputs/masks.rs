//! The exact regions of attributes in the test images, where the data set has masks.

use dataset::Batch;
use metrics::Region;
use pipeline::{Declaration, Piece};
use rayon::prelude::*;

use super::looked_at::LookedAt;
use crate::error::Result;

/// The masks of the test images.
#[derive(Clone, Copy)]
pub struct Masks<'a>(pub(super) Option<LookedAt<'a>>);

impl Masks<'_> {
    /// Whether there are any.
    pub fn exist(&self) -> bool {
        self.0.is_some_and(|looked_at| looked_at.data.source.has_masks())
    }

    /// Every attribute's region in each image of a batch, on its aligned square; absent where the data set has none.
    ///
    /// # Errors
    /// When a mask is unreadable.
    pub fn of_batch(&self, batch: &Batch, size: usize) -> Result<Vec<Option<Vec<Region>>>> {
        let of = |&index: &usize| self.of_image(index, size);
        batch.indices.par_iter().map(of).collect()
    }

    /// Every attribute's region in one image, on its aligned square of side `size`.
    ///
    /// # Errors
    /// When a mask is unreadable.
    pub fn of_image(&self, index: usize, size: usize) -> Result<Option<Vec<Region>>> {
        let Some(LookedAt { data, .. }) = self.0 else {
            return Ok(None);
        };
        let Some(masks) = data.source.masks(index)? else {
            return Ok(None);
        };
        let image_size = data.source.image_size(index)?;
        let transform = data.source.alignment(index, image_size, size)?;
        let aligned = dataset::aligned_masks(&masks, image_size, &transform, size);
        let regions = aligned
            .chunks(size * size)
            .map(|mask| Ok(Region::from_mask(size, mask.to_vec())?));
        Ok(Some(regions.collect::<Result<_>>()?))
    }

    /// Hands on each pixel (attribute, x, y) of one image's masks, on its aligned square of side `size`; whether the image has masks.
    ///
    /// # Errors
    /// When a mask is unreadable.
    pub fn each_pixel(&self, index: usize, size: usize, each: impl FnMut(usize, usize, usize)) -> Result<bool> {
        let Some(LookedAt { data, .. }) = self.0 else {
            return Ok(false);
        };
        let Some(masks) = data.source.masks(index)? else {
            return Ok(false);
        };
        let image_size = data.source.image_size(index)?;
        let transform = data.source.alignment(index, image_size, size)?;
        dataset::for_each_aligned(&masks, image_size, &transform, size, each);
        Ok(true)
    }
}

impl Piece for Masks<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        match self.0.and_then(|looked_at| looked_at.content.masks.as_ref()) {
            Some(masks) => declaration.file("masks of test images", masks),
            None => declaration,
        }
    }
}
