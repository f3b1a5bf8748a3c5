//! Where attributes are visible, as boxes of single images in a table.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::sources::cells::{IMAGE_COLUMN, Table};
use crate::sources::found::{Listing, Match, key};
use crate::sources::lines::{line_error, quote};
use crate::{Annotations, AttributeMasks, Error, Result};

/// The columns: an image, an attribute, and the box's corner and size in the image's pixels, from its upper left corner.
const COLUMNS: [&str; 6] = [IMAGE_COLUMN, "attribute", "x", "y", "width", "height"];

/// A box, and the line that says it.
#[derive(Debug, Clone, Copy)]
struct Area {
    attribute: usize,
    line: usize,
    /// x, y, width and height.
    sides: [f64; 4],
}

/// Boxes of images: several of one image and attribute are one region.
#[derive(Debug)]
pub(super) struct Boxes {
    path: PathBuf,
    attributes: usize,
    of_image: HashMap<usize, Vec<Area>>,
    /// What is to be said of rows that are not used.
    notes: Vec<String>,
}

impl Boxes {
    /// Reads the boxes of the images and attributes that `annotations` have. `columns_of_table` are the table's, also those that are no
    /// attributes; `has_masks`: attributes without a box may have masks.
    ///
    /// # Errors
    /// When a column is missing, a number is none, all numbers look like fractions, or no row is of an image and attribute of these.
    pub(super) fn open(
        path: &Path,
        annotations: &Annotations,
        columns_of_table: &[String],
        has_masks: bool,
    ) -> Result<Self> {
        let table = Table::open(path)?;
        let file = table.file.clone();
        let columns: Option<Vec<usize>> = COLUMNS
            .iter()
            .map(|name| match *name {
                IMAGE_COLUMN => table.image_column(name, &COLUMNS[1..]).ok(),
                _ => table.position(name),
            })
            .collect();
        let Some(columns) = columns else {
            return Err(line_error(
                &file,
                1,
                format!("the columns {}", table.header.join(", ")),
                format!(
                    "{} (of corners x1, y1, x2, y2: width = x2 - x1, height = y2 - y1)",
                    COLUMNS.join(", ")
                ),
            ));
        };
        let images = Listing::of(annotations.names.clone());
        let position: HashMap<&str, usize> = annotations
            .names
            .iter()
            .enumerate()
            .map(|(index, name)| (name.as_str(), index))
            .collect();
        let attributes = &annotations.attributes;
        let mut boxes = Self {
            path: path.to_owned(),
            attributes: attributes.len(),
            of_image: HashMap::new(),
            notes: Vec::new(),
        };
        // Rows of other images and of other attributes, and the first of each.
        let mut others: [(usize, String); 2] = Default::default();
        let mut unknown: BTreeSet<String> = BTreeSet::new();
        // Attributes that differ in spelling, as they are written and as the table has them.
        let mut spelt = BTreeMap::new();
        let mut has_box = vec![false; attributes.len()];
        let (mut largest, mut rows) = (0.0_f64, 0);
        table.rows(&columns, |line, cells| {
            let [image, attribute, sides @ ..] = cells else {
                return Ok(());
            };
            let mut area = [0.0; 4];
            for ((number, text), name) in area.iter_mut().zip(sides).zip(&COLUMNS[2..]) {
                let is_size = ["width", "height"].contains(name);
                let parsed = text.replacen(',', ".", 1).parse::<f64>().ok();
                *number = parsed
                    .filter(|value| value.is_finite() && (!is_size || *value > 0.0))
                    .ok_or_else(|| {
                        let expected = if is_size {
                            "a number of pixels above 0"
                        } else {
                            "a number of pixels"
                        };
                        line_error(&file, line, format!("{name} is {}", quote(text)), expected.to_owned())
                    })?;
                largest = largest.max(*number);
            }
            rows += 1;
            let found = match images.find_in_any_folder(image, false) {
                Match::Same(name) | Match::Spelt(name) => position.get(name.as_str()),
                Match::Several([one, other]) => {
                    let found = format!("image {}, which may be {one} or {other}", quote(image));
                    return Err(line_error(
                        &file,
                        line,
                        found,
                        "the exact name of one of them".to_owned(),
                    ));
                }
                Match::Absent(_) => None,
            };
            let name = attributes.index(attribute).or_else(|| {
                let index = in_other_spelling(attributes.names(), attribute)?;
                spelt.insert((*attribute).to_owned(), index);
                Some(index)
            });
            // A column that was not chosen is no slip.
            if name.is_none() && !columns_of_table.iter().any(|known| known == attribute) {
                unknown.insert((*attribute).to_owned());
            }
            match (found, name) {
                (Some(&index), Some(attribute)) => {
                    if let Some(has) = has_box.get_mut(attribute) {
                        *has = true;
                    }
                    let of_image = boxes.of_image.entry(index).or_default();
                    of_image.push(Area {
                        attribute,
                        line,
                        sides: area,
                    });
                }
                (None, _) => count(&mut others[0], image),
                (_, None) => count(&mut others[1], attribute),
            }
            Ok(())
        })?;
        let whole = |found: String, expected: String| Error::File {
            file: file.clone(),
            found,
            expected,
        };
        if rows > 0 && largest <= 1.0 {
            let found = "no number above 1 in any box, as if they were fractions of the image's size".to_owned();
            return Err(whole(found, "x, y, width and height in the image's pixels".to_owned()));
        }
        for ((number, first), what) in others.iter().zip(["images", "attributes"]) {
            if *number > 0 {
                let rows = if *number == 1 {
                    "1 row is"
                } else {
                    &format!("{number} rows are")
                };
                let note = format!("{file}: {rows} of {what} that the table does not have, such as {first}");
                boxes.notes.push(note);
            }
        }
        if boxes.of_image.is_empty() {
            let expected = format!(
                "boxes of its images, such as {}, and attributes, {}",
                annotations.names.first().map_or("", String::as_str),
                attributes.names().join(", ")
            );
            let found = boxes.notes.join("; ");
            let found = found.strip_prefix(&format!("{file}: ")).unwrap_or("no row").to_owned();
            return Err(whole(found, expected));
        }
        let without = attributes.names().iter().zip(&has_box);
        let without: Vec<&String> = without.filter_map(|(name, has)| (!has).then_some(name)).collect();
        if !without.is_empty() && !unknown.is_empty() && !has_masks {
            return Err(whole(
                format!(
                    "boxes of {}, which the table does not have, and none of {}, which it has",
                    some_of(unknown.iter().map(String::as_str)),
                    some_of(without.iter().map(|name| name.as_str()))
                ),
                "the table's names of attributes; take out rows of other attributes".to_owned(),
            ));
        }
        boxes.notes.extend(
            boxes
                .of_answers(annotations, has_masks)
                .iter()
                .map(|note| format!("{file}: {note}")),
        );
        for (written, index) in &spelt {
            let note = format!(
                "{file}: boxes of {written} are taken as those of {}",
                attributes.name(*index)
            );
            boxes.notes.push(note);
        }
        Ok(boxes)
    }

