//! The gradient of a convolution with respect to its weights.
//!
//! It is a sum over all output pixels of the outer product of the pixel's window (some runs of the source) and its
//! gradient. A tile of window elements times some vectors of output channels stays in registers while the pixels
//! of a stretch of the batch go by. Float sums depend on their order, so the batch is cut into chunks by its shape
//! alone, never by the number of threads, and the chunks are added up in order.

use super::gather::copy_padded;
use super::pack::{Filter, unpack_sum};
use super::parallel::for_each;
use super::simd::{InstructionSet, Kernel, LANES, Lanes};
use super::storage::{Dims, Shared, with_scratch};
use std::mem::MaybeUninit;
use std::ops::Range;

/// Geometry of a filter gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FilterGradient {
    /// Input of the convolution.
    pub source: Dims,
    /// Output of the convolution.
    pub output: Dims,
    pub filter: Filter,
    pub stride: usize,
    pub padding: usize,
}

/// A stretch is as long as its padded rows, and its gradients, stay in the first-level cache: every tile passes over
/// them. But it is not so short that adding the sums of a tile to the partial gradient takes longer than the sums.
const SCRATCH_BYTES: usize = 40 * 1024;
const MIN_PIXELS: usize = 128;
/// Bounds on the chunks of a batch: their number, and the floats of their partial gradients together.
const MAX_CHUNKS: usize = 16;
const MAX_PARTIAL_FLOATS: usize = 1 << 19;
/// Vectors of output channels that one task keeps together.
const BLOCKS: usize = 2;
/// Window elements of a register tile: with two vectors of channels, and with one. 21 is the stem's 7 x 3, 11 its half.
const PAIRED_TILES: [usize; 3] = [12, 14, 11];
const SINGLE_TILES: [usize; 3] = [24, 21, 16];
/// The most floats that a tile may read past its window.
const LONGEST_TILE: usize = 24;

/// The tile that covers a run with the least excess.
#[inline(always)]
fn fitting_tile(run: usize, tiles: [usize; 3]) -> usize {
    let mut best = tiles[0];
    for tile in tiles {
        if run.next_multiple_of(tile) < run.next_multiple_of(best) {
            best = tile;
        }
    }
    best
}

impl FilterGradient {
    /// The gradient in torchvision's layout.
    pub(crate) fn run(&self, source: &[f32], gradient: &[f32], set: InstructionSet) -> Vec<f32> {
        assert_eq!(source.len(), self.source.elements());
        assert_eq!(gradient.len(), self.output.elements());
        let blocks = self.output.channels.div_ceil(LANES);
        let partial_len = self.filter.height * self.filter.width * self.filter.inputs * blocks * LANES;
        let chunks = (MAX_PARTIAL_FLOATS / partial_len).clamp(1, MAX_CHUNKS.min(self.source.images));
        let chunk_images = self.source.images.div_ceil(chunks);
        let chunks = self.source.images.div_ceil(chunk_images);
        // With few chunks the channels are divided too, each part padding the source for itself.
        let parts = blocks.div_ceil(BLOCKS).min(MAX_CHUNKS.div_ceil(chunks));
        let part_blocks = blocks.div_ceil(BLOCKS).div_ceil(parts) * BLOCKS;
        let parts = blocks.div_ceil(part_blocks);

        let mut partials = vec![0f32; chunks * partial_len];
        let pointer = Shared::new(&mut partials);
        let plan = self.plan(chunk_images);
        for_each(chunks * parts, |task| {
            let (chunk, part) = (task / parts, task % parts);
            let images = chunk * chunk_images..((chunk + 1) * chunk_images).min(self.source.images);
            let blocks = part * part_blocks..((part + 1) * part_blocks).min(blocks);
            // SAFETY: chunk `chunk` starts there.
            let partial = unsafe { pointer.at(chunk * partial_len) };
            self.task(&plan, source, gradient, images, blocks, partial, set);
        });
        unpack_sum(&partials, self.filter)
    }

