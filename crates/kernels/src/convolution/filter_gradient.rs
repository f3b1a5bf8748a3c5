//! The gradient of a convolution with respect to its weights.
//!
//! It is a sum over all output pixels of the outer product of the pixel's window (some runs of the source) and its
//! gradient. Float sums depend on their order, so the batch is cut into chunks by its shape alone, never by the number
//! of threads, and the chunks are added up in order ([`FilterTasks`]). A task goes through its chunk stretch by stretch
//! ([`Stretch`]).

use super::filter_stretch::{GROUP, LONGEST_TILE, PAIRED_TILES, SINGLE_TILES, Seen, Stretch, fitting_tile};
use super::filter_tasks::{BLOCKS, FilterTask, FilterTasks, PACKED_BLOCKS};
use super::geometry::Geometry;
use super::packing::unpack_sum;
#[cfg(test)]
use super::packing::unpacking;
use super::padding::copy_padded;
use crate::host::{Unwritten, with_scratch};
#[cfg(test)]
use crate::parallel::Division;
use crate::parallel::for_each;
use crate::simd::{InstructionSet, LANES};
use std::ops::Range;

/// The filter gradient of a convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FilterGradient {
    pub of: Geometry,
}

/// A stretch is as long as its padded rows, and its gradients, stay in the first-level cache: every tile passes over
/// them. But it is not so short that adding the sums of a tile to the partial gradient takes longer than the sums.
const SCRATCH_BYTES: usize = 40 * 1024;
const MIN_PIXELS: usize = 128;
/// Whether a task of these blocks of channels copies windows and gradients.
fn is_packed(blocks: &Range<usize>) -> bool {
    blocks.len() >= PACKED_BLOCKS && blocks.len().is_multiple_of(BLOCKS)
}

impl FilterGradient {
    /// The gradient in torchvision's layout.
    pub(crate) fn run(&self, source: &[f32], gradient: &[f32], set: InstructionSet) -> Vec<f32> {
        assert_eq!(source.len(), self.of.source.elements());
        assert_eq!(gradient.len(), self.of.output.elements());
        self.divided(&self.tasks(rayon::current_num_threads()), source, gradient, set)
    }

    /// The division that suits so many threads.
    pub(super) fn tasks(&self, threads: usize) -> FilterTasks {
        FilterTasks::new(self.of, self.window().0, threads)
    }

    /// How many tiles cover the window, and how long they are. Where registers hold fewer sums there are more of them.
    fn window(&self) -> (usize, usize) {
        let run = self.of.filter.width * self.of.filter.inputs;
        let tiles = match self.of.output.channels > LANES {
            true => PAIRED_TILES,
            false => SINGLE_TILES,
        };
        let tile = fitting_tile(run, tiles);
        (self.of.filter.height * run.div_ceil(tile), tile)
    }

    /// The gradient, which does not depend on how it is divided.
    fn divided(&self, tasks: &FilterTasks, source: &[f32], gradient: &[f32], set: InstructionSet) -> Vec<f32> {
        let blocks = self.of.output.channels.div_ceil(LANES);
        let partial_len = self.of.filter.taps() * self.of.filter.inputs * blocks * LANES;
        let mut partials = Unwritten::new(tasks.chunks() * partial_len);
        let pointer = partials.pointer();
        let plan = self.plan(tasks.chunk_images);
        for_each(tasks.count(), |task| {
            let task = tasks.get(task);
            // SAFETY: the task's chunk starts there.
            let partial = unsafe { pointer.at(task.chunk * partial_len) };
            self.task(&plan, source, gradient, task, partial, set);
        });
        // SAFETY: the tasks cover all chunks, channels and places, and write each in their first stretch.
        unpack_sum(&unsafe { partials.finish() }, self.of.filter)
    }

