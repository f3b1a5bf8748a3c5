//! The passes over memory behind batch normalisation on the CPU.

use crate::dims::Dims;
use crate::parallel::Division;
use crate::simd::{Kernel, LANES, Lanes};
use std::ops::Range;

/// Stretches of pixels for reductions and elementwise passes. They depend on the shape alone.
#[derive(Clone, Copy)]
pub(crate) struct Chunks {
    all: usize,
    each: usize,
    channels: usize,
}

impl Chunks {
    pub(crate) fn of(dims: Dims) -> Self {
        // A chunk of each of three or four tensors fits the second-level cache.
        Self {
            all: dims.pixels(),
            each: (8192 / dims.channels).clamp(16, 512),
            channels: dims.channels,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.all.div_ceil(self.each)
    }

    pub(crate) fn pixels(&self, chunk: usize) -> Range<usize> {
        chunk * self.each..((chunk + 1) * self.each).min(self.all)
    }

    /// The chunks, each in some vectors of channels; so many vector operations for a vector.
    pub(crate) fn division(&self, operations: usize) -> Division {
        Division {
            pieces: self.count(),
            units: self.channels.div_ceil(LANES),
            cost: self.each.min(self.all) * operations,
        }
    }

    /// Vectors of channels, each with what all chunks have of it; so many vector operations for one chunk's.
    pub(crate) fn joining(&self, operations: usize) -> Division {
        Division {
            pieces: 1,
            units: self.channels.div_ceil(LANES),
            cost: self.count() * operations,
        }
    }

    pub(crate) fn floats(&self, chunk: usize) -> Range<usize> {
        let pixels = self.pixels(chunk);
        pixels.start * self.channels..pixels.end * self.channels
    }
}

/// `output = relu((x - mean) * scale + shift + residual)` on a chunk.
pub(crate) struct Apply<'a> {
    pub channels: usize,
    /// Which vectors of channels to go through.
    pub vectors: Range<usize>,
    pub x: &'a [f32],
    pub mean: &'a [f32],
    pub scale: &'a [f32],
    pub shift: &'a [f32],
    pub residual: Option<&'a [f32]>,
    pub relu: bool,
    pub output: *mut f32,
}

impl Kernel for Apply<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        for channel in self.vectors.map(|vector| vector * LANES) {
            let present = self.channels - channel;
            // SAFETY: the vectors are padded; pixels and channels are those of the chunk.
            unsafe {
                let mean = V::load(self.mean.as_ptr().add(channel));
                let scale = V::load(self.scale.as_ptr().add(channel));
                let shift = V::load(self.shift.as_ptr().add(channel));
                let zero = V::splat(0.0);
                for at in (channel..self.x.len()).step_by(self.channels) {
                    let x = V::load_partial(self.x.as_ptr().add(at), present);
                    let mut y = x.sub(mean).mul_add(scale, shift);
                    if let Some(residual) = self.residual {
                        y = y.add(V::load_partial(residual.as_ptr().add(at), present));
                    }
                    if self.relu {
                        y = zero.greater_of(y);
                    }
                    y.store_partial(self.output.add(at), present);
                }
            }
        }
    }
}

/// Sums over a chunk of the gradient before the ReLU, and of its product with the normalised input.
pub(crate) struct Reduce<'a> {
    pub channels: usize,
    pub vectors: Range<usize>,
    pub x: &'a [f32],
    pub mean: &'a [f32],
    pub factor: &'a [f32],
    /// The result of the operation, where it ends in a ReLU.
    pub result: Option<&'a [f32]>,
    pub gradient: &'a [f32],
    /// Where to put the gradient before the ReLU.
    pub masked: Option<*mut f32>,
    /// Both sums, `lanes` floats each.
    pub sums: *mut f32,
    pub lanes: usize,
}

impl Kernel for Reduce<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        for channel in self.vectors.map(|vector| vector * LANES) {
            let present = self.channels - channel;
            // SAFETY: the vectors are padded; pixels and channels are those of the chunk.
            unsafe {
                let mean = V::load(self.mean.as_ptr().add(channel));
                let factor = V::load(self.factor.as_ptr().add(channel));
                let (mut sum, mut product) = (V::splat(0.0), V::splat(0.0));
                for at in (channel..self.x.len()).step_by(self.channels) {
                    let mut gradient = V::load_partial(self.gradient.as_ptr().add(at), present);
                    if let Some(result) = self.result {
                        gradient = gradient.where_positive(V::load_partial(result.as_ptr().add(at), present));
                    }
                    if let Some(masked) = self.masked {
                        gradient.store_partial(masked.add(at), present);
                    }
                    let deviation = V::load_partial(self.x.as_ptr().add(at), present).sub(mean);
                    sum = sum.add(gradient);
                    product = deviation.mul_add(gradient, product);
                }
                sum.store(self.sums.add(channel));
                product.mul(factor).store(self.sums.add(self.lanes + channel));
            }
        }
    }
}

/// `output = direct * gradient + slope * (x - mean) + constant` on a chunk, the gradient being that before the ReLU.
pub(crate) struct Differentiate<'a> {
    pub channels: usize,
    pub vectors: Range<usize>,
    pub x: &'a [f32],
    pub mean: &'a [f32],
    pub direct: &'a [f32],
    pub slope: &'a [f32],
    pub constant: &'a [f32],
    /// The result of the operation, where `gradient` has still to go through its ReLU.
    pub result: Option<&'a [f32]>,
    pub gradient: &'a [f32],
    pub output: *mut f32,
}

impl Kernel for Differentiate<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        for channel in self.vectors.map(|vector| vector * LANES) {
            let present = self.channels - channel;
            // SAFETY: the vectors are padded; pixels and channels are those of the chunk.
            unsafe {
                let mean = V::load(self.mean.as_ptr().add(channel));
                let direct = V::load(self.direct.as_ptr().add(channel));
                let slope = V::load(self.slope.as_ptr().add(channel));
                let constant = V::load(self.constant.as_ptr().add(channel));
                for at in (channel..self.x.len()).step_by(self.channels) {
                    let mut gradient = V::load_partial(self.gradient.as_ptr().add(at), present);
                    if let Some(result) = self.result {
                        gradient = gradient.where_positive(V::load_partial(result.as_ptr().add(at), present));
                    }
                    let deviation = V::load_partial(self.x.as_ptr().add(at), present).sub(mean);
                    let through_batch = deviation.mul_add(slope, constant);
                    gradient
                        .mul_add(direct, through_batch)
                        .store_partial(self.output.add(at), present);
                }
            }
        }
    }
}
