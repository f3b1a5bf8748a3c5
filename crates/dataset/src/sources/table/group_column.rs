//! The column that names who is in each image.

use std::collections::HashMap;

use super::{TableConfig, TableSplit};
use crate::sources::cells::{Table, is_missing};
use crate::sources::lines::{line_error, quote};
use crate::{Error, Result};

/// The setting that names the column.
const SETTING: &str = "group_column";

/// Who, or what else, is in each image: the words of one column, numbered in the order in which they come first.
///
/// Words are compared as they are written, without spaces around them: `7` and `07` are two people.
#[derive(Debug)]
pub(super) struct GroupColumn {
    column: String,
    position: usize,
    numbers: HashMap<String, u32>,
    names: Vec<String>,
    of_image: Vec<u32>,
}

impl GroupColumn {
    /// The column `name` of a table.
    ///
    /// # Errors
    /// When the table has no such column, or it is that of the splits or of an attribute.
    pub(super) fn new(table: &Table, name: &str, config: &TableConfig) -> Result<Self> {
        let position = table.column(SETTING, name)?;
        let is_split = matches!(&config.split, TableSplit::Column(column) if column == name);
        let is_attribute = config.attributes.iter().flatten().any(|column| column == name);
        if is_split || is_attribute {
            let other = if is_split { "the splits" } else { "an attribute" };
            return Err(Error::Invalid {
                what: SETTING.to_owned(),
                found: name.to_owned(),
                expected: format!("another column than that of {other}"),
            });
        }
        Ok(Self {
            column: name.to_owned(),
            position,
            numbers: HashMap::new(),
            names: Vec::new(),
            of_image: Vec::new(),
        })
    }

    /// The column's position in the table.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Takes the next image's cell.
    ///
    /// # Errors
    /// When it names nobody: of two such images nobody knows whether they may be in different splits.
    pub(super) fn add(&mut self, file: &str, line: usize, cell: &str) -> Result<()> {
        let name = cell.trim();
        if is_missing(name) {
            return Err(line_error(
                file,
                line,
                format!("{} is {}", self.column, quote(cell)),
                format!(
                    "a name in every row of the {SETTING}: whether two images without one belong together cannot be known \
                     (an image that belongs to no other can have a name of its own)"
                ),
            ));
        }
        let number = match self.numbers.get(name) {
            Some(&number) => number,
            None => {
                let number = u32::try_from(self.names.len()).map_err(|_| Error::Invalid {
                    what: SETTING.to_owned(),
                    found: format!("more than {} groups", u32::MAX),
                    expected: "fewer".to_owned(),
                })?;
                self.numbers.insert(name.to_owned(), number);
                self.names.push(name.to_owned());
                number
            }
        };
        self.of_image.push(number);
        Ok(())
    }

    /// The number of each image's group, and the groups' names by number.
    pub(super) fn finish(self) -> (Vec<u32>, Vec<String>) {
        (self.of_image, self.names)
    }
}
