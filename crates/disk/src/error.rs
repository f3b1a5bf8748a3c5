use std::io;
use std::path::{Path, PathBuf};

/// A file or folder that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {doing} failed", path.display())]
pub struct Error {
    /// The file or folder, by the name that it is to have.
    pub path: PathBuf,
    /// What was being done, as a noun: "writing".
    pub doing: &'static str,
    /// The system's reason.
    pub source: io::Error,
}

impl Error {
    /// For `map_err`.
    pub(crate) fn of(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { path, doing, source }
    }
}

/// The result of writing.
pub type Result<T, E = Error> = std::result::Result<T, E>;
