//! The one loop behind convolution and its data gradient: an implicit GEMM, the product of the matrix of all windows, which is never made,
//! with that of the weights.
//!
//! Every output pixel is a sum over a small window of the source. In channels-last memory one row of the window is
//! one run of floats, whatever the stride, so the inner loop walks a run and a packed weight side by side. A tile of
//! output pixels times some vectors of output channels stays in registers during the whole sum; its pixels are found
//! through a table, so a tile may span rows and even images.
//!
//! Padding is made real: a task copies its rows of the source into scratch memory with zeros around them.

use super::microkernel::{Epilogue, Microkernel};
use super::padding::copy_padded;
use super::panels::{PanelWeights, Panels};
use super::pointwise::Pointwise;
use super::products::Products;
use crate::dims::Dims;
use crate::host::{Shared, Unwritten, with_scratch};
use crate::parallel::{Grid, for_each};
use crate::simd::LANES;
use std::borrow::Cow;
use std::ops::Range;

/// Output pixels that share their weights: the points `(y + step i, x + step j)` in the output.
///
/// A convolution has one. The data gradient of one with stride s has s x s: pixels whose distance is not a multiple
/// of s meet different taps.
pub(crate) struct OutputPhase<'a> {
    /// First output row and column.
    pub output: (usize, usize),
    /// Number of rows and columns.
    pub size: (usize, usize),
    /// First row and column, in padded source coordinates, of the window of the first pixel.
    pub source: (usize, usize),
    /// Rows and columns of the window. Either may be 0: then the pixels are 0.
    pub window: (usize, usize),
    /// `[block][row][column][source channel][LANES]`, see [`super::packing::pack`].
    pub weights: Cow<'a, [f32]>,
}

/// Phases of an output, each a weighted sum over windows of a source.
pub(crate) struct ImplicitGemm<'a> {
    pub source: Dims,
    pub output: Dims,
    /// Rows of zeros above and columns of zeros to the left of the source.
    pub padding: (usize, usize),
    /// Distance of neighbouring windows in the source, and of neighbouring pixels of a phase in the output.
    pub source_step: usize,
    pub output_step: usize,
    pub phases: Vec<OutputPhase<'a>>,
    /// What is done to each sum.
    pub epilogue: Option<Epilogue<'a>>,
}

/// How the product is cut into tasks.
struct Plan {
    /// Images of a task; more than one only when `rows` is all of them.
    images: usize,
    /// Rows of a phase in a task.
    rows: usize,
    /// Blocks of output channels in a task.
    blocks: usize,
    /// First padded source row that phase row 0 needs.
    first_row: usize,
    /// Padded width, in pixels.
    width: usize,
    /// Floats from one image of a task to the next.
    image_stride: usize,
    /// Source rows of one image of a task.
    source_rows: usize,
    /// The source needs no padding, and is read where it is.
    in_place: bool,
    /// Per phase, for the pixels of a task in order: offsets of the window and of the output pixel.
    pixels: Vec<Vec<(usize, usize)>>,
}

