//! A folder that is written as a whole or not at all, and only once.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use disk::{Abandoned, PartFolder};

use crate::{Error, Result};

/// Called from many threads with the number of images finished so far; `Break` stops the work.
pub type Progress<'a> = dyn Fn(usize) -> ControlFlow<()> + Sync + 'a;

/// What a generator found to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The data set was written.
    Written,
    /// The folder already held exactly this data set and was left alone.
    AlreadyThere,
}

/// Lets `fill` write a folder beside `out`, which gets its name when it is complete: a folder of this name is never half
/// written. The file `marker` in it says `content`, by which it is known again.
///
/// # Errors
/// Those of `fill`; [`Error::File`] when `out` holds anything else, [`Error::Write`] when it cannot be written.
pub(crate) fn write_once(
    out: &Path,
    marker: &str,
    content: &str,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<WriteOutcome> {
    PartFolder::clear(out);
    if is_finished(out, marker, content)? {
        return Ok(WriteOutcome::AlreadyThere);
    }
    if out.file_name().is_none() {
        return Err(Error::Invalid {
            what: "output folder".to_owned(),
            found: out.display().to_string(),
            expected: "a path that ends in the folder's name".to_owned(),
        });
    }
    let part = PartFolder::begin(out)?;
    fill(part.path())?;
    // The marker says that the rest is there: after a loss of power too.
    part.sync()?;
    disk::write_whole(&part.path().join(marker), content.as_bytes())?;
    match part.finish() {
        Ok(()) => Ok(WriteOutcome::Written),
        Err(Abandoned::Failed(error)) => Err(error.into()),
        // Another process has written the same meanwhile, or somebody something else.
        Err(Abandoned::Taken) if is_finished(out, marker, content)? => Ok(WriteOutcome::AlreadyThere),
        Err(Abandoned::Taken) => Err(foreign(out, "other files".to_owned())),
    }
}

/// A folder that holds something else.
fn foreign(out: &Path, found: String) -> Error {
    Error::File {
        file: out.display().to_string(),
        found,
        expected: "an empty or new folder, or one with exactly this data set; name another folder, or remove this one"
            .to_owned(),
    }
}

/// Whether `out` holds this very data set; an error when it holds something else.
fn is_finished(out: &Path, marker: &str, content: &str) -> Result<bool> {
    match fs::read_dir(out) {
        Ok(mut entries) => {
            if entries.next().is_none() {
                return Ok(false);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(foreign(out, "a file".to_owned())),
        Err(source) => {
            return Err(Error::Read {
                path: out.to_owned(),
                source,
            });
        }
    }
    match fs::read_to_string(out.join(marker)) {
        Ok(text) if text == content => Ok(true),
        Ok(text) => {
            let found: String = text.split_whitespace().collect();
            let found = format!("a generated data set of another configuration, {found}");
            Err(foreign(out, found))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(foreign(out, "other files".to_owned())),
        Err(source) => Err(Error::Read {
            path: out.join(marker),
            source,
        }),
    }
}

/// Writes a file whole.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(cannot_write(path))
}

/// For `map_err`.
pub(crate) fn cannot_write(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path: PathBuf = path.to_owned();
    move |source| Error::Write { path, source }
}
