//! From a raw map to a map of the image's size with values in [0, 1].

use std::cell::RefCell;

use crate::names::named;
use crate::scale::Scale;

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

impl Resize {
    /// Position of pixel `pixel` of `size` among `cells` cells, in cells.
    fn position(self, pixel: usize, cells: usize, size: usize) -> f64 {
        let scale = cells as f64 / size as f64;
        match self {
            Self::HalfPixel => (pixel as f64 + 0.5) * scale - 0.5,
            Self::CellCentred => pixel as f64 * scale,
        }
    }
}

/// Post-processing for maps of one size, with the interpolation's coefficients worked out.
#[derive(Debug, Clone)]
pub struct Resizer {
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
    fn table(resize: Resize, cells: usize, size: usize) -> Vec<Self> {
        let last = cells.saturating_sub(1);
        let tap = |pixel| {
            let position = resize.position(pixel, cells, size);
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
    /// For raw maps of `height` x `width` cells and images of `size` x `size` pixels.
    pub fn new(resize: Resize, height: usize, width: usize, size: usize) -> Self {
        Self {
            rows: Tap::table(resize, height, size),
            columns: Tap::table(resize, width, size),
            height,
            width,
        }
    }

    /// Side of the final maps in pixels.
    pub fn size(&self) -> usize {
        self.columns.len()
    }

    /// Number of cells of a raw map.
    pub(crate) fn cells(&self) -> usize {
        self.height * self.width
    }

    /// Columns of a raw map.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The coefficients of rows and columns.
    pub(crate) fn taps(&self) -> (&[Tap], &[Tap]) {
        (&self.rows, &self.columns)
    }

    /// Bilinear resize alone, `cells` `[height, width]` to `out` `[size, size]`.
    pub(crate) fn resize(&self, cells: &[f32], out: &mut [f32]) {
        self.resize_each(cells, |value| value, out);
    }

    /// The resize of a function of the cells.
    fn resize_each(&self, cells: &[f32], value: impl Fn(f32) -> f32, out: &mut [f32]) {
        let size = self.size();
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
            for (row, tap) in out.chunks_exact_mut(size).zip(&self.rows) {
                let first = &stretched[tap.first * size..][..size];
                let second = &stretched[tap.second * size..][..size];
                for ((value, first), second) in row.iter_mut().zip(first).zip(second) {
                    *value = first * (1.0 - tap.share) + second * tap.share;
                }
            }
        });
    }

    /// The authors' post-processing of one map, `raw` `[height, width]` to `out` `[size, size]` (pytorch-grad-cam's
    /// `scale_cam_image` and `aggregate_multi_layers`):
    ///
    /// 1. m = max(raw, 0)
    /// 2. m = m - min(m); m = m / (1e-7 + max(m))
    /// 3. bilinear resize
    /// 4. step 2 again, because a resized map generally attains neither 0 nor 1
    ///
    /// Values are in [0, 1). A map without positive value, and one that is constant, becomes all zero; one with NaN or
    /// +infinity becomes all NaN. Nothing is allocated but one small buffer per thread.
    ///
    /// # Panics
    /// When the slices do not have these lengths.
    pub fn finalise(&self, raw: &[f32], out: &mut [f32]) {
        let size = self.size();
        assert_eq!(raw.len(), self.height * self.width, "length of the raw map");
        assert_eq!(out.len(), size * size, "length of the final map");
        if raw.iter().any(|value| value.is_nan() || *value == f32::INFINITY) {
            out.fill(f32::NAN);
            return;
        }
        let scale = Scale::of_positive(raw);
        self.resize_each(raw, |value| scale.apply(value.max(0.0)), out);
        let scale = Scale::of_positive(out);
        out.iter_mut().for_each(|value| *value = scale.apply(*value));
    }
}

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

impl Upsampling {
    fn position(self, pixel: usize, cells: usize, size: usize) -> f32 {
        let position = match self {
            Self::CornerAligned => pixel as f32 * (cells - 1) as f32 / (size - 1).max(1) as f32,
            Self::HalfPixel => (pixel as f32 + 0.5) * cells as f32 / size as f32 - 0.5,
        };
        position.clamp(0.0, (cells - 1) as f32)
    }

    /// Bilinear, `[height, width]` to `[rows, columns]`.
    pub(crate) fn enlarge(self, map: &[f32], [height, width]: [usize; 2], [rows, columns]: [usize; 2]) -> Vec<f32> {
        let mut out = Vec::with_capacity(rows * columns);
        let across: Vec<_> = (0..columns)
            .map(|x| neighbours(self.position(x, width, columns), width))
            .collect();
        for y in 0..rows {
            let (top, bottom, down) = neighbours(self.position(y, height, rows), height);
            let (top, bottom) = (&map[top * width..][..width], &map[bottom * width..][..width]);
            out.extend(across.iter().map(|&(left, right, across)| {
                let upper = top[left] * (1.0 - across) + top[right] * across;
                let lower = bottom[left] * (1.0 - across) + bottom[right] * across;
                upper * (1.0 - down) + lower * down
            }));
        }
        out
    }
}

