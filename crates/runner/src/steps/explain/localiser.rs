//! How much of a map lies in each attribute's region, without making the map of the image's size.

use cam::{Method, PostProcessing, Resize};
use metrics::{Footprint, Localisation, Region};

use crate::error::{Error, Result};
use crate::inputs::Masks;
use crate::regions::{AttributeRegion, Regions};

/// Measures final maps of one size in the attributes' regions, from the maps' cells ([`PostProcessing::cells`]).
///
/// Sums over pixels are sums over cells, the same to the rounding of float32; so are counts of active pixels, but for maps without
/// an inactive block, whose pixels are then counted one by one.
pub struct Localiser {
    post_processing: PostProcessing,
    whole: Footprint,
    /// One an attribute; `None` where each image has regions of its own.
    fixed: Option<Vec<(Footprint, Region)>>,
    /// The attributes' regions, each once, and which of them an attribute has; empty where each image has regions of its own.
    places: (Vec<Footprint>, Vec<usize>),
}

/// How much of a map lies in a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionShare {
    /// The shares.
    pub localisation: Localisation,
    /// The region's part of the image.
    pub area: f64,
}

impl Localiser {
    /// For raw maps of `cells` (rows, columns), and the attributes' regions.
    ///
    /// # Errors
    /// When maps or regions are not of the image's size.
    pub fn new(method: Method, resize: Resize, cells: [usize; 2], size: usize, regions: &Regions) -> Result<Self> {
        let post_processing = PostProcessing::new(method, resize, cells, size)?;
        let fixed = match regions {
            Regions::Masks => None,
            Regions::Fixed(all) => {
                let of = |one: &AttributeRegion| {
                    let footprint = post_processing.footprint(one.region.mask().iter().copied());
                    (footprint, one.region.clone())
                };
                Some(all.iter().map(of).collect())
            }
        };
        let mut places: (Vec<Footprint>, Vec<usize>) = Default::default();
        let all: &[(Footprint, Region)] = fixed.as_deref().unwrap_or_default();
        for (footprint, _) in all {
            let known = places.0.iter().position(|one| one == footprint);
            places.1.push(known.unwrap_or_else(|| {
                places.0.push(footprint.clone());
                places.0.len() - 1
            }));
        }
        Ok(Self {
            places,
            whole: post_processing.footprint(vec![true; size * size]),
            fixed,
            post_processing,
        })
    }

    /// The post-processing.
    pub fn post_processing(&self) -> &PostProcessing {
        &self.post_processing
    }

    /// Measures a raw map in an attribute's region, and leaves its cells in `cells`; `None` where it has no region in this image.
    /// `own`: the image's own mask of the attribute, which counts where each image has regions of its own.
    ///
    /// # Errors
    /// When there is no such attribute.
    pub fn measure(
        &self,
        raw: &[f32],
        attribute: usize,
        own: Option<&Region>,
        cells: &mut [f32],
    ) -> Result<Option<RegionShare>> {
        let absent = || Error::Request("measure.regions: an attribute without region".to_owned());
        let active = self.post_processing.cells(raw, cells);
        let of_image;
        let (footprint, region) = match (&self.fixed, own) {
            (Some(fixed), _) => {
                let (footprint, region) = fixed.get(attribute).ok_or_else(absent)?;
                (footprint, region)
            }
            (None, Some(mask)) if mask.pixels() > 0 => {
                of_image = self.post_processing.footprint(mask.mask().iter().copied());
                (&of_image, mask)
            }
            (None, _) => return Ok(None),
        };
        let mut localisation = footprint.localisation(&self.whole, cells, &active);
        if !active.is_known() {
            let mut map = vec![0.0; self.post_processing.size() * self.post_processing.size()];
            self.post_processing.finalise(raw, &mut map);
            localisation = Localisation {
                energy: localisation.energy,
                energy_corrected: localisation.energy_corrected,
                ..metrics::localisation(&map, region)?
            };
        }
        Ok(Some(RegionShare {
            localisation,
            area: region.area(),
        }))
    }

    /// Proportional energy of a map in each region that any attribute has, from its cells; none where each image has regions of its own.
    pub fn everywhere(&self, cells: &[f32]) -> Vec<Option<f64>> {
        let regions = self.places.0.iter();
        regions
            .map(|region| region.proportional_energy(&self.whole, cells))
            .collect()
    }

    /// Which of the regions of [`Self::everywhere`] is an attribute's; `None` where each image has regions of its own.
    pub fn place(&self, attribute: usize) -> Option<usize> {
        self.places.1.get(attribute).copied()
    }

