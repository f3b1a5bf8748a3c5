//! Files of one case.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::bounded;

/// A folder that goes with the case. `fuzz/run` puts it into memory.
pub struct Folder(TempDir);

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs a reader on a file of these bytes, within the bound on memory.
pub fn on_file<T>(name: &str, bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    let folder = Folder::new();
    let path = folder.write(name, bytes);
    bounded(|| read(&path))
}
