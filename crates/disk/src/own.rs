//! Files that are changed in place, of which there are few: locks and logs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::whole::write_whole;

/// Opens a file that is to be changed in place, as `options` say, and only this file: a link in its place is removed first, and a second name of a file
/// that has another one too becomes a file of its own, so that nothing is written through it.
///
/// # Errors
/// The system's, and when something else than a file has the name.
pub fn open_own(path: &Path, options: &OpenOptions) -> io::Result<File> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && has_other_names(&found)) {
        let bytes = fs::read(path)?;
        write_whole(path, &bytes).map_err(|error| error.source)?;
    }
    open_here(path, options)
}

/// The same without a look at other names of the file: for a lock, which somebody may have by another name.
///
/// # Errors
/// As [`open_own`].
pub fn open_here(path: &Path, options: &OpenOptions) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => fs::remove_file(path)?,
        Ok(found) if found.is_file() => {}
        // To open a pipe would wait for its other end.
        Ok(_) => return Err(io::Error::new(ErrorKind::InvalidInput, "no regular file has this name")),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut options = options.clone();
    // Somebody may put a link there at this moment.
    #[cfg(target_os = "linux")]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NOFOLLOW.bits() as i32);
    options.open(path)
}

#[cfg(unix)]
fn has_other_names(file: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) > 1
}

#[cfg(not(unix))]
fn has_other_names(_: &fs::Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn nothing_is_written_through_a_link_or_a_second_name() {
        let folder = tempfile::tempdir().unwrap();
        let [mine, log] = ["diary", "log"].map(|name| folder.path().join(name));
        let append = || open_own(&log, OpenOptions::new().append(true).create(true));
        fs::write(&mine, b"mine").unwrap();
        std::os::unix::fs::symlink(&mine, &log).unwrap();
        append().unwrap().write_all(b"a").unwrap();
        fs::remove_file(&log).unwrap();
        fs::hard_link(&mine, &log).unwrap();
        append().unwrap().write_all(b"a").unwrap();
        append().unwrap().write_all(b"b").unwrap();
        // What was there stays.
        assert_eq!(
            (fs::read(&mine).unwrap(), fs::read(&log).unwrap()),
            (b"mine".to_vec(), b"mineab".to_vec())
        );
        fs::remove_file(&log).unwrap();
        fs::create_dir(&log).unwrap();
        append().unwrap_err();
    }
}
