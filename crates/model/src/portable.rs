//! The layers of `kernels` made of candle's own operations: for devices that `kernels` has no code for.
//!
//! Same conventions: images are contiguous `[N, H, W, C]`, weights `[Cout, Cin, kh, kw]`.

use candle_core::{Result, Tensor};

/// The mean and biased variance of every channel over a batch.
pub(crate) struct Statistics {
    pub(crate) mean: Tensor,
    pub(crate) variance: Tensor,
    pub(crate) count: usize,
}

pub(crate) fn conv2d(x: &Tensor, weight: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
    let x = x.permute((0, 3, 1, 2))?.contiguous()?;
    x.conv2d(weight, padding, stride, 1, 1)?
        .permute((0, 2, 3, 1))?
        .contiguous()
}

pub(crate) fn batch_statistics(x: &Tensor) -> Result<Statistics> {
    let x = x.flatten(0, 2)?;
    let mean = x.mean(0)?;
    let variance = x.broadcast_sub(&mean)?.sqr()?.mean(0)?;
    Ok(Statistics {
        mean,
        variance,
        count: x.dim(0)?,
    })
}

pub(crate) fn batch_norm(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    statistics: &Statistics,
    epsilon: f64,
    residual: Option<&Tensor>,
    relu: bool,
) -> Result<Tensor> {
    let scale = (gamma / (&statistics.variance + epsilon)?.sqrt()?)?;
    let y = x
        .broadcast_sub(&statistics.mean)?
        .broadcast_mul(&scale)?
        .broadcast_add(beta)?;
    finish(y, residual, relu)
}

pub(crate) fn affine(
    x: &Tensor,
    scale: &Tensor,
    shift: &Tensor,
    residual: Option<&Tensor>,
    relu: bool,
) -> Result<Tensor> {
    finish(x.broadcast_mul(scale)?.broadcast_add(shift)?, residual, relu)
}

fn finish(y: Tensor, residual: Option<&Tensor>, relu: bool) -> Result<Tensor> {
    let y = match residual {
        Some(residual) => (y + residual)?,
        None => y,
    };
    if relu { y.relu() } else { Ok(y) }
}

/// Maximum over shifted views: candle's own max pooling has neither padding nor a gradient for overlapping windows.
///
/// Padding replicates the edge, which is in every window that reaches beyond it: the maximum is that of the inside.
pub(crate) fn max_pool2d(x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
    let shifted = |x: &Tensor, dim: usize, offset: usize| {
        let side = x.dim(dim)?;
        let positions = (side + 2 * padding).saturating_sub(kernel) / stride + 1;
        let indices: Vec<u32> = (0..positions)
            .map(|i| (i * stride + offset).saturating_sub(padding).min(side - 1) as u32)
            .collect();
        x.index_select(&Tensor::from_vec(indices, positions, x.device())?, dim)
    };
    let mut y = x.clone();
    for dim in [1, 2] {
        let mut largest = shifted(&y, dim, 0)?;
        for offset in 1..kernel {
            largest = largest.maximum(&shifted(&y, dim, offset)?)?;
        }
        y = largest;
    }
    Ok(y)
}

pub(crate) fn global_average_pool(x: &Tensor) -> Result<Tensor> {
    x.mean((1, 2))
}
