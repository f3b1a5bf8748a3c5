//! Many regions over one map, in one pass over its pixels.

use std::collections::HashMap;

use crate::energy::{Localisation, Tally, check_map, tally};
use crate::{Error, Region};

/// Regions prepared for measuring many maps of one size in all of them at once.
///
/// Pixels that lie in exactly the same regions form an *atom*. A map is summed once, run by run, into its atoms; a region is then a
/// sum of few atoms. With the paper's 12 regions a map of 224 x 224 pixels has 15 atoms, so measuring 40 attributes costs hardly
/// more than summing the map.
#[derive(Debug, Clone)]
pub struct RegionSet {
    size: usize,
    /// Runs of consecutive pixels of one atom, in order: (atom, end).
    runs: Vec<(u32, usize)>,
    atoms: usize,
    /// For each region its atoms and its area.
    regions: Vec<(Vec<u32>, f64)>,
}

impl RegionSet {
    /// Prepares regions of `size` x `size` pixels.
    ///
    /// # Errors
    /// A region of another size.
    pub fn new(size: usize, regions: &[Region]) -> Result<Self, Error> {
        if let Some(region) = regions.iter().find(|region| region.size() != size) {
            return Err(Error::Length {
                what: "region",
                found: region.mask().len(),
                expected: size * size,
            });
        }
        let mut atom_of_signature: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut members: Vec<(Vec<u32>, f64)> = regions.iter().map(|region| (Vec::new(), region.area())).collect();
        let mut runs: Vec<(u32, usize)> = Vec::new();
        for pixel in 0..size * size {
            let signature: Vec<u32> = (0..)
                .zip(regions)
                .filter(|(_, region)| region.mask()[pixel])
                .map(|(index, _)| index)
                .collect();
            let next = atom_of_signature.len() as u32;
            let atom = *atom_of_signature.entry(signature).or_insert_with_key(|inside| {
                for &region in inside {
                    members[region as usize].0.push(next);
                }
                next
            });
            match runs.last_mut() {
                Some((last, end)) if *last == atom => *end = pixel + 1,
                _ => runs.push((atom, pixel + 1)),
            }
        }
        Ok(Self {
            size,
            runs,
            atoms: atom_of_signature.len(),
            regions: members,
        })
    }

    /// Number of regions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.regions.len()
    }

    /// Whether there is no region.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// Side of the maps in pixels.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Measures one map in all regions, in their order. `map`: row-major `[size, size]`, finite and not negative.
    ///
    /// # Errors
    /// A map of another size, or with negative or non-finite values.
    pub fn localisations(&self, map: &[f32]) -> Result<Vec<Localisation>, Error> {
        let (sums, whole) = self.sums(map)?;
        Ok((0..self.len()).map(|region| self.one(&sums, whole, region)).collect())
    }

    /// Measures one map in one of the regions; `None` if there is no such region.
    ///
    /// # Errors
    /// As [`RegionSet::localisations`].
    pub fn localisation(&self, map: &[f32], region: usize) -> Result<Option<Localisation>, Error> {
        if region >= self.len() {
            return Ok(None);
        }
        let (sums, whole) = self.sums(map)?;
        Ok(Some(self.one(&sums, whole, region)))
    }

    fn sums(&self, map: &[f32]) -> Result<(Vec<Tally>, Tally), Error> {
        check_map(map, self.size)?;
        let mut sums = vec![Tally::default(); self.atoms];
        let mut start = 0;
        for &(atom, end) in &self.runs {
            sums[atom as usize].add(tally(&map[start..end]));
            start = end;
        }
        let mut whole = Tally::default();
        sums.iter().for_each(|&sum| whole.add(sum));
        Ok((sums, whole))
    }

    fn one(&self, sums: &[Tally], whole: Tally, region: usize) -> Localisation {
        let (atoms, area) = &self.regions[region];
        let mut inside = Tally::default();
        atoms.iter().for_each(|&atom| inside.add(sums[atom as usize]));
        inside.localisation(whole, *area)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::localisation;
    use proptest::prelude::*;

    const SIZE: usize = 9;

    fn maps() -> impl Strategy<Value = Vec<f32>> {
        // Half of the pixels inactive, as after a ReLU; the rest over many orders of magnitude.
        prop::collection::vec(prop_oneof![Just(0.0_f32), 1e-12_f32..1.0, 0.0_f32..1e6], SIZE * SIZE)
    }

    fn masks() -> impl Strategy<Value = Region> {
        prop::collection::vec(any::<bool>(), SIZE * SIZE).prop_map(|mask| Region::from_mask(SIZE, mask).unwrap())
    }

    proptest! {
        #[test]
        fn energies_are_shares_and_complements_add_to_one(map in maps(), region in masks()) {
            let inside = localisation(&map, &region).unwrap();
            let outside = localisation(&map, &region.complement()).unwrap();
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

        #[test]
        fn a_set_measures_what_each_region_measures(map in maps(), regions in prop::collection::vec(masks(), 0..6)) {
            let set = RegionSet::new(SIZE, &regions).unwrap();
            let together = set.localisations(&map).unwrap();
            prop_assert_eq!(together.len(), regions.len());
            for (index, region) in regions.iter().enumerate() {
                let alone = localisation(&map, region).unwrap();
                prop_assert_eq!(together[index].mask_ratio, alone.mask_ratio);
                prop_assert_eq!(set.localisation(&map, index).unwrap(), Some(together[index]));
                prop_assert_eq!(together[index].energy.is_some(), alone.energy.is_some());
                if let (Some(a), Some(b)) = (together[index].energy, alone.energy) {
                    prop_assert!((a - b).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn wrong_sizes_are_refused() {
        let region = Region::from_mask(2, vec![true; 4]).unwrap();
        assert!(RegionSet::new(3, std::slice::from_ref(&region)).is_err());
        let set = RegionSet::new(2, &[region]).unwrap();
        assert!(set.localisations(&[0.0; 5]).is_err());
        assert_eq!(set.localisation(&[0.0; 4], 1), Ok(None));
    }
}
