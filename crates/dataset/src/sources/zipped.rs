use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::read_at;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::files::is_clutter;
use crate::{Error, Result};

/// The largest image file that is unpacked, bytes: beyond any photograph, and small enough to hold one per thread.
const LARGEST_IMAGE: u64 = 256 << 20;

/// The files of a zip archive by their name, with or without their folders, read in place and from several threads at once.
///
/// What file managers add is left out: hidden files and folders, `__MACOSX`, `Thumbs.db`.
#[derive(Debug)]
pub(crate) struct ZippedFiles {
    path: PathBuf,
    /// Bytes of the archive.
    length: u64,
    archive: ZipArchive<PositionedReader>,
    /// By the name without folders: the first of the name.
    entries: HashMap<String, usize>,
    /// The others of a name that is in several folders.
    others: HashMap<String, Vec<usize>>,
}

impl ZippedFiles {
    /// Reads the archive's index: nothing of its files.
    ///
    /// # Errors
    /// When the archive is cut off or none.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let cannot_read = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let broken = |found: String, expected: &str| Error::File {
            file: path.display().to_string(),
            found,
            expected: expected.to_owned(),
        };
        let reader = PositionedReader::open(path).map_err(cannot_read)?;
        let length = reader.length;
        let archive = ZipArchive::new(reader).map_err(|error| match error {
            // The index is an archive's last part, so that this is what a download that stopped half-way looks like.
            ZipError::InvalidArchive(_) => broken(
                format!("an archive without a whole index ({error})"),
                "a complete zip file; was the download or the copy cut off?",
            ),
            ZipError::Io(source) => cannot_read(source),
            other => broken(other.to_string(), "a plain zip file"),
        })?;
        let mut entries = HashMap::with_capacity(archive.len());
        let mut others: HashMap<String, Vec<usize>> = HashMap::new();
        for entry in 0..archive.len() {
            let Some(Ok(name)) = archive.name_for_index(entry) else {
                continue; // It can be asked for by no name.
            };
            let file = parts(&name).last().unwrap_or_default();
            if name.ends_with(SEPARATORS) || parts(&name).any(is_clutter) {
                continue;
            }
            match entries.entry(file.to_owned()) {
                Entry::Vacant(free) => {
                    free.insert(entry);
                }
                Entry::Occupied(_) => others.entry(file.to_owned()).or_default().push(entry),
            }
        }
        Ok(Self {
            path: path.to_owned(),
            length,
            archive,
            entries,
            others,
        })
    }

    /// The entry of a file by its name, with as many of its folders as make it the only one.
    pub(crate) fn find(&self, name: &str) -> Found {
        let Some(file) = parts(name).last() else {
            return Found::None;
        };
        let Some(&first) = self.entries.get(file) else {
            return Found::None;
        };
        let full = |entry: usize| match self.archive.name_for_index(entry) {
            Some(Ok(full)) => full.into_owned(),
            _ => String::new(),
        };
        // Nearly always: a name without folders, once in the archive.
        if file.len() == name.len() && !self.others.contains_key(file) {
            return Found::One(first);
        }
        let wanted: Vec<&str> = parts(name).collect();
        let others = self.others.get(file).into_iter().flatten().copied();
        let mut fitting: Vec<(usize, String)> = std::iter::once(first)
            .chain(others)
            .map(|entry| (entry, full(entry)))
            .filter(|(_, full)| parts(full).collect::<Vec<_>>().ends_with(&wanted))
            .collect();
        if let Some(exact) = fitting.iter().find(|(_, full)| parts(full).eq(wanted.iter().copied())) {
            return Found::One(exact.0);
        }
        match fitting.len() {
            0 => Found::None,
            1 => Found::One(fitting[0].0),
            _ => Found::Several(fitting.drain(..).map(|(_, full)| full).collect()),
        }
    }

    fn one(&self, name: &str) -> Option<usize> {
        match self.find(name) {
            Found::One(entry) => Some(entry),
            Found::None | Found::Several(_) => None,
        }
    }

    /// The archive.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all files with their folders.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.entries.values().chain(self.others.values().flatten());
        let full = entries.filter_map(|&entry| self.archive.name_for_index(entry)?.ok());
        full.map(|name| parts(&name).collect::<Vec<_>>().join("/")).collect()
    }

    /// Where a file is, for messages: `img_align_celeba.zip/000001.jpg`.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The bytes of the file `name`; `None` when the archive has none of this name.
    ///
    /// # Errors
    /// When they cannot be read, or are not those that were packed, or the name is that of several files.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let entry = match self.find(name) {
            Found::One(entry) => entry,
            Found::None => return Ok(None),
            Found::Several(files) => {
                return Err(Error::File {
                    file: self.path.display().to_string(),
                    found: format!("{name} in {} folders ({})", files.len(), files.join(", ")),
                    expected: "each image once, or its folder in its name".to_owned(),
                });
            }
        };
        self.unpack(entry).map(Some).map_err(|source| Error::Read {
            path: self.place(name),
            source,
        })
    }

    /// The size of the file `name`, unpacked, bytes.
    pub(crate) fn size(&self, name: &str) -> Option<u64> {
        let data = self.archive.by_index_data(self.one(name)?).ok()?;
        Some(data.size())
    }

    /// Size and checksum of the file `name`, unpacked.
    pub(crate) fn checksum(&self, name: &str) -> Option<(u64, u64)> {
        let data = self.archive.by_index_data(self.one(name)?).ok()?;
        Some((data.size(), u64::from(data.crc32())))
    }

    fn unpack(&self, entry: usize) -> io::Result<Vec<u8>> {
        let damaged = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
        // Cheap: the index is shared, and each reader has a position of its own.
        let mut archive = self.archive.clone();
        let mut file = archive.by_index_raw(entry)?;
        if file.encrypted() {
            return Err(damaged("the file is encrypted".to_owned()));
        }
        if file.size().max(file.compressed_size()) > LARGEST_IMAGE {
            return Err(damaged(format!(
                "a file of {} bytes, too large for an image",
                file.size()
            )));
        }
        if file.compressed_size() > self.length {
            return Err(damaged(
                "the archive is damaged here (it ends before the file does)".to_owned(),
            ));
        }
        let (method, size, checksum) = (file.compression(), file.size(), file.crc32());
        let mut packed = Vec::with_capacity(file.compressed_size() as usize);
        file.read_to_end(&mut packed)?;
        let bytes = match method {
            CompressionMethod::STORE => packed,
            CompressionMethod::DEFLATE => miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, size as usize)
                .map_err(|error| damaged(format!("the archive is damaged here ({error})")))?,
            other => {
                return Err(damaged(format!(
                    "the file is packed by method {other}; stored and deflated files can be read"
                )));
            }
        };
        if bytes.len() as u64 != size || crc32fast::hash(&bytes) != checksum {
            return Err(damaged("the archive is damaged here (wrong checksum)".to_owned()));
        }
        Ok(bytes)
    }
}

