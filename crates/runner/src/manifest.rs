//! `manifest.json`: what made the files of a results folder, and whether they still are what was made.
//!
//! Each stage records the key of its inputs (a hash over the settings and files it read) and the hash of each file it
//! wrote. A stage whose key and files are unchanged is not run again.

use std::collections::BTreeMap;
use std::path::Path;

pub use disk::{hash_of, hash_of_file};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::results::ResultsFolder;

/// The file's name in a results folder.
pub const FILE: &str = "manifest.json";

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
    pub stages: BTreeMap<String, Stage>,
}

/// The record of one stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stage {
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
        let path = folder.join(FILE);
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
        let path = results.join(FILE);
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::artefact(&path, format!("cannot be written: {error}")))?;
        bytes.push(b'\n');
        results.write(FILE, &bytes)
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

/// A word of a command line, in quotes if a shell would take it apart.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Collects what a stage depends on, piece by piece, into its key.
#[derive(Debug, Clone, Default)]
pub struct Key(Sha256);

impl Key {
    /// Adds settings, by their serialised form.
    #[must_use]
    pub fn settings<T: Serialize>(self, settings: &T) -> Self {
        // Settings are plain data: their serialisation cannot fail, and if it did, the key would only miss them.
        self.text(&serde_json::to_string(settings).unwrap_or_default())
    }

    /// Adds a text. Its length goes in too, so that no two sequences of texts have one key.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
        self
    }

    /// Adds the files of earlier stages, by their recorded hashes.
    #[must_use]
    pub fn stages<'a>(self, manifest: &Manifest, stages: impl IntoIterator<Item = &'a str>) -> Self {
        stages
            .into_iter()
            .fold(self, |key, stage| match manifest.stages.get(stage) {
                Some(record) => key.settings(&record.artefacts),
                None => key.text("absent"),
            })
    }

    /// The key.
    pub fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_current_until_its_key_or_a_file_changes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let results = ResultsFolder::open(folder.path()).expect("free");
        results.write("a.txt", b"a").expect("written");
        let mut manifest = Manifest::default();
        let record = Stage {
            key: "k".to_owned(),
            artefacts: BTreeMap::from([("a.txt".to_owned(), hash_of(b"a"))]),
            ..Stage::default()
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

    #[test]
    fn keys_keep_texts_apart() {
        assert_ne!(
            Key::default().text("ab").text("c").finish(),
            Key::default().text("a").text("bc").finish()
        );
    }
}