impl ImplicitGemm<'_> {
    /// Computes all outputs.
    pub(crate) fn run(&self, source: &[f32], products: Products) -> Vec<f32> {
        assert_eq!(source.len(), self.source.elements());
        if let Some(pointwise) = self.pointwise() {
            return pointwise.run(source, products);
        }
        let plan = self.plan();
        let tasks = self.tasks(&plan);
        let mut output = Unwritten::new(self.output.elements());
        let pointer = output.pointer();
        for_each(tasks.tasks(), |task| {
            self.task(&plan, source, tasks.get(task), pointer, products);
        });
        // SAFETY: the phases cover the output, and the tasks cover all images, phase rows and channels.
        unsafe { output.finish() }
    }

    /// Vector operations of each task on the threads of the pool that asks: products, and a load and a store for each vector that it copies.
    #[cfg(test)]
    pub(super) fn costs(&self) -> Vec<usize> {
        if let Some(pointwise) = self.pointwise() {
            return pointwise.costs();
        }
        let plan = self.plan();
        let copied = if plan.in_place {
            0
        } else {
            2 * (plan.image_stride / LANES)
        };
        let cost = |[images, rows, blocks]: [Range<usize>; 3]| {
            let products = self.phases.iter().map(|phase| {
                let taps =
                    (rows.start..rows.end.min(phase.size.0)).map(|row| self.seen(phase, row).len() * phase.window.1);
                taps.sum::<usize>() * phase.size.1 * self.source.channels * blocks.len()
            });
            images.len() * (products.sum::<usize>() + copied)
        };
        let tasks = self.tasks(&plan);
        (0..tasks.tasks()).map(|task| cost(tasks.get(task))).collect()
    }

    /// Groups of images, bands of a phase's rows, and parts of the blocks of channels.
    fn tasks(&self, plan: &Plan) -> Grid<3> {
        Grid([
            (self.output.images, plan.images),
            (self.phase_rows(), plan.rows),
            (self.output.channels.div_ceil(LANES), plan.blocks),
        ])
    }

    /// The same as a matrix product, where every window is one pixel, and one that is there.
    fn pointwise(&self) -> Option<Pointwise<'_>> {
        let is_there = |pixels: usize, source: usize| pixels.saturating_sub(1) * self.source_step < source;
        match self.phases.as_slice() {
            [phase]
                if phase.window == (1, 1)
                    && (phase.source, self.padding) == ((0, 0), (0, 0))
                    && self.output_step == 1
                    && is_there(phase.size.0, self.source.height)
                    && is_there(phase.size.1, self.source.width) =>
            {
                Some(Pointwise {
                    source: self.source,
                    output: self.output,
                    step: self.source_step,
                    weights: &phase.weights,
                    epilogue: self.epilogue,
                })
            }
            _ => None,
        }
    }

    fn phase_rows(&self) -> usize {
        self.phases.iter().map(|phase| phase.size.0).max().unwrap_or(0)
    }

    /// The widest padded row that a window reaches, at least the source's own.
    fn padded_width(&self) -> usize {
        let reach =
            |phase: &OutputPhase| phase.source.1 + (phase.size.1.max(1) - 1) * self.source_step + phase.window.1;
        let reach = self.phases.iter().map(reach).max().unwrap_or(0);
        reach.max(self.padding.1 + self.source.width)
    }

    fn plan(&self) -> Plan {
        let phase_rows = self.phase_rows();
        let width = self.padded_width();
        let first_row = self.phases.iter().map(|phase| phase.source.0).min().unwrap_or(0);
        let reach = |phase: &OutputPhase| phase.source.0 + phase.window.0 - first_row;
        let window = self.phases.iter().map(reach).max().unwrap_or(0);
        let source_rows = |rows: usize| (rows.max(1) - 1) * self.source_step + window;
        let row_bytes = width * self.source.channels * size_of::<f32>();
        // Some whole images, or a band of one, but not so thin that most of its rows are shared with the neighbours.
        let whole = (1..=self.output.images).map(|images| {
            let bytes = source_rows(phase_rows) * row_bytes;
            let panels = Panels {
                count: self.output.images.div_ceil(images),
                bytes: images * bytes,
                all_bytes: self.output.images * bytes,
            };
            ((images, phase_rows.max(1)), panels)
        });
        let thinnest = 2 * window.div_ceil(self.source_step).max(1);
        let bands = (2..=phase_rows / thinnest).map(|bands| {
            let rows = phase_rows.div_ceil(bands);
            let count = self.output.images * phase_rows.div_ceil(rows);
            let bytes = source_rows(rows) * row_bytes;
            let panels = Panels {
                count,
                bytes,
                all_bytes: count * bytes,
            };
            ((1, rows), panels)
        });
        let weights = self.phases.iter().map(|phase| phase.weights.len()).sum();
        let weights = PanelWeights::new(weights, self.output.channels);
        let ((images, rows), blocks) = weights.choose(whole.chain(bands)).unwrap_or(((1, 1), 1));

        let in_place = self.padding == (0, 0)
            && width == self.source.width
            && first_row + source_rows(phase_rows) <= self.source.height;
        let source_rows = source_rows(rows);
        let channels = self.source.channels;
        let image_stride = if in_place {
            self.source.height * width * channels
        } else {
            source_rows * width * channels
        };
        let mut plan = Plan {
            images,
            rows,
            blocks,
            first_row,
            width,
            image_stride,
            source_rows,
            in_place,
            pixels: Vec::new(),
        };
        plan.pixels = self.pixels(&plan, images);
        plan
    }

    /// Per phase, the pixels of a task of so many images: row by row, and in a row image by image, so that the rows at the images'
    /// edges, whose windows are partly padding, are together.
    fn pixels(&self, plan: &Plan, images: usize) -> Vec<Vec<(usize, usize)>> {
        let channels = self.source.channels;
        let pixels = |phase: &OutputPhase<'_>| {
            let mut pixels = Vec::with_capacity(images * plan.rows * phase.size.1);
            for row in 0..plan.rows.min(phase.size.0) {
                for image in 0..images {
                    for column in 0..phase.size.1 {
                        let y = phase.source.0 - plan.first_row + row * self.source_step;
                        let x = phase.source.1 + column * self.source_step;
                        let output_y = image * self.output.height + phase.output.0 + row * self.output_step;
                        let output_x = phase.output.1 + column * self.output_step;
                        pixels.push((
                            image * plan.image_stride + (y * plan.width + x) * channels,
                            (output_y * self.output.width + output_x) * self.output.channels,
                        ));
                    }
                }
            }
            pixels
        };
        self.phases.iter().map(pixels).collect()
    }

    /// The rows of the window of a phase row that are not all padding: zeros add nothing to a sum.
    fn seen(&self, phase: &OutputPhase<'_>, row: usize) -> Range<usize> {
        let top = phase.source.0 + row * self.source_step;
        let start = self.padding.0.saturating_sub(top).min(phase.window.0);
        let end = (self.padding.0 + self.source.height).saturating_sub(top);
        start..end.clamp(start, phase.window.0)
    }

    /// What a task has to compute, of these images, rows and blocks of channels.
    fn task(
        &self,
        plan: &Plan,
        source: &[f32],
        [images, rows, blocks]: [Range<usize>; 3],
        output: Shared,
        products: Products,
    ) {
        let image_len = self.source.height * self.source.width * self.source.channels;
        let row_len = plan.width * self.source.channels;
        let output_row = images.start * self.output.height + rows.start * self.output_step;
        let first_output = output_row * self.output.width * self.output.channels;
        let epilogue = self.epilogue.map(|epilogue| epilogue.from(first_output));
        let fewer = (images.len() < plan.images).then(|| self.pixels(plan, images.len()));
        let pixels = fewer.as_ref().unwrap_or(&plan.pixels);
        let multiply = |source: &[f32]| {
            for (phase, pixels) in self.phases.iter().zip(pixels) {
                let end = rows.end.min(phase.size.0);
                let mut first = rows.start;
                while first < end {
                    let seen = self.seen(phase, first);
                    let alike = (first..end).take_while(|row| self.seen(phase, *row) == seen).count();
                    let row_pixels = images.len() * phase.size.1;
                    let start = (first - rows.start) * row_pixels;
                    first += alike;
                    let microkernel = Microkernel {
                        source,
                        pixels: &pixels[start..start + alike * row_pixels],
                        columns: phase.size.1,
                        step: self.source_step * self.source.channels,
                        rows: phase.window.0,
                        seen,
                        row_stride: row_len,
                        run: phase.window.1 * self.source.channels,
                        weights: &phase.weights,
                        channels: self.output.channels,
                        blocks: blocks.clone(),
                        // SAFETY: a task's first row is within the output.
                        output: unsafe { output.at(first_output) },
                        epilogue,
                    };
                    // SAFETY: the table's windows lie in the rows that the plan gives a task, its output pixels in the
                    // task's images and rows, which no other task writes in the same channels.
                    unsafe { products.run(microkernel) }
                }
            }
        };
        let top = plan.first_row + rows.start * self.source_step;
        if plan.in_place {
            let start = images.start * image_len + top * row_len;
            return multiply(&source[start..images.end * image_len]);
        }
        with_scratch(images.len() * plan.image_stride, |scratch| {
            for (image, padded) in images.clone().zip(scratch.chunks_exact_mut(plan.image_stride.max(1))) {
                let image = &source[image * image_len..][..image_len];
                copy_padded(
                    image,
                    self.source,
                    self.padding,
                    top,
                    plan.width,
                    &mut padded[..plan.source_rows * row_len],
                );
            }
            multiply(scratch);
        });
    }
}
