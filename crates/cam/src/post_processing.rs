//! Post-processing of one method's maps, as pixels, or as the few numbers that sums over pixels are made of.

use metrics::{Active, Footprint};

use crate::blur::Blur;
use crate::resize::{Resize, Resizer, Tap};
use crate::scale::{EPSILON, Scale, scale};
use crate::{Error, Method, Result};

/// What FAME's authors add to a map's range.
const FAME_EPSILON: f32 = 1e-8;

/// Post-processing for the maps of a method.
///
/// Maps of a layer: the authors' steps (pytorch-grad-cam's `scale_cam_image` and `aggregate_multi_layers`),
///
/// 1. m = max(raw, 0)
/// 2. m = m - min(m); m = m / (1e-7 + max(m))
/// 3. bilinear resize
/// 4. step 2 again, because a resized map generally attains neither 0 nor 1
///
/// FullGrad's and RISE's maps have the image's size: step 2 alone, without ReLU, because their values are no evidence for and
/// against. So do FAME's, which are blurred before (a Gaussian of deviation 7.7 pixels at a side of 224, in proportion at others), with
/// its authors' 1e-8 in the place of 1e-7.
///
/// A final map is linear in few numbers: the resize and what follows the ReLU are affine, and their minimum and maximum can be
/// found without visiting all pixels. [`cells`](Self::cells) gives those numbers, [`Footprint`] what a region makes of them. So the
/// energy of a map in a region is a product of two short vectors, and the mean of final maps is the enlarged mean of their cells.
///
/// ```
/// use cam::{PostProcessing, Method, Resize};
///
/// let post_processing = PostProcessing::new(Method::HiresCam, Resize::HalfPixel, [2, 2], 8)?;
/// let raw = [-3.0, 2.0, 0.0, 4.0];
/// let mut map = [0.0; 64];
/// post_processing.finalise(&raw, &mut map);
///
/// let mut cells = [0.0; 4];
/// post_processing.cells(&raw, &mut cells);
/// let right = post_processing.footprint((0..64).map(|pixel| pixel % 8 >= 4));
/// let sum: f32 = map.chunks(8).flat_map(|row| &row[4..]).sum();
/// assert!((right.energy(&cells) - f64::from(sum)).abs() < 1e-4);
/// # Ok::<(), cam::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PostProcessing {
    resizer: Resizer,
    /// What is done to maps of the image's size, without ReLU and resize; `None` for maps of a layer.
    whole: Option<Whole>,
    rows: Axis,
    columns: Axis,
}

/// What is done to a map of the image's size.
#[derive(Debug, Clone)]
struct Whole {
    blur: Option<Blur>,
    /// Added to the range before the division by it.
    epsilon: f32,
}

impl Whole {
    fn of(method: Method, size: usize) -> Option<Self> {
        let blur = (method == Method::Fame).then(|| Blur::of_fame(size));
        let epsilon = if blur.is_some() { FAME_EPSILON } else { EPSILON };
        method.is_whole().then_some(Self { blur, epsilon })
    }

    fn finalise(&self, map: &mut [f32]) {
        if let Some(blur) = &self.blur {
            blur.apply(map);
        }
        scale(map, self.epsilon);
    }
}

/// Rows or columns of pixels, in runs that look at the same cells.
#[derive(Debug, Clone)]
struct Axis {
    /// The cells of each run; one twice where no other counts.
    runs: Vec<[usize; 2]>,
    /// The first and last pixel of each run: linear in between.
    ends: Vec<usize>,
    run_of: Vec<usize>,
}

impl Axis {
    fn new(taps: &[Tap]) -> Self {
        let cells = |tap: &Tap| [tap.first, if tap.share > 0.0 { tap.second } else { tap.first }];
        let mut axis = Self {
            runs: Vec::new(),
            ends: Vec::new(),
            run_of: Vec::with_capacity(taps.len()),
        };
        for (pixel, tap) in taps.iter().enumerate() {
            if axis.runs.last() == Some(&cells(tap)) {
                *axis.ends.last_mut().expect("a run has ends") = pixel;
            } else {
                axis.runs.push(cells(tap));
                axis.ends.extend([pixel, pixel]);
            }
            axis.run_of.push(axis.runs.len() - 1);
        }
        axis.ends.dedup();
        axis
    }
}

