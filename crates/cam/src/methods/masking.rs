//! Images behind masks.

use candle_core::Tensor;
use rayon::prelude::*;

use crate::Result;

/// An image `[1, 3, S, S]` behind each of some masks `[R S S]`: `[R, 3, S, S]`, a view of channels-last memory.
pub(crate) fn masked_images(image: &Tensor, masks: &[f32]) -> Result<Tensor> {
    let (_, channels, height, width) = image.dims4()?;
    let pixels = to_vec(&image.permute((0, 2, 3, 1))?)?;
    let rows = masks.len() / (height * width);
    let mut masked = vec![0.0; rows * pixels.len()];
    let each = masked
        .par_chunks_exact_mut(pixels.len())
        .zip(masks.par_chunks_exact(height * width));
    each.for_each(|(out, mask)| {
        let places = out.chunks_exact_mut(channels).zip(pixels.chunks_exact(channels));
        for ((out, pixel), value) in places.zip(mask) {
            out.iter_mut()
                .zip(pixel)
                .for_each(|(out, channel)| *out = channel * value);
        }
    });
    let masked = Tensor::from_vec(masked, (rows, height, width, channels), image.device())?;
    Ok(masked.permute((0, 3, 1, 2))?)
}

/// The values in the order of the dimensions.
pub(crate) fn to_vec(x: &Tensor) -> Result<Vec<f32>> {
    Ok(x.contiguous()?.flatten_all()?.to_vec1::<f32>()?)
}
