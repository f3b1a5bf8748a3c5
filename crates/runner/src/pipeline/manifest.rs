//! `manifest.json`: what made the files of a results folder, and whether they still are what was made.
//!
//! Each stage records the key of its inputs (a hash over the settings and files it read) and the hash of each file it
//! wrote. A stage whose key and files are unchanged is not run again.

use std::collections::BTreeMap;
use std::path::Path;

use disk::hash_of_file;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::folder::ResultsFolder;
use super::shell::quoted;

/// The file's name in a results folder.
pub const MANIFEST: &str = "manifest.json";

/// The record of a results folder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The program's version.
    pub version: String,
    /// The git revision it was built from, if it was built in a checkout.
    pub revision: Option<String>,
    /// The command that makes the folder: experiment, settings, data and results folder and device, relative to where it was run.
    pub command: Vec<String>,
    /// The experiment's seed.
    pub seed: u64,
    /// The device that computed.
    pub device: String,
    /// The data set, by its fingerprint.
    pub data: String,
    /// Images that could not be used and were left out, by name (`data.on_bad_image: skip`).
    #[serde(default)]
    pub skipped_images: Vec<String>,
    /// The stages, by name (`train/unbalanced`).
    pub stages: BTreeMap<String, StepRecord>,
}

/// The record of one stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Hash over everything the stage's files depend on.
    pub key: String,
    /// How long it took, in seconds, interruptions left out.
    pub seconds: f64,
    /// SHA-256 of each file it wrote, by its path in the folder.
    pub artefacts: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads the manifest of a results folder; an absent one is empty.
    ///
    /// # Errors
    /// When it is there but unreadable or damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| Error::artefact(&path, format!("not a manifest: {error}"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::io(&path, "reading")(error)),
        }
    }

    /// Writes it to its folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, results: &ResultsFolder) -> Result<()> {
        let path = results.join(MANIFEST);
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::artefact(&path, format!("cannot be written: {error}")))?;
        bytes.push(b'\n');
        results.write(MANIFEST, &bytes)
    }

    /// The command as a shell takes it.
    #[must_use]
    pub fn command_line(&self) -> String {
        let words: Vec<String> = self.command.iter().map(|word| quoted(word)).collect();
        words.join(" ")
    }

    /// Whether a stage has run with this key and left files that are still as it wrote them.
    pub fn is_current(&self, results: &ResultsFolder, stage: &str, key: &str) -> bool {
        self.stages.get(stage).is_some_and(|record| {
            record.key == key
                && record
                    .artefacts
                    .iter()
                    .all(|(relative, hash)| hash_of_file(&results.join(relative)).is_ok_and(|found| found == *hash))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use disk::hash_of;

    #[test]
    fn a_stage_is_current_until_its_key_or_a_file_changes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let results = ResultsFolder::open(folder.path()).expect("free");
        results.write("a.txt", b"a").expect("written");
        let mut manifest = Manifest::default();
        let record = StepRecord {
            key: "k".to_owned(),
            artefacts: BTreeMap::from([("a.txt".to_owned(), hash_of(b"a"))]),
            ..StepRecord::default()
        };
        manifest.stages.insert("train".to_owned(), record);
        assert!(manifest.is_current(&results, "train", "k"));
        assert!(!manifest.is_current(&results, "train", "other"));
        assert!(!manifest.is_current(&results, "predict", "k"));
        results.write("a.txt", b"b").expect("written");
        assert!(!manifest.is_current(&results, "train", "k"));
    }

    #[test]
    fn the_command_can_be_given_to_a_shell() {
        let words = [
            "biascam",
            "reproduce",
            "my run.yaml",
            "--set",
            "classifiers={a: {exponent: 1}}",
            "it's",
            "",
        ];
        let manifest = Manifest {
            command: words.map(str::to_owned).to_vec(),
            ..Manifest::default()
        };
        assert_eq!(
            manifest.command_line(),
            r"biascam reproduce 'my run.yaml' --set 'classifiers={a: {exponent: 1}}' 'it'\''s' ''"
        );
    }
}
