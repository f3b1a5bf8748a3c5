//! Regions files: regions that are the same in every image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use metrics::{CellBox, Grid, Region};
use serde::Deserialize;

use super::region::AttributeRegion;
use crate::error::{Error, Result, describe};
use crate::yaml;

/// The paper's regions of CelebA's attributes.
const CELEBA: &str = include_str!("../../data/celeba_regions.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Cells along a side, for `include` and `exclude`.
    #[serde(default)]
    grid: Option<usize>,
    /// Side of the square in the unit of `boxes`: 1 for fractions, a number of pixels for pixels.
    #[serde(default = "one")]
    side: f64,
    regions: BTreeMap<String, Entry>,
}

/// One region, by cells, boxes or a picture; the whole image by none of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    attributes: Vec<String>,
    #[serde(default)]
    local: Option<bool>,
    #[serde(default)]
    include: Vec<Cells>,
    #[serde(default)]
    exclude: Vec<Cells>,
    #[serde(default)]
    boxes: Vec<Sides>,
    /// A picture beside the regions file, whose bright pixels are inside ([`dataset::MaskPicture`]).
    #[serde(default)]
    mask: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cells {
    rows: [usize; 2],
    columns: [usize; 2],
}

/// A box of the aligned square: left and right, top and bottom.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sides {
    x: [f64; 2],
    y: [f64; 2],
}

fn one() -> f64 {
    1.0
}

/// The paper's regions of each of `attributes`, on a square of side `size`.
///
/// # Errors
/// When it lacks an attribute.
pub fn celeba(attributes: &[String], size: usize) -> Result<Vec<AttributeRegion>> {
    parse(
        CELEBA,
        "the paper's regions (measure.regions: celeba)",
        Path::new(""),
        attributes,
        size,
    )
}

/// The region of each of `attributes` from a file, on a square of side `size`.
///
/// # Errors
/// When the file or a mask cannot be read, is malformed, names a box outside its square, or lacks an attribute.
pub(super) fn read(path: &Path, attributes: &[String], size: usize) -> Result<Vec<AttributeRegion>> {
    let text = disk::read_text(path).map_err(Error::io(
        path,
        "reading the regions (measure.regions: celeba, masks, none, or a file)",
    ))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(&text, &path.display().to_string(), folder, attributes, size)
}

fn parse(text: &str, place: &str, folder: &Path, attributes: &[String], size: usize) -> Result<Vec<AttributeRegion>> {
    let fault = |message: String| Error::experiment(place, message);
    let file: File = yaml::parse(text, place).map_err(Error::Experiment)?;
    if !(file.side.is_finite() && file.side > 0.0) {
        return Err(fault(format!(
            "side: {}, expected 1 for fractions or the square's pixels",
            file.side
        )));
    }
    let mut of_attribute = BTreeMap::new();
    for (name, entry) in &file.regions {
        let region =
            region(&file, entry, folder, size).map_err(|message| fault(format!("region {name}: {message}")))?;
        for attribute in &entry.attributes {
            if of_attribute.insert(attribute.as_str(), region.clone()).is_some() {
                return Err(fault(format!("{attribute} is in two regions, expected one")));
            }
        }
    }
    attributes
        .iter()
        .map(|name| {
            of_attribute.remove(name.as_str()).ok_or_else(|| {
                fault(format!(
                    "no region for {name}; every attribute of the data set needs one, if only an entry without a place, which is \
                     the whole image"
                ))
            })
        })
        .collect()
}

fn region(file: &File, entry: &Entry, folder: &Path, size: usize) -> Result<AttributeRegion, String> {
    let cells = !entry.include.is_empty() || !entry.exclude.is_empty();
    let ways = [cells, !entry.boxes.is_empty(), entry.mask.is_some()];
    let local = entry.local.unwrap_or(true);
    match ways.iter().filter(|&&way| way).count() {
        0 => {
            let whole = AttributeRegion::whole(size).map_err(|error| error.to_string())?;
            Ok(AttributeRegion {
                local: entry.local.unwrap_or(false),
                ..whole
            })
        }
        1 if cells => {
            let side = file
                .grid
                .ok_or("cells without a grid; expected `grid: N` in the file")?;
            let boxes = |cells: &[Cells]| -> Vec<CellBox> {
                let of = |cells: &Cells| CellBox {
                    rows: cells.rows,
                    columns: cells.columns,
                };
                cells.iter().map(of).collect()
            };
            let grid =
                Grid::new(side, &boxes(&entry.include), &boxes(&entry.exclude)).map_err(|error| error.to_string())?;
            Ok(AttributeRegion {
                region: grid.region(size),
                grid: Some(grid),
                local,
            })
        }
        1 => {
            let mask = match &entry.mask {
                Some(path) => picture(&folder.join(path), size)?,
                None => inside_boxes(&entry.boxes, file.side, size)?,
            };
            if !mask.contains(&true) {
                return Err("it has no pixel".to_owned());
            }
            let region = Region::from_mask(size, mask).map_err(|error| error.to_string())?;
            Ok(AttributeRegion::of(region, local))
        }
        _ => Err("expected one of cells (include, exclude), boxes and mask".to_owned()),
    }
}

