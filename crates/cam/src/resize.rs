//! Bilinear resize: from the cells of a map to the pixels of an image.

use std::cell::RefCell;

use crate::names::named;

/// Where the cells of a map lie in the image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Resize {
    /// The cells tile the image: cell i of h covers [i, i + 1) S/h, its centre is at pixel (i + 0.5) S/h - 0.5. This is
    /// OpenCV's `INTER_LINEAR`, which the authors use.
    #[default]
    HalfPixel,
    /// Cell i is centred at pixel i S/h, where padded convolutions of odd kernel with stride put it. Half-pixel maps sit
    /// half a cell, S/(2h) - 0.5 pixels, too far right and down.
    CellCentred,
}

named!(
    Resize,
    "resize convention",
    [HalfPixel = "half_pixel", CellCentred = "cell_centred"]
);

/// Where the cells of a channel lie in the image that they mask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Upsampling {
    /// The outermost cells' centres are the image's corners: the authors' code and pytorch-grad-cam.
    #[default]
    CornerAligned,
    /// The cells tile the image, as in the resize of final maps.
    HalfPixel,
}

named!(
    Upsampling,
    "upsampling",
    [CornerAligned = "corner_aligned", HalfPixel = "half_pixel"]
);

/// Where cells lie among the pixels that are made of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Placement {
    /// [`Resize::HalfPixel`], [`Upsampling::HalfPixel`].
    HalfPixel,
    /// [`Resize::CellCentred`].
    CellCentred,
    /// [`Upsampling::CornerAligned`].
    CornerAligned,
}

impl From<Resize> for Placement {
    fn from(resize: Resize) -> Self {
        match resize {
            Resize::HalfPixel => Self::HalfPixel,
            Resize::CellCentred => Self::CellCentred,
        }
    }
}

impl From<Upsampling> for Placement {
    fn from(upsampling: Upsampling) -> Self {
        match upsampling {
            Upsampling::CornerAligned => Self::CornerAligned,
            Upsampling::HalfPixel => Self::HalfPixel,
        }
    }
}

impl Placement {
    /// Position of pixel `pixel` of `size` among `cells` cells, in cells.
    fn position(self, pixel: usize, cells: usize, size: usize) -> f64 {
        let scale = cells as f64 / size as f64;
        match self {
            Self::HalfPixel => (pixel as f64 + 0.5) * scale - 0.5,
            Self::CellCentred => pixel as f64 * scale,
            Self::CornerAligned => pixel as f64 * cells.saturating_sub(1) as f64 / size.saturating_sub(1).max(1) as f64,
        }
    }

    /// Of each of `size` pixels the cell whose centre is nearest; of two, the later.
    pub(crate) fn nearest(self, cells: usize, size: usize) -> Vec<usize> {
        let nearest = |pixel| (self.position(pixel, cells, size) + 0.5).floor().max(0.0) as usize;
        (0..size)
            .map(|pixel| nearest(pixel).min(cells.saturating_sub(1)))
            .collect()
    }
}

/// The resize of maps of one size, with the interpolation's coefficients worked out.
#[derive(Debug, Clone)]
pub(crate) struct Resizer {
    rows: Vec<Tap>,
    columns: Vec<Tap>,
    height: usize,
    width: usize,
}

/// Linear interpolation between two neighbouring cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tap {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// Share of the second.
    pub(crate) share: f32,
}

impl Tap {
    /// The value between the two cells of a row.
    pub(crate) fn of(self, row: &[f32]) -> f32 {
        row[self.first] * (1.0 - self.share) + row[self.second] * self.share
    }

