//! The gradient of a convolution with respect to its weights, of factors rounded to bfloat16.
//!
//! As in [`filter_gradient`](super::filter_gradient) it is a sum over all output pixels, here over pairs of neighbours: a pair of the
//! gradient's values in a channel times a pair of the source's values in an element of the window. The source is kept as the pairs of each
//! value with its neighbour a stride to the right, rows a stride apart following each other. In that order the windows of all pairs of
//! pixels of an image are at one distance, and a row of the window is one run. A gradient of 0 is what takes pixels between the rows
//! out of the sum.

use super::geometry::Geometry;
use crate::dims::Dims;
use crate::host::{Shared, with_scratch};
use crate::parallel::{for_each, for_each_piece};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use crate::simd::{Amx, Tiles};
use crate::simd::{Bf16, Kernel, LANES, Lanes};
use std::ops::Range;

/// The filter gradient of a convolution, its factors rounded to bfloat16 and multiplied in a way.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairedFilterGradient {
    pub of: Geometry,
    pub way: Bf16,
}

/// The source of a stretch, as pairs, takes about a quarter of the second-level cache; every tile passes over it.
const SCRATCH_BYTES: usize = 384 * 1024;
/// Bounds on the chunks of a batch: their number, and the floats of their partial gradients together.
const MAX_CHUNKS: usize = 16;
const MAX_PARTIAL_FLOATS: usize = 1 << 19;
/// Blocks of channels that one task keeps together.
const BLOCKS: usize = 2;
/// Pairs of pixels that are multiplied at a time.
const STEP: usize = 16;

/// How the images of a chunk are cut into stretches, and where in a stretch what is.
struct Plan {
    /// Whole images, or some rows of one.
    images: usize,
    rows: usize,
    /// Pixels from one row of the output to the next: as many as its padded source has strides.
    width: usize,
    /// Padded rows of the source that a stretch reads, for each remainder of their number by the stride.
    phase_rows: usize,
    /// Steps over the pairs of an image.
    steps: usize,
    /// Floats of an image's source.
    image_len: usize,
    /// Floats of a row of the window, up to whole vectors.
    run: usize,
}

impl PairedFilterGradient {
    /// The gradient in torchvision's layout.
    pub(super) fn run(&self, source: &[f32], gradient: &[f32]) -> Vec<f32> {
        let blocks = self.of.output.channels.div_ceil(LANES);
        let plan = self.plan(self.of.source.images);
        let block_len = self.of.filter.height * LANES * plan.run;
        let partial_len = blocks * block_len;
        let chunks = (MAX_PARTIAL_FLOATS / partial_len).clamp(1, MAX_CHUNKS.min(self.of.source.images));
        let chunk_images = self.of.source.images.div_ceil(chunks);
        let chunks = self.of.source.images.div_ceil(chunk_images);
        let plan = self.plan(chunk_images);
        // With few chunks the channels are divided too, each part preparing the source for itself.
        let tasks = 2 * rayon::current_num_threads();
        let parts = blocks.div_ceil(BLOCKS).min(tasks.div_ceil(chunks));
        let part_blocks = blocks.div_ceil(BLOCKS).div_ceil(parts) * BLOCKS;
        let parts = blocks.div_ceil(part_blocks);

        let mut partials = vec![0f32; chunks * partial_len];
        let pointer = Shared::new(&mut partials);
        for_each(chunks * parts, |task| {
            let (chunk, part) = (task / parts, task % parts);
            let images = chunk * chunk_images..((chunk + 1) * chunk_images).min(self.of.source.images);
            let blocks = part * part_blocks..((part + 1) * part_blocks).min(blocks);
            // SAFETY: the partial gradient of the chunk has these blocks.
            let partial = unsafe { pointer.at(chunk * partial_len + blocks.start * block_len) };
            self.task(&plan, source, gradient, images, blocks, partial);
        });
        self.sum(&partials, partial_len, plan.run)
    }

    fn plan(&self, chunk_images: usize) -> Plan {
        let Geometry {
            source,
            output,
            filter,
            stride,
            ..
        } = self.of;
        let width = ((output.width - 1) * stride + filter.width).div_ceil(stride);
        let phase_rows = |rows: usize| ((rows - 1) * stride + filter.height).div_ceil(stride);
        let row_bytes = width * stride * source.channels * size_of::<f32>();
        let fitting = (SCRATCH_BYTES / (row_bytes * stride)).saturating_sub(phase_rows(1)) + 1;
        let rows = fitting.min(output.height);
        let rows = output.height.div_ceil(output.height.div_ceil(rows));
        let phase_rows = phase_rows(rows);
        let image_len = stride * phase_rows * width * stride * source.channels;
        let images = match rows == output.height {
            true => (SCRATCH_BYTES / (image_len * size_of::<f32>())).clamp(1, chunk_images),
            false => 1,
        };
        Plan {
            images,
            rows,
            width,
            phase_rows,
            steps: (rows * width).div_ceil(2 * STEP),
            image_len,
            run: (filter.width * source.channels).next_multiple_of(LANES),
        }
    }

