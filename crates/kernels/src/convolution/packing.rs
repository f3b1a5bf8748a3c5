//! Convolution weights in the order in which the kernels read them.

use super::geometry::Filter;
use crate::host::{Shared, Unwritten};
use crate::parallel::Division;
use crate::simd::LANES;
use std::ops::Range;

/// Which channels a product reads and which it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Reads the filter's inputs, writes its outputs.
    Forward,
    /// Reads gradients of the filter's outputs, writes gradients of its inputs.
    Backward,
}

/// Packs the taps `rows` x `columns` of a filter, in that order, as `[block][row][column][read][LANES]`, where a
/// block is [`LANES`] written channels (missing ones are zero) and `read` runs over the channels read.
pub(crate) fn pack(
    weight: &[f32],
    filter: Filter,
    direction: Direction,
    rows: &[usize],
    columns: &[usize],
) -> Vec<f32> {
    let taps = filter.taps();
    let (read, written, read_stride, written_stride) = match direction {
        Direction::Forward => (filter.inputs, filter.outputs, taps, taps * filter.inputs),
        Direction::Backward => (filter.outputs, filter.inputs, taps * filter.inputs, taps),
    };
    let block_len = rows.len() * columns.len() * read * LANES;
    let blocks = written.div_ceil(LANES);
    let mut packed = Unwritten::new(blocks * block_len);
    let pointer = packed.pointer();
    packing(blocks, read, rows.len() * columns.len()).for_each(|block, channels| {
        let first = block * LANES;
        let lanes = LANES.min(written - first);
        // Channels outermost: the weights of a channel are neighbours, and each cache line is used up at once.
        let mut runs = Runs::new(filter);
        let pitch = runs.pitch;
        for channels in runs.cut(channels) {
            // Outputs are far apart, and at a power of two they displace each other in the cache: so their runs are copied first.
            let (from, start, written_stride) = match direction {
                Direction::Forward => (runs.gather(weight, first..first + lanes, &channels), 0, pitch),
                Direction::Backward => (
                    weight,
                    channels.start * read_stride + first * written_stride,
                    written_stride,
                ),
            };
            for channel in channels.clone() {
                let start = start + (channel - channels.start) * read_stride;
                for (r, row) in rows.iter().enumerate() {
                    for (c, column) in columns.iter().enumerate() {
                        let line = ((r * columns.len() + c) * read + channel) * LANES;
                        let tap = start + row * filter.width + column;
                        let mut values = [0f32; LANES];
                        for (lane, value) in values[..lanes].iter_mut().enumerate() {
                            *value = from[tap + lane * written_stride];
                        }
                        // SAFETY: the line is within the block, and no other task writes this channel's.
                        unsafe {
                            pointer
                                .at(block * block_len + line)
                                .cast::<[f32; LANES]>()
                                .write(values)
                        };
                    }
                }
            }
        }
    });
    // SAFETY: the tasks cover all channels read of all blocks, and write every tap of each.
    unsafe { packed.finish() }
}

/// Some inputs of each of [`LANES`] outputs, all taps of them, which are neighbours in torchvision's layout.
struct Runs {
    taps: usize,
    /// Floats of a filter for one output.
    output_len: usize,
    /// Inputs of a run.
    inputs: usize,
    /// Floats from one output's run to the next one's, at which they do not displace each other in the cache.
    pitch: usize,
    floats: Vec<f32>,
}

impl Runs {
    /// Floats of a run, about: some cache lines.
    const FLOATS: usize = 128;

    fn new(filter: Filter) -> Self {
        let taps = filter.taps();
        let inputs = (Self::FLOATS / taps.max(1)).max(1);
        let pitch = inputs * taps + LANES;
        Self {
            taps,
            output_len: taps * filter.inputs,
            inputs,
            pitch,
            floats: vec![0.0; LANES * pitch],
        }
    }

    /// `inputs` in runs.
    fn cut(&self, inputs: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
        let (step, end) = (self.inputs, inputs.end);
        inputs.step_by(step).map(move |first| first..(first + step).min(end))
    }

    /// Those of a filter in torchvision's layout.
    fn gather(&mut self, weight: &[f32], outputs: Range<usize>, inputs: &Range<usize>) -> &[f32] {
        let len = inputs.len() * self.taps;
        for (output, run) in outputs.zip(self.floats.chunks_exact_mut(self.pitch)) {
            run[..len].copy_from_slice(&weight[output * self.output_len + inputs.start * self.taps..][..len]);
        }
        &self.floats
    }

