//! A folder that is written as a whole or not at all: beside its place, under a temporary name, which it changes when it is complete.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::synced::{make_folder, sync_below, sync_folder_of};
use crate::whole::numbers;

/// What stands between the folder's name and a number in its temporary name.
const PARTIAL: &str = ".partial-";
/// The end of the name of the file beside it that is locked as long as somebody writes it.
const LOCK: &str = ".lock";
/// A folder that is being filled: it has another name until it is [finished](Self::finish), and is removed if it never is. A file
/// beside it is locked meanwhile, so that others know it from the leftover of a process that died, whatever its number.
#[derive(Debug)]
pub struct PartFolder {
    place: PathBuf,
    part: PathBuf,
    lock_path: PathBuf,
    _lock: File,
    finished: bool,
}

/// What became of a folder that did not take its place.
#[derive(Debug)]
pub enum Abandoned {
    /// Something is there already: another process was faster, or somebody has put it there.
    Taken,
    /// The system refused.
    Failed(Error),
}

impl PartFolder {
    /// Begins the folder that is to be at `place`, and removes what processes left that died while they filled one for this place.
    ///
    /// # Errors
    /// When `place` has no name, or its parent cannot be made or written.
    pub fn begin(place: &Path) -> Result<Self> {
        let made = || -> io::Result<Self> {
            let name = place.file_name().ok_or(ErrorKind::InvalidInput)?;
            if let Some(parent) = parent(place) {
                make_folder(parent)?;
            }
            remove_leftovers(place, name);
            for number in numbers() {
                let part = place.with_file_name(joined(name, &[PARTIAL, &number]));
                let lock_path = lock_of(&part);
                let Some(lock) = take(&lock_path)? else { continue };
                match fs::create_dir(&part) {
                    Ok(()) => {
                        return Ok(Self {
                            place: place.to_owned(),
                            part,
                            lock_path,
                            _lock: lock,
                            finished: false,
                        });
                    }
                    Err(error) => {
                        fs::remove_file(&lock_path).ok();
                        if error.kind() != ErrorKind::AlreadyExists {
                            return Err(error);
                        }
                    }
                }
            }
            Err(ErrorKind::AlreadyExists.into())
        };
        made().map_err(Error::of(place, "making the folder"))
    }

    /// Removes what processes left that died while they filled a folder for `place`.
    pub fn clear(place: &Path) {
        if let Some(name) = place.file_name() {
            remove_leftovers(place, name);
        }
    }

    /// Whether a process fills a folder for `place` at this moment, as far as the file system tells.
    pub fn is_begun(place: &Path) -> bool {
        let Some(name) = place.file_name() else { return false };
        parts(place, name).any(|part| matches!(left(&lock_of(&part)), Left::Alive))
    }

    /// Where it is filled.
    pub fn path(&self) -> &Path {
        &self.part
    }

    /// Syncs all that is in it, so that what is written afterwards can say that it is complete.
    ///
    /// # Errors
    /// When the system cannot.
    pub fn sync(&self) -> Result<()> {
        sync_below(&self.part).map_err(Error::of(&self.place, "syncing"))
    }

    /// Puts the complete folder in its place, where it is after a loss of power too. An empty folder there is replaced.
    ///
    /// # Errors
    /// [`Abandoned::Taken`] when anything else is there.
    pub fn finish(mut self) -> std::result::Result<(), Abandoned> {
        let failed = |error| Abandoned::Failed(Error::of(&self.place, "moving into its place")(error));
        sync_below(&self.part).map_err(failed)?;
        // Some systems rename over an empty folder, others do not; of two processes that remove it one is first.
        match fs::remove_dir(&self.place) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => return Err(Abandoned::Taken),
            _ => {}
        }
        match fs::rename(&self.part, &self.place) {
            Ok(()) => self.finished = true,
            Err(_) if is_full(&self.place) => return Err(Abandoned::Taken),
            Err(error) => return Err(failed(error)),
        }
        sync_folder_of(&self.place).map_err(failed)
    }
}

impl Drop for PartFolder {
    fn drop(&mut self) {
        // What cannot be removed stays under its telling name, for the next who begins one.
        if !self.finished {
            fs::remove_dir_all(&self.part).ok();
        }
        // In this order: a folder without a locked file is one of the dead.
        fs::remove_file(&self.lock_path).ok();
    }
}

/// Whether a folder, or whatever else is there, has something in it. An empty one into which nothing can be renamed is a link or a mounted disk.
fn is_full(place: &Path) -> bool {
    match fs::read_dir(place) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => place.symlink_metadata().is_ok(),
    }
}

fn parent(place: &Path) -> Option<&Path> {
    place.parent().filter(|parent| !parent.as_os_str().is_empty())
}

fn joined(name: &OsStr, parts: &[&str]) -> OsString {
    let mut whole = name.to_owned();
    for part in parts {
        whole.push(part);
    }
    whole
}

