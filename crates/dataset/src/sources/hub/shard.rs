//! One shard: its schema, and the rows of a row group.

use std::fs::File;
use std::path::Path;

use disk::{ParquetReader, without_panic};
use polars_arrow::array::{BooleanArray, PrimitiveArray};
use polars_parquet::parquet::schema::types::PhysicalType;

use super::pages::Chunk;
use super::place::Place;
use crate::{Error, Result};

const BYTES: &[&str] = &["image", "bytes"];
const PATH: &[&str] = &["image", "path"];
const IDENTITY: &[&str] = &["celeb_id"];

/// A shard, opened: its footer is read, its rows are not.
pub(crate) struct Shard<'a> {
    path: &'a Path,
    reader: ParquetReader<&'a File>,
    bytes: usize,
    names: usize,
    identities: usize,
    attributes: Vec<(usize, String)>,
}

/// What a row group says of its images, in the order of its rows.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) places: Vec<Place>,
    /// `image.path`; `None` where it is null.
    pub(crate) names: Vec<Option<String>>,
    pub(crate) identities: Vec<u32>,
    /// `[rows, attributes]`, 1 or -1.
    pub(crate) labels: Vec<i8>,
}

impl<'a> Shard<'a> {
    /// Reads the footer and checks the schema.
    ///
    /// # Errors
    /// When the file is no whole Parquet file or has other columns than the hub's CelebA.
    pub(crate) fn open(path: &'a Path, file: &'a File) -> Result<Self> {
        let broken = |why: String| Error::File {
            file: path.display().to_string(),
            found: why,
            expected: "a complete shard; was the download or the copy cut off?".to_owned(),
        };
        let reader = ParquetReader::of(file).map_err(broken)?;
        let schema = |found: String| Error::File {
            file: path.display().to_string(),
            found,
            expected: "the hub's CelebA: a struct image of bytes and path, celeb_id, and a boolean column an attribute"
                .to_owned(),
        };
        let (mut bytes, mut names, mut identities, mut attributes) = (None, None, None, Vec::new());
        for (index, column) in reader.columns().iter().enumerate() {
            let path: Vec<&str> = column.path_in_schema.iter().map(|part| part.as_str()).collect();
            let physical = column.descriptor.primitive_type.physical_type;
            let (slot, expected) = match path.as_slice() {
                BYTES => (Some(&mut bytes), PhysicalType::ByteArray),
                PATH => (Some(&mut names), PhysicalType::ByteArray),
                IDENTITY => (Some(&mut identities), PhysicalType::Int64),
                [attribute] => {
                    attributes.push((index, (*attribute).to_owned()));
                    (None, PhysicalType::Boolean)
                }
                other => return Err(schema(format!("a column {}", other.join(".")))),
            };
            if physical != expected || column.descriptor.max_rep_level != 0 {
                return Err(schema(format!("a column {} of type {physical:?}", path.join("."))));
            }
            if let Some(slot) = slot {
                *slot = Some(index);
            }
        }
        let needed = |column: Option<usize>, name: &[&str]| {
            column.ok_or_else(|| schema(format!("no column {}", name.join("."))))
        };
        if attributes.is_empty() {
            return Err(schema("no boolean column".to_owned()));
        }
        Ok(Self {
            bytes: needed(bytes, BYTES)?,
            names: needed(names, PATH)?,
            identities: needed(identities, IDENTITY)?,
            path,
            reader,
            attributes,
        })
    }

    /// Names of the boolean columns.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(_, name)| name.as_str())
    }

    /// Number of row groups.
    pub(crate) fn groups(&self) -> usize {
        self.reader.groups()
    }

    /// Bytes of a row group in the file.
    pub(crate) fn group_bytes(&self, group: usize) -> u64 {
        self.reader.group_bytes(group)
    }

    /// Reads a row group. The places' shard is `shard`.
    ///
    /// # Errors
    /// When it is damaged, or anything but a path is null.
    pub(crate) fn group(&self, group: usize, shard: u16) -> Result<Group> {
        without_panic(|| self.read_group(group, shard)).unwrap_or_else(|| {
            Err(Error::File {
                file: self.path.display().to_string(),
                found: format!("row group {group} is damaged"),
                expected: "an undamaged shard of the hub's CelebA; fetching it again mends it".to_owned(),
            })
        })
    }

    fn read_group(&self, group: usize, shard: u16) -> Result<Group> {
        let rows = self.reader.rows(group);
        let fault = |column: &str, found: String| Error::File {
            file: self.path.display().to_string(),
            found: format!("{found}, in column {column} of row group {group}"),
            expected: "an undamaged shard of the hub's CelebA; fetching it again mends it".to_owned(),
        };
        let null = || "a null".to_owned();
        let mut read = Group::default();

        let mut nulls = 0;
        self.byte_arrays(group, self.bytes, |value| match value {
            Some((place, bytes)) => read.places.push(Place {
                shard,
                checksum: crc32fast::hash(bytes),
                ..place
            }),
            None => nulls += 1,
        })
        .and_then(|()| if nulls == 0 { Ok(()) } else { Err(null()) })
        .map_err(|found| fault("image.bytes", found))?;

        self.byte_arrays(group, self.names, |value| {
            read.names
                .push(value.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()));
        })
        .map_err(|found| fault("image.path", found))?;

        let identities = self
            .reader
            .values(group, self.identities)
            .and_then(|arrays| {
                let mut values = Vec::with_capacity(rows);
                for array in &arrays {
                    let array = array.as_any().downcast_ref::<PrimitiveArray<i64>>().ok_or_else(null)?;
                    for value in array.iter() {
                        let value = *value.ok_or_else(null)?;
                        values.push(u32::try_from(value).map_err(|_| format!("the identity {value}"))?);
                    }
                }
                Ok(values)
            })
            .map_err(|found| fault("celeb_id", found))?;
        read.identities = identities;

        let width = self.attributes.len();
        read.labels = vec![0; rows * width];
        for (position, (column, name)) in self.attributes.iter().enumerate() {
            self.reader
                .values(group, *column)
                .and_then(|arrays| {
                    let mut row = 0;
                    for array in &arrays {
                        let array = array.as_any().downcast_ref::<BooleanArray>().ok_or_else(null)?;
                        for value in array.iter() {
                            let label = read.labels.get_mut(row * width + position).ok_or("too many values")?;
                            *label = if value.ok_or_else(null)? { 1 } else { -1 };
                            row += 1;
                        }
                    }
                    if row == rows {
                        Ok(())
                    } else {
                        Err(format!("{row} values for {rows} rows"))
                    }
                })
                .map_err(|found| fault(name, found))?;
        }
        for (found, name) in [
            (read.places.len(), "image.bytes"),
            (read.names.len(), "image.path"),
            (read.identities.len(), "celeb_id"),
        ] {
            if found != rows {
                return Err(fault(name, format!("{found} values for {rows} rows")));
            }
        }
        Ok(read)
    }

    /// Hands the values of a column of bytes to `take`, with their places.
    fn byte_arrays(&self, group: usize, column: usize, take: impl FnMut(Option<(Place, &[u8])>)) -> Result<(), String> {
        Chunk::of(&self.reader.bytes(group, column)?)?.values(take)
    }
}
