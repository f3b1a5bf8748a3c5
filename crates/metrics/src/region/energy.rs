//! How much of a map lies inside a region.
//!
//! The proportional energy and the acceptable mask ratio are those of Zhang, Bieri and Günther, "Biased Binary Attribute Classifiers Ignore
//! the Majority Classes" (2024, arXiv 2403.14435); their published code has both, and corrects both by the region's area. The energy is the
//! `Proportion` of the energy-based pointing game of Wang et al., "Score-CAM" (2020, arXiv 1910.01279, section 4.3), with the attribute's
//! region for the bounding box.

use super::mask::Region;
use crate::error::{Error, check_length};

/// Localisation of one map in one region; all values in `[0, 1]`, `None` where the map has no activation at all.
///
/// The corrected values multiply by (pixels outside the region / all pixels), so that a large region earns less.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Localisation {
    /// Proportional energy: sum of the map inside / sum of the map.
    pub energy: Option<f64>,
    /// Corrected proportional energy.
    pub energy_corrected: Option<f64>,
    /// Acceptable mask ratio: active pixels (`> 0`) inside / active pixels.
    pub mask_ratio: Option<f64>,
    /// Corrected acceptable mask ratio.
    pub mask_ratio_corrected: Option<f64>,
}

/// Sum and number of active pixels of a set of pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Tally {
    /// Sum of the map, at least 0.
    pub(super) energy: f64,
    /// Number of pixels above 0.
    pub(super) active: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.energy += other.energy;
        self.active += other.active;
    }

    /// The localisation of a map with this tally inside a region, `whole` over all pixels, and the region's
    /// [area](Region::area): for sums that were made without the map's pixels.
    pub(super) fn localisation(self, whole: Self, area: f64) -> Localisation {
        // Sums over different groupings of the same pixels differ by rounding; a share above 1 would only be that.
        let energy = (whole.energy > 0.0).then(|| (self.energy / whole.energy).min(1.0));
        let mask_ratio = (whole.active > 0).then(|| self.active as f64 / whole.active as f64);
        let outside = 1.0 - area;
        Localisation {
            energy,
            energy_corrected: energy.map(|value| value * outside),
            mask_ratio,
            mask_ratio_corrected: mask_ratio.map(|value| value * outside),
        }
    }
}

/// Sum in f64 and number of active pixels of a run of pixels.
///
/// Eight fixed lanes: the order of additions, hence the result, depends on nothing but the length, and compiles to vector code.
fn tally(values: &[f32]) -> Tally {
    const LANES: usize = 8;
    let mut sums = [0.0_f64; LANES];
    let mut active = [0_u32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += f64::from(chunk[lane]);
            active[lane] += u32::from(chunk[lane] > 0.0);
        }
    }
    for (lane, &value) in rest.iter().enumerate() {
        sums[lane] += f64::from(value);
        active[lane] += u32::from(value > 0.0);
    }
    Tally {
        energy: sums.iter().sum(),
        active: active.iter().map(|&count| count as usize).sum(),
    }
}

/// Measures one map in one region. See [`Footprint`](crate::Footprint) for measuring a map from its few cells.
///
/// `map`: row-major `[size, size]`, finite and not negative.
///
/// # Errors
/// A map of another size than the region, or with negative or non-finite values.
pub fn localisation(map: &[f32], region: &Region) -> Result<Localisation, Error> {
    check_map(map, region.size())?;
    let whole = tally(map);
    let mut inside = Tally::default();
    // Whole runs of equal mask values go through the vectorised sum.
    let mut start = 0;
    for run in region.mask().chunk_by(|a, b| a == b) {
        if run[0] {
            inside.add(tally(&map[start..start + run.len()]));
        }
        start += run.len();
    }
    Ok(inside.localisation(whole, region.area()))
}

/// Proportional energy of one map in one region: sum inside / sum, in `[0, 1]`; `None` for a map without energy.
///
/// Of a map without negative values and a region with a pixel it is the relevance mass accuracy of Arras, Osman and Samek, *CLEVR-XAI*, 2022
/// (Quantus' `RelevanceMassAccuracy`), and the inside-total relevance ratio of Kohlbrenner et al. 2020 (its `AttributionLocalisation`,
/// which adds 1e-9 to the sum). Theirs are also of signed maps, where they are no shares. Of an empty region Quantus has no value, and
/// this is 0.
///
/// # Errors
/// As [`localisation`].
pub fn proportional_energy(map: &[f32], region: &Region) -> Result<Option<f64>, Error> {
    Ok(localisation(map, region)?.energy)
}