/// A new lock that this process has; `None` where its name is taken.
fn take(path: &Path) -> io::Result<Option<File>> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let file = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
        opened => opened?,
    };
    // Nobody else has the file yet, but somebody may just look whether it is left over, and remove it.
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(None),
        // Without locks it says nothing, and nothing is removed on its account.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(path.exists().then_some(file)),
    }
}

/// What is beside a place: folders for it, and locks of such folders.
fn parts(place: &Path, name: &OsStr) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(parent(place).unwrap_or(Path::new(".")));
    let (place, name) = (place.to_owned(), name.to_owned());
    entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(move |entry| Some(place.with_file_name(part_of(&entry.file_name(), &name)?)))
}

/// Whose a folder is.
enum Left {
    /// Of a process that died; with its lock, if it is still there.
    Dead(Option<File>),
    /// Of one that fills it.
    Alive,
    /// The file system does not tell.
    Unknown,
}

fn left(lock_path: &Path) -> Left {
    match OpenOptions::new().write(true).open(lock_path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Left::Dead(None),
        Err(_) => Left::Unknown,
        Ok(lock) => match lock.try_lock() {
            Ok(()) => Left::Dead(Some(lock)),
            Err(TryLockError::WouldBlock) => Left::Alive,
            Err(TryLockError::Error(_)) => Left::Unknown,
        },
    }
}

fn lock_of(part: &Path) -> PathBuf {
    part.with_file_name(joined(part.file_name().unwrap_or_default(), &[LOCK]))
}

/// Removes the folders of processes that died, and their locks.
fn remove_leftovers(place: &Path, name: &OsStr) {
    for part in parts(place, name) {
        let lock_path = lock_of(&part);
        // Of two that remove it, one has the lock.
        if let Left::Dead(_lock) = left(&lock_path) {
            // What cannot be removed takes room and does no other harm.
            if fs::symlink_metadata(&part).is_ok_and(|found| found.is_dir()) {
                fs::remove_dir_all(&part).ok();
            }
            fs::remove_file(&lock_path).ok();
        }
    }
}

/// The name of the folder that a file beside `name` is, or is the lock of: `NAME.partial-NUMBER`.
fn part_of(found: &OsStr, name: &OsStr) -> Option<String> {
    let found = found.to_str()?;
    let part = found.strip_suffix(LOCK).unwrap_or(found);
    let number = part.strip_prefix(name.to_str()?)?.strip_prefix(PARTIAL)?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_gets_its_name_when_it_is_complete() {
        let parent = tempfile::tempdir().unwrap();
        let place = parent.path().join("below/data");
        let part = PartFolder::begin(&place).unwrap();
        fs::write(part.path().join("a"), b"a").unwrap();
        part.sync().unwrap();
        assert!(!place.exists());
        part.finish().unwrap();
        assert_eq!(names(&parent.path().join("below")), ["data"]);
        assert_eq!(names(&place), ["a"]);
    }

    #[test]
    fn the_second_of_two_finds_the_place_taken_and_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let place = parent.path().join("data");
        fs::create_dir(&place).unwrap();
        let parts = [(); 2].map(|()| PartFolder::begin(&place).unwrap());
        assert_eq!(names(parent.path()).len(), 5, "each has a name of its own");
        let [first, second] = parts;
        fs::write(first.path().join("a"), b"a").unwrap();
        first.finish().unwrap();
        assert!(matches!(second.finish(), Err(Abandoned::Taken)));
        assert_eq!(names(parent.path()), ["data"]);
        assert_eq!(names(&place), ["a"]);
    }

    #[test]
    fn leftovers_of_the_dead_go_and_all_else_stays() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        // The number of a process that lives, as it may have come again.
        let own = format!("data.partial-{}", std::process::id());
        for dead in [&own, "data.partial-71", "data.partial-72"] {
            fs::create_dir_all(at(dead).join("Img")).unwrap();
        }
        for lock in ["data.partial-72.lock", "data.partial-73.lock"] {
            fs::write(at(lock), b"").unwrap();
        }
        let others = [
            "data.partial-mine",
            "data.partial-",
            "other.partial-71",
            "data.partial-74",
        ];
        for other in others {
            fs::write(at(other), b"mine").unwrap();
        }
        assert!(!PartFolder::is_begun(&at("data")));
        let alive = PartFolder::begin(&at("data")).unwrap();
        assert!(PartFolder::is_begun(&at("data")) && !PartFolder::is_begun(&at("other")));
        let begun = PartFolder::begin(&at("data")).unwrap();
        assert!(alive.path().is_dir() && begun.path().is_dir());
        drop((alive, begun));
        let mut left = others.map(str::to_owned).to_vec();
        left.sort();
        assert_eq!(names(parent.path()), left);
    }

    #[test]
    fn a_path_without_a_name_is_refused() {
        PartFolder::begin(Path::new("..")).unwrap_err();
    }
}