    /// Writes them to a filter in torchvision's layout.
    ///
    /// # Safety
    /// The outputs and inputs are in the filter, and nobody else writes them.
    unsafe fn scatter(&self, filter: Shared, outputs: Range<usize>, inputs: &Range<usize>) {
        let len = inputs.len() * self.taps;
        for (output, run) in outputs.zip(self.floats.chunks_exact(self.pitch)) {
            // SAFETY: the caller's promise.
            unsafe {
                let to = filter.at(output * self.output_len + inputs.start * self.taps);
                std::ptr::copy_nonoverlapping(run.as_ptr(), to, len);
            }
        }
    }
}

/// Blocks of written channels, each in some of the channels read. A line is gathered float by float.
pub(crate) fn packing(blocks: usize, read: usize, taps: usize) -> Division {
    Division {
        pieces: blocks,
        units: read,
        cost: 8 * taps,
    }
}

/// [`pack`] of all taps, for a forward pass.
pub(crate) fn pack_forward(weight: &[f32], filter: Filter) -> Vec<f32> {
    let rows: Vec<usize> = (0..filter.height).collect();
    let columns: Vec<usize> = (0..filter.width).collect();
    pack(weight, filter, Direction::Forward, &rows, &columns)
}

/// The inverse of a forward [`pack`] of all taps: sums `partials`, each `[block][row][column][input][LANES]`, in their
/// order, and returns the sum in torchvision's layout.
pub(crate) fn unpack_sum(partials: &[f32], filter: Filter) -> Vec<f32> {
    let taps = filter.taps();
    let block_len = taps * filter.inputs * LANES;
    let partial_len = filter.outputs.div_ceil(LANES) * block_len;
    let mut gradient = Unwritten::new(filter.elements());
    let pointer = gradient.pointer();
    unpacking(filter, partials.len() / partial_len).for_each(|block, inputs| {
        let first = block * LANES;
        let lanes = LANES.min(filter.outputs - first);
        let mut runs = Runs::new(filter);
        for inputs in runs.cut(inputs) {
            for input in inputs.clone() {
                for tap in 0..taps {
                    let at = block * block_len + (tap * filter.inputs + input) * LANES;
                    let mut line = [0f32; LANES];
                    for partial in partials.chunks_exact(partial_len) {
                        for (sum, value) in line.iter_mut().zip(&partial[at..at + LANES]) {
                            *sum += value;
                        }
                    }
                    let place = (input - inputs.start) * taps + tap;
                    for (lane, value) in line.iter().enumerate() {
                        runs.floats[lane * runs.pitch + place] = *value;
                    }
                }
            }
            // SAFETY: no other task writes the weights of this block and these inputs.
            unsafe { runs.scatter(pointer, first..first + lanes, &inputs) };
        }
    });
    // SAFETY: the tasks cover all inputs of all outputs.
    unsafe { gradient.finish() }
}

/// Blocks of outputs, each in some of the inputs. A line is scattered float by float.
pub(super) fn unpacking(filter: Filter, partials: usize) -> Division {
    Division {
        pieces: filter.outputs.div_ceil(LANES),
        units: filter.inputs,
        cost: filter.taps() * (partials + 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_reorders_and_pads() {
        let filter = Filter {
            outputs: 2,
            inputs: 3,
            height: 1,
            width: 2,
        };
        let weight: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let forward = pack(&weight, filter, Direction::Forward, &[0], &[0, 1]);
        assert_eq!(forward.len(), 6 * LANES);
        // Tap 0, input 1: outputs 0 and 1 hold weights 2 and 8.
        assert_eq!(forward[LANES..LANES + 3], [2.0, 8.0, 0.0]);
        let flipped = pack(&weight, filter, Direction::Backward, &[0], &[1, 0]);
        assert_eq!(flipped.len(), 4 * LANES);
        // Tap 1, output 1: inputs 0, 1 and 2.
        assert_eq!(flipped[LANES..LANES + 4], [7.0, 9.0, 11.0, 0.0]);
        assert_eq!(unpack_sum(&forward, filter), weight);
    }
}
