//! The exact regions of attributes in images, where the data set has masks.

use dataset::Batch;
use metrics::Region;
use rayon::prelude::*;

use super::DataSet;
use crate::error::Result;

/// Every attribute's region in each image of a batch, on its aligned square; absent where the data set has none.
///
/// # Errors
/// When a mask is unreadable.
pub fn exact_masks(data: &DataSet, batch: &Batch, size: usize) -> Result<Vec<Option<Vec<Region>>>> {
    let of = |&index: &usize| of_image(data, index, size);
    batch.indices.par_iter().map(of).collect()
}

/// Every attribute's region in one image.
///
/// # Errors
/// When a mask is unreadable.
pub fn of_image(data: &DataSet, index: usize, size: usize) -> Result<Option<Vec<Region>>> {
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
