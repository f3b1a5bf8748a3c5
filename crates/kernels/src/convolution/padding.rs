//! Rows of an image with zeros around them.

use crate::dims::Dims;

/// Fills `padded`, rows of `width` pixels, with the rows of `image` from padded row `top` on, and zeros around it.
pub(crate) fn copy_padded(
    image: &[f32],
    dims: Dims,
    padding: (usize, usize),
    top: usize,
    width: usize,
    padded: &mut [f32],
) {
    let source_len = dims.width * dims.channels;
    let left = padding.1 * dims.channels;
    for (y, row) in padded.chunks_exact_mut(width * dims.channels).enumerate() {
        match (top + y).checked_sub(padding.0) {
            Some(y) if y < dims.height => {
                row[..left].fill(0.0);
                row[left..left + source_len].copy_from_slice(&image[y * source_len..][..source_len]);
                row[left + source_len..].fill(0.0);
            }
            _ => row.fill(0.0),
        }
    }
}
