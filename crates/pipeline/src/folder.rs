//! A results folder: who may write it, and how a file gets into it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use disk::{TEMPORARY, make_folder, sync_folder_of, write_whole};

use crate::error::{Error, Result};
use crate::host::host;

/// The file's name in a results folder.
pub const MANIFEST: &str = "manifest.json";
/// The file that is locked as long as somebody writes the folder.
const LOCK: &str = ".lock";
/// The file of what steps were about to write.
const NOTED: &str = ".written";

/// A results folder that this process alone writes.
#[derive(Debug)]
pub struct ResultsFolder {
    path: PathBuf,
    /// Whether it was not there before.
    is_new: bool,
    /// Dropping the file releases the lock; the system does so too when the process dies.
    _lock: File,
}

impl ResultsFolder {
    /// Makes the folder if need be and takes it for this process.
    ///
    /// # Errors
    /// [`Error::Held`] when another process has it, [`Error::Foreign`] when it holds something else than results, [`Error::Link`] when a
    /// folder in it is a link, [`Error::Io`] when it cannot be made or written.
    pub fn open(path: &Path) -> Result<Self> {
        let is_new = !path.exists();
        let lock_path = path.join(LOCK);
        let mut lock = locked(path, &lock_path)?;
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
            // By its lock the folder is known as one of results, after a loss of power too.
            .and_then(|()| sync_folder_of(&lock_path))
            .map_err(Error::io(&lock_path, "writing the lock"))?;
        remove_leftovers(path);
        refuse_links(path)?;
        Ok(Self {
            path: path.to_owned(),
            is_new,
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
        let made = to.parent().map_or(Ok(()), make_folder);
        // The new name is synced first: the file would be lost with the old one gone and the new one not there yet.
        made.and_then(|()| fs::rename(&from, &to))
            .and_then(|()| sync_folder_of(&to))
            .map_err(Error::io(&to, "moving"))
    }

    /// Notes that a step is about to write a file. If it fails or is killed before it is recorded, the next run knows whose the file is.
    pub(crate) fn note(&self, relative: &str) {
        let file = disk::open_own(&self.join(NOTED), OpenOptions::new().append(true).create(true));
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

impl Drop for ResultsFolder {
    /// A run that was refused leaves no folder behind that was not there.
    fn drop(&mut self) {
        let lock = self.join(LOCK);
        let is_alone = fs::read_dir(&self.path).is_ok_and(|entries| entries.count() == 1) && lock.is_file();
        // Who waits for the lock sees that the file is no longer the one of this name (`is_at`).
        if self.is_new && is_alone && fs::remove_file(lock).is_ok() {
            fs::remove_dir(&self.path).ok();
        }
    }
}

/// How often a lock is opened again that somebody removes meanwhile.
const TRIED: usize = 20;

/// A folder's lock, which this process has from now on; the folder is made if need be.
fn locked(folder: &Path, lock_path: &Path) -> Result<File> {
    for _ in 0..TRIED {
        make_folder(folder).map_err(|error| unwritable(folder, folder, error))?;
        recognise(folder)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut lock = match disk::open_here(lock_path, &options) {
            // A run that was refused has just removed the folder.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            opened => opened.map_err(|error| unwritable(folder, lock_path, error))?,
        };
        match take(&lock) {
            Ok(()) if !is_at(&lock, lock_path) => {}
            // A copy of the folder by second names (`cp -al`) has the same file, or it is no file of ours: this folder gets one of its own.
            Ok(()) if has_other_names(&lock) => write_whole(lock_path, b"")?,
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The holder's line is a courtesy: without it the folder is held all the same.
                lock.read_to_string(&mut holder).ok();
                let holder = match holder.trim() {
                    "" => "unknown".to_owned(),
                    holder => holder.to_owned(),
                };
                return Err(Error::Held {
                    folder: folder.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io(lock_path, "locking")(error)),
        }
    }
    Err(Error::io(lock_path, "locking")(ErrorKind::TimedOut.into()))
}

fn has_other_names(file: &File) -> bool {
    file.metadata().is_ok_and(|found| found.nlink() > 1)
}

/// Refuses a folder that holds anything else than results: it is somebody's, and its files could have the names of ours.
fn recognise(folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(Error::io(folder, "reading"))?;
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(Error::io(folder, "reading"))?.file_name();
        let name = name.to_string_lossy().into_owned();
        if name == LOCK || name == MANIFEST {
            return Ok(());
        }
        // What systems put into any folder.
        if !name.starts_with('.') && name != "lost+found" {
            found.push(name);
        }
    }
    found.sort();
    match found.into_iter().next() {
        None => Ok(()),
        Some(found) => Err(Error::Foreign {
            folder: folder.to_owned(),
            found,
        }),
    }
}

/// Refuses links to folders: what is written there would be written elsewhere. A link to a file is replaced when the file is written. Refuses
/// what is neither file nor folder, too.
fn refuse_links(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io(folder, "reading"))?.flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_symlink() && path.is_dir() => return Err(Error::Link { path }),
            // To open a pipe waits for its other end.
            Ok(kind) if !kind.is_dir() && path.exists() && !path.is_file() => return Err(Error::Special { path }),
            Ok(kind) if kind.is_dir() && !path.join(LOCK).exists() => refuse_links(&path)?,
            _ => {}
        }
    }
    Ok(())
}

/// Whether a file that was opened still has its name: who had it before may have removed it since.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(opened), Ok(named)) => (opened.dev(), opened.ino()) == (named.dev(), named.ino()),
        _ => false,
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
            Ok(kind) if kind.is_dir() && !path.join(LOCK).exists() => remove_leftovers(&path),
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
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => {}
            Err(TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(10)),
            taken => return taken,
        }
    }
    lock.try_lock()
}