/// The pixels whose centre lies in a box.
fn inside_boxes(boxes: &[Sides], side: f64, size: usize) -> Result<Vec<bool>, String> {
    for Sides { x, y } in boxes {
        for (axis, [start, end]) in [("x", x), ("y", y)] {
            if !(0.0 <= *start && start < end && *end <= side) {
                return Err(format!(
                    "{axis}: [{start}, {end}], expected 0 <= start < end <= {side}, the square's side"
                ));
            }
        }
    }
    let centre = |pixel: usize| (pixel as f64 + 0.5) * side / size as f64;
    let within = |[start, end]: [f64; 2], pixel: usize| (start..end).contains(&centre(pixel));
    let inside = |pixel: usize| {
        boxes
            .iter()
            .any(|one| within(one.x, pixel % size) && within(one.y, pixel / size))
    };
    Ok((0..size * size).map(inside).collect())
}

/// A mask's pixels that are inside, at the square's pixel centres.
fn picture(path: &Path, size: usize) -> Result<Vec<bool>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("mask {}: {error}", path.display()))?;
    let mask = dataset::MaskPicture::read(&bytes, path).map_err(|error| format!("mask {}", describe(&error)))?;
    let (width, height) = mask.size();
    let source = |pixel: usize, side: u32| ((2 * pixel + 1) * side as usize / (2 * size)) as u32;
    let inside = |pixel: usize| mask.contains(source(pixel % size, width), source(pixel / size, height));
    Ok((0..size * size).map(inside).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paper_s_regions_cover_celeba() {
        let attributes = dataset::Attributes::celeba();
        let regions = celeba(attributes.names(), 224).expect("every attribute has a region");
        let index = attributes.index("Smiling").expect("known");
        assert_eq!(regions[index].region.pixels(), 3 * 32 * 32);
        assert_eq!(regions[index].outline().expect("cells").side, 7);
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
            (
                "regions: {}\nregion: {}",
                "my.yaml:2: region: unknown key, expected one of grid, side, regions",
            ),
            (
                "regions: {all: {attributes: [A, B], include: [{rows: [0, 1], columns: [0, 1]}]}}",
                "region all: cells without a grid",
            ),
            (
                "regions: {all: {attributes: [A, B], boxes: [{x: [0.5, 1.5], y: [0, 1]}]}}",
                "x: [0.5, 1.5], expected 0 <= start < end <= 1",
            ),
            (
                "side: 224\nregions: {all: {attributes: [A, B], boxes: [{x: [9, 8], y: [0, 1]}]}}",
                "x: [9, 8], expected 0 <= start < end <= 224",
            ),
            (
                "regions: {all: {attributes: [A, B], boxes: [{x: [0, 0.01], y: [0, 0.01]}]}}",
                "region all: it has no pixel",
            ),
            (
                "regions: {all: {attributes: [A, B], mask: nowhere.png}}",
                "region all: mask nowhere.png",
            ),
            (
                "regions: {all: {attributes: [A, B], mask: a.png, boxes: [{x: [0, 1], y: [0, 1]}]}}",
                "expected one of",
            ),
            ("side: 0\nregions: {}", "side: 0"),
        ] {
            let message = parse(text, "my.yaml", Path::new(""), &attributes, 8)
                .expect_err(text)
                .to_string();
            assert!(
                message.starts_with("my.yaml") && message.contains(expected),
                "{message}"
            );
        }
    }

    #[test]
    fn boxes_and_pictures_are_of_any_unit() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // 0 and 1, as segmentation tools write them.
        let picture = image::GrayImage::from_fn(2, 2, |x, y| image::Luma([u8::from(x == 1 && y == 0)]));
        picture.save(folder.path().join("corner.png")).expect("written");
        let attributes = ["A", "B"].map(str::to_owned);
        for place in ["boxes: [{x: [0.5, 1], y: [0, 0.5]}]", "mask: corner.png"] {
            let text = format!("regions: {{corner: {{attributes: [A], {place}}}, rest: {{attributes: [B]}}}}");
            let regions = parse(&text, "my.yaml", folder.path(), &attributes, 4).expect("regions");
            let corner: Vec<usize> = (0..16).filter(|&pixel| regions[0].region.mask()[pixel]).collect();
            assert_eq!(corner, [2, 3, 6, 7], "{place}");
            assert!(regions[0].local);
            assert_eq!((regions[1].region.area(), regions[1].local), (1.0, false));
            assert!(regions[1].outline().is_none());
        }
        let pixels = "side: 8\nregions: {corner: {attributes: [A, B], boxes: [{x: [4, 8], y: [0, 4]}]}}";
        let regions = parse(pixels, "my.yaml", folder.path(), &attributes, 4).expect("regions");
        assert_eq!(regions[0].region.pixels(), 4);
    }
}
