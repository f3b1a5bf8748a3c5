//! The sums of a filter gradient over a stretch of pixels.
//!
//! A tile of window elements times some vectors of output channels stays in registers while the stretch's pixels go by. Where a task
//! has many channels, windows and gradients are copied first, so that the tiles read them in runs.

use crate::parallel::Part;
use crate::simd::{Kernel, LANES, Lanes};
use std::mem::MaybeUninit;
use std::ops::Range;

/// Window elements of a register tile: with two vectors of channels, and with one. 21 is the stem's 7 x 3, 11 its half.
pub(super) const PAIRED_TILES: [usize; 3] = [12, 14, 11];
pub(super) const SINGLE_TILES: [usize; 3] = [24, 21, 16];
/// The most floats that a tile may read past its window.
pub(super) const LONGEST_TILE: usize = 24;
/// Microkernel whose windows are copied together, so that every cache line of the source is read once.
pub(super) const GROUP: usize = 4;

/// The tile that covers a run with the least excess.
#[inline(always)]
pub(super) fn fitting_tile(run: usize, tiles: [usize; 3]) -> usize {
    let mut best = tiles[0];
    for tile in tiles {
        if run.next_multiple_of(tile) < run.next_multiple_of(best) {
            best = tile;
        }
    }
    best
}

/// Those pixels of a stretch that a row of the window sees: `count` from `first` on, in each of `images` at distance `stride`.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) images: usize,
    pub(super) stride: usize,
}

/// A stretch of pixels and where their contribution goes: `partial`, `[block][row][run][LANES]` like packed weights.
pub(super) struct Stretch<'a> {
    pub(super) source: &'a [f32],
    pub(super) windows: &'a [usize],
    /// Per row of the window.
    pub(super) seen: &'a [Seen],
    pub(super) gradient: &'a [f32],
    pub(super) channels: usize,
    pub(super) rows: usize,
    pub(super) row_stride: usize,
    pub(super) run: usize,
    pub(super) blocks: Range<usize>,
    /// Which of the window's places are summed.
    pub(super) part: Part,
    pub(super) partial: *mut f32,
    /// The partial gradient has not been written yet.
    pub(super) fresh: bool,
    /// Room for `GROUP` tiles of windows and for the gradients of all blocks, to copy both.
    pub(super) packed: Option<*mut f32>,
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
