//! `manifest.json`: what made the files of a results folder, and whether they still are what was made.
//!
//! Each step records what it read, piece by piece, and the hash of each file it wrote. A step that would read the same now and whose
//! files are unchanged is not run again; the key, a hash over all that it read, only stands for it where a short text has to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::folder::{MANIFEST, ResultsFolder};
use crate::json::json_fault;
use crate::record::{Provenance, StepRecord};
use crate::shell::quoted;
/// The form of the record: since 2 each step says what it read.
const FORMAT: u32 = 2;

/// The record of a results folder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the record itself.
    #[serde(default)]
    pub format: u32,
    /// The version of the program that wrote here last.
    pub version: String,
    /// The git revision that it was built from, if it was built in a checkout.
    pub revision: Option<String>,
    /// The command that makes the folder: experiment, settings, data and results folder and device, relative to where it was run.
    pub command: Vec<String>,
    /// The experiment's seed.
    pub seed: u64,
    /// The data set, by its fingerprint.
    pub data: String,
    /// Images that could not be used and were left out, by name (`data.on_bad_image: skip`).
    #[serde(default)]
    pub skipped_images: Vec<String>,
    /// Files that the run used and that lie in the folder, so that it can be moved: SHA-256 by path.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// Of all the rest: a record in which a bit has turned is not believed.
    #[serde(default)]
    pub checksum: String,
    /// The stages, by name (`train/unbalanced`).
    pub stages: BTreeMap<String, StepRecord>,
}

impl Manifest {
    /// Reads the manifest of a results folder; an absent one is empty.
    ///
    /// # Errors
    /// When it is there but unreadable or damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        // To read a pipe would wait for its other end.
        if path.exists() && !path.is_file() {
            return Err(Error::artefact(&path, "no regular file"));
        }
        match std::fs::read(&path) {
            Ok(bytes) => {
                let fault = |error: &dyn Display| Error::artefact(&path, format!("not a manifest: {error}"));
                let text = String::from_utf8(bytes).map_err(|error| fault(&error))?;
                let manifest: Self = serde_json::from_str(&text).map_err(|error| fault(&json_fault(&error)))?;
                // One of an older program has no checksum.
                if manifest.format >= FORMAT && manifest.checksum != checksum(&text, &manifest.checksum) {
                    return Err(Error::artefact(&path, "changed since it was written"));
                }
                // Files of the record are moved and removed.
                if let Some(outside) = manifest.files().iter().find(|file| !is_below(file)) {
                    return Err(Error::artefact(
                        &path,
                        format!("names {outside}, which is not in this folder"),
                    ));
                }
                Ok(manifest)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::io(&path, "reading")(error)),
        }
    }

    /// Writes it to its folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, results: &ResultsFolder) -> Result<()> {
        let mut written = Self {
            format: FORMAT,
            checksum: String::new(),
            ..self.clone()
        };
        let text = |manifest: &Self| {
            serde_json::to_string_pretty(manifest)
                .map_err(|error| Error::artefact(&results.join(MANIFEST), format!("cannot be written: {error}")))
        };
        written.checksum = checksum(&text(&written)?, "");
        results.write(MANIFEST, format!("{}\n", text(&written)?).as_bytes())
    }

    /// The command as a shell takes it.
    #[must_use]
    pub fn command_line(&self) -> String {
        let words: Vec<String> = self.command.iter().map(|word| quoted(word)).collect();
        words.join(" ")
    }

    /// Whether it was written by a program that did not record what each step read.
    pub(crate) fn is_older(&self) -> bool {
        self.format < FORMAT && !self.stages.is_empty()
    }

    /// Lets no earlier run count. Which files steps have made is still known.
    pub fn forget_all(&mut self) {
        for record in self.stages.values_mut() {
            record.version = 0;
            record.key.clear();
        }
    }

    /// Every file that a step has made.
    #[must_use]
    pub fn files(&self) -> BTreeSet<String> {
        self.stages
            .values()
            .flat_map(|record| record.artefacts.keys().cloned())
            .collect()
    }

    /// The devices that the steps were computed on, and, where there are several, which steps on which.
    #[must_use]
    pub fn devices(&self) -> String {
        self.makers(|provenance| provenance.device.clone())
    }

    /// What the steps say of their makers: one answer where it is the same of all, else each with the steps that give it.
    fn makers(&self, what: impl Fn(&Provenance) -> String) -> String {
        let mut answers: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (step, record) in &self.stages {
            let kind = step.split('/').next().unwrap_or(step);
            answers.entry(what(&record.provenance)).or_default().insert(kind);
        }
        answers.remove("");
        if answers.len() <= 1 {
            return answers.into_keys().next().unwrap_or_default();
        }
        let answers = answers
            .into_iter()
            .map(|(answer, steps)| format!("{answer} ({})", steps.into_iter().collect::<Vec<_>>().join(", ")));
        answers.collect::<Vec<_>>().join(", ")
    }
}