    /// Proportional energy of a map in any region, from its cells; `None` for a map without energy and a region without pixel.
    pub fn energy(&self, cells: &[f32], region: &Footprint) -> Option<f64> {
        region.proportional_energy(&self.whole, cells)
    }

    /// The exact regions of an image on its aligned square, one for each of `attributes`, if it has masks.
    ///
    /// # Errors
    /// When the image's masks cannot be read.
    pub fn exact_regions(&self, masks: Masks<'_>, index: usize, attributes: usize) -> Result<Option<Vec<Footprint>>> {
        let mut regions = vec![self.post_processing.empty_footprint(); attributes];
        let found = masks.each_pixel(index, self.post_processing.size(), |attribute, x, y| {
            if let Some(region) = regions.get_mut(attribute) {
                self.post_processing.add_pixel(region, x, y);
            }
        })?;
        Ok(found.then_some(regions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: usize = 28;

    fn fixed() -> Regions {
        Regions::Fixed(
            regions()
                .into_iter()
                .map(|region| AttributeRegion::of(region, true))
                .collect(),
        )
    }

    fn regions() -> Vec<Region> {
        let halves = [|x: usize, _: usize| x < 9, |x: usize, y: usize| x > 3 && y % 7 < 4];
        let region = |inside: fn(usize, usize) -> bool| {
            let mask = (0..SIZE * SIZE).map(|pixel| inside(pixel % SIZE, pixel / SIZE));
            Region::from_mask(SIZE, mask.collect()).unwrap()
        };
        halves.map(region).to_vec()
    }

    proptest! {
        /// Against the map's pixels. A share of sums of SIZE^2 float32 values, each good to 2^-24 of the largest, where the sum is not
        /// much smaller than a single pixel's largest value.
        #[test]
        fn cells_measure_what_pixels_measure(
            raw in prop_oneof![
                prop::collection::vec(-1.0_f32..1.0, 49),
                prop::collection::vec(0.1_f32..1.0, 49),
                prop::collection::vec(prop_oneof![4 => Just(-1.0_f32), 1 => 0.0_f32..1.0], 49),
            ]
        ) {
            for (method, cells) in [(Method::HiresCam, [7, 7]), (Method::FullGrad, [SIZE, SIZE])] {
                let raw: Vec<f32> = raw.iter().copied().cycle().take(cells[0] * cells[1]).collect();
                let localiser = Localiser::new(method, Resize::HalfPixel, cells, SIZE, &fixed()).unwrap();
                let by_image = Localiser::new(method, Resize::HalfPixel, cells, SIZE, &Regions::Masks).unwrap();
                let mut map = vec![0.0; SIZE * SIZE];
                localiser.post_processing().finalise(&raw, &mut map);
                let mut scratch = vec![0.0; raw.len()];
                for (attribute, region) in regions().iter().enumerate() {
                    let expected = metrics::localisation(&map, region).unwrap();
                    let found = by_image.measure(&raw, attribute, Some(region), &mut scratch).unwrap();
                    prop_assert_eq!(by_image.measure(&raw, attribute, None, &mut scratch).unwrap(), None);
                    let of_fixed = localiser.measure(&raw, attribute, None, &mut scratch).unwrap();
                    prop_assert_eq!(found, of_fixed);
                    let found = found.unwrap().localisation;
                    prop_assert_eq!(found.mask_ratio, expected.mask_ratio);
                    prop_assert_eq!(found.energy.is_some(), expected.energy.is_some());
                    if let (Some(a), Some(b)) = (found.energy, expected.energy) {
                        prop_assert!((a - b).abs() < 1e-5, "{} {}", a, b);
                        prop_assert!((found.energy_corrected.unwrap() - expected.energy_corrected.unwrap()).abs() < 1e-5);
                    }
                    let footprint = localiser.post_processing().footprint(region.mask().iter().copied());
                    prop_assert_eq!(localiser.energy(&scratch, &footprint), found.energy);
                }
                prop_assert_eq!(localiser.energy(&scratch, &localiser.post_processing().empty_footprint()), None);
            }
        }
    }

    #[test]
    fn an_attribute_without_region_is_an_error() {
        let localiser = Localiser::new(Method::HiresCam, Resize::HalfPixel, [2, 2], SIZE, &fixed()).unwrap();
        assert!(localiser.measure(&[1.0; 4], 2, None, &mut [0.0; 4]).is_err());
    }
}
