//! The same layers composed from candle's own operations.
//!
//! They are what the tests of the fast layers compare with. All tensors are channels-last, as in the parent module; shapes have been checked there.

use super::BatchStatistics;
use candle_core::{D, Result, Tensor};

fn to_channels_first(x: &Tensor) -> Result<Tensor> {
    x.permute((0, 3, 1, 2))?.contiguous()
}

fn to_channels_last(x: &Tensor) -> Result<Tensor> {
    x.permute((0, 2, 3, 1))?.contiguous()
}

/// See [`super::conv2d`].
pub(crate) fn conv2d(x: &Tensor, weight: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
    let x = to_channels_first(x)?;
    let (_, _, height, width) = x.dims4()?;
    let (_, _, kernel_height, kernel_width) = weight.dims4()?;
    // Rows and columns that the last window does not reach. Candle's gradient is right only where they agree.
    let rest = |size: usize, kernel: usize| (size + 2 * padding - kernel) % stride;
    let (rows, columns) = (rest(height, kernel_height), rest(width, kernel_width));
    let y = if rows == columns {
        x.conv2d(weight, padding, stride, 1, 1)?
    } else {
        let padded = x
            .pad_with_zeros(2, padding, padding)?
            .pad_with_zeros(3, padding, padding)?;
        let used = padded
            .narrow(2, 0, height + 2 * padding - rows)?
            .narrow(3, 0, width + 2 * padding - columns)?;
        used.contiguous()?.conv2d(weight, 0, stride, 1, 1)?
    };
    to_channels_last(&y)
}

/// See [`super::batch_statistics`].
pub(crate) fn batch_statistics(x: &Tensor) -> Result<BatchStatistics> {
    let x = x.detach().flatten_to(2)?;
    let mean = x.mean(0)?;
    let variance = x.broadcast_sub(&mean)?.sqr()?.mean(0)?;
    Ok(BatchStatistics {
        mean,
        variance,
        count: x.dim(0)?,
    })
}

/// See [`super::batch_norm`]; the statistics are computed once more, with their gradients.
pub(crate) fn batch_norm(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    eps: f64,
    residual: Option<&Tensor>,
    relu: bool,
) -> Result<Tensor> {
    let pixels = x.flatten_to(2)?;
    let centred = pixels.broadcast_sub(&pixels.mean(0)?)?;
    let deviation = (centred.sqr()?.mean(0)? + eps)?.sqrt()?;
    affine(
        &centred.broadcast_div(&deviation)?.reshape(x.shape())?,
        gamma,
        beta,
        residual,
        relu,
    )
}

/// See [`super::affine`].
pub(crate) fn affine(
    x: &Tensor,
    scale: &Tensor,
    shift: &Tensor,
    residual: Option<&Tensor>,
    relu: bool,
) -> Result<Tensor> {
    let mut y = x.broadcast_mul(scale)?.broadcast_add(shift)?;
    if let Some(residual) = residual {
        y = (y + residual)?;
    }
    if relu { y.relu() } else { Ok(y) }
}

/// See [`super::max_pool2d`]. Candle's own pooling has no padding, and no gradient where windows overlap.
pub(crate) fn max_pool2d(x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
    let (_, height, width, _) = x.dims4()?;
    let pad = |x: Tensor, dim: usize| -> Result<Tensor> {
        if padding == 0 {
            return Ok(x);
        }
        let mut shape = x.dims().to_vec();
        shape[dim] = padding;
        let border = Tensor::full(f32::NEG_INFINITY, shape, x.device())?;
        Tensor::cat(&[&border, &x, &border], dim)
    };
    let padded = pad(pad(x.clone(), 1)?, 2)?;
    let taps = |size: usize, tap: usize| {
        let count = (size + 2 * padding - kernel) / stride + 1;
        let indices: Vec<u32> = (0..count).map(|i| (i * stride + tap) as u32).collect();
        Tensor::from_vec(indices, count, x.device())
    };
    let mut best: Option<Tensor> = None;
    for row in 0..kernel {
        let rows = padded.index_select(&taps(height, row)?, 1)?;
        for column in 0..kernel {
            let value = rows.index_select(&taps(width, column)?, 2)?;
            best = Some(match best {
                // Strictly greater: a tie keeps the first.
                Some(best) => value.gt(&best)?.where_cond(&value, &best)?,
                None => value,
            });
        }
    }
    best.map_or_else(|| candle_core::bail!("max_pool2d: expected a kernel of at least 1"), Ok)
}

/// See [`super::global_average_pool`].
pub(crate) fn global_average_pool(x: &Tensor) -> Result<Tensor> {
    x.flatten(1, 2)?.mean(D::Minus2)
}
