//! The gradient of a convolution with respect to its weights.
//!
//! It is a sum over all output pixels of the outer product of the pixel's window (some runs of the source) and its
//! gradient. A tile of window elements times some vectors of output channels stays in registers while the pixels
//! of a stretch of the batch go by. Float sums depend on their order, so the batch is cut into chunks by its shape
//! alone, never by the number of threads, and the chunks are added up in order ([`FilterTasks`]).

use super::filter_tasks::{BLOCKS, FilterTask, FilterTasks, PACKED_BLOCKS};
use super::geometry::Geometry;
use super::packing::unpack_sum;
#[cfg(test)]
use super::packing::unpacking;
use super::padding::copy_padded;
use crate::host::{Unwritten, with_scratch};
#[cfg(test)]
use crate::parallel::Division;
use crate::parallel::{Part, for_each};
use crate::simd::{InstructionSet, Kernel, LANES, Lanes};
use std::mem::MaybeUninit;
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
/// Window elements of a register tile: with two vectors of channels, and with one. 21 is the stem's 7 x 3, 11 its half.
const PAIRED_TILES: [usize; 3] = [12, 14, 11];
const SINGLE_TILES: [usize; 3] = [24, 21, 16];
/// The most floats that a tile may read past its window.
const LONGEST_TILE: usize = 24;
/// Microkernel whose windows are copied together, so that every cache line of the source is read once.
const GROUP: usize = 4;

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

/// Those pixels of a stretch that a row of the window sees: `count` from `first` on, in each of `images` at distance `stride`.
#[derive(Clone, Copy)]
struct Seen {
    first: usize,
    count: usize,
    images: usize,
    stride: usize,
}

/// A stretch of pixels and where their contribution goes: `partial`, `[block][row][run][LANES]` like packed weights.
struct Stretch<'a> {
    source: &'a [f32],
    windows: &'a [usize],
    /// Per row of the window.
    seen: &'a [Seen],
    gradient: &'a [f32],
    channels: usize,
    rows: usize,
    row_stride: usize,
    run: usize,
    blocks: Range<usize>,
    /// Which of the window's places are summed.
    part: Part,
    partial: *mut f32,
    /// The partial gradient has not been written yet.
    fresh: bool,
    /// Room for `GROUP` tiles of windows and for the gradients of all blocks, to copy both.
    packed: Option<*mut f32>,
}

/// Where a tile finds the window of a pixel, and its gradients.
struct Operands<F> {
    window: F,
    source: *const f32,
    gradient: *const f32,
    /// Floats from one pixel's gradient to the next, and from one vector of channels to the next.
    pixel_stride: usize,
    block_stride: usize,
}

/// Which part of the gradient a tile adds to: floats `start..start + R` of a row of the window, but for the first `skipped`,
/// and blocks of channels from `block` on.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    start: usize,
    skipped: usize,
    block: usize,
}

