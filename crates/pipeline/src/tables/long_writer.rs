//! A long table that is written as its rows come.

use std::iter;
use std::path::Path;

use disk::{Columns, ParquetWriter, PartFile, TableError};

use super::keys::RowKeys;
use crate::error::{Error, Result};

/// Most rows of a row group. All of a group are in memory at once, whatever the number of images.
const GROUP: usize = 1 << 16;

/// Makes the columns beside the keys from rows.
type ColumnsOf<R> = fn(Columns, &[R]) -> Columns;

/// A long table under construction, of which only the last images' rows are in memory.
///
/// Row groups have a fixed number of images, which depends on the number of attributes alone: the file's bytes are the same however the
/// rows come. It is in its place once it is [finished](Self::finish), and leaves nothing if it never is.
pub struct LongWriter<R> {
    file: PartFile,
    columns: ColumnsOf<R>,
    /// Images of a group.
    together: usize,
    /// Of the group in hand.
    keys: RowKeys,
    rows: Vec<R>,
    /// Who is in the images from the group in hand on, where the table is to say it.
    people: Option<Vec<String>>,
    parquet: ParquetWriter,
    /// Whether a group was written.
    begun: bool,
}

impl<R> LongWriter<R> {
    /// Begins the file at `path`; `columns` adds to a table's keys what rows hold.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(path: &Path, attributes: &[String], columns: ColumnsOf<R>) -> Result<Self> {
        Ok(Self {
            file: PartFile::begin(path)?,
            columns,
            together: (GROUP / attributes.len().max(1)).max(1),
            keys: RowKeys {
                images: Vec::new(),
                attributes: attributes.to_vec(),
            },
            // Grown step by step it would take up to three times as much for a moment.
            rows: Vec::with_capacity(GROUP.max(attributes.len())),
            people: None,
            parquet: ParquetWriter::default(),
            begun: false,
        })
    }

    /// Adds a last column, [`RowKeys::PERSON`], of who is in each image: names in the order in which the images will be added. With `None`
    /// the table has no such column. A name is stored once a row group.
    #[must_use]
    pub fn with_people(mut self, people: Option<Vec<String>>) -> Self {
        self.people = people;
        self
    }

    /// Adds an image's rows, one an attribute.
    ///
    /// # Errors
    /// When the file cannot be written, or rows or people are missing.
    pub fn add(&mut self, image: &str, rows: impl IntoIterator<Item = R>) -> Result<()> {
        self.keys.images.push(image.to_owned());
        self.rows.extend(rows);
        if self.keys.images.len() == self.together {
            self.write_group()?;
        }
        Ok(())
    }

    /// Puts the complete file in its place.
    ///
    /// # Errors
    /// When it cannot be written, or rows or people are missing.
    pub fn finish(mut self) -> Result<()> {
        // A table without rows has columns all the same.
        if !self.keys.images.is_empty() || !self.begun {
            self.write_group()?;
        }
        if let Some(more) = self.people.as_ref().map(Vec::len).filter(|more| *more > 0) {
            let what = format!("{more} people more than images");
            return Err(self.fault(TableError::Rows(what)));
        }
        self.parquet.finish().map_err(|source| self.fault(source))?;
        self.file.write(&self.parquet.take())?;
        Ok(self.file.finish()?)
    }

    fn write_group(&mut self) -> Result<()> {
        self.encode().map_err(|source| self.fault(source))?;
        self.keys.images.clear();
        self.rows.clear();
        self.begun = true;
        Ok(self.file.write(&self.parquet.take())?)
    }

    fn encode(&mut self) -> Result<(), TableError> {
        let mut table = (self.columns)(self.keys.keys(), &self.rows);
        if let Some(people) = &mut self.people {
            let (images, width) = (self.keys.images.len(), self.keys.attributes.len());
            let of_group: Vec<String> = people.drain(..images.min(people.len())).collect();
            let rows: Vec<&str> = of_group
                .iter()
                .flat_map(|name| iter::repeat_n(name.as_str(), width))
                .collect();
            table = table.texts(RowKeys::PERSON, &rows);
        }
        self.parquet.write(table)
    }

    fn fault(&self, source: TableError) -> Error {
        Error::table(self.file.path())(source)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ReadTable;
    use super::*;

    const ATTRIBUTES: usize = 3;
    const TOGETHER: usize = GROUP / ATTRIBUTES;

    fn attributes() -> Vec<String> {
        ["Bald", "Bangs", "Young"].map(str::to_owned).to_vec()
    }

    fn columns(table: Columns, rows: &[(i8, Option<f32>)]) -> Columns {
        let labels: Vec<i8> = rows.iter().map(|row| row.0).collect();
        let values: Vec<Option<f32>> = rows.iter().map(|row| row.1).collect();
        table.labels("label", &labels).singles("value", &values)
    }

    fn rows(image: usize) -> [(i8, Option<f32>); ATTRIBUTES] {
        let row = |attribute: usize| {
            let value = (image * 7 + attribute) % 5;
            (value as i8 - 2, (value > 0).then(|| image as f32 / 3.0 + value as f32))
        };
        [row(0), row(1), row(2)]
    }

    /// Keys, labels and values of a table.
    fn held(table: &ReadTable) -> (Vec<String>, Vec<String>, Vec<i64>, Vec<Option<f32>>) {
        let texts = |name: &str| table.texts(name).expect(name);
        let (labels, values) = (table.integers("label"), table.singles("value"));
        (
            texts("image"),
            texts("attribute"),
            labels.expect("labels"),
            values.expect("values"),
        )
    }

    fn write(path: &Path, images: usize) -> LongWriter<(i8, Option<f32>)> {
        let mut writer = LongWriter::begin(path, &attributes(), columns).expect("begun");
        for image in 0..images {
            writer.add(&format!("{image}.jpg"), rows(image)).expect("written");
        }
        writer
    }

    #[test]
    fn the_file_holds_what_one_written_at_once_holds() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (streamed, whole) = (
            folder.path().join("a/streamed.parquet"),
            folder.path().join("whole.parquet"),
        );
        for images in [0, 1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 2 * TOGETHER + 5] {
            write(&streamed, images).finish().expect("finished");
            let keys = RowKeys {
                images: (0..images).map(|image| format!("{image}.jpg")).collect(),
                attributes: attributes(),
            };
            let all: Vec<_> = (0..images).flat_map(rows).collect();
            let bytes = columns(keys.keys(), &all).to_parquet().expect("a table");
            std::fs::write(&whole, &bytes).expect("written");
            let [a, b] = [&streamed, &whole].map(|path| ReadTable::parquet(path).expect("readable"));
            assert_eq!(held(&a), held(&b), "{images} images");
            if images <= TOGETHER {
                assert!(
                    std::fs::read(&streamed).expect("read") == bytes,
                    "{images} images: other bytes"
                );
            }
        }
    }

    /// A table of so many images of 1,000 people by turns, as long as `names` last.
    fn of_people(path: &Path, images: usize, names: usize) -> Result<()> {
        let people = (0..names).map(|image| format!("person {}", image % 1_000)).collect();
        let mut writer = LongWriter::begin(path, &attributes(), columns)?.with_people(Some(people));
        for image in 0..images {
            writer.add(&format!("{image}.jpg"), rows(image))?;
        }
        writer.finish()
    }

    #[test]
    fn people_are_a_column_of_their_own_and_small() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (known, unknown) = (
            folder.path().join("known.parquet"),
            folder.path().join("unknown.parquet"),
        );
        for images in [0, 1, TOGETHER, 2 * TOGETHER + 5] {
            of_people(&known, images, images).expect("written");
            write(&unknown, images).with_people(None).finish().expect("finished");
            let [a, b] = [&known, &unknown].map(|path| ReadTable::parquet(path).expect("readable"));
            let before = ["image", "attribute", "label", "value"];
            assert_eq!(b.columns(), before);
            assert_eq!(a.columns(), [&before[..], &[RowKeys::PERSON]].concat());
            assert_eq!(held(&a), held(&b), "{images} images");
            let names = a.texts(RowKeys::PERSON).expect("names");
            for (row, name) in names.iter().enumerate() {
                assert_eq!(*name, format!("person {}", row / ATTRIBUTES % 1_000));
            }
        }
        // Ten bits a row and the names would be 170 kB; the names of all rows would be 1.3 MB.
        let [with, without] = [&known, &unknown].map(|path| std::fs::metadata(path).expect("a file").len());
        assert!(with - without < 170_000, "{} bytes", with - without);
    }

    #[test]
    fn people_who_are_not_those_of_the_images_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.parquet");
        for names in [0, 4, 6, TOGETHER] {
            of_people(&path, 5, names).expect_err("not one an image");
            assert!(!path.exists());
        }
        of_people(&path, 5, 5).expect("one an image");
    }

    #[test]
    fn memory_holds_one_group_at_most() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut writer = write(&folder.path().join("a.parquet"), 3 * TOGETHER + 2);
        assert_eq!((writer.keys.images.len(), writer.rows.len()), (2, 2 * ATTRIBUTES));
        assert!(writer.parquet.take().is_empty(), "what is encoded is on disk");
    }

    #[test]
    fn an_unfinished_file_leaves_the_earlier_one_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.parquet");
        std::fs::write(&path, b"earlier").expect("written");
        drop(write(&path, TOGETHER + 1));
        let mut short = write(&path, 2);
        short.add("2.jpg", rows(2).into_iter().take(1)).expect("in memory");
        short.finish().expect_err("rows are missing");
        assert_eq!(std::fs::read(&path).expect("read"), b"earlier");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
