//! Every file is written under a temporary name beside its place, synced and renamed, so that a reader sees the old file or the
//! new one and never half of one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::synced::{make_folder, sync_folder_of};
use crate::unfinished;

/// The extension of files that are being written.
pub const TEMPORARY: &str = "part";

/// Names that are tried before a file is given up.
const TRIED: u32 = 100;

/// What temporary names end with, the likeliest first: the process's number, and others for where that is taken.
pub(crate) fn numbers() -> impl Iterator<Item = String> {
    let process = std::process::id();
    std::iter::once(process.to_string()).chain((1..TRIED).map(move |further| format!("{process}{further:02}")))
}

/// A new file beside `path`, and its name until it is whole. The name has the process's number: two of them may write one file at the
/// same time, and the one that ends last wins. What has the name already is left alone: a file of a process on another machine, or a
/// link that somebody has put there and that leads elsewhere.
fn begin(path: &Path) -> io::Result<(PathBuf, File)> {
    for number in numbers() {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{number}.{TEMPORARY}"));
        let temporary = PathBuf::from(temporary);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// A file that comes piece by piece: it has another name until it is [finished](Self::finish), and is removed if it never is.
#[derive(Debug)]
pub struct PartFile {
    path: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
    finished: bool,
}

impl PartFile {
    /// Begins the file that is to be at `path`, whose folder is made if need be.
    ///
    /// # Errors
    /// When folder or file cannot be made.
    pub fn begin(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            make_folder(folder).map_err(Error::of(folder, "making the folder"))?;
        }
        let (part, file) = begin(path).map_err(Error::of(path, "writing"))?;
        unfinished::begun(&part);
        Ok(Self {
            path: path.to_owned(),
            part,
            file: BufWriter::new(file),
            finished: false,
        })
    }

    /// Where it is to be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::of(&self.path, "writing"))
    }

    /// Puts bytes in the place of the first ones: for a head that says what stands behind it.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_head(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.rewind().and_then(|()| self.file.write_all(bytes));
        let written = written.and_then(|()| self.file.seek(SeekFrom::End(0)));
        written.map(drop).map_err(Error::of(&self.path, "writing"))
    }

    /// Puts the complete file in its place, where it is after a loss of power too.
    ///
    /// # Errors
    /// When the system refuses; the earlier file, if any, is then untouched.
    pub fn finish(mut self) -> Result<()> {
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        let written = written.and_then(|()| uninterrupted(|| fs::rename(&self.part, &self.path)));
        self.finished = written.is_ok();
        let written = written.and_then(|()| sync_folder_of(&self.path));
        written.map_err(Error::of(&self.path, "writing"))
    }
}

/// Does it again where a signal came in between, which network file systems tell.
fn uninterrupted(change: impl Fn() -> io::Result<()>) -> io::Result<()> {
    loop {
        match change() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.finished {
            fs::remove_file(&self.part).ok();
        }
        unfinished::ended(&self.part);
    }
}

/// Writes `bytes` to a temporary file beside `path`, and renames it to `path`.
///
/// # Errors
/// When they cannot be written; the earlier file at `path`, if any, is then untouched.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = PartFile::begin(path)?;
    file.write(bytes)?;
    file.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_earlier_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables/a.csv");
        write_whole(&path, b"old").unwrap();
        // A folder in its place makes the rename fail, also for root.
        let taken = folder.path().join("tables/b.csv");
        fs::create_dir_all(taken.join("full")).unwrap();
        write_whole(&taken, b"new").unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path().join("tables")).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn what_has_the_temporary_name_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mine = folder.path().join("diary");
        fs::write(&mine, b"mine").unwrap();
        let taken = folder.path().join(format!("a.{}.{TEMPORARY}", std::process::id()));
        std::os::unix::fs::symlink(&mine, &taken).unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read(&mine).unwrap(), b"mine");
        assert!(taken.is_symlink());
        // The file's own name may be a link too: it is replaced, and what it leads to is not.
        std::os::unix::fs::symlink(&mine, folder.path().join("b")).unwrap();
        write_whole(&folder.path().join("b"), b"new").unwrap();
        assert_eq!(fs::read(&mine).unwrap(), b"mine");
    }

    #[test]
    fn a_file_that_is_not_finished_goes_and_one_that_is_has_its_head() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = PartFile::begin(&path).unwrap();
        file.write(b"????body").unwrap();
        file.write_head(b"head").unwrap();
        file.write(b"tail").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut file = PartFile::begin(&path).unwrap();
        file.write(b"????body").unwrap();
        file.write_head(b"head").unwrap();
        file.write(b"tail").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"headbodytail");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
