//! The files that this process is writing, for the case that it ends before they do.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Their temporary names.
static WRITTEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn written() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    WRITTEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file is there under its temporary name.
pub fn begun(part: &Path) {
    written().insert(part.to_owned());
}

/// It is no more.
pub fn ended(part: &Path) {
    written().remove(part);
}

/// Removes every file that this process has begun to write and not finished, before it ends without coming to that: nobody can go on
/// with one, and it may be large.
pub fn remove_unfinished() {
    for part in std::mem::take(&mut *written()) {
        // What cannot be removed stays under its telling name.
        fs::remove_file(part).ok();
    }
}

#[cfg(test)]
mod tests {
    use crate::PartFile;

    use super::*;

    #[test]
    fn what_is_being_written_goes_and_what_is_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut whole = PartFile::begin(&folder.path().join("whole")).unwrap();
        whole.write(b"whole").unwrap();
        whole.finish().unwrap();
        let part = PartFile::begin(&folder.path().join("part")).unwrap();
        let paths: Vec<PathBuf> = written()
            .iter()
            .filter(|path| path.starts_with(folder.path()))
            .cloned()
            .collect();
        assert_eq!(paths.len(), 1);
        // Not by `remove_unfinished`: other tests write at the same time.
        fs::remove_file(&paths[0]).unwrap();
        drop(part);
        assert!(!written().contains(&paths[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
