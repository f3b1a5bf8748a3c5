//! `NAME/unfinished.maps`: the maps of a method of many passes, kept while the step runs, so that a step that was stopped goes on where
//! it was. Everything else of an image is cheap and made again from them, to the same bytes.
//!
//! The file begins with the key of what the step reads; each record is an image's position, the sizes of its maps, the maps, and a hash
//! of all that. Images come in one order, so that records are read as they are asked for. Behind the last whole record the file is cut off.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use cam::Maps;

/// Length of a key and of a hash in hexadecimal.
const HASH: usize = 64;
/// Position, attributes, height and width.
const HEAD: usize = 4 * 8;

/// Maps that an earlier run has made, and those that this one makes.
pub struct KeptMaps {
    /// Absent where maps cannot be kept: that costs time if the step is stopped, and nothing else.
    file: Option<File>,
    /// Behind the last whole record.
    end: u64,
    /// Whether there may be more to read.
    reading: bool,
    /// How many maps were there.
    pub found: usize,
}

impl KeptMaps {
    /// Nothing is kept: for methods that cost nothing.
    pub fn none() -> Self {
        Self {
            file: None,
            end: 0,
            reading: false,
            found: 0,
        }
    }

    /// The maps in the file at `path`, if they are of a step with this key; else none yet.
    pub fn open(path: &Path, key: &str) -> Self {
        let mut kept = Self {
            end: key.len() as u64,
            ..Self::none()
        };
        let opened = || -> std::io::Result<(File, bool)> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let mut file = disk::open_own(path, &options)?;
            let mut found = vec![0; key.len()];
            if file.read_exact(&mut found).is_ok() && found == key.as_bytes() {
                return Ok((file, true));
            }
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(key.as_bytes())?;
            Ok((file, false))
        };
        if let Ok((file, reading)) = opened() {
            kept.file = Some(file);
            kept.reading = reading;
        }
        kept
    }

    /// The maps of an image, the next in the step's order, if an earlier run has kept them.
    pub fn next(&mut self, image: usize) -> Option<Maps> {
        if !self.reading {
            return None;
        }
        let maps = self.file.as_mut().and_then(|file| record(file, image));
        match maps {
            Some((maps, length)) => {
                self.end += length;
                self.found += 1;
                Some(maps)
            }
            None => {
                self.reading = false;
                let end = self.end;
                self.change(|file| {
                    file.set_len(end)?;
                    file.seek(SeekFrom::Start(end)).map(drop)
                });
                None
            }
        }
    }

    /// Keeps the maps of an image that was not there.
    pub fn keep(&mut self, image: usize, maps: &Maps) {
        let sizes = [image, maps.attributes, maps.height, maps.width];
        let mut bytes: Vec<u8> = sizes.iter().flat_map(|&size| (size as u64).to_le_bytes()).collect();
        bytes.extend(maps.data.iter().flat_map(|value| value.to_le_bytes()));
        let hash = disk::hash_of(&bytes);
        bytes.extend(hash.as_bytes());
        self.change(|file| file.write_all(&bytes));
    }

    fn change(&mut self, change: impl FnOnce(&mut File) -> std::io::Result<()>) {
        if self.file.as_mut().is_some_and(|file| change(file).is_err()) {
            self.file = None;
        }
    }
}

/// The record of an image, if it is the next one and whole, and its length.
fn record(file: &mut File, image: usize) -> Option<(Maps, u64)> {
    let mut head = [0; HEAD];
    file.read_exact(&mut head).ok()?;
    let size = |at: usize| -> Option<usize> {
        let bytes = head[8 * at..][..8].try_into().ok()?;
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    };
    let [attributes, height, width] = [size(1)?, size(2)?, size(3)?];
    let length = attributes.checked_mul(height)?.checked_mul(width)?.checked_mul(4)?;
    let left = file.metadata().ok()?.len().checked_sub(file.stream_position().ok()?)?;
    if size(0)? != image || (length.checked_add(HASH)? as u64) > left {
        return None;
    }
    let mut bytes = head.to_vec();
    bytes.resize(HEAD + length + HASH, 0);
    file.read_exact(&mut bytes[HEAD..]).ok()?;
    let (body, hash) = bytes.split_at(HEAD + length);
    if disk::hash_of(body).as_bytes() != hash {
        return None;
    }
    let values = body[HEAD..].chunks_exact(4);
    let maps = Maps {
        data: values
            .map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]]))
            .collect(),
        images: 1,
        attributes,
        height,
        width,
    };
    Some((maps, bytes.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps(value: f32) -> Maps {
        Maps {
            data: vec![value; 12],
            images: 1,
            attributes: 3,
            height: 2,
            width: 2,
        }
    }

    #[test]
    fn whole_maps_of_the_same_step_are_found_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/unfinished.maps");
        let key = "0".repeat(HASH);
        let mut first = KeptMaps::open(&path, &key);
        assert_eq!(first.next(4), None);
        first.keep(4, &maps(0.5));
        first.keep(7, &maps(-1.5));
        first.keep(9, &maps(2.5));
        drop(first);

        // Killed while it wrote the third.
        let length = std::fs::metadata(&path).expect("there").len();
        let file = OpenOptions::new().write(true).open(&path).expect("opens");
        file.set_len(length - 5).expect("cut off");
        let mut second = KeptMaps::open(&path, &key);
        assert_eq!(second.next(4), Some(maps(0.5)));
        assert_eq!(second.next(7), Some(maps(-1.5)));
        assert_eq!((second.next(9), second.found), (None, 2));
        second.keep(9, &maps(3.5));
        assert_eq!(second.next(11), None);
        drop(second);
        let mut third = KeptMaps::open(&path, &key);
        let found: Vec<_> = [4, 7, 9].map(|image| third.next(image)).into_iter().flatten().collect();
        assert_eq!(found, [maps(0.5), maps(-1.5), maps(3.5)]);
        drop(third);

        // Another image than expected, and another step.
        assert_eq!(KeptMaps::open(&path, &key).next(5), None);
        let mut other = KeptMaps::open(&path, &"1".repeat(HASH));
        assert_eq!(other.next(4), None);
        assert_eq!(std::fs::metadata(&path).expect("there").len(), HASH as u64);
    }
}