    /// Adds the contribution of `images` to the output channels of `blocks`, whose partial gradient starts at `partial`.
    fn task(
        &self,
        plan: &Plan,
        source: &[f32],
        gradient: &[f32],
        images: Range<usize>,
        blocks: Range<usize>,
        partial: *mut f32,
    ) {
        let Geometry { output, stride, .. } = self.of;
        let pairs = plan.images * plan.steps * STEP;
        // What the last step of the last image reads behind its rows, and the last tile of a row of the window.
        let behind =
            (2 * STEP * plan.steps - plan.rows.saturating_sub(1) * plan.width + 2) * stride * self.of.source.channels
                + plan.run;
        let source_len = plan.images * plan.image_len + behind;
        let channels = blocks.len() * LANES;
        let gradient_len = channels * pairs;
        with_scratch(source_len + 3 * gradient_len, |scratch| {
            let (windows, scratch) = scratch.split_at_mut(source_len);
            let (pixels, gradients) = scratch.split_at_mut(2 * gradient_len);
            for first in images.clone().step_by(plan.images) {
                let images = first..(first + plan.images).min(images.end);
                for row in (0..output.height).step_by(plan.rows) {
                    let rows = row..(row + plan.rows).min(output.height);
                    self.copy_source(plan, source, images.clone(), rows.start, windows);
                    self.copy_gradient(plan, gradient, images.clone(), rows, blocks.clone(), pixels);
                    let stretch = Stretch {
                        geometry: self.of,
                        plan,
                        images: images.len(),
                        windows,
                        pixels,
                        gradients: gradients.as_mut_ptr(),
                        channels,
                        partial,
                    };
                    // SAFETY: windows and gradients have been copied, with room behind them for whole steps and tiles; the partial
                    // gradient of these blocks is this task's alone.
                    unsafe {
                        match self.way {
                            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
                            Bf16::Amx(amx) => self.way.run(InTiles(stretch, amx)),
                            way => way.run(stretch),
                        }
                    }
                }
            }
        });
    }

    /// The rows of the source that a stretch from output row `row` on reads, and zeros around and behind them:
    /// `[image][remainder of the row][row / stride][width * stride][channels]`.
    fn copy_source(&self, plan: &Plan, source: &[f32], images: Range<usize>, row: usize, to: &mut [f32]) {
        let Dims {
            height,
            width,
            channels,
            ..
        } = self.of.source;
        let row_len = plan.width * self.of.stride * channels;
        let image_len = height * width * channels;
        let used = images.len() * plan.image_len;
        let (rows, behind) = to.split_at_mut(used);
        behind.fill(0.0);
        let padding = self.of.padding;
        for (image, rows) in images.zip(rows.chunks_exact_mut(plan.image_len)) {
            let image = &source[image * image_len..][..image_len];
            for (place, to) in rows.chunks_exact_mut(row_len).enumerate() {
                let (remainder, nth) = (place / plan.phase_rows, place % plan.phase_rows);
                let y = (row + nth) * self.of.stride + remainder;
                let Some(y) = y.checked_sub(padding).filter(|y| *y < height) else {
                    to.fill(0.0);
                    continue;
                };
                let left = (padding * channels).min(row_len);
                let there = (width * channels).min(row_len - left);
                to[..left].fill(0.0);
                to[left..left + there].copy_from_slice(&image[y * width * channels..][..there]);
                to[left + there..].fill(0.0);
            }
        }
    }

