//! Why the workspace could not be read.

use std::io;
use std::path::PathBuf;

/// Why the workspace could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot run `cargo metadata`: {0}")]
    Cargo(io::Error),
    #[error("`cargo metadata` failed: {0}")]
    Metadata(String),
    #[error("cannot understand the output of `cargo metadata`: {0}")]
    Format(#[from] serde_json::Error),
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot parse {}: {source}", path.display())]
    Syntax { path: PathBuf, source: syn::Error },
    #[error("{} declares `mod {name}`, which has no file", path.display())]
    NoFile { path: PathBuf, name: String },
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;
