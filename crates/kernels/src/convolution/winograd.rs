//! 3 x 3 convolution of stride 1 by Winograd's products, F(2 x 2, 3 x 3): 16 products for four pixels where the definition takes 36.
//!
//! Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks* (2015), section 4.1. The source is cut into tiles of 4 x 4 pixels
//! that overlap by two. `B' d B` of each tile, and `G g G'` of each weight, are 16 planes; in each plane a tile's channels are multiplied
//! with the weights, and `A' m A` of the 16 products are the 2 x 2 pixels of the output. The sums are in another order than the
//! definition's, and of numbers that were added before: results differ in their last bits.

use super::geometry::Geometry;
use super::microkernel::Microkernel;
use super::packing::{Direction, pack};
use super::products::Products;
use crate::dims::Dims;
use crate::host::{Unwritten, with_scratch};
use crate::parallel::{Division, Part, for_each};
use crate::simd::{InstructionSet, Kernel, LANES, Lanes};
use std::ops::Range;

/// Pixels in a row of a tile.
const PATCH: usize = 4;
/// Pixels of a tile, and planes of products.
const PLANES: usize = PATCH * PATCH;
/// With fewer channels the tiles' own sums take longer than the products that they save.
const LEAST_CHANNELS: usize = 32;
/// Tiles of a task, about: what they are in 16 planes stays in the second-level cache, and each weight is fetched for many of them.
const TASK_TILES: usize = 56;
/// Weights of a plane that are gone through for all tiles of a task before the next, in floats.
const PART_WEIGHTS: usize = 32 * 1024;

/// A 3 x 3 convolution of stride 1, or the gradient of its source, which is one too.
pub(super) struct Winograd {
    source: Dims,
    output: Dims,
    padding: usize,
    /// `[plane][block][source channel][LANES]`.
    weights: Vec<f32>,
}

/// Whether a convolution, and the gradient of its source, can be computed so, and gain by it.
pub(super) fn suits(of: Geometry) -> bool {
    let (filter, padding) = (of.filter, of.padding);
    (filter.height, filter.width, of.stride) == (3, 3, 1)
        && padding <= 2
        && filter.inputs.min(filter.outputs) >= LEAST_CHANNELS
}

impl Winograd {
    /// A convolution that [suits](suits), of weights in torchvision's layout.
    pub(super) fn forward(of: Geometry, weight: &[f32], set: InstructionSet) -> Self {
        let packed = pack(weight, of.filter, Direction::Forward, &[0, 1, 2], &[0, 1, 2]);
        Self {
            source: of.source,
            output: of.output,
            padding: of.padding,
            weights: transformed(&packed, of.filter.inputs, of.filter.outputs, set),
        }
    }

    /// The gradient of its source: a convolution of the output's gradient with the weights turned round.
    pub(super) fn backward(of: Geometry, weight: &[f32], set: InstructionSet) -> Self {
        let packed = pack(weight, of.filter, Direction::Backward, &[2, 1, 0], &[2, 1, 0]);
        Self {
            source: of.output,
            output: of.source,
            padding: 2 - of.padding,
            weights: transformed(&packed, of.filter.outputs, of.filter.inputs, set),
        }
    }

    /// Computes all outputs.
    pub(super) fn run(&self, source: &[f32], set: InstructionSet) -> Vec<f32> {
        assert_eq!(source.len(), self.source.elements());
        let threads = rayon::current_num_threads();
        self.divided(self.tiles().div_ceil(TASK_TILES).next_multiple_of(threads), source, set)
    }