    /// The gradients of a stretch's pixels in the channels of `blocks`, and zeros between the rows and behind each image:
    /// `[image][steps * 2 STEP][channels]`.
    fn copy_gradient(
        &self,
        plan: &Plan,
        gradient: &[f32],
        images: Range<usize>,
        rows: Range<usize>,
        blocks: Range<usize>,
        to: &mut [f32],
    ) {
        let output = self.of.output;
        let lanes = blocks.len() * LANES;
        let channels = blocks.start * LANES..(blocks.end * LANES).min(output.channels);
        for (image, to) in images.zip(to.chunks_exact_mut(2 * plan.steps * STEP * lanes)) {
            let (used, behind) = to.split_at_mut(rows.len() * plan.width * lanes);
            behind.fill(0.0);
            for (row, to) in rows.clone().zip(used.chunks_exact_mut(plan.width * lanes)) {
                let first = (image * output.height + row) * output.width * output.channels;
                let pixels = gradient[first..][..output.width * output.channels].chunks_exact(output.channels);
                let (there, between) = to.split_at_mut(output.width * lanes);
                between.fill(0.0);
                for (pixel, to) in pixels.zip(there.chunks_exact_mut(lanes)) {
                    to[..channels.len()].copy_from_slice(&pixel[channels.clone()]);
                    to[channels.len()..].fill(0.0);
                }
            }
        }
    }

    /// The sum of all chunks' partial gradients, `[block][row][LANES][run]` each, in torchvision's layout.
    fn sum(&self, partials: &[f32], partial_len: usize, run: usize) -> Vec<f32> {
        let filter = self.of.filter;
        let mut gradient = vec![0f32; filter.elements()];
        for_each_piece(&mut gradient, filter.inputs * filter.taps(), |channel, gradient| {
            let (block, lane) = (channel / LANES, channel % LANES);
            for partial in partials.chunks_exact(partial_len) {
                for row in 0..filter.height {
                    let at = ((block * filter.height + row) * LANES + lane) * run;
                    for column in 0..filter.width {
                        let values = &partial[at + column * filter.inputs..][..filter.inputs];
                        let to = gradient[row * filter.width + column..]
                            .iter_mut()
                            .step_by(filter.taps());
                        to.zip(values).for_each(|(sum, value)| *sum += value);
                    }
                }
            }
        });
        gradient
    }
}

/// A stretch of pixels and where their contribution goes: `partial`, `[block][row][LANES][run]`.
struct Stretch<'a> {
    geometry: Geometry,
    plan: &'a Plan,
    images: usize,
    /// As [`PairedFilterGradient::copy_source`] makes it, to become pairs of values.
    windows: &'a mut [f32],
    /// As [`PairedFilterGradient::copy_gradient`] makes it, to become pairs of pixels.
    pixels: &'a mut [f32],
    /// Room for the pairs of pixels in another order.
    gradients: *mut f32,
    /// Those of `pixels`, whole blocks of them.
    channels: usize,
    partial: *mut f32,
}

impl Stretch<'_> {
    /// Pairs each value of the source with the one a stride to the right, and each pixel's gradients with the next one's.
    #[inline(always)]
    unsafe fn pair<V: Lanes>(&mut self) {
        let distance = self.geometry.stride * self.geometry.source.channels;
        let used = self.images * self.plan.image_len;
        // SAFETY: the caller vouches for the processor. Values are read before a pair takes their place, and behind those used there
        // are as many as a stride and a vector have.
        unsafe {
            let windows = self.windows.as_mut_ptr();
            for at in (0..used).step_by(LANES) {
                let at = windows.add(at);
                V::load(at).pair_with(V::load(at.add(distance))).store(at);
            }
            let pixels = self.pixels.as_mut_ptr();
            for pair in 0..self.pairs() {
                let (from, to) = (pixels.add(2 * pair * self.channels), pixels.add(pair * self.channels));
                for channel in (0..self.channels).step_by(LANES) {
                    let next = V::load(from.add(self.channels + channel));
                    V::load(from.add(channel)).pair_with(next).store(to.add(channel));
                }
            }
        }
    }

    /// Of all images.
    fn pairs(&self) -> usize {
        self.images * self.plan.steps * STEP
    }

    /// Where the windows of the first image start to be read, for a row of the window.
    fn window(&self, row: usize) -> usize {
        let Geometry { source, stride, .. } = self.geometry;
        let row_len = self.plan.width * stride * source.channels;
        (row % stride * self.plan.phase_rows + row / stride) * row_len
    }

    /// Floats from one pair's windows to the next one's.
    fn pair_len(&self) -> usize {
        2 * self.geometry.stride * self.geometry.source.channels
    }
}

/// Channels and vectors of window elements in a register tile.
const TILE_CHANNELS: usize = 8;
const TILE_VECTORS: usize = 3;

