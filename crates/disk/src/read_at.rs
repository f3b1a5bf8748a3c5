use std::fs::File;
use std::io::{self, ErrorKind};

/// Fills `out` from `position` on; the file's own position, which other threads use, does not matter and is left alone
/// where the system allows it.
///
/// # Errors
/// When the file ends before, or cannot be read.
pub fn read_exact_at(file: &File, out: &mut [u8], position: u64) -> io::Result<()> {
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

/// Fills a part of `out` from `position` on, as much as the system gives at once, and says how much.
///
/// # Errors
/// When the system refuses.
#[cfg(unix)]
pub fn read_at(file: &File, out: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, position)
}

/// Fills a part of `out` from `position` on, as much as the system gives at once, and says how much.
///
/// # Errors
/// When the system refuses.
#[cfg(windows)]
pub fn read_at(file: &File, out: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, out, position)
}
