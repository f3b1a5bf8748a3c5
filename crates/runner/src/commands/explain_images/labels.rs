//! Labels of pictures, for the target `label`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Labels of the chosen attributes by file name.
pub struct Labelled {
    file: PathBuf,
    labels: HashMap<String, Vec<i8>>,
}

impl Labelled {
    /// Reads CelebA's `list_attr*.txt`.
    ///
    /// # Errors
    /// When the file cannot be read, is malformed, or lacks a chosen attribute.
    pub fn read(file: &Path, chosen: &[(usize, String)]) -> Result<Self> {
        let bytes = std::fs::read(file).map_err(Error::io(file, "reading the labels"))?;
        let table = dataset::parse_labels(&file.display().to_string(), &bytes)?;
        let column = |(_, name): &(usize, String)| {
            table.attributes.index(name).ok_or_else(|| {
                Error::Request(format!(
                    "{}: no labels of {name}; --attributes chooses among {}",
                    file.display(),
                    table.attributes.names().join(", ")
                ))
            })
        };
        let columns: Vec<usize> = chosen.iter().map(column).collect::<Result<_>>()?;
        let rows = table.labels.chunks_exact(table.attributes.len());
        let of_row = |row: &[i8]| columns.iter().map(|&column| row[column]).collect();
        Ok(Self {
            file: file.to_owned(),
            labels: table.names.iter().cloned().zip(rows.map(of_row)).collect(),
        })
    }

    /// The labels of a picture, one for each chosen attribute.
    ///
    /// # Errors
    /// When it has none.
    pub fn of(&self, picture: &Path) -> Result<Vec<i8>> {
        let name = picture.file_name().unwrap_or_default().to_string_lossy();
        self.labels.get(name.as_ref()).cloned().ok_or_else(|| {
            Error::Request(format!(
                "{}: no labels of `{name}` in {}",
                picture.display(),
                self.file.display()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_labels_are_found_by_file_name() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("labels.txt");
        std::fs::write(&file, "2\nBald Young\na.jpg 1 -1\nb.jpg -1 1\n").unwrap();
        let labelled = Labelled::read(&file, &[(7, "Young".to_owned())]).unwrap();
        assert_eq!(labelled.of(Path::new("in/b.jpg")).unwrap(), [1]);
        let message = labelled.of(Path::new("c.jpg")).unwrap_err().to_string();
        assert!(message.starts_with("c.jpg: no labels of `c.jpg` in "), "{message}");
        let message = Labelled::read(&file, &[(0, "Smiling".to_owned())])
            .err()
            .unwrap()
            .to_string();
        assert!(
            message.contains("no labels of Smiling") && message.contains("Bald, Young"),
            "{message}"
        );
    }
}
