//! Post-processing of one method's maps, as pixels, or as the few numbers that sums over pixels are made of.

use crate::resize::Tap;
use crate::scale::{self, Scale};
use crate::{Error, Method, Resize, Resizer, Result};

/// Post-processing for the maps of a method.
///
/// Maps of a layer: ReLU, scaling, resize, scaling ([`Resizer::finalise`]). FullGrad's and RISE's have the image's size:
/// m - min(m), divided by 1e-7 + max(m), without ReLU, because their values are no evidence for and against.
///
/// A final map is linear in few numbers: the resize and what follows the ReLU are affine, and their minimum and maximum can be
/// found without visiting all pixels. [`cells`](Self::cells) gives those numbers, [`Footprint`] what a region makes of them. So the
/// energy of a map in a region is a product of two short vectors, and the mean of final maps is the enlarged mean of their cells.
///
/// ```
/// use cam::{Finaliser, Method, Resize};
///
/// let finaliser = Finaliser::new(Method::HiresCam, Resize::HalfPixel, [2, 2], 8)?;
/// let raw = [-3.0, 2.0, 0.0, 4.0];
/// let mut map = [0.0; 64];
/// finaliser.finalise(&raw, &mut map);
///
/// let mut cells = [0.0; 4];
/// finaliser.cells(&raw, &mut cells);
/// let right = finaliser.footprint((0..64).map(|pixel| pixel % 8 >= 4));
/// let sum: f32 = map.chunks(8).flat_map(|row| &row[4..]).sum();
/// assert!((right.energy(&cells) - f64::from(sum)).abs() < 1e-4);
/// # Ok::<(), cam::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Finaliser {
    resizer: Resizer,
    /// Maps of the image's size, without ReLU and resize.
    is_whole: bool,
    rows: Axis,
    columns: Axis,
}

/// What a region's pixels are made of: for each cell the sum of the shares that the pixels take of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Footprint {
    shares: Vec<f64>,
    /// Pixels of the region in each block of pixels that look at the same cells.
    pixels: Vec<u32>,
}

/// Which pixels of a final map are above 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Active {
    /// For each block of pixels that look at the same cells; `None` where it depends on the pixel.
    blocks: Option<Vec<bool>>,
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

impl Finaliser {
    /// For raw maps of `height` x `width` cells and images of `size` x `size` pixels.
    ///
    /// # Errors
    /// [`Error::Shape`] for another size than the image's where the method's maps have that.
    pub fn new(method: Method, resize: Resize, [height, width]: [usize; 2], size: usize) -> Result<Self> {
        let is_whole = method.is_whole();
        if is_whole && [height, width] != [size; 2] {
            return Err(Error::Shape {
                what: "final map",
                found: vec![size, size],
                expected: format!("{height} x {width}, as {method} has it"),
            });
        }
        let resizer = Resizer::new(resize, height, width, size);
        let (rows, columns) = resizer.taps();
        let (rows, columns) = (Axis::new(rows), Axis::new(columns));
        Ok(Self {
            resizer,
            is_whole,
            rows,
            columns,
        })
    }

    /// Side of the final maps in pixels.
    pub fn size(&self) -> usize {
        self.resizer.size()
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

    /// The final map of a raw one, values in [0, 1); see [`Resizer::finalise`] for maps that are constant or not finite.
    ///
    /// # Panics
    /// When the slices do not have [`len`](Self::len) and `size * size` values.
    pub fn finalise(&self, raw: &[f32], out: &mut [f32]) {
        if self.is_whole {
            out.copy_from_slice(raw);
            scale::scale(out);
        } else {
            self.resizer.finalise(raw, out);
        }
    }

    /// The final map in its cells: [`enlarge`](Self::enlarge) makes the map of them, to the rounding of float32. A cell that no
    /// pixel shows by itself may lie outside of [0, 1].
    ///
    /// # Panics
    /// When the slices do not have [`len`](Self::len) values.
    pub fn cells(&self, raw: &[f32], cells: &mut [f32]) -> Active {
        assert_eq!(raw.len(), self.len(), "length of the raw map");
        cells.copy_from_slice(raw);
        if self.is_whole {
            scale::scale(cells);
            return self.active(cells, 0.0);
        }
        if raw.iter().any(|value| value.is_nan() || *value == f32::INFINITY) {
            cells.fill(f32::NAN);
            return Active { blocks: None };
        }
        let scale = Scale::of_positive(raw);
        cells.iter_mut().for_each(|value| *value = scale.apply(value.max(0.0)));
        let [least, largest] = self.extremes(cells);
        let active = self.active(cells, least);
        if largest <= least {
            // Pixels without a difference, whatever the cells between them: nothing would be scaled up but rounding.
            cells.fill(0.0);
            return self.active(cells, 0.0);
        }
        let scale = Scale::between(least, largest);
        cells.iter_mut().for_each(|value| *value = scale.apply(*value));
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
            return Active { blocks: None };
        }
        let width = self.resizer.width();
        let mut blocks = Vec::with_capacity(self.rows.runs.len() * self.columns.runs.len());
        for rows in &self.rows.runs {
            let is_active = |column: usize| rows.iter().any(|row| cells[row * width + column] > 0.0);
            let columns = self.columns.runs.iter();
            blocks.extend(columns.map(|&[left, right]| is_active(left) || is_active(right)));
        }
        Active { blocks: Some(blocks) }
    }