    fn plan(&self, chunk_images: usize) -> Plan {
        let kernel = (self.of.filter.height, self.of.filter.width);
        let width =
            ((self.of.output.width - 1) * self.of.stride + kernel.1).max(self.of.padding + self.of.source.width);
        let row_len = width * self.of.source.channels;
        let run = kernel.1 * self.of.source.channels;
        let source_rows = |rows: usize| (rows - 1) * self.of.stride + kernel.0;
        let fitting = SCRATCH_BYTES / (row_len * size_of::<f32>());
        let rows = (fitting.saturating_sub(kernel.0) / self.of.stride + 1)
            .max(MIN_PIXELS.div_ceil(self.of.output.width))
            .min(self.of.output.height);
        let images = if rows == self.of.output.height {
            (fitting / source_rows(rows))
                .max(MIN_PIXELS.div_ceil(rows * self.of.output.width))
                .min(chunk_images)
        } else {
            1
        };
        let in_place = self.of.padding == 0
            && width == self.of.source.width
            && source_rows(self.of.output.height) <= self.of.source.height
            && run >= fitting_tile(run, PAIRED_TILES).max(fitting_tile(run, SINGLE_TILES));
        let source_rows = source_rows(rows);
        let image_stride = if in_place { self.of.source.height } else { source_rows } * row_len;
        let mut windows = Vec::with_capacity(images * rows * self.of.output.width);
        for image in 0..images {
            for row in 0..rows {
                for column in 0..self.of.output.width {
                    windows.push(
                        image * image_stride
                            + row * self.of.stride * row_len
                            + column * self.of.stride * self.of.source.channels,
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

    /// The pixels of output rows `rows` of so many images for which row `tap` of the window is not all padding: zeros add nothing
    /// to a sum.
    fn seen(&self, tap: usize, rows: Range<usize>, images: usize) -> Seen {
        let width = self.of.output.width;
        // Rows y with `padding <= y stride + tap < padding + height`.
        let below = |limit: usize| {
            limit
                .saturating_sub(tap)
                .div_ceil(self.of.stride)
                .clamp(rows.start, rows.end)
        };
        let (start, end) = (below(self.of.padding), below(self.of.padding + self.of.source.height));
        if (start, end) == (rows.start, rows.end) {
            return Seen {
                first: 0,
                count: images * rows.len() * width,
                images: 1,
                stride: 0,
            };
        }
        Seen {
            first: (start - rows.start) * width,
            count: end.saturating_sub(start) * width,
            images,
            stride: rows.len() * width,
        }
    }

    /// Adds the contribution of the task's images to its part of their chunk's partial gradient.
    fn task(
        &self,
        plan: &Plan,
        source: &[f32],
        gradient: &[f32],
        task: FilterTask,
        partial: *mut f32,
        set: InstructionSet,
    ) {
        let FilterTask {
            images, blocks, window, ..
        } = task;
        let image_len = self.of.source.height * self.of.source.width * self.of.source.channels;
        let row_len = plan.width * self.of.source.channels;
        let channels = self.of.output.channels;
        let padded_channels = channels.div_ceil(LANES) * LANES;
        let stretch_pixels = plan.images * plan.rows * self.of.output.width;
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
        let is_packed = is_packed(&blocks);
        let packed_len = match is_packed {
            true => stretch_pixels * (GROUP * LONGEST_TILE + blocks.len() * LANES),
            false => 0,
        };
        with_scratch(padded_len + aligned_len + packed_len, |scratch| {
            let (padded, scratch) = scratch.split_at_mut(padded_len);
            let (aligned, packed) = scratch.split_at_mut(aligned_len);
            let mut fresh = true;
            for first in images.clone().step_by(plan.images) {
                let count = plan.images.min(images.end - first);
                for row in (0..self.of.output.height).step_by(plan.rows) {
                    let rows = plan.rows.min(self.of.output.height - row);
                    let pixels = count * rows * self.of.output.width;
                    let top = row * self.of.stride;
                    let source = if plan.in_place {
                        &source[first * image_len + top * row_len..(first + count) * image_len]
                    } else {
                        let images = source[first * image_len..].chunks_exact(image_len).take(count);
                        for (image, padded) in images.zip(padded.chunks_exact_mut(plan.image_stride)) {
                            let padded = &mut padded[..plan.source_rows * row_len];
                            copy_padded(
                                image,
                                self.of.source,
                                (self.of.padding, self.of.padding),
                                top,
                                plan.width,
                                padded,
                            );
                        }
                        &*padded
                    };
                    let start = (first * self.of.output.height + row) * self.of.output.width * channels;
                    let mut gradient = &gradient[start..start + pixels * channels];
                    if channels != padded_channels {
                        let lines = aligned.chunks_exact_mut(padded_channels);
                        for (line, pixel) in lines.zip(gradient.chunks_exact(channels)) {
                            line[..channels].copy_from_slice(pixel);
                            line[channels..].fill(0.0);
                        }
                        gradient = &aligned[..pixels * padded_channels];
                    }
                    let seen: Vec<Seen> = (0..self.of.filter.height)
                        .map(|tap| self.seen(tap, row..row + rows, count))
                        .collect();
                    let stretch = Stretch {
                        source,
                        seen: &seen,
                        windows: &plan.windows[..pixels],
                        gradient,
                        channels: padded_channels,
                        rows: self.of.filter.height,
                        row_stride: row_len,
                        run: self.of.filter.width * self.of.source.channels,
                        blocks: blocks.clone(),
                        part: window,
                        partial,
                        fresh,
                        packed: is_packed.then_some(packed.as_mut_ptr()),
                    };
                    // SAFETY: the windows lie within the padded rows, with `LONGEST_TILE` floats to spare or at
                    // least as long as a tile; the partial gradient of this chunk, these blocks and this part of the window is
                    // this task's alone.
                    unsafe { set.run(stretch) }
                    fresh = false;
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

#[cfg(test)]
impl FilterGradient {
    /// How the chunks are joined.
    pub(crate) fn joining(&self) -> Division {
        unpacking(self.of.filter, self.tasks(1).chunks())
    }

    /// Vector operations of each task on so many threads: products, and a load and a store for each vector that it copies.
    pub(crate) fn costs(&self, threads: usize) -> Vec<usize> {
        let tasks = self.tasks(threads);
        let plan = self.plan(tasks.chunk_images);
        let image = self.of.output.height * self.of.output.width;
        let padded = match plan.in_place {
            true => 0,
            false => (self.of.source.height + 2 * self.of.padding) * plan.width * self.of.source.channels / LANES,
        };
        let (places, tile) = self.window();
        let cost = |task: FilterTask| {
            let elements = task.window.range(places).len() * tile;
            let packed = match is_packed(&task.blocks) {
                true => elements / LANES + task.blocks.len(),
                false => 0,
            };
            task.images.len() * (image * (elements * task.blocks.len() + 2 * packed) + 2 * padded)
        };
        (0..tasks.count()).map(|task| cost(tasks.get(task))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convolution::Filter;
    use crate::dims::Dims;

    /// Rows, channels and windows that no division leaves whole.
    #[test]
    fn however_it_is_divided_the_bytes_are_the_same() {
        for ([images, height, width, inputs], [outputs, kernel, stride, padding]) in [
            ([3, 7, 6, 20], [70, 3, 1, 1]),
            ([2, 9, 8, 3], [130, 5, 2, 2]),
            ([3, 5, 5, 33], [16, 1, 1, 0]),
            ([1, 6, 5, 7], [33, 3, 2, 0]),
        ] {
            let filter = Filter {
                outputs,
                inputs,
                height: kernel,
                width: kernel,
            };
            let source = Dims {
                images,
                height,
                width,
                channels: inputs,
            };
            let of = Geometry::new(source, filter, stride, padding, "test").unwrap();
            let values =
                |count: usize| -> Vec<f32> { (0..count).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect() };
            let (x, gradient) = (values(source.elements()), values(of.output.elements()));
            let this = FilterGradient { of };
            let one = this.tasks(1);
            for set in InstructionSet::supported() {
                let expected = this.divided(&one, &x, &gradient, set);
                for (part_blocks, window_parts) in [(2, 1), (2, 2), (4, 5), (6, 3), (8, 7), (100, 4), (100, 19)] {
                    let found = this.divided(&one.with_parts(part_blocks, window_parts), &x, &gradient, set);
                    let same = found.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(same, "{of:?}, {set:?}, {part_blocks} blocks, {window_parts} parts");
                }
            }
        }
    }
}
