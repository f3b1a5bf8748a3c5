//! The exact regions of attributes in images, where the data set has masks.

use dataset::{Alignment, Batch};
use metrics::Region;
use rayon::prelude::*;

use super::DataSet;
use crate::error::Result;

/// Every attribute's region in each image of a batch, on its aligned square; absent where the data set has none.
///
/// # Errors
/// When a mask is unreadable.
pub fn exact_masks(data: &DataSet, batch: &Batch, size: usize) -> Result<Vec<Option<Vec<Region>>>> {
    let landmarks = data.annotations().landmarks.as_deref();
    let of = |&index: &usize| {
        let Some(masks) = data.source.masks(index)? else {
            return Ok(None);
        };
        let image_size = data.source.image_size(index)?;
        let transform = Alignment { size }.transform(landmarks.map(|all| &all[index]), image_size)?;
        let aligned = dataset::aligned_masks(&masks, image_size, &transform, size);
        let regions = aligned
            .chunks(size * size)
            .map(|mask| Ok(Region::from_mask(size, mask.to_vec())?));
        Ok(Some(regions.collect::<Result<_>>()?))
    };
    batch.indices.par_iter().map(of).collect()
}
