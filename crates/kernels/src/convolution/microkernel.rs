//! The inner loops of an implicit GEMM: tiles of output pixels times vectors of output channels, summed in registers.

use crate::simd::{Kernel, LANES, Lanes, announce, opaque};
use std::mem::MaybeUninit;
use std::ops::Range;

/// What follows a convolution in evaluation, done to its sums while they are in registers:
/// `relu(sum * scale + shift + residual)`. The operations, and so the bytes, are those of the separate pass.
#[derive(Clone, Copy)]
pub(crate) struct Epilogue<'a> {
    /// One value a channel, and zeros up to a multiple of [`LANES`].
    pub scale: &'a [f32],
    pub shift: &'a [f32],
    /// Of the output's shape.
    pub residual: Option<&'a [f32]>,
    pub relu: bool,
}

impl<'a> Epilogue<'a> {
    /// The same for an output that starts at element `first`.
    pub(crate) fn from(self, first: usize) -> Self {
        Self {
            residual: self.residual.map(|residual| &residual[first..]),
            ..self
        }
    }
}

/// The pixels of one phase in one task.
pub(crate) struct Microkernel<'a> {
    /// Padded source rows.
    pub source: &'a [f32],
    /// Offsets of each pixel's window in the source and of its channels in the output, row by row.
    pub pixels: &'a [(usize, usize)],
    /// Pixels in a row, `usize::MAX` where all are in one, and the distance of the windows of neighbours.
    pub columns: usize,
    pub step: usize,
    /// The window: rows, those of them that are not all padding, floats from one row to the next, and floats of a row that count.
    pub rows: usize,
    pub seen: Range<usize>,
    pub row_stride: usize,
    pub run: usize,
    /// `[block][row][run][LANES]`.
    pub weights: &'a [f32],
    /// Output channels, and which blocks of them to compute.
    pub channels: usize,
    pub blocks: Range<usize>,
    pub output: *mut f32,
    /// Its residual starts where `output` does.
    pub epilogue: Option<Epilogue<'a>>,
}

impl Kernel for Microkernel<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller vouches for the processor and the table.
        unsafe {
            match self.epilogue {
                None => self.columns::<V, OfFloats, false>(),
                Some(_) => self.columns::<V, OfFloats, true>(),
            }
        }
    }
}

/// The same of [pairs](crate::simd::pair) of bfloat16 numbers, in source and weights: a float stands for a pair.
pub(crate) struct OfPairs<'a>(pub Microkernel<'a>);

impl Kernel for OfPairs<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: as above.
        unsafe { self.0.columns::<V, Pairwise, false>() }
    }
}

/// What a lane of the source is multiplied with a lane of the weights as.
trait Product {
    unsafe fn add<V: Lanes>(value: V, weights: V, sum: V) -> V;
}

struct OfFloats;

impl Product for OfFloats {
    #[inline(always)]
    unsafe fn add<V: Lanes>(value: V, weights: V, sum: V) -> V {
        // SAFETY: the caller vouches for the processor.
        unsafe { value.mul_add(weights, sum) }
    }
}

struct Pairwise;

impl Product for Pairwise {
    #[inline(always)]
    unsafe fn add<V: Lanes>(value: V, weights: V, sum: V) -> V {
        // SAFETY: the caller vouches for the processor.
        unsafe { value.pairs_mul_add(weights, sum) }
    }
}

/// Where the windows of a tile's pixels are.
trait Windows<const P: usize>: Copy {
    /// The same, so many floats further.
    #[must_use]
    fn after(self, floats: usize) -> Self;

    /// The window of a pixel of one of its lines.
    fn at(&self, line: usize, pixel: usize) -> *const f32;
}

/// Anywhere.
#[derive(Clone, Copy)]
struct Scattered<const P: usize> {
    first: [*const f32; P],
    offset: usize,
}

impl<const P: usize> Windows<P> for Scattered<P> {
    #[inline(always)]
    fn after(self, floats: usize) -> Self {
        Self {
            offset: self.offset + floats,
            ..self
        }
    }

    #[inline(always)]
    fn at(&self, line: usize, pixel: usize) -> *const f32 {
        self.first[line * Lines::<P>::LENGTH + pixel].wrapping_add(self.offset)
    }
}

