use std::fs::{self, File};
use std::io::{self, ErrorKind};
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

/// Fills `out` from `position` on; the file's own position, which other threads use, does not matter and is left alone
/// where the system allows it.
pub(crate) fn read_exact_at(file: &File, out: &mut [u8], position: u64) -> io::Result<()> {
    let mut filled = 0;
    while filled < out.len() {
        match read_at(file, &mut out[filled..], position + filled as u64) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
pub(crate) fn read_at(file: &File, out: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, position)
}

#[cfg(windows)]
pub(crate) fn read_at(file: &File, out: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, out, position)
}

/// Writes a file under a temporary name, and gives it its own when it is whole.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = part_of(path);
    let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, path));
    written.map_err(|source| {
        // The first error is the one to report.
        let _ = fs::remove_file(&part);
        Error::Write {
            path: path.to_owned(),
            source,
        }
    })
}

/// The name of a file while this process writes it.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".partial-{}", std::process::id()));
    part.into()
}
