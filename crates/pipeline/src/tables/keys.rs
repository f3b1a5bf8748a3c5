//! Tables of one row an image and attribute.

use disk::Columns;

use super::read::{ParquetFile, ReadTable};
use crate::error::{Error, Result};

/// The attribute-by-attribute values of some images, as `predictions.parquet` and `energy.parquet` hold them.
#[derive(Debug, Clone, PartialEq)]
pub struct RowKeys {
    /// The images' names, N of them.
    pub images: Vec<String>,
    /// The attributes' names, A of them.
    pub attributes: Vec<String>,
}

impl RowKeys {
    /// The key columns of a long table.
    pub const COLUMNS: [&str; 2] = ["image", "attribute"];

    /// The column of who is in each image, in long tables that know.
    pub const PERSON: &str = "person";

    /// The two key columns of a long table.
    pub fn keys(&self) -> Columns {
        let pairs = || {
            self.images
                .iter()
                .flat_map(|image| self.attributes.iter().map(move |name| (image, name)))
        };
        let images: Vec<&str> = pairs().map(|(image, _)| image.as_str()).collect();
        let names: Vec<&str> = pairs().map(|(_, name)| name.as_str()).collect();
        let [image, attribute] = Self::COLUMNS;
        Columns::default().texts(image, &images).texts(attribute, &names)
    }

    /// Recovers images and attributes from a long table's key columns.
    ///
    /// # Errors
    /// When the rows are not images times attributes in that order.
    pub fn of(table: &ReadTable) -> Result<Self> {
        let [image, attribute] = Self::COLUMNS;
        let (image_of, name_of) = (table.strings(image)?, table.strings(attribute)?);
        let width = image_of
            .iter()
            .take_while(|&image| Some(image) == image_of.first())
            .count();
        let attributes: Vec<String> = name_of[..width].iter().map(ToString::to_string).collect();
        let mut images: Vec<String> = Vec::with_capacity(table.height() / width.max(1));
        let mut rows = image_of.iter().zip(&name_of).enumerate();
        let regular = rows.all(|(row, (image, name))| {
            if row % width == 0 {
                images.push(image.to_string());
            }
            images.last().is_some_and(|last| last == image) && attributes[row % width] == *name
        });
        if !regular || width == 0 || !table.height().is_multiple_of(width) {
            return Err(Error::artefact(
                table.path(),
                "its rows are not images times attributes",
            ));
        }
        Ok(Self { images, attributes })
    }

    /// Who is in each of the images: N names, equal for images of the same person; `None` where the table, whose keys these are, does not
    /// know.
    ///
    /// # Errors
    /// When the file is damaged, or the rows of an image name different people.
    pub fn people(&self, file: &ParquetFile) -> Result<Option<Vec<String>>> {
        if !file.has(Self::PERSON) {
            return Ok(None);
        }
        let table = file.columns(&[Self::PERSON])?;
        let width = self.attributes.len().max(1);
        let mut people: Vec<String> = Vec::with_capacity(self.images.len());
        let column = table.strings(Self::PERSON)?;
        let mut rows = column.iter().enumerate();
        let regular = rows.all(|(row, person)| {
            if row % width == 0 {
                people.push(person.to_string());
            }
            people.last().is_some_and(|last| last == person)
        });
        if !regular || table.height() != width * self.images.len() {
            return Err(Error::artefact(
                table.path(),
                "its rows do not name one person for each image",
            ));
        }
        Ok(Some(people))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_table_comes_back_as_it_was() {
        let keys = RowKeys {
            images: vec!["1.jpg".to_owned(), "2.jpg".to_owned()],
            attributes: vec!["Bald".to_owned(), "Bangs".to_owned(), "Young".to_owned()],
        };
        let scores = [Some(0.25), None, Some(-1.5), Some(0.0), Some(3.0), None];
        let bytes = keys
            .keys()
            .labels("label", &[1, -1, 0, 1, 1, -1])
            .doubles("score", &scores)
            .to_parquet();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.parquet");
        std::fs::write(&path, bytes.expect("a table")).expect("written");
        let table = ReadTable::parquet(&path).expect("readable");
        assert_eq!(RowKeys::of(&table).expect("regular"), keys);
        assert_eq!(table.doubles("score").expect("numbers"), scores);
        assert_eq!(table.integers("label").expect("numbers"), [1, -1, 0, 1, 1, -1]);
        let message = table.texts("image_name").expect_err("absent").to_string();
        assert!(message.contains("table.parquet"), "{message}");
    }

    #[test]
    fn people_are_one_an_image_or_unknown() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.parquet");
        let keys = RowKeys {
            images: vec!["1.jpg".to_owned(), "2.jpg".to_owned()],
            attributes: vec!["Bald".to_owned(), "Young".to_owned()],
        };
        let people = |table: Columns| {
            std::fs::write(&path, table.to_parquet().expect("a table")).expect("written");
            keys.people(&ParquetFile::open(&path).expect("whole"))
        };
        assert_eq!(people(keys.keys()).expect("readable"), None);
        let of = |rows: &[&str]| people(Columns::default().texts(RowKeys::PERSON, rows));
        let same = of(&["07", "07", "07", "07"]).expect("regular");
        assert_eq!(same, Some(vec!["07".to_owned(), "07".to_owned()]));
        for irregular in [
            &["7", "8", "7", "8"][..],
            &["7", "7"],
            &["7", "7", "8", "8", "9", "9"],
            &["7", "7", "8"],
        ] {
            let message = of(irregular).expect_err("irregular").to_string();
            assert!(
                message.contains("table.parquet: its rows do not name one person"),
                "{message}"
            );
        }
        let numbers = people(Columns::default().integers(RowKeys::PERSON, &[7, 7, 8, 8])).expect("names");
        assert_eq!(numbers, Some(vec!["7".to_owned(), "8".to_owned()]));
    }

    #[test]
    fn irregular_rows_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.parquet");
        let of = |images: &[&str], attributes: &[&str]| {
            let table = Columns::default().texts("image", images).texts("attribute", attributes);
            std::fs::write(&path, table.to_parquet().expect("a table")).expect("written");
            RowKeys::of(&ReadTable::parquet(&path).expect("readable"))
        };
        of(&["1", "1", "2", "2"], &["A", "B", "A", "B"]).expect("regular");
        for (images, attributes) in [
            (["1", "1", "2", "2"], ["A", "B", "B", "A"]),
            (["1", "1", "2", "3"], ["A", "B", "A", "B"]),
            (["1", "1", "1", "2"], ["A", "B", "C", "A"]),
        ] {
            of(&images, &attributes).expect_err("irregular");
        }
        of(&[], &[]).expect_err("empty");
    }
}