    fn plan(&self, chunk_images: usize) -> Plan {
        let kernel = (self.filter.height, self.filter.width);
        let width = ((self.output.width - 1) * self.stride + kernel.1).max(self.padding + self.source.width);
        let row_len = width * self.source.channels;
        let run = kernel.1 * self.source.channels;
        let source_rows = |rows: usize| (rows - 1) * self.stride + kernel.0;
        let fitting = SCRATCH_BYTES / (row_len * size_of::<f32>());
        let rows = (fitting.saturating_sub(kernel.0) / self.stride + 1)
            .max(MIN_PIXELS.div_ceil(self.output.width))
            .min(self.output.height);
        let images = if rows == self.output.height {
            (fitting / source_rows(rows))
                .max(MIN_PIXELS.div_ceil(rows * self.output.width))
                .min(chunk_images)
        } else {
            1
        };
        let in_place = self.padding == 0
            && width == self.source.width
            && source_rows(self.output.height) <= self.source.height
            && run >= fitting_tile(run, PAIRED_TILES).max(fitting_tile(run, SINGLE_TILES));
        let source_rows = source_rows(rows);
        let image_stride = if in_place { self.source.height } else { source_rows } * row_len;
        let mut windows = Vec::with_capacity(images * rows * self.output.width);
        for image in 0..images {
            for row in 0..rows {
                for column in 0..self.output.width {
                    windows.push(
                        image * image_stride
                            + row * self.stride * row_len
                            + column * self.stride * self.source.channels,
                    );
                }
            }
        }
        Plan {
            images,
            rows,
            width,
            image_stride,
            source_rows,
            in_place,
            windows,
        }
    }

    /// Adds the contribution of `images` to the output channels of `blocks`.
    #[allow(clippy::too_many_arguments)]
    fn task(
        &self,
        plan: &Plan,
        source: &[f32],
        gradient: &[f32],
        images: Range<usize>,
        blocks: Range<usize>,
        partial: *mut f32,
        set: InstructionSet,
    ) {
        let image_len = self.source.height * self.source.width * self.source.channels;
        let row_len = plan.width * self.source.channels;
        let channels = self.output.channels;
        let padded_channels = channels.div_ceil(LANES) * LANES;
        let stretch_pixels = plan.images * plan.rows * self.output.width;
        let padded_len = if plan.in_place {
            0
        } else {
            plan.images * plan.image_stride + LONGEST_TILE
        };
        let aligned_len = if channels == padded_channels {
            0
        } else {
            stretch_pixels * padded_channels
        };
        with_scratch(padded_len + aligned_len, |scratch| {
            let (padded, aligned) = scratch.split_at_mut(padded_len);
            for first in images.clone().step_by(plan.images) {
                let count = plan.images.min(images.end - first);
                for row in (0..self.output.height).step_by(plan.rows) {
                    let rows = plan.rows.min(self.output.height - row);
                    let pixels = count * rows * self.output.width;
                    let top = row * self.stride;
                    let source = if plan.in_place {
                        &source[first * image_len + top * row_len..(first + count) * image_len]
                    } else {
                        let images = source[first * image_len..].chunks_exact(image_len).take(count);
                        for (image, padded) in images.zip(padded.chunks_exact_mut(plan.image_stride)) {
                            let padded = &mut padded[..plan.source_rows * row_len];
                            copy_padded(
                                image,
                                self.source,
                                (self.padding, self.padding),
                                top,
                                plan.width,
                                padded,
                            );
                        }
                        &*padded
                    };
                    let start = (first * self.output.height + row) * self.output.width * channels;
                    let mut gradient = &gradient[start..start + pixels * channels];
                    if channels != padded_channels {
                        let lines = aligned.chunks_exact_mut(padded_channels);
                        for (line, pixel) in lines.zip(gradient.chunks_exact(channels)) {
                            line[..channels].copy_from_slice(pixel);
                            line[channels..].fill(0.0);
                        }
                        gradient = &aligned[..pixels * padded_channels];
                    }
                    let stretch = Stretch {
                        source,
                        windows: &plan.windows[..pixels],
                        gradient,
                        channels: padded_channels,
                        rows: self.filter.height,
                        row_stride: row_len,
                        run: self.filter.width * self.source.channels,
                        blocks: blocks.clone(),
                        partial,
                    };
                    // SAFETY: the windows lie within the padded rows, with `LONGEST_TILE` floats to spare or at
                    // least as long as a tile; the partial gradient of this chunk and these blocks is this task's alone.
                    unsafe { set.run(stretch) }
                }
            }
        });
    }
}

