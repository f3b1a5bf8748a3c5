//! Mean and variance of each channel.

use super::batch_norm::check_channels;
use super::elementwise::Chunks;
use super::parallel::for_each;
use super::simd::{InstructionSet, Kernel, LANES, Lanes};
use super::storage::{Dims, Shared, host_floats};
use candle_core::{Result, Tensor, Var};

/// Statistics of a batch, per channel, over all images and pixels. They carry no gradient: [`super::batch_norm`]
/// accounts for their dependence on the batch.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// Mean, `[C]`.
    pub mean: Tensor,
    /// Biased variance (divided by `count`), `[C]`.
    pub variance: Tensor,
    /// Values behind each mean: `N H W`. PyTorch's running variance is fed `variance * count / (count - 1)`.
    pub count: usize,
}

impl Statistics {
    pub(crate) fn check(&self, channels: usize, op: &str) -> Result<()> {
        check_channels(&self.mean, channels, op, "the mean")?;
        check_channels(&self.variance, channels, op, "the variance")
    }
}

/// Mean and biased variance of each channel of `x`, `[N, H, W, C]` float32. Not differentiable.
///
/// Chunks of pixels are reduced around their own means and joined in float64 (Chan, Golub and LeVeque 1979), so a
/// mean far from zero costs no accuracy. The chunks depend on the shape alone.
///
/// # Errors
/// Wrong rank or type, or an empty input.
pub fn batch_statistics(x: &Tensor) -> Result<Statistics> {
    of_batch(x, None)
}

/// [`batch_statistics`], towards which the running `[mean, variance]` move: by `momentum`, and the variance towards the unbiased one, as
/// PyTorch's. A single value has no unbiased variance: PyTorch refuses it, here the biased one, 0, is taken.
pub(crate) fn moving_statistics(x: &Tensor, running: [&Var; 2], momentum: f64) -> Result<Statistics> {
    of_batch(x, Some((running, momentum)))
}

fn of_batch(x: &Tensor, running: Option<([&Var; 2], f64)>) -> Result<Statistics> {
    const NAME: &str = "batch_statistics";
    let dims = Dims::of(x, NAME)?;
    let x = x.contiguous()?;
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return super::cuda::normalisation::batch_statistics(&x, dims, running);
    }
    let (storage, layout) = x.storage_and_layout();
    let (mean, variance) = moments(host_floats(&storage, layout, NAME)?, dims, InstructionSet::detect());
    let statistics = Statistics {
        mean: Tensor::from_vec(mean, dims.channels, x.device())?,
        variance: Tensor::from_vec(variance, dims.channels, x.device())?,
        count: dims.pixels(),
    };
    if let Some(([mean, variance], momentum)) = running {
        let towards = |running: &Var, batch: &Tensor| -> Result<()> {
            let old = running.as_detached_tensor();
            running.set(&((old * (1.0 - momentum))? + (batch * momentum)?)?)
        };
        let unbiased = dims.pixels() as f64 / dims.pixels().saturating_sub(1).max(1) as f64;
        towards(mean, &statistics.mean)?;
        towards(variance, &(&statistics.variance * unbiased)?)?;
    }
    Ok(statistics)
}

pub(crate) fn moments(x: &[f32], dims: Dims, set: InstructionSet) -> (Vec<f32>, Vec<f32>) {
    let chunks = Chunks::of(dims);
    let lanes = dims.channels.div_ceil(LANES) * LANES;
    let mut partials = vec![0f32; chunks.count() * 2 * lanes];
    let pointer = Shared::new(&mut partials);
    for_each(chunks.count(), |chunk| {
        let kernel = Moments {
            x: &x[chunks.floats(chunk)],
            channels: dims.channels,
            // SAFETY: `2 lanes` floats for each chunk.
            partial: unsafe { pointer.at(chunk * 2 * lanes) },
            lanes,
        };
        // SAFETY: the set is supported, and the partial is this chunk's alone.
        unsafe { set.run(kernel) }
    });
    let (mut means, mut variances) = (vec![0f32; dims.channels], vec![0f32; dims.channels]);
    for channel in 0..dims.channels {
        let (mut count, mut mean, mut squares) = (0f64, 0f64, 0f64);
        for (chunk, partial) in partials.chunks_exact(2 * lanes).enumerate() {
            let size = chunks.pixels(chunk).len() as f64;
            let difference = f64::from(partial[channel]) - mean;
            let total = count + size;
            mean += difference * size / total;
            squares += f64::from(partial[lanes + channel]) + difference * difference * count * size / total;
            count = total;
        }
        means[channel] = mean as f32;
        variances[channel] = (squares / count) as f32;
    }
    (means, variances)
}

/// Mean and sum of squared deviations of a chunk of pixels.
struct Moments<'a> {
    x: &'a [f32],
    channels: usize,
    /// Means, then sums of squares, `lanes` each.
    partial: *mut f32,
    lanes: usize,
}

impl Kernel for Moments<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let pixels = self.x.len() / self.channels;
        for channel in (0..self.channels).step_by(LANES) {
            let present = self.channels - channel;
            // SAFETY: pixels and channels of `x`; `partial` holds `2 lanes` floats.
            unsafe {
                let x = self.x.as_ptr().add(channel);
                let load = |pixel: usize| V::load_partial(x.add(pixel * self.channels), present);
                let reciprocal = V::splat(1.0 / pixels as f32);
                let mean = sum_pixels::<V>(pixels, load).mul(reciprocal);
                let squares = sum_pixels::<V>(pixels, |pixel| {
                    let deviation = load(pixel).sub(mean);
                    deviation.mul(deviation)
                });
                // The mean was rounded: what it is off by, and the sum of squares with it, is put right here.
                let rest = sum_pixels::<V>(pixels, |pixel| load(pixel).sub(mean)).mul(reciprocal);
                let count = V::splat(-(pixels as f32));
                mean.add(rest).store(self.partial.add(channel));
                rest.mul(rest)
                    .mul_add(count, squares)
                    .store(self.partial.add(self.lanes + channel));
            }
        }
    }
}

/// The sum of `value` over the pixels, as four interleaved sums: enough to hide the latency of an addition.
#[inline(always)]
unsafe fn sum_pixels<V: Lanes>(pixels: usize, value: impl Fn(usize) -> V) -> V {
    // SAFETY: the caller vouches for the processor.
    unsafe {
        let mut sums = [V::splat(0.0); 4];
        let whole = pixels / 4 * 4;
        for pixel in (0..whole).step_by(4) {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = sum.add(value(pixel + i));
            }
        }
        for pixel in whole..pixels {
            sums[0] = sums[0].add(value(pixel));
        }
        sums[0].add(sums[1]).add(sums[2].add(sums[3]))
    }
}
