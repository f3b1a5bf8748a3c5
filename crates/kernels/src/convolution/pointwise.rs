//! 1 x 1 convolution: the product of a matrix of pixels and a matrix of weights.
//!
//! Windows of one pixel need no rows and no images: all pixels of a batch are one long row, which is cut wherever it suits
//! the caches. The tiles, and so the order of every sum, are those of the other convolutions.

use super::microkernel::{Epilogue, Microkernel};
use super::panels::{PanelWeights, Panels};
use super::products::Products;
use crate::dims::Dims;
use crate::host::{Unwritten, with_scratch};
use crate::parallel::{Grid, for_each};
use crate::simd::LANES;
#[cfg(test)]
use std::ops::Range;

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
/// Pixels at a multiple of this distance, in bytes, compete for the same eight lines of the first-level cache, which are fewer than
/// a tile has pixels: they are copied apart.
const CONFLICT_BYTES: usize = 4096;

impl Pointwise<'_> {
    /// Whether a task copies its pixels.
    fn is_copied(&self) -> bool {
        self.step > 1 || (self.source.channels * size_of::<f32>()).is_multiple_of(CONFLICT_BYTES)
    }

    /// Groups of pixels, and parts of the blocks of channels.
    fn tasks(&self) -> Grid<2> {
        let tiles = self.output.pixels().div_ceil(TILE);
        let tile_bytes = TILE * self.source.channels * size_of::<f32>();
        let counts = (1..=64)
            .chain((7..usize::BITS).map(|i| 1 << i))
            .take_while(|count| *count <= tiles);
        let ways = counts.map(|count| {
            let of_one = tiles.div_ceil(count);
            let panels = Panels {
                count: tiles.div_ceil(of_one),
                bytes: of_one * tile_bytes,
                all_bytes: tiles * tile_bytes,
            };
            (of_one * TILE, panels)
        });
        let weights = PanelWeights::new(self.weights.len(), self.output.channels);
        let (pixels, blocks) = weights.choose(ways).unwrap_or((TILE, 1));
        Grid([
            (self.output.pixels(), pixels),
            (self.output.channels.div_ceil(LANES), blocks),
        ])
    }

    /// Vector operations of each task on the threads of the pool that asks: products, and a load and a store for each vector that it copies.
    #[cfg(test)]
    pub(super) fn costs(&self) -> Vec<usize> {
        let inputs = self.source.channels;
        let copied = if self.is_copied() {
            2 * inputs.div_ceil(LANES)
        } else {
            0
        };
        let tasks = self.tasks();
        let cost = |[pixels, blocks]: [Range<usize>; 2]| pixels.len() * (inputs * blocks.len() + copied);
        (0..tasks.tasks()).map(|task| cost(tasks.get(task))).collect()
    }

    /// Computes all outputs.
    pub(crate) fn run(&self, source: &[f32], products: Products) -> Vec<f32> {
        let (inputs, channels) = (self.source.channels, self.output.channels);
        let copied = self.is_copied();
        let distance = if copied { inputs + LANES } else { inputs };

        let tasks = self.tasks();
        let [(pixels, each), _] = tasks.0;
        let table: Vec<(usize, usize)> = (0..each.min(pixels)).map(|p| (p * distance, p * channels)).collect();
        let mut output = Unwritten::new(self.output.elements());
        let pointer = output.pointer();
        for_each(tasks.tasks(), |task| {
            let [range, blocks] = tasks.get(task);
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
                    blocks: blocks.clone(),
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