/// The paper's value for what cannot be measured: 0 for a map without energy, and 0 for the mean of an empty group.
///
/// Only the columns that reproduce the paper's table use it. Elsewhere such a zero would pass for evidence.
#[must_use]
pub fn paper_convention(value: Option<f64>) -> f64 {
    value.unwrap_or(0.0)
}

/// Refuses maps of another size and maps whose energy would not be a share.
fn check_map(map: &[f32], size: usize) -> Result<(), Error> {
    check_length("map", map.len(), size * size)?;
    // A branch-free fold vectorises; the culprit is looked for only when there is one.
    let good = map
        .iter()
        .fold(true, |good, &value| good & (0.0..f32::INFINITY).contains(&value));
    if good {
        return Ok(());
    }
    let bad = map
        .iter()
        .find(|value| !(**value >= 0.0 && value.is_finite()))
        .copied()
        .unwrap_or(f32::NAN);
    Err(Error::Map { energy: f64::from(bad) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn left_half(size: usize) -> Region {
        Region::from_mask(size, (0..size * size).map(|i| i % size < size / 2).collect()).unwrap()
    }

    #[test]
    fn two_by_two_by_hand() {
        let measured = localisation(&[3.0, 1.0, 0.0, 0.0], &left_half(2)).unwrap();
        assert_eq!(measured.energy, Some(0.75));
        assert_eq!(measured.energy_corrected, Some(0.375));
        assert_eq!(measured.mask_ratio, Some(0.5));
        assert_eq!(measured.mask_ratio_corrected, Some(0.25));
    }

    #[test]
    fn a_map_without_energy_is_absent_and_zero_by_the_papers_convention() {
        let energy = proportional_energy(&[0.0; 4], &left_half(2)).unwrap();
        assert_eq!(energy, None);
        assert_eq!(paper_convention(energy), 0.0);
        assert_eq!(paper_convention(Some(0.3)), 0.3);
    }

    #[test]
    fn maps_that_are_none_are_refused() {
        assert!(matches!(
            localisation(&[1.0; 3], &left_half(2)),
            Err(Error::Length { .. })
        ));
        for bad in [-1.0, f32::NAN, f32::INFINITY] {
            assert!(
                matches!(
                    localisation(&[1.0, bad, 1.0, 1.0], &left_half(2)),
                    Err(Error::Map { .. })
                ),
                "{bad}"
            );
        }
    }

    const SIZE: usize = 9;

    fn maps() -> impl Strategy<Value = Vec<f32>> {
        // Half of the pixels inactive, as after a ReLU; the rest over many orders of magnitude.
        prop::collection::vec(prop_oneof![Just(0.0_f32), 1e-12_f32..1.0, 0.0_f32..1e6], SIZE * SIZE)
    }

    fn masks() -> impl Strategy<Value = Region> {
        prop::collection::vec(any::<bool>(), SIZE * SIZE).prop_map(|mask| Region::from_mask(SIZE, mask).unwrap())
    }

    fn complement(region: &Region) -> Region {
        Region::from_mask(region.size(), region.mask().iter().map(|inside| !inside).collect()).unwrap()
    }

    proptest! {
        #[test]
        fn energies_are_shares_and_complements_add_to_one(map in maps(), region in masks()) {
            let inside = localisation(&map, &region).unwrap();
            let outside = localisation(&map, &complement(&region)).unwrap();
            if let (Some(a), Some(b)) = (inside.energy, outside.energy) {
                prop_assert!((0.0..=1.0).contains(&a));
                prop_assert!((a + b - 1.0).abs() < 1e-12);
                prop_assert!((inside.mask_ratio.unwrap() + outside.mask_ratio.unwrap() - 1.0).abs() < 1e-12);
                prop_assert!(inside.energy_corrected.unwrap() <= a);
            } else {
                prop_assert!(map.iter().all(|&value| value == 0.0));
            }
        }

        #[test]
        fn energies_do_not_depend_on_the_maps_scale(map in maps(), region in masks(), exponent in -20_i32..20) {
            // A power of two scales exactly in f32, so the shares must agree to the rounding of f64 sums.
            let scaled: Vec<f32> = map.iter().map(|value| value * 2.0_f32.powi(exponent)).collect();
            let (a, b) = (localisation(&map, &region).unwrap(), localisation(&scaled, &region).unwrap());
            prop_assert_eq!(a.mask_ratio, b.mask_ratio);
            prop_assert_eq!(a.energy.is_some(), b.energy.is_some());
            if let (Some(a), Some(b)) = (a.energy, b.energy) {
                prop_assert!((a - b).abs() < 1e-12);
            }
        }
    }
}
