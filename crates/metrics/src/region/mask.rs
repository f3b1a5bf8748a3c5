//! Where an attribute is expected to be visible: boxes of grid cells, or an exact mask.

use crate::error::{Error, check_length};

/// A set of pixels of a square map, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    size: usize,
    pixels: usize,
    mask: Vec<bool>,
}

impl Region {
    /// A region from an exact mask over `size` x `size` pixels, row-major. An empty mask is allowed: nothing lies inside it.
    ///
    /// # Errors
    /// A mask that does not have `size * size` values.
    pub fn from_mask(size: usize, mask: Vec<bool>) -> Result<Self, Error> {
        check_length("mask", mask.len(), size * size)?;
        let pixels = mask.iter().filter(|&&inside| inside).count();
        Ok(Self { size, pixels, mask })
    }

    /// Side of the square in pixels.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Number of pixels inside.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.pixels
    }

    /// Pixels inside / all pixels, in `[0, 1]`: the energy that a uniform map has inside, so chance level.
    #[must_use]
    pub fn area(&self) -> f64 {
        if self.mask.is_empty() {
            0.0
        } else {
            self.pixels as f64 / self.mask.len() as f64
        }
    }

    /// `true` for pixels inside, row-major `[size, size]`.
    #[must_use]
    pub fn mask(&self) -> &[bool] {
        &self.mask
    }

    /// How much of each cell of a `height` x `width` raster over the square lies inside, row-major, in `[0, 1]`: a pixel belongs
    /// to the cell that its centre lies in.
    #[must_use]
    pub fn cell_shares(&self, height: usize, width: usize) -> Vec<f64> {
        let cell = |pixel: usize, cells: usize| cell_of(pixel, self.size, cells);
        let mut counts = vec![(0_usize, 0_usize); height * width];
        for (pixel, &inside) in self.mask.iter().enumerate() {
            let (row, column) = (cell(pixel / self.size, height), cell(pixel % self.size, width));
            let (of_cell, pixels) = &mut counts[row * width + column];
            *of_cell += usize::from(inside);
            *pixels += 1;
        }
        let share = |(inside, pixels): (usize, usize)| inside as f64 / pixels.max(1) as f64;
        counts.into_iter().map(share).collect()
    }
}

/// A box of cells of a grid. Ranges are half-open: `[first, one past the last]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellBox {
    /// Rows, from the top.
    pub rows: [usize; 2],
    /// Columns, from the left.
    pub columns: [usize; 2],
}

/// A region given by cells of a square grid over the aligned face, independent of the map's size. The paper uses 7 x 7 cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    side: usize,
    cells: Vec<bool>,
}

impl Grid {
    /// The cells of the `include` boxes without those of the `exclude` boxes, on a grid of `side` x `side` cells.
    ///
    /// # Errors
    /// A box that is empty or leaves the grid; a region without any cell.
    pub fn new(side: usize, include: &[CellBox], exclude: &[CellBox]) -> Result<Self, Error> {
        let mut cells = vec![false; side * side];
        for (boxes, value) in [(include, true), (exclude, false)] {
            for cell_box in boxes {
                check("rows", cell_box.rows, side)?;
                check("columns", cell_box.columns, side)?;
                for row in cell_box.rows[0]..cell_box.rows[1] {
                    cells[row * side + cell_box.columns[0]..row * side + cell_box.columns[1]].fill(value);
                }
            }
        }
        if !cells.contains(&true) {
            return Err(Error::EmptyRegion);
        }
        Ok(Self { side, cells })
    }

    /// Cells along a side.
    #[must_use]
    pub fn side(&self) -> usize {
        self.side
    }

    /// `true` for cells inside, row-major `[side, side]`.
    #[must_use]
    pub fn cells(&self) -> &[bool] {
        &self.cells
    }

    /// The region over a map of `size` x `size` pixels: a pixel belongs to the cell that its centre lies in, so cells are equal
    /// squares wherever `size` is a multiple of the side.
    #[must_use]
    pub fn region(&self, size: usize) -> Region {
        let cells: Vec<usize> = (0..size).map(|pixel| cell_of(pixel, size, self.side)).collect();
        let mask: Vec<bool> = cells
            .iter()
            .flat_map(|&row| cells.iter().map(move |&column| self.cells[row * self.side + column]))
            .collect();
        let pixels = mask.iter().filter(|&&inside| inside).count();
        Region { size, pixels, mask }
    }
}

/// Which of `cells` equal parts of a side of `size` pixels the centre of a pixel lies in.
pub(crate) fn cell_of(pixel: usize, size: usize, cells: usize) -> usize {
    (2 * pixel + 1) * cells / (2 * size)
}

fn check(axis: &'static str, [start, end]: [usize; 2], side: usize) -> Result<(), Error> {
    if start < end && end <= side {
        Ok(())
    } else {
        Err(Error::CellBox { axis, start, end, side })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_become_equal_squares() {
        let grid = Grid::new(
            7,
            &[CellBox {
                rows: [4, 5],
                columns: [2, 5],
            }],
            &[],
        )
        .unwrap();
        let region = grid.region(224);
        assert_eq!(region.pixels(), 3 * 32 * 32);
        assert!(region.mask()[128 * 224 + 64] && !region.mask()[127 * 224 + 64] && !region.mask()[128 * 224 + 160]);
        assert!((region.area() - 3.0 / 49.0).abs() < 1e-15);
    }

    #[test]
    fn any_size_gives_every_pixel_one_cell() {
        let whole = Grid::new(
            7,
            &[CellBox {
                rows: [0, 7],
                columns: [0, 7],
            }],
            &[],
        )
        .unwrap();
        for size in [1, 5, 7, 60, 100, 113] {
            assert_eq!(whole.region(size).pixels(), size * size);
        }
    }

    #[test]
    fn cells_are_shared_by_area() {
        let left = Region::from_mask(4, (0..16).map(|pixel| pixel % 4 < 1).collect()).unwrap();
        assert_eq!(left.cell_shares(1, 2), [0.5, 0.0]);
        assert_eq!(left.cell_shares(2, 4), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn exclude_wins_over_include() {
        let grid = Grid::new(
            3,
            &[CellBox {
                rows: [0, 3],
                columns: [0, 3],
            }],
            &[CellBox {
                rows: [1, 2],
                columns: [1, 2],
            }],
        )
        .unwrap();
        assert_eq!(
            grid.region(3).mask(),
            [true, true, true, true, false, true, true, true, true]
        );
    }

    #[test]
    fn bad_boxes_are_refused() {
        let outside = CellBox {
            rows: [0, 8],
            columns: [0, 1],
        };
        assert!(
            Grid::new(7, &[outside], &[])
                .unwrap_err()
                .to_string()
                .contains("rows [0, 8)")
        );
        let empty = CellBox {
            rows: [0, 1],
            columns: [3, 3],
        };
        assert!(matches!(
            Grid::new(7, &[empty], &[]),
            Err(Error::CellBox { axis: "columns", .. })
        ));
        let one = CellBox {
            rows: [0, 1],
            columns: [0, 1],
        };
        assert_eq!(Grid::new(7, &[one], &[one]), Err(Error::EmptyRegion));
        assert!(Region::from_mask(3, vec![true; 8]).is_err());
    }
}
