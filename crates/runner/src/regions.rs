//! Regions files: where each attribute is expected to be visible.

use std::collections::BTreeMap;
use std::path::Path;

use metrics::{CellBox, Grid};
use serde::Deserialize;

use crate::error::{Error, Result};

/// The paper's regions of CelebA's attributes.
const CELEBA: &str = include_str!("../data/celeba_regions.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    grid: usize,
    regions: BTreeMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    attributes: Vec<String>,
    #[serde(default = "yes")]
    local: bool,
    include: Vec<Cells>,
    #[serde(default)]
    exclude: Vec<Cells>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cells {
    rows: [usize; 2],
    columns: [usize; 2],
}

fn yes() -> bool {
    true
}

/// Where one attribute is expected to be visible.
#[derive(Debug, Clone)]
pub struct AttributeRegion {
    /// The region.
    pub grid: Grid,
    /// Whether it is small enough for its energy to tell where a classifier looks.
    pub local: bool,
}

/// The region of each of `attributes`, from the file at `choice` or, if that is `celeba`, the paper's.
///
/// # Errors
/// When the file cannot be read, is malformed, names a box outside its grid, or lacks an attribute.
pub fn load(choice: &str, attributes: &[String]) -> Result<Vec<AttributeRegion>> {
    if choice == "celeba" {
        return parse(CELEBA, "the paper's regions (measure.regions: celeba)", attributes);
    }
    let path = Path::new(choice);
    let text = std::fs::read_to_string(path).map_err(Error::io(path, "reading the regions (measure.regions)"))?;
    parse(&text, choice, attributes)
}

fn parse(text: &str, place: &str, attributes: &[String]) -> Result<Vec<AttributeRegion>> {
    let fault = |message: String| Error::Experiment {
        place: place.to_owned(),
        message,
    };
    let file: File = serde_yaml::from_str(text).map_err(|error| fault(error.to_string()))?;
    let boxes = |cells: &[Cells]| -> Vec<CellBox> {
        cells
            .iter()
            .map(|cells| CellBox {
                rows: cells.rows,
                columns: cells.columns,
            })
            .collect()
    };
    let mut of_attribute = BTreeMap::new();
    for (name, entry) in &file.regions {
        let grid = Grid::new(file.grid, &boxes(&entry.include), &boxes(&entry.exclude))
            .map_err(|error| fault(format!("region {name}: {error}")))?;
        for attribute in &entry.attributes {
            let region = AttributeRegion {
                grid: grid.clone(),
                local: entry.local,
            };
            if of_attribute.insert(attribute.as_str(), region).is_some() {
                return Err(fault(format!("{attribute} is in two regions, expected one")));
            }
        }
    }
    attributes
        .iter()
        .map(|name| {
            of_attribute.remove(name.as_str()).ok_or_else(|| {
                fault(format!(
                    "no region for {name}; every attribute of the data set needs one"
                ))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paper_s_regions_cover_celeba() {
        let attributes = dataset::Attributes::celeba();
        let regions = load("celeba", attributes.names()).expect("every attribute has a region");
        let index = attributes.index("Smiling").expect("known");
        assert_eq!(regions[index].grid.cells().iter().filter(|&&cell| cell).count(), 3);
        assert_eq!(regions.iter().filter(|region| !region.local).count(), 5);
    }

    #[test]
    fn faults_name_the_file_and_the_region() {
        let attributes = ["A".to_owned(), "B".to_owned()];
        for (text, expected) in [
            (
                "grid: 2\nregions: {all: {attributes: [A], include: [{rows: [0, 2], columns: [0, 2]}]}}",
                "no region for B",
            ),
            (
                "grid: 2\nregions: {all: {attributes: [A, B], include: [{rows: [0, 3], columns: [0, 2]}]}}",
                "region all",
            ),
            (
                "grid: 2\nregions: {all: {attributes: [A, A], include: [{rows: [0, 2], columns: [0, 2]}]}}",
                "two regions",
            ),
            ("grid: 2\nregion: {}", "unknown field `region`"),
        ] {
            let message = parse(text, "my.yaml", &attributes).expect_err(text).to_string();
            assert!(
                message.starts_with("my.yaml") && message.contains(expected),
                "{message}"
            );
        }
    }
}