    /// Attributes whose boxes say less than they seem to: an energy grows with its region, so that answers are compared by boxes that are
    /// alike.
    fn of_answers(&self, annotations: &Annotations, has_masks: bool) -> Vec<String> {
        // Boxes that people draw differ by so much without being of two kinds.
        const ALIKE: f64 = 1.25;
        let width = annotations.attributes.len();
        // Of yes, of no and of unknown answers: images with a box, and the boxes' area in them.
        let mut found = vec![[(0_usize, 0.0_f64); 3]; width];
        for (index, areas) in &self.of_image {
            let mut own = vec![0.0; width];
            for area in areas {
                if let Some(own) = own.get_mut(area.attribute) {
                    *own += area.sides[2] * area.sides[3];
                }
            }
            let labels = annotations.labels.iter().skip(index * width);
            for (([yes, no, unknown], area), label) in found.iter_mut().zip(own).zip(labels) {
                let of_answer = match label {
                    1 => yes,
                    -1 => no,
                    _ => unknown,
                };
                if area > 0.0 {
                    *of_answer = (of_answer.0 + 1, of_answer.1 + area);
                }
            }
        }
        let mut notes = Vec::new();
        let mut without = Vec::new();
        for (name, of_answers) in annotations.attributes.names().iter().zip(&found) {
            let [yes, no, _] = of_answers.map(|(images, area)| area / images.max(1) as f64);
            match of_answers.map(|(images, _)| images > 0) {
                // Masks may have what boxes have not.
                [false, false, false] if !has_masks => without.push(name.as_str()),
                [true, false, _] if !has_masks => {
                    notes.push(format!("no image whose answer to {name} is no has a box, so that those have no energy"));
                }
                [false, true, _] if !has_masks => {
                    notes.push(format!("no image whose answer to {name} is yes has a box, so that those have no energy"));
                }
                [true, true, _] if yes.max(no) > ALIKE * yes.min(no) => notes.push(format!(
                    "boxes of {name} cover {yes:.0} pixels where the answer is yes and {no:.0} where it is no: energies grow with the region, \
                     so that answers are only compared by boxes of one size"
                )),
                _ => {}
            }
        }
        if !without.is_empty() && without.len() < width {
            notes.push(format!(
                "no box of {}, so that they have no energy",
                some_of(without.into_iter())
            ));
        }
        notes
    }