impl PostProcessing {
    /// For raw maps of `height` x `width` cells and images of `size` x `size` pixels.
    ///
    /// # Errors
    /// [`Error::Shape`] for another size than the image's where the method's maps have that.
    pub fn new(method: Method, resize: Resize, [height, width]: [usize; 2], size: usize) -> Result<Self> {
        let whole = Whole::of(method, size);
        if whole.is_some() && [height, width] != [size; 2] {
            return Err(Error::Shape {
                what: "final map",
                found: vec![size, size],
                expected: format!("{height} x {width}, as {method} has it"),
            });
        }
        Ok(Self {
            whole,
            ..Self::of_layer(resize, [height, width], size)
        })
    }

    /// For maps of a layer, whatever made them.
    pub fn of_layer(resize: Resize, cells: [usize; 2], size: usize) -> Self {
        let resizer = Resizer::new(resize, cells, [size; 2]);
        let (rows, columns) = resizer.taps();
        let (rows, columns) = (Axis::new(rows), Axis::new(columns));
        Self {
            resizer,
            whole: None,
            rows,
            columns,
        }
    }

    /// Side of the final maps in pixels.
    pub fn size(&self) -> usize {
        self.resizer.taps().1.len()
    }

    /// Rows and columns of a raw map.
    pub fn shape(&self) -> [usize; 2] {
        let width = self.resizer.width();
        [self.len().checked_div(width).unwrap_or(0), width]
    }

    /// Number of cells of a raw map.
    pub fn len(&self) -> usize {
        self.resizer.cells()
    }

    /// Whether maps have no cell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The final map of a raw one, `raw` `[height, width]` to `out` `[size, size]`, values in [0, 1). A map without positive value,
    /// and one that is constant, becomes all zero; one with NaN or +infinity becomes all NaN. Nothing is allocated but one small
    /// buffer per thread.
    ///
    /// # Panics
    /// When the slices do not have [`len`](Self::len) and `size * size` values.
    pub fn finalise(&self, raw: &[f32], out: &mut [f32]) {
        let size = self.size();
        assert_eq!(raw.len(), self.len(), "length of the raw map");
        assert_eq!(out.len(), size * size, "length of the final map");
        if let Some(whole) = &self.whole {
            out.copy_from_slice(raw);
            whole.finalise(out);
            return;
        }
        if raw.iter().any(|value| value.is_nan() || *value == f32::INFINITY) {
            out.fill(f32::NAN);
            return;
        }
        let range = Scale::of_positive(raw);
        self.resizer.resize(raw, |value| range.apply(value.max(0.0)), out);
        let range = Scale::of_positive(out);
        out.iter_mut().for_each(|value| *value = range.apply(*value));
    }

    /// The final map in its cells: [`enlarge`](Self::enlarge) makes the map of them, to the rounding of float32. A cell that no
    /// pixel shows by itself may lie outside of [0, 1].
    ///
    /// # Panics
    /// When the slices do not have [`len`](Self::len) values.
    pub fn cells(&self, raw: &[f32], cells: &mut [f32]) -> Active {
        assert_eq!(raw.len(), self.len(), "length of the raw map");
        cells.copy_from_slice(raw);
        if let Some(whole) = &self.whole {
            whole.finalise(cells);
            return self.active(cells, 0.0);
        }
        if raw.iter().any(|value| value.is_nan() || *value == f32::INFINITY) {
            cells.fill(f32::NAN);
            return Active::unknown();
        }
        let range = Scale::of_positive(raw);
        cells.iter_mut().for_each(|value| *value = range.apply(value.max(0.0)));
        let [least, largest] = self.extremes(cells);
        let active = self.active(cells, least);
        if largest <= least {
            // Pixels without a difference, whatever the cells between them: nothing would be scaled up but rounding.
            cells.fill(0.0);
            return self.active(cells, 0.0);
        }
        let range = Scale::between(least, largest, EPSILON);
        cells.iter_mut().for_each(|value| *value = range.apply(*value));
        active
    }

