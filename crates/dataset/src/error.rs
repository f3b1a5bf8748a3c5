use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::undecodable::Undecodable;

/// What can go wrong with a data set on disk or with the settings of its loader.
///
/// Every message names the file (and the line, where there is one), what was found, and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A line of an annotation file breaks its format: `list_attr_celeba.txt:12: 39 values, expected 40`.
    #[error("{file}:{line}: {found}, expected {expected}")]
    Line {
        /// File as the caller named it.
        file: String,
        /// Line number, from 1.
        line: usize,
        /// What the line says.
        found: String,
        /// What the format asks for, and the way out where there is one.
        expected: String,
    },
    /// An annotation file as a whole disagrees with itself or with another one.
    #[error("{file}: {found}, expected {expected}")]
    File {
        /// File as the caller named it.
        file: String,
        /// What the file says.
        found: String,
        /// What was expected, and the way out where there is one.
        expected: String,
    },
    /// A file or folder of the layout is not where it may be.
    #[error("{what} not found; looked for {}", list(.looked_for))]
    Missing {
        /// The name of the missing part.
        what: String,
        /// Every place that was tried.
        looked_for: Vec<PathBuf>,
    },
    /// A file exists but cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
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
    /// An image or mask file is empty, truncated, of a format that is not read, too large, or no image at all.
    #[error("{}: cannot be read as a picture", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// Which of these, and the way out.
        source: Undecodable,
    },
    /// An image or mask cannot be encoded.
    #[error("{}: cannot be encoded", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// The encoder's reason.
        source: image::ImageError,
    },
    /// The five landmarks of a face do not determine an alignment.
    #[error("{image}: landmarks {found}, expected two distinct eyes and a mouth away from them")]
    Landmarks {
        /// The image's name, or `an image` where none is known.
        image: String,
        /// The offending coordinates.
        found: String,
    },
    /// A setting, name or argument is outside its range.
    #[error("{what}: {found}, expected {expected}")]
    Invalid {
        /// The setting or argument.
        what: String,
        /// Its value.
        found: String,
        /// The values allowed.
        expected: String,
    },
    /// The work was asked to stop before it was complete.
    #[error("stopped before it was complete")]
    Stopped,
    /// A worker thread of the loader ended before it delivered its batch.
    #[error("batch {batch}: the loader's worker thread ended early; this is a defect, please report it")]
    Worker {
        /// Number of the batch in its epoch, from 0.
        batch: usize,
    },
}

impl Error {
    /// Whether the system is the reason, at this moment, and not what is in the file: too many open files, no permission, a failing disk. The file may
    /// be whole.
    pub fn is_of_the_system(&self) -> bool {
        const KINDS: [ErrorKind; 4] = [
            ErrorKind::PermissionDenied,
            ErrorKind::OutOfMemory,
            ErrorKind::TimedOut,
            ErrorKind::StaleNetworkFileHandle,
        ];
        // EIO, ENFILE and EMFILE, for which there are no kinds.
        const NUMBERS: [i32; 3] = [5, 23, 24];
        let is_of_the_system = |source: &io::Error| {
            KINDS.contains(&source.kind()) || source.raw_os_error().is_some_and(|number| NUMBERS.contains(&number))
        };
        matches!(self, Self::Read { source, .. } if is_of_the_system(source))
    }

    /// Bad landmarks, with the name of the image they belong to.
    pub(crate) fn of_image(self, name: &str) -> Self {
        match self {
            Self::Landmarks { found, .. } => Self::Landmarks {
                image: name.to_owned(),
                found,
            },
            other => other,
        }
    }
}

impl From<disk::Error> for Error {
    fn from(error: disk::Error) -> Self {
        Self::Write {
            path: error.path,
            source: error.source,
        }
    }
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    paths.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_at_the_moment_need_not_be_bad() {
        let read = |source: io::Error| Error::Read {
            path: "a.png".into(),
            source,
        };
        // EIO, EMFILE, EACCES.
        for number in [5, 24, 13] {
            assert!(
                read(io::Error::from_raw_os_error(number)).is_of_the_system(),
                "{number}"
            );
        }
        for kind in [ErrorKind::NotFound, ErrorKind::IsADirectory, ErrorKind::InvalidData] {
            assert!(!read(kind.into()).is_of_the_system(), "{kind}");
        }
        assert!(!Error::Stopped.is_of_the_system());
    }
}
