//! What a decision loses when a part of the image is hidden: the causal check of where a classifier looks.
//!
//! A score that loses nothing without the attribute's region was not reached there, whatever a map shows. Hiding any part of an
//! image may move a score, so the same is done to an equal area of the same shape elsewhere ([`Region::elsewhere`]), and what
//! the region loses *beyond* that is its own.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::region::Region;

/// Draws before [`Region::elsewhere`] gives up. A shape that has room at one position in a hundred is missed once in 10^17.
const DRAWS: usize = 4096;

/// The scores of one image and attribute for the class that is predicted of the whole image: z times the sign of its own z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occluded {
    /// Of the image as it is, |z|.
    pub score: f64,
    /// With the region hidden: negative where the decision turns.
    pub region: f64,
    /// With an equal area elsewhere hidden; absent where the image has no room for one.
    pub control: Option<f64>,
}

impl Occluded {
    /// What the score loses without the region, in logits; negative where it grows.
    #[must_use]
    pub fn drop(&self) -> f64 {
        self.score - self.region
    }

    /// What it loses without the control area.
    #[must_use]
    pub fn control_drop(&self) -> Option<f64> {
        Some(self.score - self.control?)
    }

    /// What it loses without the region beyond what it loses without the control area.
    #[must_use]
    pub fn beyond_control(&self) -> Option<f64> {
        Some(self.control? - self.region)
    }

    /// Whether the decision turns without the region.
    #[must_use]
    pub fn turns(&self) -> bool {
        self.region < 0.0
    }
}

impl Region {
    /// The region moved to where it has no pixel in common with itself and none outside the image: the same area in the same
    /// shape elsewhere, at a position drawn with `seed` from all that there are, each as likely.
    ///
    /// `None` where there is no room for it (a region that spans most of the image) or hardly any, and for an empty region.
    #[must_use]
    pub fn elsewhere(&self, seed: u64) -> Option<Self> {
        let size = self.size();
        let pixels: Vec<(usize, usize)> = (0..size * size)
            .filter(|&pixel| self.mask()[pixel])
            .map(|pixel| (pixel / size, pixel % size))
            .collect();
        let range = |values: fn(&(usize, usize)) -> usize| {
            let (low, high) = (pixels.iter().map(values).min()?, pixels.iter().map(values).max()?);
            Some(-(low as i64)..=(size - 1 - high) as i64)
        };
        let (rows, columns) = (range(|pixel| pixel.0)?, range(|pixel| pixel.1)?);
        let moved = |&(row, column): &(usize, usize), [down, right]: [i64; 2]| {
            (row as i64 + down) as usize * size + (column as i64 + right) as usize
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shift = (0..DRAWS)
            .map(|_| [rng.random_range(rows.clone()), rng.random_range(columns.clone())])
            .find(|&shift| pixels.iter().all(|pixel| !self.mask()[moved(pixel, shift)]))?;
        let mut mask = vec![false; size * size];
        pixels.iter().for_each(|pixel| mask[moved(pixel, shift)] = true);
        Self::from_mask(size, mask).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn losses_by_hand() {
        let found = Occluded {
            score: 1.0,
            region: -0.5,
            control: Some(0.75),
        };
        assert_eq!((found.drop(), found.control_drop()), (1.5, Some(0.25)));
        assert_eq!((found.beyond_control(), found.turns()), (Some(1.25), true));
        let alone = Occluded { control: None, ..found };
        assert_eq!((alone.control_drop(), alone.beyond_control()), (None, None));
    }

    #[test]
    fn what_fills_the_image_has_no_elsewhere() {
        let rows = |rows: std::ops::Range<usize>| {
            Region::from_mask(6, (0..36).map(|pixel| rows.contains(&(pixel / 6))).collect()).unwrap()
        };
        assert_eq!(rows(0..3).elsewhere(1), Some(rows(3..6)));
        assert_eq!(rows(1..4).elsewhere(1), None);
        assert_eq!(rows(0..6).elsewhere(1), None);
        assert_eq!(rows(0..0).elsewhere(1), None);
        let nothing = Region::from_mask(0, Vec::new()).unwrap();
        assert_eq!(nothing.elsewhere(1), None);
    }

    proptest! {
        #[test]
        fn elsewhere_has_the_shape_and_nothing_in_common(
            [top, left] in prop::array::uniform2(0_usize..9),
            shape in prop::collection::vec(any::<bool>(), 9),
            seed in any::<u64>(),
        ) {
            let mask: Vec<bool> = (0..144)
                .map(|pixel| match ((pixel / 12_usize).checked_sub(top), (pixel % 12_usize).checked_sub(left)) {
                    (Some(row @ 0..3), Some(column @ 0..3)) => shape[3 * row + column],
                    _ => false,
                })
                .collect();
            let region = Region::from_mask(12, mask).unwrap();
            let found = region.elsewhere(seed);
            prop_assert_eq!(found.is_some(), region.pixels() > 0);
            let Some(found) = found else { return Ok(()) };
            prop_assert_eq!(&Some(found.clone()), &region.elsewhere(seed));
            prop_assert!(found.mask().iter().zip(region.mask()).all(|(a, b)| !(*a && *b)));
            let pixels = |region: &Region| -> Vec<i64> {
                let inside = (0..144_i64).filter(|&pixel| region.mask()[pixel as usize]);
                inside.collect()
            };
            let (from, to) = (pixels(&region), pixels(&found));
            prop_assert_eq!(from.len(), to.len());
            prop_assert!(from.iter().zip(&to).all(|(a, b)| b - a == to[0] - from[0]), "{:?} {:?}", from, to);
        }
    }
}