/// Pixels that one pointer addresses: at 0, 1, 2, 3 and 4 steps.
const REACH: usize = 5;

/// At equal distances, or its halves on two lines, on each at equal distances.
///
/// There are not enough registers for a pointer to each pixel. On x86-64 one pointer and two registers with one and three steps address
/// five pixels. Left alone, the compiler prefers many pointers and keeps them in memory: so it must not know that these move together.
#[derive(Clone, Copy)]
struct Lines<const P: usize> {
    /// Of each line pixels 0, 5 and 10. What no pixel needs is not computed.
    first: [[*const f32; 3]; 2],
    step: usize,
}

impl<const P: usize> Lines<P> {
    /// Pixels of a line: half of a tile, or all of an odd one.
    const LENGTH: usize = if P.is_multiple_of(2) { P / 2 } else { P };

    #[inline(always)]
    fn new(lines: [*const f32; 2], step: usize) -> Self {
        const { assert!(Self::LENGTH <= 3 * REACH) }
        Self {
            first: lines.map(|line| std::array::from_fn(|i| line.wrapping_add(i * REACH * step))),
            step,
        }
    }
}

impl<const P: usize> Windows<P> for Lines<P> {
    #[inline(always)]
    fn after(self, floats: usize) -> Self {
        Self {
            first: self
                .first
                .map(|line| line.map(|first| opaque(first.wrapping_add(floats)))),
            ..self
        }
    }

    #[inline(always)]
    fn at(&self, line: usize, pixel: usize) -> *const f32 {
        self.first[line][pixel / REACH].wrapping_add(pixel % REACH * self.step)
    }
}

/// Values of a window in one round of the inner loop for `pixels`: a loop that is long enough gains nothing.
const fn unrolled(pixels: usize) -> usize {
    if pixels <= 14 { 4 } else { 1 }
}

/// Adds the products of one value of each window, `offset` floats in, and its weights for `J` blocks of channels, `block_len` floats apart.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
unsafe fn add_products<V: Lanes, M: Product, W: Windows<P>, const P: usize, const J: usize>(
    windows: W,
    offset: usize,
    weights: *const f32,
    block_len: usize,
    sums: &mut [[V; J]; P],
) {
    let length = Lines::<P>::LENGTH;
    // SAFETY: the caller vouches for windows and weights.
    unsafe {
        let mut lines = [V::splat(0.0); J];
        for j in 0..J {
            lines[j] = V::load(weights.add(j * block_len));
        }
        for line in 0..P / length {
            for pixel in 0..length {
                let value = V::splat(*windows.at(line, pixel).add(offset));
                for j in 0..J {
                    let sum = &mut sums[line * length + pixel][j];
                    *sum = M::add(value, lines[j], *sum);
                }
            }
        }
    }
}

/// Bytes of weights that a pass over the pixels of a task may use: about half of the second-level cache.
const WEIGHT_BYTES: usize = 256 * 1024;
/// Bytes of weights of all blocks that a tile goes through before the next one: neighbouring channels of a pixel are then written soon
/// after each other.
const GROUP_BYTES: usize = 128 * 1024;

