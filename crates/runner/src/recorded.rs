//! An experiment and what its results folder says of itself, for those who look at it without writing there.

use std::path::Path;

use pipeline::Manifest;

use crate::experiment::Experiment;

/// An experiment and the record of its results.
#[derive(Clone, Copy)]
pub struct Recorded<'a> {
    /// The experiment as it is now.
    pub experiment: &'a Experiment,
    /// What is recorded.
    pub manifest: &'a Manifest,
    /// The results folder.
    pub folder: &'a Path,
}

impl Recorded<'_> {
    /// Whether a step is recorded to have made a file, which then should be there.
    pub fn has(&self, file: &str) -> bool {
        self.manifest
            .stages
            .values()
            .any(|record| record.artefacts.contains_key(file))
    }
}