impl Kernel for Stretch<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) {
        // SAFETY: the caller vouches for the processor and the stretch.
        unsafe {
            self.pair::<V>();
            for row in 0..self.geometry.filter.height {
                for channel in (0..self.channels).step_by(TILE_CHANNELS) {
                    let mut start = 0;
                    while start < self.plan.run {
                        match (self.plan.run - start) / LANES {
                            1 => self.tile::<V, 1>(row, start, channel),
                            2 => self.tile::<V, 2>(row, start, channel),
                            _ => self.tile::<V, TILE_VECTORS>(row, start, channel),
                        }
                        start += TILE_VECTORS * LANES;
                    }
                }
            }
        }
    }
}

impl Stretch<'_> {
    /// Adds the sums over all pairs of pixels of `J` vectors of a window's row, for some channels.
    ///
    /// As in a convolution's tiles, loops with constant bounds keep the sums in registers.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    unsafe fn tile<V: Lanes, const J: usize>(&self, row: usize, start: usize, channel: usize) {
        let each = self.plan.steps * STEP;
        let (block, lane) = (channel / LANES, channel % LANES);
        let at = ((block * self.geometry.filter.height + row) * LANES + lane) * self.plan.run + start;
        // SAFETY: the caller vouches for the stretch.
        unsafe {
            let mut sums = [[V::splat(0.0); J]; TILE_CHANNELS];
            for image in 0..self.images {
                let mut window = self
                    .windows
                    .as_ptr()
                    .add(image * self.plan.image_len + self.window(row) + start);
                let mut pixel = self.pixels.as_ptr().add(image * each * self.channels + channel);
                for _ in 0..each {
                    let mut vectors = [V::splat(0.0); J];
                    for j in 0..J {
                        vectors[j] = V::load(window.add(j * LANES));
                    }
                    for c in 0..TILE_CHANNELS {
                        let value = V::splat(*pixel.add(c));
                        for j in 0..J {
                            sums[c][j] = value.pairs_mul_add(vectors[j], sums[c][j]);
                        }
                    }
                    window = window.add(self.pair_len());
                    pixel = pixel.add(self.channels);
                }
            }
            for c in 0..TILE_CHANNELS {
                for j in 0..J {
                    let to = self.partial.add(at + c * self.plan.run + j * LANES);
                    V::load(to).add(sums[c][j]).store(to);
                }
            }
        }
    }
}

/// A stretch whose sums are computed in AMX's tiles, which want the pairs of a channel beside each other.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
struct InTiles<'a>(Stretch<'a>, Amx);

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
impl Kernel for InTiles<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self(mut stretch, amx) = self;
        let bytes = size_of::<f32>();
        let (pairs, plan) = (stretch.pairs(), stretch.plan);
        // SAFETY: the caller vouches for the processor and the stretch.
        unsafe {
            stretch.pair::<V>();
            for channel in (0..stretch.channels).step_by(LANES) {
                for pair in (0..pairs).step_by(LANES) {
                    let from = stretch.pixels.as_ptr().add(pair * stretch.channels + channel);
                    V::transpose(
                        from,
                        stretch.channels,
                        stretch.gradients.add(channel * pairs + pair),
                        pairs,
                    );
                }
            }
            amx.configure(LANES);
            for row in 0..stretch.geometry.filter.height {
                for start in (0..plan.run).step_by(2 * LANES) {
                    let columns = ((plan.run - start) / LANES).min(2);
                    let window = stretch.windows.as_ptr().add(stretch.window(row) + start);
                    for channel in (0..stretch.channels).step_by(2 * LANES) {
                        let rows = ((stretch.channels - channel) / LANES).min(2);
                        let gradients =
                            |block: usize| stretch.gradients.add((channel + block * LANES) * pairs).cast_const();
                        let sums = |block: usize| {
                            let block = channel / LANES + block;
                            stretch
                                .partial
                                .add((block * stretch.geometry.filter.height + row) * LANES * plan.run + start)
                        };
                        let step = STEP * stretch.pair_len();
                        let product = Tiles {
                            first: [gradients(0), gradients(rows - 1)],
                            second: [window, window.add((columns - 1) * LANES)],
                            row_bytes: [pairs * bytes, stretch.pair_len() * bytes, plan.run * bytes],
                            step_bytes: [STEP * bytes, step * bytes],
                            skip_bytes: [
                                0,
                                (plan.image_len * bytes) as isize - (plan.steps * step * bytes) as isize,
                            ],
                            steps: plan.steps,
                            rows: stretch.images,
                            sums: [sums(0), sums(rows - 1)],
                        };
                        product.multiply([rows, columns], true);
                    }
                }
            }
            amx.release();
        }
    }
}
