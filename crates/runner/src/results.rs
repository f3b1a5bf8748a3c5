//! A results folder: who may write it, and how a file gets into it.
//!
//! Every file is written under a temporary name beside its place, synced and renamed, so that a reader sees the old
//! file or the new one and never half of one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

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
        fs::create_dir_all(path).map_err(Error::io(path, "making the results folder"))?;
        let lock_path = path.join(".lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(Error::io(&lock_path, "opening the lock"))?;
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
                writeln!(lock, "process {}: {}", std::process::id(), command.join(" "))
            })
            .map_err(Error::io(&lock_path, "writing the lock"))?;
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

    /// Puts a whole file in its place.
    ///
    /// # Errors
    /// [`Error::Io`]; the earlier file, if any, is then untouched.
    pub fn write(&self, relative: &str, bytes: &[u8]) -> Result<()> {
        write_whole(&self.join(relative), bytes)
    }
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

/// The path, in a results folder, of the state of a classifier's unfinished training.
pub fn unfinished_path(classifier: &str) -> String {
    format!("{classifier}/unfinished.safetensors")
}

/// Writes `bytes` to a temporary file beside `path`, and renames it to `path`.
///
/// # Errors
/// [`Error::Io`]; the earlier file at `path`, if any, is then untouched.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::io(folder, "making the folder"))?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".part");
    let temporary = PathBuf::from(temporary);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&temporary, path)) {
        fs::remove_file(&temporary).ok();
        return Err(Error::io(path, "writing")(error));
    }
    Ok(())
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
    fn a_failed_write_leaves_the_earlier_file_and_no_other() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let results = ResultsFolder::open(folder.path()).expect("free");
        results.write("tables/a.csv", b"old").expect("written");
        // A folder in the place of the temporary file makes the write fail, also for root.
        fs::create_dir(folder.path().join("tables/a.csv.part")).expect("made");
        results.write("tables/a.csv", b"new").expect_err("cannot be written");
        assert_eq!(fs::read(results.join("tables/a.csv")).expect("read"), b"old");
    }
}