    /// The outputs, which do not depend on the number of tasks.
    fn divided(&self, tasks: usize, source: &[f32], set: InstructionSet) -> Vec<f32> {
        let (read, written) = (self.source.channels, self.output.channels.next_multiple_of(LANES));
        // A cache line further apart than they need: at powers of two the tiles of a product compete for a few lines of the cache.
        let [read_distance, written_distance] = [read.next_multiple_of(LANES), written].map(|floats| floats + LANES);
        let longest = self.tiles().div_ceil(tasks);
        let pixels: Vec<(usize, usize)> = (0..longest)
            .map(|tile| (tile * read_distance, tile * written_distance))
            .collect();
        let planes = [read_distance, written_distance].map(|distance| longest * distance);
        let blocks = written / LANES;
        let part = (PART_WEIGHTS / (read * LANES)).max(2);
        let zeros = vec![0.0; read];
        let mut output = Unwritten::new(self.output.elements());
        let pointer = output.pointer();
        for_each(tasks, |index| {
            let tiles = Part { index, of: tasks }.range(self.tiles());
            with_scratch(PLANES * (planes[0] + planes[1]), |scratch| {
                let (transformed, products) = scratch.split_at_mut(PLANES * planes[0]);
                let input = InputTiles {
                    of: self,
                    source,
                    zeros: &zeros,
                    tiles: tiles.clone(),
                    distance: read_distance,
                    plane: planes[0],
                    to: transformed.as_mut_ptr(),
                };
                // SAFETY: the scratch has room for the planes of as many tiles.
                unsafe { set.run(input) };
                for plane in 0..PLANES {
                    for first in (0..blocks).step_by(part) {
                        let microkernel = Microkernel {
                            source: &transformed[plane * planes[0]..][..planes[0]],
                            pixels: &pixels[..tiles.len()],
                            columns: usize::MAX,
                            step: read_distance,
                            rows: 1,
                            seen: 0..1,
                            row_stride: 0,
                            run: read,
                            weights: &self.weights[plane * blocks * read * LANES..][..blocks * read * LANES],
                            channels: written,
                            blocks: first..(first + part).min(blocks),
                            output: products[plane * planes[1]..].as_mut_ptr(),
                            epilogue: None,
                        };
                        // SAFETY: the table's pixels are in the planes.
                        unsafe { Products::Float32(set).run(microkernel) }
                    }
                }
                let sums = OutputTiles {
                    of: self,
                    products,
                    tiles: tiles.clone(),
                    distance: written_distance,
                    plane: planes[1],
                    // SAFETY: the start.
                    to: unsafe { pointer.at(0) },
                };
                // SAFETY: a tile's pixels are in the output, and no other task's.
                unsafe { set.run(sums) }
            });
        });
        // SAFETY: the tiles cover all pixels, and the tasks all tiles.
        unsafe { output.finish() }
    }

    /// Tiles in a column and a row of the output.
    fn grid(&self) -> (usize, usize) {
        (self.output.height.div_ceil(2), self.output.width.div_ceil(2))
    }

    fn tiles(&self) -> usize {
        self.output.images * self.grid().0 * self.grid().1
    }

    /// The image of a tile, and the first row and column of its output.
    #[inline(always)]
    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let (rows, columns) = self.grid();
        let (row, column) = (tile / columns, tile % columns);
        (row / rows, row % rows * 2, column * 2)
    }
}

/// `G g G'` of weights that are packed as `[block][3][3][read][LANES]`: `[plane][block][read][LANES]`.
fn transformed(packed: &[f32], read: usize, written: usize, set: InstructionSet) -> Vec<f32> {
    let blocks = written.div_ceil(LANES);
    let mut planes = Unwritten::new(PLANES * blocks * read * LANES);
    let pointer = planes.pointer();
    let division = Division {
        pieces: blocks,
        units: read,
        cost: PLANES * 2,
    };
    division.for_each(|block, channels| {
        let weights = WeightTiles {
            packed: &packed[block * 9 * read * LANES..][..9 * read * LANES],
            read,
            channels,
            plane: blocks * read * LANES,
            // SAFETY: the block's place in the first plane.
            to: unsafe { pointer.at(block * read * LANES) },
        };
        // SAFETY: all planes have room for the block, whose channels are this task's alone.
        unsafe { set.run(weights) }
    });
    // SAFETY: the tasks cover all blocks and channels, and write each of them in all planes.
    unsafe { planes.finish() }
}

