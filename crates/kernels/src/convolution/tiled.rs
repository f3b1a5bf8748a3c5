//! A [`Microkernel`] of pairs of bfloat16 numbers in AMX's tiles: up to 16 pixels times 16 output channels, four such tiles of sums at a
//! time.

use super::microkernel::Microkernel;
use crate::host::with_scratch;
use crate::simd::{Amx, LANES, TILE_PAIRS, TILE_ROWS, Tiles};
use std::arch::x86_64::{_mm512_maskz_loadu_ps, _mm512_storeu_ps};

/// The pixels of one phase in one task, to be computed in tiles.
pub(super) struct Tiled<'a> {
    of: Microkernel<'a>,
    amx: Amx,
    /// Pixels of a tile.
    pixels: usize,
    /// Steps of a row of the window.
    steps: usize,
}

/// Sums that do not go straight to the output, because pixels or channels are missing: of two tiles of pixels, two of channels each.
#[repr(align(64))]
struct Buffer(#[allow(dead_code)] [f32; 2 * TILE_ROWS * 2 * LANES]);

impl<'a> Tiled<'a> {
    /// Where whole rows of pixels can be cut into tiles that are not much smaller than the largest, they are: neighbours in a row need not
    /// be copied.
    pub(super) fn new(of: Microkernel<'a>, amx: Amx) -> Self {
        let divides = |pixels: &usize| of.columns != usize::MAX && of.columns.is_multiple_of(*pixels);
        Self {
            amx,
            pixels: (12..=TILE_ROWS).rev().find(divides).unwrap_or(TILE_ROWS),
            steps: of.run.div_ceil(TILE_PAIRS),
            of,
        }
    }

    /// Computes all sums.
    ///
    /// # Safety
    /// The table's offsets are within the source and the output, and the weights are [paired](super::pairing::pair_weights).
    pub(super) unsafe fn run(self) {
        debug_assert!(self.of.epilogue.is_none(), "for training alone");
        self.amx.configure(self.pixels);
        let room = 2 * self.pixels * self.of.seen.len() * self.steps * TILE_PAIRS;
        with_scratch(room, |panel| {
            for block in self.of.blocks.clone().step_by(2) {
                for (group, pixels) in self.of.pixels.chunks(2 * self.pixels).enumerate() {
                    // SAFETY: the caller's promise; the panel has room for two tiles of windows.
                    unsafe { self.tiles(block, group * 2 * self.pixels, pixels, panel) }
                }
            }
        });
        self.amx.release();
    }

    /// The sums of up to two tiles of pixels, which start with pixel `start`, for one or two blocks of channels.
    ///
    /// # Safety
    /// As for [`run`](Self::run); the panel has room for two tiles of windows.
    unsafe fn tiles(&self, block: usize, start: usize, pixels: &[(usize, usize)], panel: &mut [f32]) {
        let of = &self.of;
        let rows = pixels.len().div_ceil(self.pixels);
        let columns = (of.blocks.end - block).min(2);
        let block_len = of.rows * of.run * LANES;
        let step_bytes = TILE_PAIRS * size_of::<f32>();
        let first_row = of.seen.start;
        let in_place = of.run.is_multiple_of(TILE_PAIRS)
            && pixels.len().is_multiple_of(self.pixels)
            && (0..rows).all(|tile| (start + tile * self.pixels) % of.columns + self.pixels <= of.columns);
        let (tiles, pixel_len, row_len) = if in_place {
            let tile = |tile: usize| {
                let window = pixels[(tile * self.pixels).min(pixels.len() - 1)].0;
                // SAFETY: the window is within the source.
                unsafe { of.source.as_ptr().add(window + first_row * of.row_stride) }
            };
            ([tile(0), tile(1)], of.step, of.row_stride)
        } else {
            let (pixel_len, row_len) = (self.steps * TILE_PAIRS, self.pixels * self.steps * TILE_PAIRS);
            let tile_len = of.seen.len() * row_len;
            for place in 0..rows * self.pixels {
                let (window, _) = pixels[place.min(pixels.len() - 1)];
                let to = place / self.pixels * tile_len + place % self.pixels * pixel_len;
                for (row, seen) in of.seen.clone().enumerate() {
                    // SAFETY: the window is within the source, and the panel has room for it.
                    unsafe {
                        let from = of.source.as_ptr().add(window + seen * of.row_stride);
                        copy_run(from, of.run, panel.as_mut_ptr().add(to + row * row_len));
                    }
                }
            }
            // SAFETY: the second tile is within the panel, or where it would start, its end.
            let second = unsafe { panel.as_ptr().add((rows - 1) * tile_len) };
            ([panel.as_ptr(), second], pixel_len, row_len)
        };
        // SAFETY: the seen rows of the block's weights.
        let weights = unsafe { of.weights.as_ptr().add(block * block_len + first_row * of.run * LANES) };
        let line_bytes = LANES * size_of::<f32>();
        let mut product = Tiles {
            first: tiles,
            // SAFETY: without a second block, the first one again.
            second: [weights, unsafe { weights.add((columns - 1) * block_len) }],
            row_bytes: [pixel_len * size_of::<f32>(), line_bytes, 0],
            step_bytes: [step_bytes, TILE_PAIRS * line_bytes],
            skip_bytes: [
                (row_len * size_of::<f32>()) as isize - (self.steps * step_bytes) as isize,
                (of.run * line_bytes) as isize - (self.steps * TILE_PAIRS * line_bytes) as isize,
            ],
            steps: self.steps,
            // A phase without columns has none to add up.
            rows: if self.steps == 0 { 0 } else { of.seen.len() },
            sums: [std::ptr::null_mut(); 2],
        };
        let first = block * LANES;
        let channels = (columns * LANES).min(of.channels - first);
        // SAFETY: the sums of whole tiles go to places of the output at equal distances; all others into the buffer.
        unsafe {
            let whole = channels == columns * LANES && pixels.len() == rows * self.pixels;
            if let Some(distance) = self.distance(pixels).filter(|_| whole) {
                product.row_bytes[2] = distance * size_of::<f32>();
                let sums = |tile: usize| of.output.add(pixels[tile * self.pixels].1 + first);
                product.sums = [sums(0), sums(rows - 1)];
                return product.multiply([rows, columns], false);
            }
            let mut buffer = std::mem::MaybeUninit::<Buffer>::uninit();
            let buffer = buffer.as_mut_ptr().cast::<f32>();
            product.row_bytes[2] = 2 * line_bytes;
            product.sums = [buffer, buffer.add(self.pixels * 2 * LANES)];
            product.multiply([rows, columns], false);
            for (place, pixel) in pixels.iter().enumerate() {
                let from = buffer.add(place * 2 * LANES);
                std::ptr::copy_nonoverlapping(from, of.output.add(pixel.1 + first), channels);
            }
        }
    }

    /// Floats of the output from one pixel of a tile to the next, if it is the same within each tile.
    fn distance(&self, pixels: &[(usize, usize)]) -> Option<usize> {
        let distance = pixels.get(1)?.1.checked_sub(pixels[0].1)?;
        let alike = |tile: &[(usize, usize)]| tile.windows(2).all(|pair| pair[1].1 == pair[0].1 + distance);
        pixels.chunks(self.pixels).all(alike).then_some(distance)
    }
}

/// Copies `len` floats, and zeros behind them up to a multiple of [`TILE_PAIRS`].
///
/// # Safety
/// They are readable, and as many floats as that multiple writable. There is AVX-512, as wherever there is AMX.
#[target_feature(enable = "avx512f")]
unsafe fn copy_run(from: *const f32, len: usize, to: *mut f32) {
    for start in (0..len).step_by(LANES) {
        let mask = u16::MAX >> LANES.saturating_sub(len - start);
        // SAFETY: the mask leaves out what is not there.
        unsafe { _mm512_storeu_ps(to.add(start), _mm512_maskz_loadu_ps(mask, from.add(start))) };
    }
}