fn neighbours(position: f32, cells: usize) -> (usize, usize, f32) {
    let first = (position as usize).min(cells - 1);
    (first, (first + 1).min(cells - 1), position - first as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    fn finalise(resize: Resize, raw: &[f32], width: usize, size: usize) -> Vec<f32> {
        let mut out = vec![7.0; size * size];
        Resizer::new(resize, raw.len() / width, width, size).finalise(raw, &mut out);
        out
    }

    fn assert_map(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_relative_eq!(*found, *expected, epsilon = 1e-6);
        }
    }

    #[test]
    fn two_by_two_by_hand() {
        // 0, 1/2, 1 after the first scaling; the pixel centres lie at cells -0.25, 0.25, 0.75, 1.25.
        let found = finalise(Resize::HalfPixel, &[-3.0, 2.0, 0.0, 4.0], 2, 4);
        let row = |low: f32, high: f32| [low, 0.75 * low + 0.25 * high, 0.25 * low + 0.75 * high, high];
        let expected: Vec<f32> = [0.0, 0.25, 0.75, 1.0]
            .iter()
            .flat_map(|t| row(0.0, 0.5 + 0.5 * t))
            .collect();
        assert_map(&found, &expected);
        // Pixels lie at cells 0, 0.5, 1, 1 (edge).
        let found = finalise(Resize::CellCentred, &[-3.0, 2.0, 0.0, 4.0], 2, 4);
        let row = |high: f32| [0.0, 0.5 * high, high, high];
        let expected: Vec<f32> = [0.5, 0.75, 1.0, 1.0].into_iter().flat_map(row).collect();
        assert_map(&found, &expected);
    }

    #[test]
    fn corners_and_half_pixels_by_hand() {
        let enlarge = |upsampling: Upsampling| upsampling.enlarge(&[0.0, 3.0], [1, 2], [1, 4]);
        assert_eq!(enlarge(Upsampling::CornerAligned), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(enlarge(Upsampling::HalfPixel), [0.0, 0.75, 2.25, 3.0]);
        assert_eq!(Upsampling::CornerAligned.enlarge(&[2.0], [1, 1], [2, 2]), [2.0; 4]);
    }

    #[test]
    fn the_resized_map_is_scaled_again() {
        // At 2 x 2 half-pixel centres of 3 cells: 0.25 and 1.75, so that the middle's 1 becomes 0.25 before the scaling.
        let found = finalise(Resize::HalfPixel, &[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 3, 2);
        assert_map(&found, &[1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn maps_without_shape_are_zero() {
        for raw in [[0.0; 4], [-1.0, -2.0, -3.0, 0.0], [5.0; 4], [f32::NEG_INFINITY; 4]] {
            assert_eq!(finalise(Resize::HalfPixel, &raw, 2, 5), [0.0; 25], "{raw:?}");
        }
    }

    #[test]
    fn broken_maps_stay_broken() {
        for broken in [f32::NAN, f32::INFINITY] {
            let found = finalise(Resize::HalfPixel, &[1.0, broken, 0.0, 2.0], 2, 3);
            assert!(found.iter().all(|value| value.is_nan()));
        }
    }

    #[test]
    fn the_same_size_is_no_resize() {
        for resize in Resize::ALL {
            assert_map(&finalise(*resize, &[0.0, 1.0, 2.0, 4.0], 2, 2), &[0.0, 0.25, 0.5, 1.0]);
        }
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(finalise(Resize::HalfPixel, &[1.0], 1, 0).is_empty());
        let mut out = [1.0; 4];
        Resizer::new(Resize::HalfPixel, 0, 0, 2).finalise(&[], &mut out);
        assert_eq!(out, [0.0; 4]);
    }

    /// Where a single active cell of a 7 x 7 map peaks in an image of 112: between pixels 16 i + 7 and 16 i + 8, or at 16 i.
    #[test]
    fn a_cell_is_where_the_convention_says() {
        let mut raw = [0.0; 49];
        raw[3 * 7 + 2] = 1.0;
        let centre = |resize| {
            let map = finalise(resize, &raw, 7, 112);
            let sum: f32 = map.iter().sum();
            let mean = |coordinate: fn(usize) -> usize| {
                map.iter()
                    .enumerate()
                    .map(|(i, value)| value * coordinate(i) as f32)
                    .sum::<f32>()
                    / sum
            };
            (mean(|i| i % 112), mean(|i| i / 112))
        };
        let (x, y) = centre(Resize::HalfPixel);
        assert_relative_eq!(x, 39.5, epsilon = 1e-3);
        assert_relative_eq!(y, 55.5, epsilon = 1e-3);
        let (x, y) = centre(Resize::CellCentred);
        assert_relative_eq!(x, 32.0, epsilon = 1e-3);
        assert_relative_eq!(y, 48.0, epsilon = 1e-3);
    }

    proptest! {
        #[test]
        fn values_fill_the_range(raw in prop::collection::vec(-5.0_f32..5.0, 12), size in 1_usize..40) {
            for resize in Resize::ALL {
                let map = finalise(*resize, &raw, 4, size);
                let largest = map.iter().fold(0.0_f32, |a, &b| a.max(b));
                let least = map.iter().fold(f32::INFINITY, |a, &b| a.min(b));
                prop_assert!((0.0..=1.0).contains(&least) && (0.0..=1.0).contains(&largest));
                prop_assert!(least < 1e-6);
                let flat = largest < 1e-6;
                prop_assert!(flat || largest > 0.999, "{}", largest);
            }
        }

        #[test]
        fn scale_does_not_matter(raw in prop::collection::vec(0.1_f32..5.0, 9), factor in 0.1_f32..100.0) {
            let scaled: Vec<f32> = raw.iter().map(|value| value * factor).collect();
            let (one, other) = (finalise(Resize::HalfPixel, &raw, 3, 9), finalise(Resize::HalfPixel, &scaled, 3, 9));
            let spread = raw.iter().fold(0.0_f32, |a, &b| a.max(b)) - raw.iter().fold(9.0_f32, |a, &b| a.min(b));
            prop_assume!(spread > 0.1);
            for (a, b) in one.iter().zip(other) {
                prop_assert!((a - b).abs() < 1e-4, "{} {}", a, b);
            }
        }
    }
}
