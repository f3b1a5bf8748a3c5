//! Convolution weights in the order in which the kernels read them.

use super::geometry::Filter;
use crate::host::Unwritten;
use crate::parallel::Division;
use crate::simd::LANES;

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
        for channel in channels {
            let start = channel * read_stride + first * written_stride;
            for (r, row) in rows.iter().enumerate() {
                for (c, column) in columns.iter().enumerate() {
                    let line = ((r * columns.len() + c) * read + channel) * LANES;
                    let tap = start + row * filter.width + column;
                    let mut values = [0f32; LANES];
                    for (lane, value) in values[..lanes].iter_mut().enumerate() {
                        *value = weight[tap + lane * written_stride];
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
    });
    // SAFETY: the tasks cover all channels read of all blocks, and write every tap of each.
    unsafe { packed.finish() }
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
    let output_len = taps * filter.inputs;
    let block_len = output_len * LANES;
    let partial_len = filter.outputs.div_ceil(LANES) * block_len;
    let mut gradient = Unwritten::new(filter.elements());
    let pointer = gradient.pointer();
    unpacking(filter, partials.len() / partial_len).for_each(|block, inputs| {
        let first = block * LANES;
        let lanes = LANES.min(filter.outputs - first);
        for input in inputs {
            for tap in 0..taps {
                let at = block * block_len + (tap * filter.inputs + input) * LANES;
                let mut line = [0f32; LANES];
                for partial in partials.chunks_exact(partial_len) {
                    for (sum, value) in line.iter_mut().zip(&partial[at..at + LANES]) {
                        *sum += value;
                    }
                }
                for (lane, value) in line[..lanes].iter().enumerate() {
                    // SAFETY: the weight is within the gradient, and no other task writes those of this block and input.
                    unsafe {
                        pointer
                            .at((first + lane) * output_len + input * taps + tap)
                            .write(*value)
                    };
                }
            }
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