impl Kernel for Stretch<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller vouches for the processor and the stretch.
        unsafe {
            if let Some(packed) = self.packed {
                if !V::MANY_REGISTERS {
                    return self.packed::<V, 6, 1>(packed);
                }
                return match fitting_tile(self.run, PAIRED_TILES) {
                    14 => self.packed::<V, 14, 2>(packed),
                    11 => self.packed::<V, 11, 2>(packed),
                    _ => self.packed::<V, 12, 2>(packed),
                };
            }
            let mut block = self.blocks.start;
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
    /// The task's part of the tiles of `length` floats that cover the window: all rows, from left to right.
    fn places(&self, length: usize, block: usize) -> impl Iterator<Item = Place> {
        let run = self.run;
        let tiles = run.div_ceil(length);
        self.part.range(self.rows * tiles).map(move |place| {
            let first = place % tiles * length;
            // The last tile starts early rather than read past the run, where the run is long enough for that.
            let start = first.min(run.saturating_sub(length));
            Place {
                row: place / tiles,
                start,
                skipped: first - start,
                block,
            }
        })
    }

    /// All elements of the window, for `J` blocks of channels, read where they are.
    #[inline(always)]
    unsafe fn column<V: Lanes, const R: usize, const J: usize>(&self, block: usize) {
        for place in self.places(R, block) {
            // SAFETY: windows are in the source, and channels within the gradient and the partial gradient.
            unsafe {
                let operands = Operands {
                    window: |pixel: usize| *self.windows.get_unchecked(pixel),
                    source: self.source.as_ptr().add(place.row * self.row_stride + place.start),
                    gradient: self.gradient.as_ptr().add(block * LANES),
                    pixel_stride: self.channels,
                    block_stride: LANES,
                };
                self.tile::<V, _, R, J>(operands, place);
            }
        }
    }

    /// All elements of the window, for all blocks of channels, copied first.
    #[inline(always)]
    unsafe fn packed<V: Lanes, const R: usize, const J: usize>(&self, packed: *mut f32) {
        let pixels = self.windows.len();
        // SAFETY: as in `column`; the room is as large as `packed` says.
        unsafe {
            let gradients = packed.add(pixels * GROUP * LONGEST_TILE);
            for (i, block) in self.blocks.clone().enumerate() {
                let from = self.gradient.as_ptr().add(block * LANES);
                let to = gradients.add(i * pixels * LANES);
                for pixel in 0..pixels {
                    V::load(from.add(pixel * self.channels)).store(to.add(pixel * LANES));
                }
            }
            let places: Vec<Place> = self.places(R, self.blocks.start).collect();
            for group in places.chunks(GROUP) {
                self.copy_windows::<R>(group, packed);
                for (tile, place) in group.iter().enumerate() {
                    for block in self.blocks.clone().step_by(J) {
                        let operands = Operands {
                            window: |pixel: usize| pixel * R,
                            source: packed.add(tile * pixels * R).cast_const(),
                            gradient: gradients.add((block - self.blocks.start) * pixels * LANES).cast_const(),
                            pixel_stride: LANES,
                            block_stride: pixels * LANES,
                        };
                        self.tile::<V, _, R, J>(operands, Place { block, ..*place });
                    }
                }
            }
        }
    }

    /// Copies what a group of tiles reads of all windows, tile by tile.
    #[inline(always)]
    unsafe fn copy_windows<const R: usize>(&self, group: &[Place], packed: *mut f32) {
        let pixels = self.windows.len();
        // A group that is cut short copies its last tile again, to where nothing is read: so the loop over tiles is unrolled.
        let offsets: [usize; GROUP] = std::array::from_fn(|tile| {
            let place = group[tile.min(group.len() - 1)];
            place.row * self.row_stride + place.start
        });
        for (pixel, window) in self.windows.iter().enumerate() {
            for (tile, offset) in offsets.iter().enumerate() {
                // SAFETY: the windows are in the source, and `packed` has room for `GROUP` tiles of the longest kind.
                unsafe {
                    let from = self.source.as_ptr().add(window + offset);
                    let to = packed.add((tile * pixels + pixel) * R);
                    to.cast::<[f32; R]>()
                        .write_unaligned(from.cast::<[f32; R]>().read_unaligned());
                }
            }
        }
    }

    /// Adds a sum to what is in the partial gradient.
    #[inline(always)]
    unsafe fn put<V: Lanes>(&self, sum: V, to: *mut f32) {
        // SAFETY: the caller vouches for the place, which is read only where it has been written.
        unsafe {
            match self.fresh {
                true => sum.store(to),
                false => V::load(to).add(sum).store(to),
            }
        }
    }

    /// Adds the sums over all pixels of `R` floats of the window times `J` blocks of channels.
    ///
    /// As in a convolution's tiles, loops with constant bounds keep the sums in registers.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    unsafe fn tile<V: Lanes, F: Fn(usize) -> usize, const R: usize, const J: usize>(
        &self,
        operands: Operands<F>,
        place: Place,
    ) {
        let Place {
            row,
            start,
            skipped,
            block,
        } = place;
        // SAFETY: as in `column` and `packed`. The buffer is read where it has been written.
        unsafe {
            let mut sums = [[V::splat(0.0); J]; R];
            let seen = self.seen.get_unchecked(row);
            for image in 0..seen.images {
                let first = seen.first + image * seen.stride;
                let mut gradient = operands.gradient.add(first * operands.pixel_stride);
                for pixel in first..first + seen.count {
                    let window = operands.source.add((operands.window)(pixel));
                    let mut lines = [V::splat(0.0); J];
                    for j in 0..J {
                        lines[j] = V::load(gradient.add(j * operands.block_stride));
                    }
                    for r in 0..R {
                        let value = V::splat(*window.add(r));
                        for j in 0..J {
                            sums[r][j] = value.mul_add(lines[j], sums[r][j]);
                        }
                    }
                    gradient = gradient.add(operands.pixel_stride);
                }
            }

            let block_len = self.rows * self.run * LANES;
            let partial = self.partial.add(block * block_len + (row * self.run + start) * LANES);
            if skipped == 0 && start + R <= self.run {
                for r in 0..R {
                    for j in 0..J {
                        self.put(sums[r][j], partial.add(j * block_len + r * LANES));
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
                        self.put(*sum, partial.add(j * block_len + r * LANES));
                    }
                }
            }
        }
    }
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
