//! 1 x 1 convolution: the product of a matrix of pixels and a matrix of weights.
//!
//! Windows of one pixel need no rows and no images: all pixels of a batch are one long row, which is cut wherever it suits
//! the caches. The tiles, and so the order of every sum, are those of the other convolutions.

use super::microkernel::{Epilogue, Microkernel, SCRATCH_BYTES};
use super::products::Products;
use crate::dims::Dims;
use crate::host::{Unwritten, with_scratch};
use crate::parallel::{enough_tasks, for_each};
use crate::simd::LANES;

/// A weighted sum over the channels of pixels `(step y, step x)` of a source.
pub(crate) struct Pointwise<'a> {
    pub source: Dims,
    pub output: Dims,
    pub step: usize,
    /// `[block][source channel][LANES]`.
    pub weights: &'a [f32],
    pub epilogue: Option<Epilogue<'a>>,
}

/// Pixels of the largest tile; tasks are multiples of it, so that few tiles are cut short.
const TILE: usize = 14;
/// At least so many pixels a task, if there are as many: enough for the weights to pay for being fetched.
const MIN_PIXELS: usize = 3 * TILE;
/// Pixels at a multiple of this distance, in bytes, compete for the same eight lines of the first-level cache, which are fewer than
/// a tile has pixels: they are copied apart.
const CONFLICT_BYTES: usize = 4096;

impl Pointwise<'_> {
    /// Whether a task copies its pixels.
    fn is_copied(&self) -> bool {
        self.step > 1 || (self.source.channels * size_of::<f32>()).is_multiple_of(CONFLICT_BYTES)
    }

    /// Pixels and blocks of channels of a task.
    fn division(&self) -> (usize, usize) {
        let pixels = self.output.pixels();
        let pairs = self.output.channels.div_ceil(LANES).div_ceil(2);
        let tasks = enough_tasks();
        let fitting = (SCRATCH_BYTES / (self.source.channels * size_of::<f32>()).max(1)).max(MIN_PIXELS);
        let groups = pixels.div_ceil(fitting);
        // Where there are few pixels the channels are divided first: then every weight is fetched once.
        let parts = pairs.min(tasks.div_ceil(groups));
        let groups = groups.max(tasks.div_ceil(parts));
        (
            pixels.div_ceil(groups).next_multiple_of(TILE),
            2 * pairs.div_ceil(parts),
        )
    }

    /// Computes all outputs.
    pub(crate) fn run(&self, source: &[f32], products: Products) -> Vec<f32> {
        let (inputs, channels) = (self.source.channels, self.output.channels);
        let copied = self.is_copied();
        let distance = if copied { inputs + LANES } else { inputs };

        let pixels = self.output.pixels();
        let blocks = channels.div_ceil(LANES);
        let (each, part_blocks) = self.division();
        let groups = pixels.div_ceil(each);
        let parts = blocks.div_ceil(part_blocks);

        let table: Vec<(usize, usize)> = (0..each.min(pixels)).map(|p| (p * distance, p * channels)).collect();
        let mut output = Unwritten::new(self.output.elements());
        let pointer = output.pointer();
        for_each(groups * parts, |task| {
            let (group, part) = (task / parts, task % parts);
            let range = group * each..((group + 1) * each).min(pixels);
            let multiply = |source: &[f32]| {
                let microkernel = Microkernel {
                    source,
                    pixels: &table[..range.len()],
                    columns: usize::MAX,
                    step: distance,
                    rows: 1,
                    seen: 0..1,
                    row_stride: 0,
                    run: inputs,
                    weights: self.weights,
                    channels,
                    blocks: part * part_blocks..((part + 1) * part_blocks).min(blocks),
                    // SAFETY: a task's first pixel is within the output.
                    output: unsafe { pointer.at(range.start * channels) },
                    epilogue: self.epilogue.map(|epilogue| epilogue.from(range.start * channels)),
                };
                // SAFETY: the table's pixels are those of the task, which no other task writes in the same channels.
                unsafe { products.run(microkernel) }
            };
            if !copied {
                return multiply(&source[range.start * inputs..range.end * inputs]);
            }
            with_scratch(range.len() * distance, |scratch| {
                for (pixel, to) in range.clone().zip(scratch.chunks_exact_mut(distance)) {
                    let (row, column) = (pixel / self.output.width, pixel % self.output.width);
                    let (image, row) = (row / self.output.height, row % self.output.height);
                    let row = image * self.source.height + row * self.step;
                    let from = (row * self.source.width + column * self.step) * inputs;
                    to[..inputs].copy_from_slice(&source[from..from + inputs]);
                }
                multiply(scratch);
            });
        });
        // SAFETY: the tasks cover all pixels and channels.
        unsafe { output.finish() }
    }
}
