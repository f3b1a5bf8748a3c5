//! Pictures inside a table: a Parquet column of `bytes` and `path`, as the hub's `datasets` writes images, or of bytes alone.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::sources::cells::{IMAGE_COLUMN, ImageColumn, ParquetTable, Table, is_image_column};
use crate::sources::found::key;
use crate::sources::hub::{Chunk, Place};
use crate::sources::named_images::name_inside;
use crate::{Error, Origin, Result};

/// The pictures in a table, read in place.
#[derive(Debug)]
pub(in crate::sources) struct Embedded {
    path: PathBuf,
    file: File,
    places: Vec<Place>,
    /// What is to be said of the names.
    note: Option<String>,
}

/// The column of a table's images that is called `named`, in any case; where that is the usual `image`, else the first that is called like
/// one and is not among the `taken`, which have another meaning. A column of pictures that has none in any row has their names.
///
/// # Errors
/// When there is none.
pub(in crate::sources) fn image_column_of(table: &Table, named: &str, taken: &[&str]) -> Result<ImageColumn> {
    let wholes = || table.header.iter().filter_map(|name| name.strip_suffix(".bytes"));
    let whole = wholes()
        .find(|whole| *whole == named)
        .or_else(|| wholes().find(|whole| key(whole) == key(named)))
        .or_else(|| wholes().find(|whole| named == IMAGE_COLUMN && is_image_column(whole)));
    if let Some(whole) = whole {
        let position = |part: &str| {
            let name = format!("{whole}.{part}");
            table.header.iter().position(|known| *known == name)
        };
        let is_empty = |column| matches!(first_value(table, column, |_| ()), Ok(None));
        return Ok(match position("path").and(position("bytes")).is_some_and(is_empty) {
            true => ImageColumn::Paths(whole.to_owned()),
            false => ImageColumn::Pictures(whole.to_owned()),
        });
    }
    let column = table.image_column(named, taken)?;
    // Some writers do not say of names that they are text. What cannot be read is told by who reads pictures.
    let holds_bytes = table.as_parquet().is_some_and(|parquet| parquet.holds_bytes(column));
    let is_text = |value: &[u8]| std::str::from_utf8(value).is_ok();
    Ok(match table.header.get(column) {
        Some(name) if holds_bytes && !matches!(first_value(table, column, is_text), Ok(None | Some(true))) => {
            ImageColumn::Pictures(name.clone())
        }
        _ => ImageColumn::Names(column),
    })
}

/// What `look` finds in the first value of a column of bytes that is not null.
///
/// # Errors
/// In words, when the values before it cannot be read.
fn first_value<T>(table: &Table, column: usize, look: impl Fn(&[u8]) -> T) -> Result<Option<T>, String> {
    let Some(parquet) = table.as_parquet() else {
        return Ok(None);
    };
    let mut found = None;
    let read = each(parquet, column, |value| match value {
        Some((_, bytes)) => {
            found = Some(look(bytes));
            Err("seen enough".to_owned())
        }
        None => Ok(()),
    });
    match found {
        Some(_) => Ok(found),
        None => read.map(|()| None),
    }
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
        // Names are a convenience: rows can be counted.
        let paths = column("path").map(|column| texts(parquet, column).unwrap_or_default());
        let has_paths = paths.is_some();
        let paths = paths.unwrap_or_default();
        let names: Option<Vec<String>> = paths.iter().map(|path| path.as_deref().map(name_inside)).collect();
        let own = |names: &Vec<String>| {
            let distinct: HashSet<&String> = names.iter().collect();
            names.len() == places.len() && distinct.len() == names.len() && !names.iter().any(String::is_empty)
        };
        let names = names.filter(own);
        let unnamed = has_paths && names.is_none();
        let names = names.unwrap_or_else(|| (1..=places.len()).map(|row| format!("row-{row:06}")).collect());
        let file = File::open(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let path = path.to_owned();
        let note = unnamed.then(|| {
            let file = path.display();
            format!("{file}: {image_column}.path does not have another name for each picture, so that images are called by their rows")
        });
        let embedded = Self {
            path,
            file,
            places,
            note,
        };
        Ok((embedded, names))
    }

    /// What is to be said of how it was read.
    pub(super) fn note(&self) -> Option<&str> {
        self.note.as_deref()
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
        let bytes = parquet.column_bytes(group, column)?;
        let chunk = Chunk::of(&bytes)?;
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
