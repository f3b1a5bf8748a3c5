//! Convolution weights in the order in which the kernels read them.

use super::geometry::Filter;
use crate::parallel::for_each_piece;
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
    let mut packed = vec![0f32; written.div_ceil(LANES) * block_len];
    if block_len == 0 {
        return packed;
    }
    for_each_piece(&mut packed, block_len, |block, packed| {
        let first = block * LANES;
        let lanes = LANES.min(written - first);
        // Channels outermost: the weights of a channel are neighbours, and each cache line is used up at once.
        for channel in 0..read {
            let start = channel * read_stride + first * written_stride;
            for (r, row) in rows.iter().enumerate() {
                for (c, column) in columns.iter().enumerate() {
                    let line = ((r * columns.len() + c) * read + channel) * LANES;
                    let tap = start + row * filter.width + column;
                    for (lane, value) in packed[line..line + lanes].iter_mut().enumerate() {
                        *value = weight[tap + lane * written_stride];
                    }
                }
            }
        }
    });
    packed
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
    let mut gradient = vec![0f32; filter.elements()];
    for_each_piece(&mut gradient, block_len, |block, gradient| {
        for input in 0..filter.inputs {
            for tap in 0..taps {
                let at = block * block_len + (tap * filter.inputs + input) * LANES;
                let mut line = [0f32; LANES];
                for partial in partials.chunks_exact(partial_len) {
                    for (sum, value) in line.iter_mut().zip(&partial[at..at + LANES]) {
                        *sum += value;
                    }
                }
                for (output, value) in gradient.chunks_exact_mut(output_len).zip(line) {
                    output[input * taps + tap] = value;
                }
            }
        }
    });
    gradient
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
