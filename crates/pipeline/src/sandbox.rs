//! The results folder as a step sees it while it works: the files that it has declared to read, its own, and nothing else.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::folder::ResultsFolder;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::reads::Reads;

/// What a step at work has of its results folder.
#[derive(Debug)]
pub struct Sandbox<'a> {
    step: &'a str,
    version: u32,
    reads: Reads,
    results: &'a ResultsFolder,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
    /// What becomes of the step's artefacts; some steps write from several threads.
    written: Mutex<BTreeSet<String>>,
}

impl<'a> Sandbox<'a> {
    /// That of a step which reads what `reads` says.
    pub(crate) fn new(
        (step, version): (&'a str, u32),
        reads: Reads,
        results: &'a ResultsFolder,
        progress: &'a Progress,
        interrupt: &'a Interrupt,
    ) -> Self {
        Self {
            step,
            version,
            reads,
            results,
            progress,
            interrupt,
            written: Mutex::default(),
        }
    }

    /// The step's name.
    pub fn step(&self) -> &str {
        self.step
    }

    /// What tells this work from any other of the step: unfinished work is gone on with only under the same.
    pub fn key(&self) -> String {
        self.reads.key(self.step, self.version)
    }

    /// Where a file is that another step has made.
    ///
    /// # Errors
    /// [`Error::Undeclared`] for one that the step has not declared to read: what became of it would pass for what it was.
    pub fn input(&self, path: &str) -> Result<PathBuf> {
        let declared = self.reads.artefacts.values().any(|files| files.contains_key(path));
        if declared {
            Ok(self.results.join(path))
        } else {
            Err(Error::Undeclared {
                step: self.step.to_owned(),
                path: path.to_owned(),
            })
        }
    }

    /// Writes a whole file, which becomes an artefact of the step.
    ///
    /// # Errors
    /// [`Error::Io`]; the earlier file, if any, is then untouched.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let _place = self.output(path);
        self.results.write(path, bytes)
    }

    /// Where the step itself writes a file, whole or not at all ([`disk::PartFile`]), which becomes an artefact of it.
    pub fn output(&self, path: &str) -> PathBuf {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.insert(path.to_owned()) {
            self.results.note(path);
        }
        self.results.join(path)
    }

    /// Where the step keeps what is no result: work to go on from, and logs.
    pub fn scratch(&self, path: &str) -> PathBuf {
        self.results.join(path)
    }

    /// Where progress is shown.
    pub fn progress(&self) -> &'a Progress {
        self.progress
    }

    /// Whether to stop.
    pub fn interrupt(&self) -> &'a Interrupt {
        self.interrupt
    }

    /// The artefacts that were written.
    pub(crate) fn into_written(self) -> BTreeSet<String> {
        self.written.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_step_reads_what_it_has_declared_and_writes_artefacts_that_are_known() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let results = ResultsFolder::open(place.path()).expect("free");
        let (progress, interrupt) = (Progress::new(), Interrupt::default());
        let files = BTreeMap::from([("a/checkpoint".to_owned(), "0".to_owned())]);
        let reads = Reads {
            artefacts: BTreeMap::from([("train/a".to_owned(), files)]),
            ..Reads::default()
        };
        let sandbox = Sandbox::new(("predict/a", 1), reads, &results, &progress, &interrupt);
        assert_eq!(
            sandbox.input("a/checkpoint").expect("declared"),
            place.path().join("a/checkpoint")
        );
        let refused = sandbox.input("a/history").expect_err("not declared").to_string();
        assert!(
            refused.contains("predict/a") && refused.contains("a/history"),
            "{refused}"
        );
        sandbox.write("a/scores", b"1").expect("written");
        sandbox.output("a/maps");
        sandbox.scratch("a/unfinished");
        assert_eq!(
            sandbox.into_written().into_iter().collect::<Vec<_>>(),
            ["a/maps", "a/scores"]
        );
    }
}
