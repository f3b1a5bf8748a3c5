//! Mean and variance of each channel on the CPU.

use super::passes::Chunks;
use crate::dims::Dims;
use crate::host::Shared;
use crate::parallel::for_each;
use crate::simd::{InstructionSet, Kernel, LANES, Lanes};

/// Means and biased variances.
///
/// Chunks of pixels are reduced around their own means and joined in float64 (Chan, Golub and LeVeque 1979), so a
/// mean far from zero costs no accuracy. The chunks depend on the shape alone.
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
