//! What a step reads: settings, files by their content, other steps' artefacts, and the version of its own code. From this the engine
//! derives whether the step has to run; no step makes a key by hand.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::content::ContentHash;
use crate::reads::Reads;
use crate::record::StepRecord;
use crate::settings;

/// A part of what a step reads: a setting, the files of a data set, another step's artefact. A step that holds pieces and nothing else
/// can read nothing that it does not declare.
pub trait Piece {
    /// Adds it to what the step says that it reads.
    fn declare(&self, declaration: Declaration) -> Declaration;
}

impl<T: Piece> Piece for Option<T> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        self.iter().fold(declaration, Declaration::reading)
    }
}

impl<T: Piece> Piece for Vec<T> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        self.iter().fold(declaration, Declaration::reading)
    }
}

/// Everything that a step reads, before other steps' artefacts are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    step: String,
    version: u32,
    settings: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    /// What a person calls a file where that is not its label.
    names: BTreeMap<String, String>,
    /// Whether files are taken to be what they were, because they cannot be looked at.
    believes_files: bool,
    /// By step; of `None` all that it has made.
    artefacts: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl Declaration {
    /// A step that reads nothing yet. `version` is that of its code: it grows when the code writes something else from the same inputs.
    pub fn of(step: impl Into<String>, version: u32) -> Self {
        Self {
            step: step.into(),
            version,
            settings: BTreeMap::new(),
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            believes_files: false,
            artefacts: BTreeMap::new(),
        }
    }

    /// Also reads a piece.
    #[must_use]
    pub fn reading(self, piece: &impl Piece) -> Self {
        piece.declare(self)
    }

    /// Also reads settings: every value below `label` counts.
    #[must_use]
    pub fn settings<T: Serialize + ?Sized>(mut self, label: &str, values: &T) -> Self {
        settings::add(&mut self.settings, label, values);
        self
    }

    /// Also reads a file, or a set of files, known to a person as `label`.
    #[must_use]
    pub fn file(mut self, label: &str, content: &ContentHash) -> Self {
        self.files.insert(label.to_owned(), content.to_string());
        self
    }

    /// Also reads how many files there are of a kind: a person who chose others is told the numbers.
    #[must_use]
    pub fn number(mut self, label: &str, count: usize) -> Self {
        self.files.insert(label.to_owned(), count.to_string());
        self
    }

    /// Also reads a file that may be called otherwise at another time: `label` is what it is for, `name` what is said of it.
    #[must_use]
    pub fn named_file(mut self, label: &str, name: &str, content: &ContentHash) -> Self {
        self.names.insert(label.to_owned(), name.to_owned());
        self.file(label, content)
    }

    /// Takes files that it does not name to be what they were the last time: for a look at results where the data set is not.
    #[must_use]
    pub fn believing_files(mut self) -> Self {
        self.believes_files = true;
        self
    }

    /// Also reads one file that another step has made.
    #[must_use]
    pub fn artefact(mut self, step: &str, path: &str) -> Self {
        let of_step = self
            .artefacts
            .entry(step.to_owned())
            .or_insert_with(|| Some(BTreeSet::new()));
        if let Some(some) = of_step {
            some.insert(path.to_owned());
        }
        self
    }

    /// Also reads every file that another step has made.
    #[must_use]
    pub fn artefacts_of(mut self, step: &str) -> Self {
        self.artefacts.insert(step.to_owned(), None);
        self
    }

    /// The step's name.
    pub fn step(&self) -> &str {
        &self.step
    }

    /// The version of the step's code.
    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// The steps whose artefacts it reads.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &str> {
        self.artefacts.keys().map(String::as_str)
    }

    /// Whether files are taken to be what they were.
    pub(crate) fn believes_files(&self) -> bool {
        self.believes_files
    }

    /// What a person calls the file of this label.
    pub(crate) fn name_of<'a>(&'a self, label: &'a str) -> &'a str {
        self.names.get(label).map_or(label, String::as_str)
    }

    /// What it reads, with the artefacts that are recorded now.
    pub fn reads(&self, records: &BTreeMap<String, StepRecord>) -> Reads {
        let artefacts = self.artefacts.iter().map(|(step, which)| {
            let record = records.get(step);
            let hashes = match which {
                Some(some) => some
                    .iter()
                    .map(|path| {
                        let hash = record.and_then(|record| record.artefacts.get(path));
                        (path.clone(), hash.map_or(ABSENT, String::as_str).to_owned())
                    })
                    .collect(),
                None => record.map(|record| record.artefacts.clone()).unwrap_or_default(),
            };
            (step.clone(), hashes)
        });
        Reads {
            settings: self.settings.clone(),
            files: self.files.clone(),
            artefacts: artefacts.collect(),
        }
    }
}

/// In the place of a hash.
const ABSENT: &str = "absent";

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> BTreeMap<String, StepRecord> {
        let artefacts = [("a/checkpoint", "1"), ("a/history", "2")];
        let record = StepRecord {
            artefacts: artefacts.map(|(path, hash)| (path.to_owned(), hash.to_owned())).into(),
            ..StepRecord::default()
        };
        BTreeMap::from([("train/a".to_owned(), record)])
    }

    #[test]
    fn a_step_reads_what_it_says_and_nothing_else() {
        let declaration = Declaration::of("explain/a", 1)
            .artefact("train/a", "a/checkpoint")
            .artefacts_of("predict/a");
        let read = |declaration: &Declaration, step: &str| -> Vec<String> {
            declaration.reads(&records()).artefacts[step].keys().cloned().collect()
        };
        assert_eq!(read(&declaration, "train/a"), ["a/checkpoint"]);
        assert!(read(&declaration, "predict/a").is_empty(), "it has made nothing yet");
        let all = Declaration::of("draw", 1).artefacts_of("train/a");
        assert_eq!(read(&all, "train/a"), ["a/checkpoint", "a/history"]);
        assert_eq!(declaration.steps().collect::<Vec<_>>(), ["predict/a", "train/a"]);
    }

    #[test]
    fn every_part_is_in_the_key() {
        let plain = || {
            Declaration::of("explain/a", 1)
                .settings("explain.method", "cam")
                .file("regions.yaml", &ContentHash::of(b"a"))
                .artefact("train/a", "a/checkpoint")
        };
        let key = |declaration: Declaration, records: &BTreeMap<String, StepRecord>| {
            declaration
                .reads(records)
                .key(declaration.step(), declaration.version())
        };
        let records = records();
        let first = key(plain(), &records);
        assert_eq!(first, key(plain(), &records));
        let mut other_history = records.clone();
        let artefacts = &mut other_history.get_mut("train/a").expect("recorded").artefacts;
        artefacts.insert("a/history".to_owned(), "3".to_owned());
        assert_eq!(first, key(plain(), &other_history), "what is not read does not count");
        artefacts_changed(&mut other_history);
        for (other, records) in [
            (plain().settings("explain.method", "rise"), &records),
            (plain().settings("explain.images", &3), &records),
            (plain().file("regions.yaml", &ContentHash::of(b"b")), &records),
            (plain().artefacts_of("train/a"), &records),
            (plain(), &other_history),
            (plain(), &BTreeMap::new()),
        ] {
            assert_ne!(first, key(other, records));
        }
        let reads = plain().reads(&records);
        assert_ne!(first, reads.key("explain/a", 2));
        assert_ne!(first, reads.key("explain/b", 1));
    }

    fn artefacts_changed(records: &mut BTreeMap<String, StepRecord>) {
        for record in records.values_mut() {
            record.artefacts.values_mut().for_each(|hash| hash.push('x'));
        }
    }
}
