use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The content of a file; absent and unreadable are told apart.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => Error::Missing {
            what: path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned(),
            looked_for: vec![path.to_owned()],
        },
        _ => Error::Read {
            path: path.to_owned(),
            source,
        },
    })
}

/// The first of the `candidates` that exists.
pub(crate) fn first_of(candidates: impl IntoIterator<Item = PathBuf>) -> Result<PathBuf, Vec<PathBuf>> {
    let mut looked_for = Vec::new();
    for path in candidates {
        if path.exists() {
            return Ok(path);
        }
        looked_for.push(path);
    }
    Err(looked_for)
}