    /// One tap per pixel. Beyond the outermost cells' centres the outermost cell alone counts.
    fn table(placement: Placement, cells: usize, size: usize) -> Vec<Self> {
        let last = cells.saturating_sub(1);
        let tap = |pixel| {
            let position = placement.position(pixel, cells, size);
            let first = position.floor();
            if first < 0.0 {
                return Self {
                    first: 0,
                    second: 0,
                    share: 0.0,
                };
            }
            let share = (position - first) as f32;
            let first = first as usize;
            if first >= last {
                return Self {
                    first: last,
                    second: last,
                    share: 0.0,
                };
            }
            Self {
                first,
                second: first + 1,
                share,
            }
        };
        (0..size).map(tap).collect()
    }
}

thread_local! {
    /// The map at the image's width and its own height.
    static STRETCHED: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Resizer {
    /// For maps of `[height, width]` cells and images of `[rows, columns]` pixels.
    pub(crate) fn new(
        placement: impl Into<Placement>,
        [height, width]: [usize; 2],
        [rows, columns]: [usize; 2],
    ) -> Self {
        let placement = placement.into();
        Self {
            rows: Tap::table(placement, height, rows),
            columns: Tap::table(placement, width, columns),
            height,
            width,
        }
    }

    /// Number of cells of a map.
    pub(crate) fn cells(&self) -> usize {
        self.height * self.width
    }

    /// Columns of a map.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The coefficients of rows and columns of pixels.
    pub(crate) fn taps(&self) -> (&[Tap], &[Tap]) {
        (&self.rows, &self.columns)
    }

    /// The pixels of `cells` `[height, width]`.
    pub(crate) fn resized(&self, cells: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; self.rows.len() * self.columns.len()];
        self.resize(cells, |value| value, &mut out);
        out
    }

    /// The resize of a function of the cells `[height, width]` to `out` `[rows, columns]`. Nothing is allocated but one small buffer
    /// per thread.
    pub(crate) fn resize(&self, cells: &[f32], value: impl Fn(f32) -> f32, out: &mut [f32]) {
        let columns = self.columns.len();
        STRETCHED.with_borrow_mut(|stretched| {
            stretched.clear();
            for row in cells.chunks_exact(self.width.max(1)) {
                stretched.extend(self.columns.iter().map(|tap| {
                    let (first, second) = (value(row[tap.first]), value(row[tap.second]));
                    first * (1.0 - tap.share) + second * tap.share
                }));
            }
            if stretched.is_empty() {
                out.fill(0.0);
                return;
            }
            for (row, tap) in out.chunks_exact_mut(columns).zip(&self.rows) {
                let first = &stretched[tap.first * columns..][..columns];
                let second = &stretched[tap.second * columns..][..columns];
                for ((value, first), second) in row.iter_mut().zip(first).zip(second) {
                    *value = first * (1.0 - tap.share) + second * tap.share;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resized(placement: impl Into<Placement>, cells: &[f32], shape: [usize; 2], size: [usize; 2]) -> Vec<f32> {
        Resizer::new(placement, shape, size).resized(cells)
    }

    #[test]
    fn every_placement_by_hand() {
        let of_four = |placement: Placement| resized(placement, &[0.0, 3.0], [1, 2], [1, 4]);
        assert_eq!(of_four(Placement::CornerAligned), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(of_four(Placement::HalfPixel), [0.0, 0.75, 2.25, 3.0]);
        assert_eq!(of_four(Placement::CellCentred), [0.0, 1.5, 3.0, 3.0]);
        assert_eq!(resized(Upsampling::CornerAligned, &[2.0], [1, 1], [2, 2]), [2.0; 4]);
    }

    #[test]
    fn rows_and_columns_need_not_be_as_many() {
        let found = resized(Upsampling::CornerAligned, &[0.0, 1.0, 2.0, 3.0], [2, 2], [3, 2]);
        assert_eq!(found, [0.0, 1.0, 1.0, 2.0, 2.0, 3.0]);
    }

    #[test]
    fn the_same_size_is_no_resize() {
        for resize in Resize::ALL {
            let cells = [0.0, 1.0, 2.0, 4.0];
            assert_eq!(resized(*resize, &cells, [2, 2], [2, 2]), cells);
        }
    }
}
