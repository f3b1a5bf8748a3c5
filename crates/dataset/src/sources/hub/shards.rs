use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use rayon::prelude::*;

use super::index::{self, ShardIndex};
use super::layout::{FOLDER, hub_name, shard_name};
use super::place::Place;
use super::shard::{Group, Shard};
use crate::sources::Fingerprint;
use crate::{Error, Result, Split};

/// Called from many threads with the bytes gone through so far and in all; `Break` stops the work.
pub type IndexProgress<'a> = dyn Fn(u64, u64) -> ControlFlow<()> + Sync + 'a;

/// The shards of a data set, opened.
#[derive(Debug)]
pub(crate) struct Shards {
    files: Vec<(PathBuf, File)>,
    splits: Vec<Split>,
    folder: PathBuf,
}

impl Shards {
    /// The folder of the shards in a data set's folder; `None` without shards.
    pub(crate) fn folder(data: &Path) -> Option<PathBuf> {
        let has_shards = |folder: &PathBuf| {
            let names = fs::read_dir(folder).into_iter().flatten().flatten();
            names.into_iter().any(|entry| name_of(&entry.path()).is_some())
        };
        [data.join(FOLDER), data.to_owned()].into_iter().find(has_shards)
    }

    /// Opens the shards of a folder.
    ///
    /// # Errors
    /// When one of those that the names count is missing, or one cannot be opened.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let cannot_read = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Read { path, source }
        };
        let entries = fs::read_dir(folder).map_err(cannot_read(folder))?;
        let mut found: Vec<(Name, PathBuf)> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter_map(|path| Some((name_of(&path)?, path)))
            .collect();
        found.sort();
        for split in Split::ALL {
            let of_split: Vec<&(Name, PathBuf)> = found.iter().filter(|(name, _)| name.split == split).collect();
            let Some(count) = of_split.iter().map(|(name, _)| name.count).max() else {
                return Err(missing(
                    folder,
                    &format!("{}-*.parquet", hub_name(split)),
                    "any shard of the split",
                ));
            };
            if let Some((name, path)) = of_split.iter().find(|(name, _)| name.count != count) {
                return Err(Error::File {
                    file: path.display().to_string(),
                    found: format!("a shard of {} among those of {count}", name.count),
                    expected: "the shards of one version of the data set".to_owned(),
                });
            }
            let absent: Vec<String> = (0..count)
                .filter(|number| !of_split.iter().any(|(name, _)| name.number == *number))
                .map(|number| shard_name(split, number, count))
                .collect();
            if let [first, others @ ..] = absent.as_slice() {
                let more = if others.is_empty() {
                    String::new()
                } else {
                    format!(" and {} more", others.len())
                };
                return Err(missing(folder, first, &format!("{first}{more}, of {count} shards")));
            }
        }
        let files = found.iter().map(|(_, path)| {
            let file = File::open(path).map_err(cannot_read(path))?;
            Ok((path.clone(), file))
        });
        Ok(Self {
            files: files.collect::<Result<_>>()?,
            splits: found.iter().map(|(name, _)| name.split).collect(),
            folder: folder.to_owned(),
        })
    }

    /// What the shards hold: from the index beside them, or by going through them, which writes it.
    ///
    /// # Errors
    /// When a shard is no CelebA, or damaged; [`Error::Stopped`]. An index that cannot be written is none: the shards may
    /// be on a disk for reading only.
    pub(crate) fn index(&self, progress: &IndexProgress<'_>) -> Result<ShardIndex> {
        let path = self.folder.join(index::FILE);
        let key = self.key()?;
        if let Some(index) = ShardIndex::read(&path, key) {
            return Ok(index);
        }
        let index = self.scan(progress)?;
        let _ = index.write(&path, key);
        Ok(index)
    }

    /// The shard that a place is in.
    pub(crate) fn path(&self, place: &Place) -> Option<&Path> {
        self.files.get(usize::from(place.shard)).map(|(path, _)| path.as_path())
    }

    /// The bytes of an image, and its shard.
    ///
    /// # Errors
    /// When they cannot be read or are damaged.
    pub(crate) fn read(&self, place: &Place, name: &str) -> Result<(Vec<u8>, PathBuf)> {
        let missing = || Error::Invalid {
            what: "shard".to_owned(),
            found: place.shard.to_string(),
            expected: format!("less than {}", self.files.len()),
        };
        let (path, file) = self.files.get(usize::from(place.shard)).ok_or_else(missing)?;
        let path = path.join(name);
        match place.read(file) {
            Ok(bytes) => Ok((bytes, path)),
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    /// A number that other shards, or the same ones changed, do not have: of each, its name, size, time of change and
    /// footer.
    fn key(&self) -> Result<u64> {
        let mut hash = Fingerprint::new();
        for (path, file) in &self.files {
            let cannot_read = |source| Error::Read {
                path: path.clone(),
                source,
            };
            let metadata = file.metadata().map_err(cannot_read)?;
            hash.add(path.file_name().unwrap_or_default().as_encoded_bytes());
            hash.add(&metadata.len().to_le_bytes());
            let changed = metadata
                .modified()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            hash.add(&changed.map_or(0, |time| time.as_nanos()).to_le_bytes());
            // The footer's length stands before the last four bytes.
            let mut file = file;
            let mut tail = Vec::new();
            file.seek(SeekFrom::Start(metadata.len().saturating_sub(4096)))
                .and_then(|_| file.read_to_end(&mut tail))
                .map_err(cannot_read)?;
            hash.add(&tail);
        }
        Ok(hash.value())
    }

    fn scan(&self, progress: &IndexProgress<'_>) -> Result<ShardIndex> {
        let shards: Vec<Shard<'_>> = self
            .files
            .par_iter()
            .map(|(path, file)| Shard::open(path, file))
            .collect::<Result<_>>()?;
        let attributes: Vec<String> = shards
            .first()
            .map(|shard| shard.attributes().map(str::to_owned).collect())
            .unwrap_or_default();
        if let Some(other) = shards
            .iter()
            .position(|shard| !shard.attributes().eq(attributes.iter()))
        {
            return Err(Error::File {
                file: self.files[other].0.display().to_string(),
                found: "other attributes".to_owned(),
                expected: format!("those of {}", self.files[0].0.display()),
            });
        }
        let groups: Vec<(usize, usize)> = shards
            .iter()
            .enumerate()
            .flat_map(|(number, shard)| (0..shard.groups()).map(move |group| (number, group)))
            .collect();
        let total = groups
            .iter()
            .map(|&(number, group)| shards[number].group_bytes(group))
            .sum();
        let done = AtomicU64::new(0);
        let read: Vec<(Split, Group)> = groups
            .par_iter()
            .map(|&(number, group)| {
                let shard = u16::try_from(number).map_err(|_| Error::Invalid {
                    what: "shards".to_owned(),
                    found: shards.len().to_string(),
                    expected: format!("at most {}", u16::MAX),
                })?;
                let rows = shards[number].group(group, shard)?;
                let bytes = shards[number].group_bytes(group);
                if progress(done.fetch_add(bytes, Ordering::Relaxed) + bytes, total).is_break() {
                    return Err(Error::Stopped);
                }
                Ok((self.splits[number], rows))
            })
            .collect::<Result<_>>()?;
        let mut index = ShardIndex {
            attributes,
            ..ShardIndex::default()
        };
        for (split, group) in read {
            index.splits.extend(std::iter::repeat_n(split, group.places.len()));
            index.places.extend(group.places);
            index.names.extend(group.names);
            index.identities.extend(group.identities);
            index.labels.extend(group.labels);
        }
        Ok(index)
    }
}

fn missing(folder: &Path, file: &str, what: &str) -> Error {
    Error::Missing {
        what: what.to_owned(),
        looked_for: vec![folder.join(file)],
    }
}

/// What a shard's name says: `train-00003-of-00019.parquet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    split: Split,
    number: usize,
    count: usize,
}

fn name_of(path: &Path) -> Option<Name> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".parquet")?;
    let (split, numbers) = stem.split_once('-')?;
    let (number, count) = numbers.split_once("-of-")?;
    Some(Name {
        split: Split::ALL.into_iter().find(|&known| hub_name(known) == split)?,
        number: number.parse().ok()?,
        count: count.parse().ok().filter(|&count| count <= usize::from(u16::MAX))?,
    })
}
