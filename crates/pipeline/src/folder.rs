//! A results folder: who may write it, and how a file gets into it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use disk::{TEMPORARY, write_whole};

use crate::error::{Error, Result};
use crate::host::host;

/// The file of what steps were about to write.
const NOTED: &str = ".written";

/// A results folder that this process alone writes.
#[derive(Debug)]
pub struct ResultsFolder {
    path: PathBuf,
    /// Dropping the file releases the lock; the system does so too when the process dies.
    _lock: File,
}

impl ResultsFolder {
    /// Makes the folder if need be and takes it for this process.
    ///
    /// # Errors
    /// [`Error::Held`] when another process has it, [`Error::Io`] when it cannot be made or written.
    pub fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(|error| unwritable(path, path, error))?;
        let lock_path = path.join(".lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            // A folder from elsewhere may have a link there, to a file that is none of ours.
            .custom_flags(libc::O_NOFOLLOW)
            .open(&lock_path)
            .map_err(|error| unwritable(path, &lock_path, error))?;
        match take(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The holder's line is a courtesy: without it the folder is held all the same.
                lock.read_to_string(&mut holder).ok();
                let holder = if holder.trim().is_empty() {
                    "unknown".to_owned()
                } else {
                    holder.trim().to_owned()
                };
                return Err(Error::Held {
                    folder: path.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io(&lock_path, "locking")(error)),
        }
        lock.set_len(0)
            .and_then(|()| {
                let command: Vec<String> = std::env::args().collect();
                writeln!(
                    lock,
                    "process {} on {}: {}",
                    std::process::id(),
                    host(),
                    command.join(" ")
                )
            })
            .map_err(Error::io(&lock_path, "writing the lock"))?;
        remove_leftovers(path);
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The place of a file or folder in it, given with forward slashes.
    pub fn join(&self, relative: &str) -> PathBuf {
        self.path.join(relative)
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove(&self, relative: &str) -> Result<()> {
        let path = self.join(relative);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(&path, "removing")(error)),
            _ => Ok(()),
        }
    }

    /// Gives a file another place in the folder, where it replaces what is there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (from, to) = (self.join(from), self.join(to));
        let made = to.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::rename(&from, &to))
            .map_err(Error::io(&to, "moving"))
    }

    /// Notes that a step is about to write a file. If it fails or is killed before it is recorded, the next run knows whose the file is.
    pub(crate) fn note(&self, relative: &str) {
        let file = OpenOptions::new().append(true).create(true).open(self.join(NOTED));
        // Without the note, what a step leaves that does not end stays.
        file.and_then(|mut file| writeln!(file, "{relative}")).ok();
    }

    /// The files that steps have noted since this was last asked for.
    pub(crate) fn take_notes(&self) -> BTreeSet<String> {
        let path = self.join(NOTED);
        let noted = fs::read_to_string(&path).unwrap_or_default();
        fs::remove_file(&path).ok();
        noted.lines().map(str::to_owned).collect()
    }

    /// Puts a whole file in its place.
    ///
    /// # Errors
    /// [`Error::Io`]; the earlier file, if any, is then untouched.
    pub fn write(&self, relative: &str, bytes: &[u8]) -> Result<()> {
        Ok(write_whole(&self.join(relative), bytes)?)
    }
}

/// A results folder that cannot be taken because `file` cannot be made.
fn unwritable(folder: &Path, file: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Error::Unwritable {
            folder: folder.to_owned(),
            source: error,
        },
        _ => Error::io(file, "opening the results folder")(error),
    }
}

/// Removes the temporary files of processes that died while they wrote, which nothing would replace where the resumed run has no
/// reason to write the same file. The caller has the folder's lock: nobody writes there. Folders with a lock of their own are
/// others' results.
fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !path.join(".lock").exists() => remove_leftovers(&path),
            // What cannot be removed takes room and does no other harm.
            Ok(kind) if kind.is_file() && is_temporary(&entry.file_name()) => {
                fs::remove_file(&path).ok();
            }
            _ => {}
        }
    }
}

/// Whether this is what our writer calls a file until it is whole: `NAME.PROCESS.part`.
fn is_temporary(name: &OsStr) -> bool {
    let parts = || {
        let (named, process) = name
            .to_str()?
            .strip_suffix(TEMPORARY)?
            .strip_suffix('.')?
            .rsplit_once('.')?;
        Some((named, process))
    };
    parts().is_some_and(|(named, process)| {
        !named.is_empty() && !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Takes a lock, waiting a moment for a process that only looks whether it is free ([`holder`]).
fn take(lock: &File) -> Result<(), TryLockError> {
    for _ in 0..10 {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(10)),
            taken => return taken,
        }
    }
    lock.try_lock()
}

/// Who writes a results folder at this moment; `None` if nobody does, or nobody that this machine can see.
pub fn holder(folder: &Path) -> Option<String> {
    let mut lock = File::open(folder.join(".lock")).ok()?;
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // As above, a courtesy.
            lock.read_to_string(&mut holder).ok();
            Some(holder.trim().to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = ResultsFolder::open(folder.path()).expect("free");
        let message = ResultsFolder::open(folder.path()).expect_err("held").to_string();
        assert!(
            message.contains(&format!("process {}", std::process::id())),
            "{message}"
        );
        assert!(holder(folder.path()).is_some_and(|holder| message.contains(&holder)));
        drop(first);
        assert_eq!(holder(folder.path()), None);
        ResultsFolder::open(folder.path()).expect("free again");
    }

    #[test]
    fn temporary_files_of_the_dead_are_removed_and_of_others_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let left = folder.path().join("a/unfinished.safetensors.71.part");
        let whole = folder.path().join("a/unfinished.safetensors");
        let other = ResultsFolder::open(&folder.path().join("b/run")).expect("free");
        write_whole(&whole, b"whole").expect("written");
        fs::write(&left, b"ha").expect("written");
        fs::write(other.join("c.71.part"), b"being written").expect("written");
        let results = ResultsFolder::open(folder.path()).expect("free");
        assert!(!left.exists() && whole.exists() && other.join("c.71.part").exists());
        drop(results);
    }

    #[test]
    fn a_file_that_only_looks_temporary_stays() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let names = ["first.part", "chapter.two.part", "book.1x.part", ".71.part", "part"];
        for name in names {
            fs::write(folder.path().join(name), b"mine").expect("written");
        }
        ResultsFolder::open(folder.path()).expect("free");
        for name in names {
            assert!(folder.path().join(name).exists(), "{name} is gone");
        }
    }

    #[test]
    fn the_writer_s_own_names_are_known() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = disk::PartFile::begin(&folder.path().join("a.csv")).expect("begun");
        remove_leftovers(folder.path());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
        drop(file);
    }
}