/// Who writes a results folder at this moment; `None` if nobody does, or nobody that this machine can see.
pub fn holder(folder: &Path) -> Option<String> {
    let lock = folder.join(LOCK);
    let mut lock = lock.is_file().then(|| File::open(lock))?.ok()?;
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

    /// A results folder in which something was made.
    fn made(path: &Path) -> ResultsFolder {
        let results = ResultsFolder::open(path).expect("free");
        results.write(MANIFEST, b"{}").expect("written");
        results
    }

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
    fn what_is_no_results_folder_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let diary = folder.path().join("report.html");
        fs::write(&diary, b"mine").expect("written");
        let message = ResultsFolder::open(folder.path()).expect_err("foreign").to_string();
        assert!(message.contains("report.html"), "{message}");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        // A copy of results has no lock, and one that was begun no manifest.
        for mark in [MANIFEST, LOCK] {
            fs::write(folder.path().join(mark), b"").expect("written");
            drop(ResultsFolder::open(folder.path()).expect("results"));
            fs::remove_file(folder.path().join(mark)).expect("removed");
            fs::remove_file(folder.path().join(LOCK)).ok();
        }
    }

    #[test]
    fn a_folder_in_which_nothing_was_made_goes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("new");
        drop(ResultsFolder::open(&path).expect("free"));
        assert!(!path.exists());
        let results = ResultsFolder::open(&path).expect("free");
        results.write("a", b"a").expect("written");
        drop(results);
        assert!(path.join(LOCK).exists() && path.join("a").exists());
    }

    #[test]
    fn a_copy_by_second_names_takes_no_lock_away() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [path, copy] = ["results", "copy"].map(|name| folder.path().join(name));
        let results = made(&path);
        fs::create_dir(&copy).expect("made");
        for name in [LOCK, MANIFEST] {
            fs::hard_link(path.join(name), copy.join(name)).expect("linked");
        }
        assert!(matches!(ResultsFolder::open(&path), Err(Error::Held { .. })));
        drop(results);
        let (own, other) = (
            ResultsFolder::open(&path).expect("free"),
            ResultsFolder::open(&copy).expect("free"),
        );
        assert!(matches!(ResultsFolder::open(&path), Err(Error::Held { .. })));
        drop((own, other));
    }

    #[test]
    fn a_folder_that_is_a_link_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [elsewhere, path] = ["mine", "results"].map(|name| folder.path().join(name));
        fs::create_dir(&elsewhere).expect("made");
        let results = ResultsFolder::open(&path).expect("free");
        results.write("a/b", b"b").expect("written");
        drop(results);
        std::os::unix::fs::symlink(&elsewhere, path.join("a/figures")).expect("linked");
        let message = ResultsFolder::open(&path).expect_err("a link").to_string();
        assert!(message.contains("a/figures"), "{message}");
        // The results folder itself may be one.
        fs::remove_file(path.join("a/figures")).expect("removed");
        std::os::unix::fs::symlink(&path, folder.path().join("link")).expect("linked");
        ResultsFolder::open(&folder.path().join("link")).expect("free");
    }

    #[test]
    fn temporary_files_of_the_dead_are_removed_and_of_others_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        drop(made(folder.path()));
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
        drop(made(folder.path()));
        let names = ["first.part", "chapter.two.part", "book.1x.part", ".71.part", "part"];
        for name in names {
            fs::write(folder.path().join(name), b"mine").expect("written");
        }
        drop(ResultsFolder::open(folder.path()).expect("free"));
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
