use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Why a file was not read: absent and unreadable are told apart.
pub(crate) fn not_read(path: &Path) -> impl FnOnce(io::Error) -> Error {
    |source| match source.kind() {
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
    }
}

/// The content of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(not_read(path))
}

/// The first 4 KiB of a file.
pub(crate) fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(4096).read_to_end(&mut bytes)?;
    Ok(bytes)
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

/// Whether a file or folder is what file managers and editors add, and no one's data: hidden by a dot before its name (`.DS_Store`,
/// `._a.jpg`, `.ipynb_checkpoints`), or one of the known others.
pub fn is_clutter(name: &str) -> bool {
    const OTHERS: [&str; 7] = [
        "__macosx",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "$recycle.bin",
        "@eadir",
        "lost+found",
    ];
    (name.starts_with('.') && name != "." && name != "..") || OTHERS.contains(&name.to_lowercase().as_str())
}
