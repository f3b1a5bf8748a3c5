use std::io;
use std::path::PathBuf;

/// What can go wrong while a data set is made.
///
/// Every message names the file or setting, what was found, and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is outside its range.
    #[error("{what}: {found}, expected {expected}")]
    Invalid {
        /// The setting.
        what: String,
        /// Its value.
        found: String,
        /// The values allowed.
        expected: String,
    },
    /// The folder to write holds something else.
    #[error("{file}: {found}, expected {expected}")]
    File {
        /// The folder as the caller named it.
        file: String,
        /// What it holds.
        found: String,
        /// What was expected, and the way out.
        expected: String,
    },
    /// A file or folder exists but cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The reason the system gives.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("{}: cannot be written", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The reason the system gives.
        source: io::Error,
    },
    /// An image cannot be encoded.
    #[error("{}: cannot be encoded", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// The encoder's reason.
        source: image::ImageError,
    },
    /// The masks of an image cannot be encoded.
    #[error(transparent)]
    Masks(#[from] dataset::Error),
    /// The work was asked to stop before it was complete.
    #[error("stopped before it was complete")]
    Stopped,
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<disk::Error> for Error {
    fn from(error: disk::Error) -> Self {
        let disk::Error { path, source, .. } = error;
        Self::Write { path, source }
    }
}