/// Weights of a block.
struct WeightTiles<'a> {
    packed: &'a [f32],
    read: usize,
    channels: Range<usize>,
    plane: usize,
    to: *mut f32,
}

impl Kernel for WeightTiles<'_> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller vouches for the processor and the places.
        unsafe {
            for channel in self.channels {
                let taps = self.packed.as_ptr().add(channel * LANES);
                let mut columns = [[V::splat(0.0); PATCH]; 3];
                for column in 0..3 {
                    let mut rows = [V::splat(0.0); 3];
                    for row in 0..3 {
                        rows[row] = V::load(taps.add((row * 3 + column) * self.read * LANES));
                    }
                    columns[column] = spread(rows);
                }
                for row in 0..PATCH {
                    let planes = spread([columns[0][row], columns[1][row], columns[2][row]]);
                    for column in 0..PATCH {
                        let plane = row * PATCH + column;
                        planes[column].store(self.to.add(plane * self.plane + channel * LANES));
                    }
                }
            }
        }
    }
}

/// Tiles of the source, of which `B' d B` goes to the planes.
struct InputTiles<'a> {
    of: &'a Winograd,
    source: &'a [f32],
    /// A pixel of padding.
    zeros: &'a [f32],
    tiles: Range<usize>,
    /// Floats from a tile to the next, and from a plane to the next.
    distance: usize,
    plane: usize,
    to: *mut f32,
}

impl Kernel for InputTiles<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let channels = self.of.source.channels;
        let whole = channels / LANES * LANES;
        for (index, tile) in self.tiles.clone().enumerate() {
            let pixels = self.pixels(tile);
            // SAFETY: pixels have as many channels, and the planes room for whole vectors of them.
            unsafe {
                let to = self.to.add(index * self.distance);
                for channel in (0..whole).step_by(LANES) {
                    self.channels::<V, false>(&pixels, channel, to);
                }
                if whole < channels {
                    self.channels::<V, true>(&pixels, whole, to);
                }
            }
        }
    }
}

impl InputTiles<'_> {
    /// The pixels of a tile, row by row.
    #[inline(always)]
    fn pixels(&self, tile: usize) -> [*const f32; PLANES] {
        let Dims {
            height,
            width,
            channels,
            ..
        } = self.of.source;
        let (image, top, left) = self.of.place(tile);
        let mut pixels = [self.zeros.as_ptr(); PLANES];
        for (pixel, pointer) in pixels.iter_mut().enumerate() {
            // Above the image and to its left they are very large.
            let y = (top + pixel / PATCH).wrapping_sub(self.of.padding);
            let x = (left + pixel % PATCH).wrapping_sub(self.of.padding);
            if y < height && x < width {
                *pointer = self.source[((image * height + y) * width + x) * channels..].as_ptr();
            }
        }
        pixels
    }

    /// A vector of channels of a tile.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    unsafe fn channels<V: Lanes, const PARTIAL: bool>(
        &self,
        pixels: &[*const f32; PLANES],
        channel: usize,
        to: *mut f32,
    ) {
        // SAFETY: as in `run`.
        unsafe {
            let mut rows = [[V::splat(0.0); PATCH]; PATCH];
            for row in 0..PATCH {
                let mut line = [V::splat(0.0); PATCH];
                for column in 0..PATCH {
                    let from = pixels[row * PATCH + column].add(channel);
                    line[column] = match PARTIAL {
                        true => V::load_partial(from, self.of.source.channels - channel),
                        false => V::load(from),
                    };
                }
                rows[row] = mix(line);
            }
            for column in 0..PATCH {
                let planes = mix([rows[0][column], rows[1][column], rows[2][column], rows[3][column]]);
                for row in 0..PATCH {
                    let plane = row * PATCH + column;
                    planes[row].store(to.add(plane * self.plane + channel));
                }
            }
        }
    }
}