    /// What is to be said of rows that are not used, and of boxes that are not alike.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds the boxes of an image of `size` (width, height) to its masks: the pixels whose middle is inside. Beyond the image's border
    /// there is nothing.
    ///
    /// # Errors
    /// When no pixel is in a box.
    pub(super) fn add(
        &self,
        index: usize,
        size: (u32, u32),
        masks: Option<AttributeMasks>,
    ) -> Result<Option<AttributeMasks>> {
        let Some(areas) = self.of_image.get(&index) else {
            return Ok(masks);
        };
        let mut masks = masks.unwrap_or_else(|| AttributeMasks::new(size.0, size.1, self.attributes));
        for area in areas {
            let [x, y, width, height] = area.sides;
            // The first pixel whose middle is not before an edge; the cast keeps within what there is.
            let pixel = |edge: f64, length: u32| (edge - 0.5).ceil().clamp(0.0, f64::from(length)) as u32;
            let (columns, rows) = (
                pixel(x, size.0)..pixel(x + width, size.0),
                pixel(y, size.1)..pixel(y + height, size.1),
            );
            if columns.is_empty() || rows.is_empty() {
                return Err(line_error(
                    &self.path.display().to_string(),
                    area.line,
                    format!("a box at ({x}, {y}) of {width} x {height} pixels, with no pixel of the image in it"),
                    format!("one within the image's {} x {} pixels", size.0, size.1),
                ));
            }
            for y in rows {
                for x in columns.clone() {
                    masks.insert(area.attribute, x, y);
                }
            }
        }
        Ok(Some(masks))
    }
}

/// The one attribute whose name differs in case or in Unicode's form alone.
fn in_other_spelling(names: &[String], wanted: &str) -> Option<usize> {
    let wanted = key(wanted);
    let mut found = names.iter().enumerate().filter(|(_, name)| key(name) == wanted);
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

/// Names in quotation marks, the first few of many.
fn some_of<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const NAMED: usize = 5;
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named: Vec<String> = names.take(NAMED).map(|name| format!("`{name}`")).collect();
    format!("{}{more}", named.join(", "))
}

fn count(others: &mut (usize, String), name: &str) {
    if others.0 == 0 {
        others.1 = name.to_owned();
    }
    others.0 += 1;
}