    /// Least and largest pixel of the enlarged cells: between the ends of two runs an enlargement is linear in either direction,
    /// so its extremes are at the ends.
    fn extremes(&self, cells: &[f32]) -> [f32; 2] {
        let (rows, columns) = self.resizer.taps();
        let width = self.resizer.width();
        let mut stretched = Vec::with_capacity(cells.len() * 3);
        for row in cells.chunks_exact(width.max(1)) {
            stretched.extend(self.columns.ends.iter().map(|&x| columns[x].of(row)));
        }
        let across = self.columns.ends.len();
        let (mut least, mut largest) = (f32::INFINITY, 0.0_f32);
        for tap in self.rows.ends.iter().map(|&y| rows[y]) {
            let first = &stretched[tap.first * across..][..across];
            let second = &stretched[tap.second * across..][..across];
            for (first, second) in first.iter().zip(second) {
                let value = first * (1.0 - tap.share) + second * tap.share;
                least = least.min(value);
                largest = largest.max(value);
            }
        }
        [least.min(largest), largest]
    }

    /// Which pixels are above the least one, where all cells of inactive ones are at it.
    fn active(&self, cells: &[f32], least: f32) -> Active {
        // A least pixel between cells is one of its run, and the run does not tell which.
        if least > 0.0 {
            return Active::unknown();
        }
        let width = self.resizer.width();
        let mut blocks = Vec::with_capacity(self.rows.runs.len() * self.columns.runs.len());
        for rows in &self.rows.runs {
            let is_active = |column: usize| rows.iter().any(|row| cells[row * width + column] > 0.0);
            let columns = self.columns.runs.iter();
            blocks.extend(columns.map(|&[left, right]| is_active(left) || is_active(right)));
        }
        Active::blocks(blocks)
    }

    /// The map of cells, `[size, size]`: plain bilinear enlargement.
    ///
    /// # Panics
    /// When the slices do not have [`len`](Self::len) and `size * size` values.
    pub fn enlarge(&self, cells: &[f32], out: &mut [f32]) {
        assert_eq!(cells.len(), self.len(), "number of cells");
        self.resizer.resize(cells, |value| value, out);
    }

    /// The footprint of a region, given as a mask over the pixels, row-major.
    pub fn footprint(&self, mask: impl IntoIterator<Item = bool>) -> Footprint {
        let mut footprint = self.empty_footprint();
        let size = self.size().max(1);
        let inside = mask.into_iter().enumerate().filter(|(_, inside)| *inside);
        inside.for_each(|(pixel, _)| self.add_pixel(&mut footprint, pixel % size, pixel / size));
        footprint
    }

    /// The footprint of no pixel.
    pub fn empty_footprint(&self) -> Footprint {
        Footprint::empty(self.len(), self.rows.runs.len() * self.columns.runs.len())
    }

    /// Adds a pixel to a footprint.
    ///
    /// # Panics
    /// When there is no such pixel.
    pub fn add_pixel(&self, footprint: &mut Footprint, x: usize, y: usize) {
        let (rows, columns) = self.resizer.taps();
        let (row, column, width) = (rows[y], columns[x], self.resizer.width());
        let (down, across) = (f64::from(row.share), f64::from(column.share));
        let rows = [(row.first, 1.0 - down), (row.second, down)];
        let columns = [(column.first, 1.0 - across), (column.second, across)];
        let shares = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(r, c)| {
            let ((row, down), (column, across)) = (rows[r], columns[c]);
            (row * width + column, down * across)
        });
        let block = self.rows.run_of[y] * self.columns.runs.len() + self.columns.run_of[x];
        footprint.add(block, &shares);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    fn finalise(resize: Resize, raw: &[f32], width: usize, size: usize) -> Vec<f32> {
        let mut out = vec![7.0; size * size];
        PostProcessing::of_layer(resize, [raw.len() / width, width], size).finalise(raw, &mut out);
        out
    }