/// The checksum of a manifest's text in which `recorded` stands for it: of the text itself, without that and without white space between
/// values, so that a program which records more or less of a step finds the same.
fn checksum(text: &str, recorded: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let dense: String = text
        .chars()
        .filter(|&c| {
            let turns = c == '"' && !escaped;
            escaped = quoted && c == '\\' && !escaped;
            quoted ^= turns;
            quoted || !c.is_ascii_whitespace()
        })
        .collect();
    let blank = dense.replacen(&format!("\"checksum\":\"{recorded}\""), "\"checksum\":\"\"", 1);
    disk::hash_of(blank.as_bytes())
}

/// Whether a path leads into the folder that it starts from, and nowhere else.
pub(crate) fn is_below(path: &str) -> bool {
    let mut parts = Path::new(path).components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_in_which_a_bit_has_turned_is_not_believed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let results = ResultsFolder::open(folder.path()).expect("free");
        let record = StepRecord {
            seconds: 0.1 + 0.2,
            provenance: Provenance {
                host: "here".to_owned(),
                ..Provenance::default()
            },
            ..StepRecord::default()
        };
        let manifest = Manifest {
            stages: BTreeMap::from([("a".to_owned(), record)]),
            ..Manifest::default()
        };
        manifest.write(&results).expect("written");
        assert_eq!(Manifest::read(folder.path()).expect("whole").stages, manifest.stages);
        let text = std::fs::read_to_string(folder.path().join(MANIFEST)).expect("read");
        std::fs::write(folder.path().join(MANIFEST), text.replace("here", "hers")).expect("written");
        let message = Manifest::read(folder.path()).expect_err("damaged").to_string();
        assert!(message.contains("changed since it was written"), "{message}");
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
    fn the_checksum_is_of_the_text_and_not_of_what_this_program_makes_of_it() {
        // By a program that recorded no threads, and something that is not known here.
        let text = concat!(
            r#"{"format":2,"version":"0.1.0","revision":null,"command":["a \"b\" c:\\"],"seed":1,"data":"x","#,
            r#""skipped_images":[],"checksum":"","stages":{"a":{"key":"0","version":1,"#,
            r#""reads":{"settings":{"t":"a b"},"files":{},"artefacts":{}},"seconds":0.30000000000000004,"#,
            r#""provenance":{"device":"cpu","host":"here","started":"","power":1.50},"artefacts":{}}}}"#,
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(MANIFEST);
        let sum = disk::hash_of(text.as_bytes());
        let whole = text.replace(r#""checksum":"""#, &format!(r#""checksum":"{sum}""#));
        for form in [
            whole.clone(),
            whole.replace("{\"", "{\n  \""),
            whole.replace("\":", "\": "),
        ] {
            std::fs::write(&path, form).expect("written");
            let manifest = Manifest::read(folder.path()).expect("whole");
            assert_eq!(manifest.stages["a"].provenance.host, "here");
        }
        for (before, after) in [
            ("1.50", "1.51"),
            ("a b", "ab"),
            ("\"host", "\"hose"),
            (r"c:\\", "c:"),
            (&sum, ""),
        ] {
            std::fs::write(&path, whole.replace(before, after)).expect("written");
            Manifest::read(folder.path()).expect_err(after);
        }
    }

    #[test]
    fn the_checksum_is_the_one_that_was_always_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let results = ResultsFolder::open(folder.path()).expect("free");
        let manifest = Manifest {
            command: ["a \"b\" c:\\", "d\te"].map(str::to_owned).to_vec(),
            stages: BTreeMap::from([("a".to_owned(), StepRecord::default())]),
            ..Manifest::default()
        };
        manifest.write(&results).expect("written");
        let read = Manifest::read(folder.path()).expect("whole");
        let rest = Manifest {
            checksum: String::new(),
            ..read.clone()
        };
        let dense = serde_json::to_vec(&rest).expect("JSON");
        assert_eq!(read.checksum, disk::hash_of(&dense));
    }
}