/// How the images of a chunk are cut into stretches: some whole images, or some rows of one.
struct Plan {
    images: usize,
    rows: usize,
    /// Padded width, in pixels.
    width: usize,
    image_stride: usize,
    source_rows: usize,
    /// The source needs no padding, and is read where it is.
    in_place: bool,
    /// Offsets of the windows of a stretch's pixels.
    windows: Vec<usize>,
}

/// A stretch of pixels and where their contribution goes: `partial`, `[block][row][run][LANES]` like packed weights.
struct Stretch<'a> {
    source: &'a [f32],
    windows: &'a [usize],
    gradient: &'a [f32],
    channels: usize,
    rows: usize,
    row_stride: usize,
    run: usize,
    blocks: Range<usize>,
    partial: *mut f32,
}

impl Kernel for Stretch<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let mut block = self.blocks.start;
        // SAFETY: the caller vouches for the processor and the stretch.
        unsafe {
            while block < self.blocks.end {
                if !V::MANY_REGISTERS {
                    self.column::<V, 6, 1>(block);
                    block += 1;
                } else if block + 2 <= self.blocks.end {
                    match fitting_tile(self.run, PAIRED_TILES) {
                        14 => self.column::<V, 14, 2>(block),
                        11 => self.column::<V, 11, 2>(block),
                        _ => self.column::<V, 12, 2>(block),
                    }
                    block += 2;
                } else {
                    match fitting_tile(self.run, SINGLE_TILES) {
                        21 => self.column::<V, 21, 1>(block),
                        16 => self.column::<V, 16, 1>(block),
                        _ => self.column::<V, 24, 1>(block),
                    }
                    block += 1;
                }
            }
        }
    }
}

impl Stretch<'_> {
    /// All elements of the window, for `J` blocks of channels.
    #[inline(always)]
    unsafe fn column<V: Lanes, const R: usize, const J: usize>(&self, block: usize) {
        for row in 0..self.rows {
            for first in (0..self.run).step_by(R) {
                // The last tile starts early rather than read past the run, where the run is long enough for that.
                let start = first.min(self.run.saturating_sub(R));
                // SAFETY: windows are in the source, and channels within the gradient and the partial gradient.
                unsafe { self.tile::<V, R, J>(row, start, first - start, block) };
            }
        }
    }

    /// Adds the sums over all pixels of `R` floats of a row of the window, from `start` on, times `J` blocks of channels
    /// from `block` on, without the first `skipped` of those floats.
    ///
    /// As in a convolution's tiles, loops with constant bounds keep the sums in registers.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    unsafe fn tile<V: Lanes, const R: usize, const J: usize>(
        &self,
        row: usize,
        start: usize,
        skipped: usize,
        block: usize,
    ) {
        // SAFETY: as in `column`. The buffer is read where it has been written.
        unsafe {
            let mut sums = [[V::splat(0.0); J]; R];
            let source = self.source.as_ptr().add(row * self.row_stride + start);
            let mut gradient = self.gradient.as_ptr().add(block * LANES);
            for window in self.windows {
                let window = source.add(*window);
                let mut lines = [V::splat(0.0); J];
                for j in 0..J {
                    lines[j] = V::load(gradient.add(j * LANES));
                }
                for r in 0..R {
                    let value = V::splat(*window.add(r));
                    for j in 0..J {
                        sums[r][j] = value.mul_add(lines[j], sums[r][j]);
                    }
                }
                gradient = gradient.add(self.channels);
            }

            let block_len = self.rows * self.run * LANES;
            let partial = self.partial.add(block * block_len + (row * self.run + start) * LANES);
            if skipped == 0 && start + R <= self.run {
                for r in 0..R {
                    for j in 0..J {
                        let to = partial.add(j * block_len + r * LANES);
                        V::load(to).add(sums[r][j]).store(to);
                    }
                }
            } else {
                let mut buffer = MaybeUninit::<[[V; J]; R]>::uninit();
                let buffer = buffer.as_mut_ptr().cast::<[V; J]>();
                for r in 0..R {
                    *buffer.add(r) = sums[r];
                }
                for r in skipped..R.min(self.run - start) {
                    for (j, sum) in (*buffer.add(r)).iter().enumerate() {
                        let to = partial.add(j * block_len + r * LANES);
                        V::load(to).add(*sum).store(to);
                    }
                }
            }
        }
    }
}