impl Microkernel<'_> {
    #[inline(always)]
    unsafe fn columns<V: Lanes, M: Product, const EPILOGUE: bool>(&self) {
        let Range { start, end } = self.blocks;
        // SAFETY: the caller vouches for the processor and the table.
        unsafe {
            // 28 of 32 vectors hold sums, or 6 of 8 on small register files; the rest, weights and a pixel.
            if V::MANY_REGISTERS {
                let pairs = start..end - (end - start) % 2;
                self.column::<V, M, EPILOGUE, 14, 7, 2>(pairs.clone());
                self.column::<V, M, EPILOGUE, 28, 14, 1>(pairs.end..end);
            } else {
                self.column::<V, M, EPILOGUE, 6, 3, 1>(start..end);
            }
        }
    }

    /// All pixels, `P` at a time and the last `H` if no more are left, for all blocks of channels, `J` at a time.
    #[inline(always)]
    unsafe fn column<V: Lanes, M: Product, const EPILOGUE: bool, const P: usize, const H: usize, const J: usize>(
        &self,
        blocks: Range<usize>,
    ) {
        // Weights that exceed the cache are used in passes, some rows of the window at a time; sums wait in the output.
        let row_bytes = (self.run * J * LANES * size_of::<f32>()).max(1);
        let rows = (WEIGHT_BYTES / row_bytes).clamp(1, self.rows.max(1));
        let group = (GROUP_BYTES / (row_bytes * self.rows.max(1))).max(1);
        let seen = &self.seen;
        for first in blocks.clone().step_by(group * J) {
            let blocks = first..(first + group * J).min(blocks.end);
            for start in (seen.start..seen.end.max(seen.start + 1)).step_by(rows) {
                let rows = start..(start + rows).min(seen.end);
                for (tile, pixels) in self.pixels.chunks(P).enumerate() {
                    for block in blocks.clone().step_by(J) {
                        // SAFETY: the table's offsets are within the source and the output.
                        unsafe {
                            if pixels.len() > H {
                                self.place::<V, M, EPILOGUE, P, J>(tile * P, pixels, rows.clone(), block);
                            } else {
                                self.place::<V, M, EPILOGUE, H, J>(tile * P, pixels, rows.clone(), block);
                            }
                        }
                    }
                }
            }
        }
    }

    /// A tile that starts at pixel `start`, its windows addressed in the cheapest way.
    #[inline(always)]
    unsafe fn place<V: Lanes, M: Product, const EPILOGUE: bool, const P: usize, const J: usize>(
        &self,
        start: usize,
        pixels: &[(usize, usize)],
        rows: Range<usize>,
        block: usize,
    ) {
        // SAFETY: the table's offsets are within the source and the output.
        unsafe {
            let pixel = |p: usize| self.source.as_ptr().add(pixels[p].0);
            let length = Lines::<P>::LENGTH;
            let on_a_line = |first: usize| (start + first) % self.columns + length <= self.columns;
            if pixels.len() == P && on_a_line(0) && on_a_line(P - length) {
                let windows = Lines::<P>::new([pixel(0), pixel(P - length)], self.step);
                self.tile::<V, M, EPILOGUE, _, P, J>(windows, pixels, rows, block);
            } else {
                // The last tile repeats its last pixel.
                let windows = Scattered {
                    first: std::array::from_fn(|p| pixel(p.min(pixels.len() - 1))),
                    offset: 0,
                };
                self.tile::<V, M, EPILOGUE, _, P, J>(windows, pixels, rows, block);
            }
        }
    }

    /// Sums `rows` of the windows, for `J` blocks of channels from `block` on, on top of what earlier rows gave.
    ///
    /// The sums stay in registers only if every loop over them has constant bounds and a body short enough to be
    /// unrolled; what does not, goes through `buffer`.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    unsafe fn tile<V: Lanes, M: Product, const EPILOGUE: bool, W: Windows<P>, const P: usize, const J: usize>(
        &self,
        windows: W,
        pixels: &[(usize, usize)],
        rows: Range<usize>,
        block: usize,
    ) {
        let block_len = self.rows * self.run * LANES;
        let first = block * LANES;
        let whole = pixels.len() == P && first + J * LANES <= self.channels;
        let later = rows.start > self.seen.start;
        let last = rows.end == self.seen.end;
        // SAFETY: windows lie within the source, `rows * run` lines of `J` blocks within the weights, and the table's
        // offsets within the output. The buffer is read where it has been written.
        unsafe {
            let zero = V::splat(0.0);
            let mut buffer = MaybeUninit::<[[V; J]; P]>::uninit();
            let buffer = buffer.as_mut_ptr().cast::<[V; J]>();
            let mut sums = [[zero; J]; P];
            if later && whole {
                for p in 0..P {
                    for j in 0..J {
                        sums[p][j] = V::load(self.output.add(pixels[p].1 + first + j * LANES));
                    }
                }
            } else if later {
                for p in 0..P {
                    let from = self.output.add(pixels[p.min(pixels.len() - 1)].1 + first);
                    *buffer.add(p) = self.load_channels(from, first);
                }
                for p in 0..P {
                    sums[p] = *buffer.add(p);
                }
            }

            if whole {
                // The sums take long enough for these to arrive.
                for p in 0..P {
                    for j in 0..J {
                        announce::<true>(self.output.wrapping_add(pixels[p].1 + first + j * LANES));
                    }
                }
                if EPILOGUE
                    && last
                    && let Some(residual) = self.epilogue.and_then(|epilogue| epilogue.residual)
                {
                    for p in 0..P {
                        for j in 0..J {
                            announce::<false>(residual.as_ptr().wrapping_add(pixels[p].1 + first + j * LANES));
                        }
                    }
                }
            }

            let mut weights = self
                .weights
                .as_ptr()
                .add(block * block_len + rows.start * self.run * LANES);
            for row in rows {
                let mut windows = windows.after(row * self.row_stride);
                for _ in 0..self.run / const { unrolled(P) } {
                    for k in 0..const { unrolled(P) } {
                        add_products::<V, M, W, P, J>(windows, k, weights.add(k * LANES), block_len, &mut sums);
                    }
                    weights = weights.add(unrolled(P) * LANES);
                    windows = windows.after(unrolled(P));
                }
                for _ in 0..self.run % const { unrolled(P) } {
                    add_products::<V, M, W, P, J>(windows, 0, weights, block_len, &mut sums);
                    weights = weights.add(LANES);
                    windows = windows.after(1);
                }
            }

            if EPILOGUE
                && last
                && let Some(epilogue) = self.epilogue
            {
                for j in 0..J {
                    let scale = V::load(epilogue.scale.as_ptr().add(first + j * LANES));
                    let shift = V::load(epilogue.shift.as_ptr().add(first + j * LANES));
                    for p in 0..P {
                        sums[p][j] = sums[p][j].mul_add(scale, shift);
                    }
                }
                if let Some(residual) = epilogue.residual {
                    if whole {
                        for p in 0..P {
                            for j in 0..J {
                                let from = residual.as_ptr().add(pixels[p].1 + first + j * LANES);
                                sums[p][j] = sums[p][j].add(V::load(from));
                            }
                        }
                    } else {
                        for p in 0..P {
                            let from = residual.as_ptr().add(pixels[p.min(pixels.len() - 1)].1 + first);
                            *buffer.add(p) = self.load_channels(from, first);
                        }
                        for p in 0..P {
                            for j in 0..J {
                                sums[p][j] = sums[p][j].add((*buffer.add(p))[j]);
                            }
                        }
                    }
                }
                if epilogue.relu {
                    for p in 0..P {
                        for j in 0..J {
                            sums[p][j] = zero.greater_of(sums[p][j]);
                        }
                    }
                }
            }

            if whole {
                for p in 0..P {
                    for j in 0..J {
                        sums[p][j].store(self.output.add(pixels[p].1 + first + j * LANES));
                    }
                }
            } else {
                for p in 0..P {
                    *buffer.add(p) = sums[p];
                }
                for (p, pixel) in pixels.iter().enumerate() {
                    self.store_channels(&*buffer.add(p), self.output.add(pixel.1 + first), first);
                }
            }
        }
    }

    /// Those of `J` vectors of channels from `first` on that exist, and zeros.
    #[inline(always)]
    unsafe fn load_channels<V: Lanes, const J: usize>(&self, from: *const f32, first: usize) -> [V; J] {
        // SAFETY: the caller's pointer is at channel `first` of a pixel.
        unsafe {
            let mut vectors = [V::splat(0.0); J];
            for (j, vector) in vectors.iter_mut().enumerate() {
                *vector = V::load_partial(from.add(j * LANES), self.channels - first - j * LANES);
            }
            vectors
        }
    }

    /// Writes those of `J` vectors of channels from `first` on that exist.
    #[inline(always)]
    unsafe fn store_channels<V: Lanes, const J: usize>(&self, vectors: &[V; J], to: *mut f32, first: usize) {
        // SAFETY: the caller's pointer is at channel `first` of a pixel.
        unsafe {
            for (j, vector) in vectors.iter().enumerate() {
                vector.store_partial(to.add(j * LANES), self.channels - first - j * LANES);
            }
        }
    }
}
