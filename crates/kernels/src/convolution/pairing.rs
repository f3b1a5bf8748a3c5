//! Images and packed weights as [pairs](crate::simd::pair) of bfloat16 numbers: two neighbouring channels in place of a float.

use crate::host::Unwritten;
use crate::parallel::{enough_tasks, for_each};
use crate::simd::{Bf16, Kernel, LANES, Lanes, pair};

/// Lines that must follow the weights, as tiles read a whole one even where a row of the window ends before.
const LINES_BEHIND: usize = 15;

/// Pairs of so many channels. The last of an odd number has a zero beside it.
pub(super) fn pairs_of(channels: usize) -> usize {
    channels.div_ceil(2)
}

/// Pixels of `channels` floats as pixels of [`pairs_of`] these.
pub(super) fn pair_pixels(source: &[f32], channels: usize, way: Bf16) -> Vec<f32> {
    let pixels = source.len() / channels;
    let each = pixels.div_ceil(enough_tasks()).max(4096 / channels).max(1);
    let mut output = Unwritten::new(pixels * pairs_of(channels));
    let pointer = output.pointer();
    for_each(pixels.div_ceil(each), |task| {
        let range = task * each..((task + 1) * each).min(pixels);
        let kernel = PairPixels {
            source: &source[range.start * channels..range.end * channels],
            channels,
            // SAFETY: within the output.
            output: unsafe { pointer.at(range.start * pairs_of(channels)) },
        };
        // SAFETY: the pixels of the output are this task's alone.
        unsafe { way.run(kernel) }
    });
    // SAFETY: the tasks cover all pixels.
    unsafe { output.finish() }
}

/// Weights as [`pack`](super::packing::pack) has made them, of `read` channels each, as weights of [`pairs_of`] these, and lines of zeros
/// behind them.
pub(super) fn pair_weights(packed: &[f32], read: usize) -> Vec<f32> {
    let lines = packed.chunks_exact(read * LANES).flat_map(|tap| tap.chunks(2 * LANES));
    let mut paired = Vec::with_capacity(packed.len() / read * pairs_of(read) + LINES_BEHIND * LANES);
    for lines in lines {
        let (first, second) = lines.split_at(LANES);
        paired.extend(
            first
                .iter()
                .enumerate()
                .map(|(lane, first)| pair(*first, second.get(lane).copied().unwrap_or(0.0))),
        );
    }
    paired.resize(paired.len() + LINES_BEHIND * LANES, 0.0);
    paired
}

struct PairPixels<'a> {
    source: &'a [f32],
    channels: usize,
    output: *mut f32,
}

impl Kernel for PairPixels<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller vouches for the processor; the output has a pair for each two floats of a pixel.
        unsafe {
            if self.channels.is_multiple_of(2) {
                return pair_run::<V>(self.source, self.output);
            }
            let pixels = self.source.chunks_exact(self.channels);
            for (pixel, place) in pixels.zip(0..) {
                let output = self.output.add(place * pairs_of(self.channels));
                if self.channels < LANES {
                    for (place, numbers) in pixel.chunks(2).enumerate() {
                        *output.add(place) = pair(numbers[0], numbers.get(1).copied().unwrap_or(0.0));
                    }
                } else {
                    pair_run::<V>(pixel, output);
                }
            }
        }
    }
}

/// Pairs of neighbours; a last one without has zero beside it.
///
/// # Safety
/// The processor supports `V`, and the pairs are writable.
#[inline(always)]
unsafe fn pair_run<V: Lanes>(floats: &[f32], pairs: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe {
        for start in (0..floats.len()).step_by(2 * LANES) {
            let (from, to) = (floats.as_ptr().add(start), pairs.add(start / 2));
            if start + 2 * LANES <= floats.len() {
                V::load(from).pairs(V::load(from.add(LANES))).store(to);
            } else {
                for (place, numbers) in floats[start..].chunks(2).enumerate() {
                    *to.add(place) = pair(numbers[0], numbers.get(1).copied().unwrap_or(0.0));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_paired_pixel_by_pixel() {
        for (channels, pixels) in [(1, 3), (2, 40), (3, 5), (17, 4), (33, 3), (64, 7)] {
            let source: Vec<f32> = (0..channels * pixels).map(|i| i as f32).collect();
            let expected: Vec<u32> = source
                .chunks(channels)
                .flat_map(|pixel| pixel.chunks(2))
                .map(|two| pair(two[0], two.get(1).copied().unwrap_or(0.0)).to_bits())
                .collect();
            for way in Bf16::supported() {
                let found: Vec<u32> = pair_pixels(&source, channels, way)
                    .into_iter()
                    .map(f32::to_bits)
                    .collect();
                assert!(found == expected, "{channels} channels, {way:?}");
            }
        }
    }

    /// Two taps of three channels: the third one has zeros beside it.
    #[test]
    fn lines_of_weights_are_paired_tap_by_tap() {
        let packed: Vec<f32> = (0..2 * 3 * LANES).map(|i| i as f32).collect();
        let paired = pair_weights(&packed, 3);
        assert_eq!(paired.len(), (2 * 2 + LINES_BEHIND) * LANES);
        let lane = |line: usize, lane: usize| paired[line * LANES + lane].to_bits();
        let expected = |first: usize, second: f32| pair(first as f32, second).to_bits();
        assert_eq!(lane(0, 5), expected(5, (LANES + 5) as f32));
        assert_eq!(lane(1, 5), expected(2 * LANES + 5, 0.0));
        assert_eq!(lane(2, 0), expected(3 * LANES, (4 * LANES) as f32));
        assert!(paired[4 * LANES..].iter().all(|zero| *zero == 0.0));
    }
}