/// What an archive has of a name.
pub(crate) enum Found {
    None,
    One(usize),
    /// Their full names.
    Several(Vec<String>),
}

/// Windows' own archiver once separated folders by the second.
const SEPARATORS: [char; 2] = ['/', '\\'];

/// Folders and file of a name in an archive, without `.` and empty parts.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(SEPARATORS).filter(|part| !part.is_empty() && *part != ".")
}

/// A file read at a position of its own, so that clones share the file but not the position.
#[derive(Debug)]
struct PositionedReader {
    file: Arc<File>,
    length: u64,
    position: u64,
    /// What was read last and where it begins: the index consists of very many small parts.
    buffer: Vec<u8>,
    buffer_start: u64,
}

impl PositionedReader {
    /// Twice the usual size of one of CelebA's images: its header and content come by one call of the system.
    const BUFFER: usize = 16 << 10;

    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self {
            length: file.metadata()?.len(),
            file: Arc::new(file),
            position: 0,
            buffer: Vec::new(),
            buffer_start: 0,
        })
    }

    fn buffered(&self) -> &[u8] {
        let offset = self.position.checked_sub(self.buffer_start);
        let offset = offset.and_then(|offset| usize::try_from(offset).ok());
        offset.and_then(|offset| self.buffer.get(offset..)).unwrap_or_default()
    }
}

impl Clone for PositionedReader {
    fn clone(&self) -> Self {
        Self {
            file: Arc::clone(&self.file),
            buffer: Vec::new(),
            ..*self
        }
    }
}

impl Read for PositionedReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.buffered().is_empty() {
            self.buffer.resize(Self::BUFFER, 0);
            let read = read_at(&self.file, &mut self.buffer, self.position);
            self.buffer.truncate(*read.as_ref().unwrap_or(&0));
            self.buffer_start = self.position;
            read?;
        }
        let available = self.buffered();
        let n = available.len().min(out.len());
        out[..n].copy_from_slice(&available[..n]);
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for PositionedReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_positioned_reader_reads_what_the_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bytes");
        let bytes: Vec<u8> = (0..50_000_u32).map(|i| (i * i / 7) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let mut reader = PositionedReader::open(&path).unwrap();
        for (start, length) in [
            (0, 40_000),
            (39_990, 5),
            (49_990, 10),
            (20, 20_000),
            (16_384, 16_385),
            (50_000, 0),
        ] {
            let mut out = vec![0; length];
            reader.seek(SeekFrom::End(start as i64 - 50_000)).unwrap();
            let mut other = reader.clone();
            reader.read_exact(&mut out).unwrap();
            assert_eq!(out, bytes[start..start + length]);
            // The clone stayed where it was.
            assert_eq!(other.stream_position().unwrap(), start as u64);
            assert_eq!(reader.stream_position().unwrap(), (start + length) as u64);
        }
        reader.seek(SeekFrom::Start(60_000)).unwrap();
        assert_eq!(reader.read(&mut [0; 4]).unwrap(), 0);
        assert!(reader.seek(SeekFrom::Current(-60_001)).is_err());
    }
}
