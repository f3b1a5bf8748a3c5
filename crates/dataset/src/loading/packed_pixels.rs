use std::fmt;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use disk::{PartFile, read_exact_at};
use rayon::prelude::*;

use crate::geometry::Pixels;
use crate::sources::Fingerprint;
use crate::{Error, Result, Source};

/// Changes with the format below.
const MAGIC: &[u8; 16] = b"biascam pixels 1";
/// The magic, where the table begins, and its checksum.
const HEAD: usize = 28;
/// Bytes of an entry of the table.
const ENTRY: usize = 40;
/// Images that are decoded together before they are written.
const TOGETHER: usize = 256;

/// Called with the number of images packed so far; `Break` stops the work.
pub type PackProgress<'a> = dyn FnMut(usize) -> ControlFlow<()> + 'a;

/// Decoded images in one file, so that an epoch decodes no JPEG: what a [`Loader`](crate::Loader) would keep in memory,
/// kept on disk.
///
/// An image is stored as its pixels before alignment, halved as often as a square of the given side needs: augmentation
/// turns and shifts the alignment, so that it needs what lies outside of it, and everything random stays as it is. At a side
/// of 224 that is all of an image of CelebA, 116 KB; at 112 a quarter of it.
///
/// The file states what it was made from ([`Source::contents`], side, and which images): with anything else it is made
/// anew. It gets its name when it is complete. Every image has a checksum.
pub struct PackedPixels {
    path: PathBuf,
    file: File,
    size: usize,
    entries: Vec<Option<Entry>>,
}

/// What [`PackedPixels::open`] found to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// There was no file of this name: it was written.
    Written,
    /// The file was of other images, or damaged: it was written anew.
    Replaced,
    /// The file was as it should be.
    AlreadyThere,
}

/// A packed image.
pub(crate) struct PackedImage {
    pub(crate) pixels: Pixels,
    /// How often it was halved.
    pub(crate) halvings: u32,
    /// Width and height before that.
    pub(crate) original: (u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    start: u64,
    width: u32,
    height: u32,
    halvings: u32,
    original: (u32, u32),
    checksum: u32,
}

impl PackedPixels {
    /// The file `path` with the images `indices` of `source` for squares of `size`, written first if it is not there, of
    /// something else, or damaged. An image that cannot be read is left out, and is an error when the loader comes to it.
    ///
    /// # Errors
    /// [`Error::Write`] when the file cannot be written (permissions, disk full), [`Error::Stopped`] when `progress` says so;
    /// nothing is left behind then.
    pub fn open(
        path: &Path,
        source: &dyn Source,
        indices: &[usize],
        size: usize,
        progress: &mut PackProgress<'_>,
    ) -> Result<(Self, Packing)> {
        let key = key(source, indices, size);
        let images = source.annotations().len();
        let open = || Self::read_table(path, &key, images, size);
        if let Some(packed) = open() {
            return Ok((packed, Packing::AlreadyThere));
        }
        let outcome = if path.exists() {
            Packing::Replaced
        } else {
            Packing::Written
        };
        let mut file = PartFile::begin(path).map_err(|error| Error::Write {
            path: path.to_owned(),
            source: error.source,
        })?;
        write(&mut file, source, indices, size, &key, progress)?;
        file.finish()?;
        let packed = open().ok_or_else(|| Error::File {
            file: path.display().to_string(),
            found: "other bytes than were written".to_owned(),
            expected: "a disk that keeps them".to_owned(),
        })?;
        Ok((packed, outcome))
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.file.metadata().map(|file| file.len()).unwrap_or(0)
    }

    /// Number of images in the file.
    pub fn images(&self) -> usize {
        self.entries.iter().flatten().count()
    }

    /// # Errors
    /// When the file is of another number of images or another side.
    pub(crate) fn check(&self, images: usize, size: usize) -> Result<()> {
        if (self.entries.len(), self.size) == (images, size) {
            return Ok(());
        }
        Err(Error::Invalid {
            what: format!("packed images {}", self.path.display()),
            found: format!("of {} images and side {}", self.entries.len(), self.size),
            expected: format!("{images} images and side {size}"),
        })
    }

    /// The image `index`; `None` when it is not in the file.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub(crate) fn read(&self, index: usize) -> Result<Option<PackedImage>> {
        let Some(entry) = self.entries.get(index).copied().flatten() else {
            return Ok(None);
        };
        let damaged = || {
            let what = "this part is damaged; without the file, it is written anew";
            io::Error::new(io::ErrorKind::InvalidData, what)
        };
        let size = (entry.width as usize, entry.height as usize);
        let mut rgb = vec![0; 3 * size.0 * size.1];
        let pixels = read_exact_at(&self.file, &mut rgb, entry.start).and_then(|()| {
            if crc32fast::hash(&rgb) != entry.checksum {
                return Err(damaged());
            }
            Pixels::from_rgb(size, &rgb).ok_or_else(damaged)
        });
        let pixels = pixels.map_err(|source| Error::Read {
            path: self.path.clone(),
            source,
        })?;
        Ok(Some(PackedImage {
            pixels,
            halvings: entry.halvings,
            original: entry.original,
        }))
    }

