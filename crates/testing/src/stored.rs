//! Reference values in files.

use std::path::{Path, PathBuf};

use crate::missing;

/// The bytes of a file in this crate's folder `parity`: what PyTorch and pytorch-grad-cam compute.
///
/// # Panics
/// Where it cannot be read; it is part of the repository.
#[track_caller]
pub fn parity(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("parity").join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A path in the larger set of reference values, `shared` beside the checkout, which is no part of the repository. `None`, with a
/// message, where it is not there; a failure where `BIASCAM_REQUIRE` lists `fixtures`.
///
/// # Panics
/// Then.
#[track_caller]
pub fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    if !path.exists() {
        missing("fixtures", format_args!("{} is absent", path.display()));
        return None;
    }
    Some(path)
}
