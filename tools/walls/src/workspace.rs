//! The crates of a workspace, as `cargo metadata` tells them.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::error::{Error, Result};

/// The crates of a workspace.
#[derive(Debug, Deserialize)]
pub struct Workspace {
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    #[serde(rename = "packages")]
    pub members: Vec<Member>,
}

/// A crate of the workspace.
#[derive(Debug, Deserialize)]
pub struct Member {
    pub name: String,
    pub dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

/// A crate that another names in its `Cargo.toml`, of the workspace or not.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    pub name: String,
    /// Nothing for an ordinary dependency, otherwise `dev` or `build`.
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Workspace {
    /// Asks cargo for the workspace that a folder belongs to.
    pub fn read(folder: &Path) -> Result<Self> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let output = Command::new(cargo)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(folder)
            .output()
            .map_err(Error::Cargo)?;
        if !output.status.success() {
            return Err(Error::Metadata(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

impl Member {
    /// The name in paths and the first file of the crate's library, if it has one.
    pub fn library(&self) -> Option<(&str, &Path)> {
        self.targets_of("lib").next()
    }

    /// The first file of each of its programs.
    pub fn programs(&self) -> impl Iterator<Item = &Path> {
        self.targets_of("bin").map(|(_, path)| path)
    }

    fn targets_of(&self, kind: &str) -> impl Iterator<Item = (&str, &Path)> {
        let targets = self.targets.iter();
        targets
            .filter(move |target| target.kind.iter().any(|known| known == kind))
            .map(|target| (target.name.as_str(), target.src_path.as_path()))
    }
}

impl Dependency {
    /// Whether only tests, examples and benches have it.
    pub fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}
