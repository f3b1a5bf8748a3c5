//! The regions of audited attributes: their areas, and who shares one.

use metrics::Region;

use super::audited::Audited;
use crate::error::{Error, Result};
use crate::experiment::RegionSource;
use crate::regions::{self, AttributeRegion, Regions, celeba};

/// Side of the square on which areas are measured: a multiple of the paper's grid, and fine enough for boxes and masks.
const SIZE: usize = 224;
/// What a table's area may differ from a region's by rounding.
const ROUNDING: f64 = 0.001;

/// Adds regions. Those of a file count before the table's areas. Without one, attributes with the names of CelebA's have the paper's regions,
/// unless the table has other areas.
///
/// # Errors
/// When the file cannot be read or lacks an attribute.
pub(super) fn add(audited: &mut Audited, file: Option<&str>) -> Result<()> {
    let of: Vec<Option<AttributeRegion>> = match file {
        None => {
            let paper = |name: &String| celeba(std::slice::from_ref(name), SIZE).ok()?.pop();
            audited
                .attributes
                .iter()
                .map(|attribute| paper(&attribute.name))
                .collect()
        }
        Some(file) => {
            let names: Vec<String> = audited
                .attributes
                .iter()
                .map(|attribute| attribute.name.clone())
                .collect();
            match regions::choose(&RegionSource::from(file.to_owned()), &names, SIZE)? {
                Regions::Fixed(all) => all.into_iter().map(Some).collect(),
                Regions::Masks => {
                    return Err(Error::Request(
                        "--regions masks: an audit has no images; expected celeba, none or a regions file".to_owned(),
                    ));
                }
            }
        }
    };
    let mut known: Vec<Region> = Vec::new();
    for (attribute, found) in audited.attributes.iter_mut().zip(of) {
        let Some(AttributeRegion { region, .. }) = found else {
            continue;
        };
        let area = region.area();
        let differs = attribute.area.is_some_and(|given| (given - area).abs() > ROUNDING);
        if differs && file.is_none() {
            continue;
        }
        attribute.area = Some(area);
        let group = known.iter().position(|other| *other == region);
        attribute.region = Some(group.unwrap_or_else(|| {
            known.push(region);
            known.len() - 1
        }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::rates::published;
    use super::*;

    #[test]
    fn what_covers_less_than_half_is_what_the_paper_s_regions_call_local() {
        let mut audited = published().expect("well-formed");
        add(&mut audited, None).expect("the paper's regions");
        for attribute in &audited.attributes {
            let region = celeba(std::slice::from_ref(&attribute.name), SIZE).expect("known");
            assert_eq!(attribute.is_local(), region[0].local, "{}", attribute.name);
        }
    }

    #[test]
    fn other_areas_are_of_other_regions() {
        let mut audited = published().expect("well-formed");
        audited.attributes.truncate(2);
        audited.attributes[0].area = Some(0.25);
        audited.attributes[1].area = Some(0.061);
        add(&mut audited, None).expect("the paper's regions");
        let [other, same] = &audited.attributes[..] else {
            panic!("two")
        };
        assert_eq!((other.area, other.region), (Some(0.25), None));
        assert_eq!((same.area, same.region), (Some(3.0 / 49.0), Some(0)));
        add(&mut audited, Some("celeba")).expect("as asked for");
        assert_eq!(audited.attributes[0].area, Some(30.0 / 49.0));
        let message = add(&mut audited, Some("masks")).expect_err("no images").to_string();
        assert!(message.contains("--regions masks"), "{message}");
    }
}