    /// Opens a file that is whole and has this key.
    fn read_table(path: &Path, key: &str, images: usize, size: usize) -> Option<Self> {
        let file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        let mut head = [0; HEAD];
        read_exact_at(&file, &mut head, 0).ok()?;
        let table = u64::from_le_bytes(head[16..24].try_into().ok()?);
        if &head[..16] != MAGIC || length < table {
            return None;
        }
        let mut tail = vec![0; usize::try_from(length - table).ok()?];
        read_exact_at(&file, &mut tail, table).ok()?;
        if crc32fast::hash(&tail).to_le_bytes() != head[24..] {
            return None;
        }
        let (entries, found) = tail.split_at_checked(images.checked_mul(ENTRY)?)?;
        if found != key.as_bytes() {
            return None;
        }
        let entries = entries.chunks_exact(ENTRY).map(|entry| Entry::from_bytes(entry, table));
        Some(Self {
            path: path.to_owned(),
            file,
            size,
            entries: entries.collect::<Option<Vec<_>>>()?,
        })
    }
}

impl fmt::Debug for PackedPixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackedPixels({}, {} images)", self.path.display(), self.images())
    }
}

impl Entry {
    fn to_bytes(self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        bytes[..8].copy_from_slice(&self.start.to_le_bytes());
        let numbers = [
            self.width,
            self.height,
            self.halvings,
            self.original.0,
            self.original.1,
            self.checksum,
        ];
        for (out, number) in bytes[8..].chunks_exact_mut(4).zip(numbers) {
            out.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// `Some(None)` for an image that is not there, `None` for an entry that no writer made.
    fn from_bytes(bytes: &[u8], end: u64) -> Option<Option<Self>> {
        let number = |position: usize| -> Option<u32> {
            Some(u32::from_le_bytes(*bytes.get(8 + 4 * position..)?.first_chunk()?))
        };
        let entry = Self {
            start: u64::from_le_bytes(*bytes.first_chunk()?),
            width: number(0)?,
            height: number(1)?,
            halvings: number(2)?,
            original: (number(3)?, number(4)?),
            checksum: number(5)?,
        };
        if entry.start == 0 {
            return Some(None);
        }
        let bytes = u64::from(entry.width)
            .checked_mul(u64::from(entry.height))?
            .checked_mul(3)?;
        (entry.start.checked_add(bytes)? <= end).then_some(Some(entry))
    }
}

/// What the file is of.
fn key(source: &dyn Source, indices: &[usize], size: usize) -> String {
    let mut hash = Fingerprint::new();
    for &index in indices {
        hash.add(&(index as u64).to_le_bytes());
    }
    format!(
        "{} side {size} of {} {:016x}",
        source.contents(),
        indices.len(),
        hash.value()
    )
}

fn write(
    file: &mut PartFile,
    source: &dyn Source,
    indices: &[usize],
    size: usize,
    key: &str,
    progress: &mut PackProgress<'_>,
) -> Result<()> {
    file.write(&[0; HEAD])?;
    let mut at = HEAD as u64;
    let mut table = vec![0; source.annotations().len() * ENTRY];
    let mut done = 0;
    for part in indices.chunks(TOGETHER) {
        let packed: Vec<Option<(Entry, Vec<u8>)>> = part.par_iter().map(|&index| pack(source, index, size)).collect();
        for (&index, packed) in part.iter().zip(packed) {
            let Some((entry, rgb)) = packed else { continue };
            file.write(&rgb)?;
            table[index * ENTRY..][..ENTRY].copy_from_slice(&Entry { start: at, ..entry }.to_bytes());
            at += rgb.len() as u64;
        }
        done += part.len();
        if progress(done).is_break() {
            return Err(Error::Stopped);
        }
    }
    table.extend_from_slice(key.as_bytes());
    let head = [
        MAGIC.as_slice(),
        &at.to_le_bytes(),
        &crc32fast::hash(&table).to_le_bytes(),
    ]
    .concat();
    file.write(&table)?;
    Ok(file.write_head(&head)?)
}

/// An image's entry and pixels; `None` when it cannot be read or aligned.
fn pack(source: &dyn Source, index: usize, size: usize) -> Option<(Entry, Vec<u8>)> {
    let image = source.image(index).ok()?;
    let original = image.dimensions();
    let transform = source.alignment(index, original, size).ok()?;
    let (pixels, halvings) = Pixels::halved_for(&image, &transform);
    let rgb: Vec<u8> = pixels.rgb().collect();
    let entry = Entry {
        start: 0,
        width: pixels.size().0 as u32,
        height: pixels.size().1 as u32,
        halvings,
        original,
        checksum: crc32fast::hash(&rgb),
    };
    Some((entry, rgb))
}