    fn assert_map(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_relative_eq!(*found, *expected, epsilon = 1e-6);
        }
    }

    fn maps() -> impl Strategy<Value = Vec<f32>> {
        // Half of the cells negative, as before a ReLU, some maps without a zero, some all negative.
        prop_oneof![
            prop::collection::vec(-1.0_f32..1.0, 12),
            prop::collection::vec(0.2_f32..0.3, 12),
            prop::collection::vec(prop_oneof![Just(0.0_f32), 1e-6_f32..1e3], 12),
            prop::collection::vec(-1.0_f32..-0.5, 12),
        ]
    }

    proptest! {
        #[test]
        fn values_fill_the_range(raw in prop::collection::vec(-5.0_f32..5.0, 12), size in 1_usize..40) {
            for resize in Resize::ALL {
                let map = finalise(*resize, &raw, 4, size);
                prop_assert!(map.iter().all(|value| value.is_finite()));
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

        /// Sums over pixels are sums of float32 values in [0, 1] that differ by a few 2^-24; so are those of the cells.
        #[test]
        fn cells_are_the_final_map(raw in maps(), size in 1_usize..40, cut in 0.0_f64..1.0) {
            for resize in Resize::ALL {
                let post_processing = PostProcessing::new(Method::HiresCam, *resize, [3, 4], size).unwrap();
                let mut map = vec![0.0; size * size];
                post_processing.finalise(&raw, &mut map);
                let mut cells = [0.0; 12];
                let active = post_processing.cells(&raw, &mut cells);
                let mut enlarged = vec![0.0; size * size];
                post_processing.enlarge(&cells, &mut enlarged);
                for (a, b) in map.iter().zip(&enlarged) {
                    prop_assert!((a - b).abs() < 2e-5, "{} {}", a, b);
                }
                let inside = |pixel: usize| (pixel * 7919 % 101) as f64 / 101.0 < cut;
                let footprint = post_processing.footprint((0..size * size).map(inside));
                let pixels = || map.iter().enumerate().filter(|(pixel, _)| inside(*pixel)).map(|(_, value)| *value);
                let sum: f64 = pixels().map(f64::from).sum();
                prop_assert!((footprint.energy(&cells) - sum).abs() < 1e-5 * pixels().count().max(1) as f64);
                if let Some(count) = footprint.active(&active) {
                    prop_assert_eq!(count, pixels().filter(|value| *value > 0.0).count());
                }
            }
        }
    }

    #[test]
    fn maps_of_the_images_size_are_their_own_cells() {
        let post_processing = PostProcessing::new(Method::Rise, Resize::HalfPixel, [3, 3], 3).unwrap();
        let raw = [-1.0, 0.0, 1.0, 1.0, 1.0, 3.0, 0.0, 0.0, -1.0];
        let (mut map, mut cells) = ([0.0; 9], [0.0; 9]);
        post_processing.finalise(&raw, &mut map);
        let active = post_processing.cells(&raw, &mut cells);
        assert_eq!(map, cells);
        assert!((map[5] - 1.0).abs() < 1e-6 && map[0] == 0.0);
        let whole = post_processing.footprint([true; 9]);
        assert_eq!(whole.active(&active), Some(7));
        assert!(PostProcessing::new(Method::FullGrad, Resize::HalfPixel, [3, 3], 4).is_err());
    }

    #[test]
    fn maps_without_shape_have_no_energy_and_broken_ones_stay_broken() {
        let post_processing = PostProcessing::new(Method::HiresCam, Resize::HalfPixel, [2, 2], 6).unwrap();
        let whole = post_processing.footprint([true; 36]);
        for raw in [[0.0; 4], [-1.0, -2.0, -3.0, 0.0], [5.0; 4], [f32::NEG_INFINITY; 4]] {
            let mut cells = [7.0; 4];
            let active = post_processing.cells(&raw, &mut cells);
            assert_eq!((whole.energy(&cells), whole.active(&active)), (0.0, Some(0)), "{raw:?}");
        }
        for broken in [f32::NAN, f32::INFINITY] {
            let mut cells = [0.0; 4];
            let active = post_processing.cells(&[1.0, broken, 0.0, 2.0], &mut cells);
            assert!(whole.energy(&cells).is_nan() && whole.active(&active).is_none());
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
    fn nothing_gives_nothing() {
        assert!(finalise(Resize::HalfPixel, &[1.0], 1, 0).is_empty());
        let mut out = [1.0; 4];
        PostProcessing::of_layer(Resize::HalfPixel, [0, 0], 2).finalise(&[], &mut out);
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
}
