//! Pictures inside a table: a Parquet column of `bytes` and `path`, as the hub's `datasets` writes images, or of bytes alone.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::sources::cells::{ColumnBytes, IMAGE_COLUMNS, ImageColumn, ParquetTable, Table};
use crate::sources::hub::{Chunk, Codec, Place};
use crate::sources::named_images::name_inside;
use crate::{Error, Origin, Result};

/// The pictures in a table, read in place.
#[derive(Debug)]
pub(in crate::sources) struct Embedded {
    path: PathBuf,
    file: File,
    places: Vec<Place>,
}

/// The column of a table's images that is called `named`; where that is the usual `image`, else the first that is called like one.
/// A column of pictures that has none in any row has their names.
///
/// # Errors
/// When there is none.
pub(in crate::sources) fn image_column_of(table: &Table, named: &str) -> Result<ImageColumn> {
    let position = |column: &str, part: &str| {
        let name = format!("{column}.{part}");
        table.header.iter().position(|known| *known == name)
    };
    let usual = IMAGE_COLUMNS.iter().copied().filter(|_| named == IMAGE_COLUMNS[0]);
    let parts = std::iter::once(named).chain(usual);
    let in_parts = parts.filter_map(|column| Some((column, position(column, "bytes")?)));
    if let Some((column, bytes)) = in_parts.into_iter().next() {
        let has_paths = position(column, "path").is_some();
        return Ok(match has_paths && first_value(table, bytes, |_| ()).is_none() {
            true => ImageColumn::Paths(column.to_owned()),
            false => ImageColumn::Pictures(column.to_owned()),
        });
    }
    let column = table.image_column(named)?;
    // Some writers do not say of names that they are text.
    let holds_bytes = table.as_parquet().is_some_and(|parquet| parquet.holds_bytes(column));
    let is_picture = |value: &[u8]| std::str::from_utf8(value).is_err();
    Ok(match table.header.get(column) {
        Some(name) if holds_bytes && first_value(table, column, is_picture) == Some(true) => {
            ImageColumn::Pictures(name.clone())
        }
        _ => ImageColumn::Names(column),
    })
}

/// What `look` finds in the first value of a column of bytes that is not empty.
fn first_value<T>(table: &Table, column: usize, look: impl Fn(&[u8]) -> T) -> Option<T> {
    let mut found = None;
    // It is the end of the look, or damage that the reading names.
    let _ = each(table.as_parquet()?, column, |value| match value {
        Some((_, bytes)) => {
            found = Some(look(bytes));
            Err("seen enough".to_owned())
        }
        None => Ok(()),
    });
    found
}