/// Products of tiles, of which `A' m A` are the output's pixels.
struct OutputTiles<'a> {
    of: &'a Winograd,
    products: &'a [f32],
    tiles: Range<usize>,
    distance: usize,
    plane: usize,
    to: *mut f32,
}

impl Kernel for OutputTiles<'_> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    unsafe fn run<V: Lanes>(self) {
        let Dims {
            height,
            width,
            channels,
            ..
        } = self.of.output;
        for (index, tile) in self.tiles.clone().enumerate() {
            let (image, top, left) = self.of.place(tile);
            let (rows, pixels) = (2.min(height - top), 2.min(width - left));
            for channel in (0..channels).step_by(LANES) {
                // SAFETY: the planes have whole vectors of channels, and the pixels that are written are in the image.
                unsafe {
                    let first = self.products.as_ptr().add(index * self.distance + channel);
                    let mut columns = [[V::splat(0.0); 2]; PATCH];
                    for column in 0..PATCH {
                        let mut lines = [V::splat(0.0); PATCH];
                        for row in 0..PATCH {
                            lines[row] = V::load(first.add((row * PATCH + column) * self.plane));
                        }
                        columns[column] = join(lines);
                    }
                    for y in 0..2 {
                        let sums = join([columns[0][y], columns[1][y], columns[2][y], columns[3][y]]);
                        for x in 0..2 {
                            if y < rows && x < pixels {
                                let pixel = (image * height + top + y) * width + left + x;
                                sums[x].store_partial(self.to.add(pixel * channels + channel), channels - channel);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `G` times a column: (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2).
#[inline(always)]
unsafe fn spread<V: Lanes>([first, middle, last]: [V; 3]) -> [V; PATCH] {
    // SAFETY: the caller vouches for the processor, here and below.
    unsafe {
        let (half, ends) = (V::splat(0.5), first.add(last));
        [first, ends.add(middle).mul(half), ends.sub(middle).mul(half), last]
    }
}

/// `B'` times a column: (d0 - d2, d1 + d2, d2 - d1, d1 - d3).
#[inline(always)]
unsafe fn mix<V: Lanes>(d: [V; PATCH]) -> [V; PATCH] {
    // SAFETY: as above.
    unsafe { [d[0].sub(d[2]), d[1].add(d[2]), d[2].sub(d[1]), d[1].sub(d[3])] }
}

/// `A'` times a column: (m0 + m1 + m2, m1 - m2 - m3).
#[inline(always)]
unsafe fn join<V: Lanes>(m: [V; PATCH]) -> [V; 2] {
    // SAFETY: as above.
    unsafe { [m[0].add(m[1]).add(m[2]), m[1].sub(m[2]).sub(m[3])] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convolution::Filter;

    /// Images and channels that no division leaves whole.
    #[test]
    fn however_it_is_divided_the_bytes_are_the_same() {
        for ([images, height, width, inputs], [outputs, padding]) in [
            ([3, 7, 6, 33], [70, 1]),
            ([2, 5, 8, 48], [32, 0]),
            ([1, 4, 3, 40], [50, 2]),
        ] {
            let filter = Filter {
                outputs,
                inputs,
                height: 3,
                width: 3,
            };
            let source = Dims {
                images,
                height,
                width,
                channels: inputs,
            };
            let of = Geometry::new(source, filter, 1, padding, "test").unwrap();
            assert!(suits(of));
            let values =
                |count: usize| -> Vec<f32> { (0..count).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect() };
            let (x, weight) = (values(source.elements()), values(filter.elements()));
            for set in InstructionSet::supported() {
                let this = Winograd::forward(of, &weight, set);
                let expected = this.divided(1, &x, set);
                for tasks in [2, 3, 7, 1000] {
                    let found = this.divided(tasks, &x, set);
                    let same = found.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(same, "{of:?}, {set:?}, {tasks} tasks");
                }
            }
        }
    }
}
