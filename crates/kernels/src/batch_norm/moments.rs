//! Mean and variance of each channel on the CPU.

use super::passes::Chunks;
use crate::dims::Dims;
use crate::host::{Shared, Unwritten};
#[cfg(test)]
use crate::parallel::Division;
use crate::simd::{InstructionSet, Kernel, LANES, Lanes};
use std::ops::Range;

/// Means and biased variances.
///
/// Chunks of pixels are reduced around their own means and joined in float64 (Chan, Golub and LeVeque 1979), so a
/// mean far from zero costs no accuracy. The chunks depend on the shape alone.
pub(crate) fn moments(x: &[f32], dims: Dims, set: InstructionSet) -> (Vec<f32>, Vec<f32>) {
    let chunks = Chunks::of(dims);
    let lanes = dims.channels.div_ceil(LANES) * LANES;
    let mut partials = Unwritten::new(chunks.count() * 2 * lanes);
    let pointer = partials.pointer();
    chunks.division(MOMENTS).for_each(|chunk, vectors| {
        let kernel = Moments {
            x: &x[chunks.floats(chunk)],
            channels: dims.channels,
            vectors,
            // SAFETY: `2 lanes` floats for each chunk.
            partial: unsafe { pointer.at(chunk * 2 * lanes) },
            lanes,
        };
        // SAFETY: the set is supported, and these channels of the chunk's partial are this task's alone.
        unsafe { set.run(kernel) }
    });
    // SAFETY: the chunks have written all their moments.
    let partials = unsafe { partials.finish() };
    let (mut means, mut variances) = (vec![0f32; lanes], vec![0f32; lanes]);
    let (of_means, of_variances) = (Shared::new(&mut means), Shared::new(&mut variances));
    chunks.joining(JOIN).for_each(|_, vectors| {
        for vector in vectors {
            let kernel = Join {
                chunks,
                partials: &partials,
                channel: vector * LANES,
                lanes,
            };
            // SAFETY: the set is supported; these channels are this task's alone.
            unsafe {
                let (mean, variance) = set.run(kernel);
                of_means.at(vector * LANES).cast::<[f32; LANES]>().write(mean);
                of_variances.at(vector * LANES).cast::<[f32; LANES]>().write(variance);
            }
        }
    });
    means.truncate(dims.channels);
    variances.truncate(dims.channels);
    (means, variances)
}

/// The loops.
#[cfg(test)]
pub(crate) fn loops(dims: Dims) -> [Division; 2] {
    let chunks = Chunks::of(dims);
    [chunks.division(MOMENTS), chunks.joining(JOIN)]
}

/// Vector operations for a vector of a chunk: three passes. And of joining a chunk's moments to the others', mostly divisions.
const MOMENTS: usize = 8;
const JOIN: usize = 64;

/// Mean and variance of a vector of channels, from those of the chunks in their order.
struct Join<'a> {
    chunks: Chunks,
    /// Of each chunk, as [`Moments`] writes them.
    partials: &'a [f32],
    channel: usize,
    lanes: usize,
}

impl Kernel for Join<'_> {
    type Output = ([f32; LANES], [f32; LANES]);

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) -> Self::Output {
        let (mut count, mut mean, mut squares) = (0f64, [0f64; LANES], [0f64; LANES]);
        for (chunk, partial) in self.partials.chunks_exact(2 * self.lanes).enumerate() {
            let size = self.chunks.pixels(chunk).len() as f64;
            let total = count + size;
            let (means, deviations) = partial.split_at(self.lanes);
            let of = self.channel..self.channel + LANES;
            for (lane, (of_mean, of_squares)) in means[of.clone()].iter().zip(&deviations[of]).enumerate() {
                let difference = f64::from(*of_mean) - mean[lane];
                mean[lane] += difference * size / total;
                squares[lane] += f64::from(*of_squares) + difference * difference * count * size / total;
            }
            count = total;
        }
        (
            mean.map(|mean| mean as f32),
            squares.map(|squares| (squares / count) as f32),
        )
    }
}

/// Mean and sum of squared deviations of a chunk of pixels.
struct Moments<'a> {
    x: &'a [f32],
    channels: usize,
    vectors: Range<usize>,
    /// Means, then sums of squares, `lanes` each.
    partial: *mut f32,
    lanes: usize,
}

impl Kernel for Moments<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let pixels = self.x.len() / self.channels;
        for channel in self.vectors.map(|vector| vector * LANES) {
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