impl Embedded {
    /// Goes through the pictures once, to know where each is, and returns their names too: those of `path` where every picture has
    /// one of its own, else the numbers of the rows.
    ///
    /// # Errors
    /// When the file is damaged, or a row has no picture.
    pub(in crate::sources) fn open(path: &Path, table: &Table, image_column: &str) -> Result<(Self, Vec<String>)> {
        let column = |part: &str| {
            let name = format!("{image_column}.{part}");
            table.header.iter().position(|known| *known == name)
        };
        let fault = |found: String| Error::File {
            file: table.file.clone(),
            found,
            expected: format!("a picture in each row of {image_column}"),
        };
        let plain = || table.header.iter().position(|name| name == image_column);
        let (Some(parquet), Some(bytes)) = (table.as_parquet(), column("bytes").or_else(plain)) else {
            return Err(fault(format!("no column `{image_column}.bytes`")));
        };
        let mut places = Vec::new();
        let mut row = 0;
        each(parquet, bytes, |value| {
            row += 1;
            let (place, picture) =
                value.ok_or_else(|| format!("no picture in row {row}: {} is empty", table.header[bytes]))?;
            let checksum = crc32fast::hash(picture);
            places.push(Place { checksum, ..place });
            Ok(())
        })
        .map_err(fault)?;
        let paths = match column("path") {
            Some(column) => texts(parquet, column).map_err(fault)?,
            None => Vec::new(),
        };
        let names: Option<Vec<String>> = paths.iter().map(|path| path.as_deref().map(name_inside)).collect();
        let own = |names: &Vec<String>| {
            let distinct: HashSet<&String> = names.iter().collect();
            names.len() == places.len() && distinct.len() == names.len() && !names.iter().any(String::is_empty)
        };
        let names = names.filter(own);
        let names = names.unwrap_or_else(|| (1..=places.len()).map(|row| format!("row-{row:06}")).collect());
        let file = File::open(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let path = path.to_owned();
        Ok((Self { path, file, places }, names))
    }

    /// Bytes and place of a picture.
    ///
    /// # Errors
    /// When they cannot be read, or are others than when the table was opened.
    pub(super) fn read(&self, index: usize, name: &str) -> Result<(Vec<u8>, PathBuf)> {
        let path = self.path.join(name);
        let place = self.places.get(index).ok_or_else(|| Error::Missing {
            what: format!("image {name}"),
            looked_for: vec![path.clone()],
        })?;
        match place.read(&self.file) {
            Ok(bytes) => Ok((bytes, path)),
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    /// A picture's size in bytes.
    pub(super) fn size(&self, index: usize) -> Option<u64> {
        self.places.get(index).map(|place| u64::from(place.length))
    }

    /// Where a picture is.
    pub(super) fn origin(&self, index: usize, name: &str) -> Option<Origin> {
        let checksum = self.places.get(index)?.checksum;
        Some(Origin::part(self.path.clone(), format!("{name} {checksum:08x}")))
    }

    /// Tells `add` what changes with a picture.
    pub(super) fn identify(&self, index: usize, add: &mut dyn FnMut(&[u8])) {
        if let Some(place) = self.places.get(index) {
            add(&place.length.to_le_bytes());
            add(&place.checksum.to_le_bytes());
        }
    }
}

/// The names of images of which a column has the paths and no pictures.
///
/// # Errors
/// When the file is damaged, or a row has no path.
pub(in crate::sources) fn names_of(table: &Table, image_column: &str) -> Result<Vec<String>> {
    let name = format!("{image_column}.path");
    let fault = |found: String| Error::File {
        file: table.file.clone(),
        found,
        expected: format!("a path in each row of {name}, as {image_column}.bytes has no picture in any row"),
    };
    let column = table.header.iter().position(|known| *known == name);
    let (Some(parquet), Some(column)) = (table.as_parquet(), column) else {
        return Err(fault(format!("no column `{name}`")));
    };
    let named = (1..).zip(texts(parquet, column).map_err(fault)?);
    named
        .map(|(row, text): (usize, _)| text.ok_or_else(|| fault(format!("no path in row {row}"))))
        .collect()
}

/// The values of a column of text.
fn texts(parquet: &ParquetTable, column: usize) -> Result<Vec<Option<String>>, String> {
    let mut texts = Vec::new();
    each(parquet, column, |value| {
        texts.push(value.map(|(_, text)| String::from_utf8_lossy(text).into_owned()));
        Ok(())
    })?;
    Ok(texts)
}

/// Hands the values of a column of bytes to `take`, with their places.
fn each(
    parquet: &ParquetTable,
    column: usize,
    mut take: impl FnMut(Option<(Place, &[u8])>) -> Result<(), String>,
) -> Result<(), String> {
    for group in 0..parquet.groups() {
        let ColumnBytes { metadata, start, bytes } = parquet.column_bytes(group, column)?;
        let compression = metadata.compression();
        let chunk = Chunk {
            bytes: &bytes,
            start,
            codec: Codec::of(compression).ok_or_else(|| format!("the outdated compression {compression:?}"))?,
            values: usize::try_from(metadata.num_values()).map_err(|_| "a negative count".to_owned())?,
            present: metadata.descriptor().descriptor.max_def_level,
        };
        let mut taken = Ok(());
        let read = disk::without_panic(|| {
            chunk.values(|value| {
                if taken.is_ok() {
                    taken = take(value);
                }
            })
        });
        read.unwrap_or_else(|| Err(format!("row group {group} is damaged")))?;
        taken?;
    }
    Ok(())
}
