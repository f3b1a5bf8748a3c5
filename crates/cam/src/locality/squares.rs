//! The squares of the image that the cells of a layer stand for.

use super::shares::CellInfluence;
use crate::resize::Placement;

/// The squares of the image that the cells of a layer stand for: every pixel belongs to the cell that it is nearest to.
#[derive(Debug, Clone)]
pub(super) struct Squares {
    /// Rows and columns of cells.
    pub(super) shape: [usize; 2],
    /// Rows and columns of pixels.
    pub(super) size: [usize; 2],
    /// The cell's row of each row of pixels, and its column of each column.
    rows: Vec<usize>,
    columns: Vec<usize>,
}

impl Squares {
    pub(super) fn new(placement: Placement, shape: [usize; 2], size: [usize; 2]) -> Self {
        Self {
            rows: placement.nearest(shape[0], size[0]),
            columns: placement.nearest(shape[1], size[1]),
            shape,
            size,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.shape[0] * self.shape[1]
    }

    pub(super) fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    pub(super) fn cell_of_pixels(&self) -> Vec<usize> {
        let width = self.shape[1];
        let row = |row: &usize| {
            let row = *row;
            self.columns.iter().map(move |column| row * width + column)
        };
        self.rows.iter().flat_map(row).collect()
    }

    /// Of values of the pixels.
    pub(super) fn sums_of_pixels(&self, cell: [usize; 2], map: &[f32]) -> CellInfluence {
        let mut sums = CellInfluence::default();
        for (row, values) in self.rows.iter().zip(map.chunks_exact(self.size[1].max(1))) {
            for (column, value) in self.columns.iter().zip(values) {
                add(&mut sums, cell, [*row, *column], f64::from(*value));
            }
        }
        sums
    }

    /// Of values of the squares.
    pub(super) fn sums_of_squares(&self, cell: [usize; 2], values: &[f32]) -> CellInfluence {
        let width = self.shape[1];
        let mut sums = CellInfluence::default();
        for (square, value) in values.iter().enumerate() {
            add(&mut sums, cell, [square / width, square % width], f64::from(*value));
        }
        sums
    }
}

/// Adds what lies in the square of one cell to what a cell has.
fn add(sums: &mut CellInfluence, of: [usize; 2], at: [usize; 2], value: f64) {
    sums.all += value;
    let away = of[0].abs_diff(at[0]).max(of[1].abs_diff(at[1]));
    if away <= 1 {
        sums.grown += value;
    }
    if away == 0 {
        sums.own += value;
    }
}