    /// The map of cells, `[size, size]`: plain bilinear enlargement.
    ///
    /// # Panics
    /// When the slices do not have [`len`](Self::len) and `size * size` values.
    pub fn enlarge(&self, cells: &[f32], out: &mut [f32]) {
        assert_eq!(cells.len(), self.len(), "number of cells");
        self.resizer.resize(cells, out);
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
        Footprint {
            shares: vec![0.0; self.len()],
            pixels: vec![0; self.rows.runs.len() * self.columns.runs.len()],
        }
    }

    /// Adds a pixel to a footprint.
    ///
    /// # Panics
    /// When there is no such pixel.
    pub fn add_pixel(&self, footprint: &mut Footprint, x: usize, y: usize) {
        let (rows, columns) = self.resizer.taps();
        let (row, column, width) = (rows[y], columns[x], self.resizer.width());
        let (down, across) = (f64::from(row.share), f64::from(column.share));
        for (r, down) in [(row.first, 1.0 - down), (row.second, down)] {
            footprint.shares[r * width + column.first] += down * (1.0 - across);
            footprint.shares[r * width + column.second] += down * across;
        }
        footprint.pixels[self.rows.run_of[y] * self.columns.runs.len() + self.columns.run_of[x]] += 1;
    }
}

impl Footprint {
    /// Sum of the final map over the region, from its cells.
    ///
    /// # Panics
    /// When the cells are of another size.
    pub fn energy(&self, cells: &[f32]) -> f64 {
        assert_eq!(cells.len(), self.shares.len(), "number of cells");
        let products = self.shares.iter().zip(cells);
        let sum: f64 = products.map(|(share, cell)| share * f64::from(*cell)).sum();
        // Cells below the least pixel leave a rounding below 0.
        if sum < 0.0 { 0.0 } else { sum }
    }

    /// Number of pixels of the region.
    pub fn area(&self) -> usize {
        self.pixels.iter().map(|pixels| *pixels as usize).sum()
    }

    /// Number of active pixels in the region; `None` where only the pixels of the final map tell.
    pub fn active(&self, active: &Active) -> Option<usize> {
        let blocks = active.blocks.as_ref()?;
        let counts = blocks.iter().zip(&self.pixels).filter(|(active, _)| **active);
        Some(counts.map(|(_, pixels)| *pixels as usize).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        /// Sums over pixels are sums of float32 values in [0, 1] that differ by a few 2^-24; so are those of the cells.
        #[test]
        fn cells_are_the_final_map(raw in maps(), size in 1_usize..40, cut in 0.0_f64..1.0) {
            for resize in Resize::ALL {
                let finaliser = Finaliser::new(Method::HiresCam, *resize, [3, 4], size).unwrap();
                let mut map = vec![0.0; size * size];
                finaliser.finalise(&raw, &mut map);
                let mut cells = [0.0; 12];
                let active = finaliser.cells(&raw, &mut cells);
                let mut enlarged = vec![0.0; size * size];
                finaliser.enlarge(&cells, &mut enlarged);
                for (a, b) in map.iter().zip(&enlarged) {
                    prop_assert!((a - b).abs() < 2e-5, "{} {}", a, b);
                }
                let inside = |pixel: usize| (pixel * 7919 % 101) as f64 / 101.0 < cut;
                let footprint = finaliser.footprint((0..size * size).map(inside));
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
        let finaliser = Finaliser::new(Method::Rise, Resize::HalfPixel, [3, 3], 3).unwrap();
        let raw = [-1.0, 0.0, 1.0, 1.0, 1.0, 3.0, 0.0, 0.0, -1.0];
        let (mut map, mut cells) = ([0.0; 9], [0.0; 9]);
        finaliser.finalise(&raw, &mut map);
        let active = finaliser.cells(&raw, &mut cells);
        assert_eq!(map, cells);
        assert!((map[5] - 1.0).abs() < 1e-6 && map[0] == 0.0);
        let whole = finaliser.footprint([true; 9]);
        assert_eq!(whole.active(&active), Some(7));
        assert!(Finaliser::new(Method::FullGrad, Resize::HalfPixel, [3, 3], 4).is_err());
    }

    #[test]
    fn maps_without_shape_have_no_energy_and_broken_ones_stay_broken() {
        let finaliser = Finaliser::new(Method::HiresCam, Resize::HalfPixel, [2, 2], 6).unwrap();
        let whole = finaliser.footprint([true; 36]);
        for raw in [[0.0; 4], [-1.0, -2.0, -3.0, 0.0], [5.0; 4], [f32::NEG_INFINITY; 4]] {
            let mut cells = [7.0; 4];
            let active = finaliser.cells(&raw, &mut cells);
            assert_eq!((whole.energy(&cells), whole.active(&active)), (0.0, Some(0)), "{raw:?}");
        }
        for broken in [f32::NAN, f32::INFINITY] {
            let mut cells = [0.0; 4];
            let active = finaliser.cells(&[1.0, broken, 0.0, 2.0], &mut cells);
            assert!(whole.energy(&cells).is_nan() && whole.active(&active).is_none());
        }
    }
}
