//! A region over the few cells that a map is made of, so that a map is measured without its pixels.

use super::energy::{Localisation, Tally};

/// What a region's pixels are made of, in a map whose pixels are weighted means of cells: for each cell the sum of the shares that
/// the pixels take of it.
///
/// Sums of such a map over the region are products of two short vectors, and so [`localisation`](Self::localisation) says the same as
/// [`localisation`](crate::localisation) on the map's pixels, to the rounding of their float32.
///
/// ```
/// use metrics::{Active, Footprint};
///
/// // Three pixels between two cells: the first, the middle of both, the second. All look at both cells: one block.
/// let shares = [[(0, 1.0), (1, 0.0)], [(0, 0.5), (1, 0.5)], [(0, 0.0), (1, 1.0)]];
/// let (mut left, mut whole) = (Footprint::empty(2, 1), Footprint::empty(2, 1));
/// left.add(0, &shares[0]);
/// shares.iter().for_each(|pixel| whole.add(0, pixel));
/// let found = left.localisation(&whole, &[3.0, 1.0], &Active::blocks(vec![true]));
/// assert_eq!(found.energy, Some(0.5)); // 3 of 3 + 2 + 1
/// assert_eq!(found.mask_ratio, Some(1.0 / 3.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Footprint {
    shares: Vec<f64>,
    /// Pixels of the region in each block of pixels that look at the same cells.
    blocks: Vec<u32>,
    pixels: usize,
}

/// Which pixels of a map are above 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Active {
    /// For each block of pixels that look at the same cells; `None` where it depends on the pixel.
    blocks: Option<Vec<bool>>,
}

impl Active {
    /// One value for each block: whether all of its pixels are above 0, or none.
    #[must_use]
    pub fn blocks(blocks: Vec<bool>) -> Self {
        Self { blocks: Some(blocks) }
    }

    /// Only the pixels themselves tell.
    #[must_use]
    pub fn unknown() -> Self {
        Self { blocks: None }
    }

    /// Whether the blocks tell.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.blocks.is_some()
    }
}

impl Footprint {
    /// The footprint of no pixel, over so many cells and blocks of pixels that look at the same cells.
    #[must_use]
    pub fn empty(cells: usize, blocks: usize) -> Self {
        Self {
            shares: vec![0.0; cells],
            blocks: vec![0; blocks],
            pixels: 0,
        }
    }

    /// Adds a pixel: its block, and the shares that it takes of cells.
    ///
    /// # Panics
    /// When there is no such block or cell.
    pub fn add(&mut self, block: usize, shares: &[(usize, f64)]) {
        shares.iter().for_each(|&(cell, share)| self.shares[cell] += share);
        self.blocks[block] += 1;
        self.pixels += 1;
    }

    /// Number of pixels of the region.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.pixels
    }

    /// Sum of the map over the region, from its cells.
    ///
    /// # Panics
    /// When the cells are of another number.
    #[must_use]
    pub fn energy(&self, cells: &[f32]) -> f64 {
        assert_eq!(cells.len(), self.shares.len(), "number of cells");
        let products = self.shares.iter().zip(cells);
        let sum: f64 = products.map(|(share, cell)| share * f64::from(*cell)).sum();
        // Cells below the least pixel leave a rounding below 0.
        if sum < 0.0 { 0.0 } else { sum }
    }

    /// Number of active pixels in the region; `None` where only the pixels of the map tell.
    #[must_use]
    pub fn active(&self, active: &Active) -> Option<usize> {
        let blocks = active.blocks.as_ref()?;
        let counts = blocks.iter().zip(&self.blocks).filter(|(active, _)| **active);
        Some(counts.map(|(_, pixels)| *pixels as usize).sum())
    }

    /// How much of the map of these cells lies in the region; `whole` is the footprint of all pixels. Mask ratios are absent where
    /// only the pixels of the map tell.
    ///
    /// # Panics
    /// When the cells are of another number.
    #[must_use]
    pub fn localisation(&self, whole: &Self, cells: &[f32], active: &Active) -> Localisation {
        let tally = |footprint: &Self| Tally {
            energy: footprint.energy(cells),
            active: footprint.active(active).unwrap_or_default(),
        };
        let area = self.pixels as f64 / whole.pixels.max(1) as f64;
        tally(self).localisation(tally(whole), area)
    }

    /// Proportional energy alone; `None` for a map without energy, and of a region without pixel.
    ///
    /// # Panics
    /// When the cells are of another number.
    #[must_use]
    pub fn proportional_energy(&self, whole: &Self, cells: &[f32]) -> Option<f64> {
        let energy = self.localisation(whole, cells, &Active::unknown()).energy;
        energy.filter(|_| self.pixels > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Region, localisation};

    /// Where every pixel is a cell and a block of its own, a footprint is a mask.
    #[test]
    fn of_single_pixels_it_is_the_mask() {
        let region = Region::from_mask(3, (0..9).map(|pixel| pixel % 3 == 0).collect()).unwrap();
        let footprint = |inside: &dyn Fn(usize) -> bool| {
            let mut footprint = Footprint::empty(9, 9);
            (0..9)
                .filter(|&pixel| inside(pixel))
                .for_each(|pixel| footprint.add(pixel, &[(pixel, 1.0)]));
            footprint
        };
        let (inside, whole) = (footprint(&|pixel| region.mask()[pixel]), footprint(&|_| true));
        assert_eq!((inside.pixels(), whole.pixels()), (3, 9));
        for map in [[0.0, 1.0, 0.0, 2.0, 0.0, 0.0, 0.5, 0.5, 0.0], [0.0; 9]] {
            let active = Active::blocks(map.iter().map(|&value| value > 0.0).collect());
            let expected = localisation(&map, &region).unwrap();
            assert_eq!(inside.localisation(&whole, &map, &active), expected);
            assert_eq!(inside.proportional_energy(&whole, &map), expected.energy);
        }
    }

    #[test]
    fn what_only_pixels_tell_is_absent() {
        let mut one = Footprint::empty(1, 1);
        one.add(0, &[(0, 1.0)]);
        assert!(!Active::unknown().is_known());
        let found = one.localisation(&one, &[2.0], &Active::unknown());
        assert_eq!((found.energy, found.mask_ratio), (Some(1.0), None));
        assert_eq!(Footprint::empty(1, 1).proportional_energy(&one, &[2.0]), None);
    }
}
