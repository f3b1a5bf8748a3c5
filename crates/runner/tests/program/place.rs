//! The program as a user runs it, in a folder of its own.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder for data and results, and the program to run in it.
pub struct Place {
    /// Holds `data` and `results`.
    pub folder: tempfile::TempDir,
}

impl Place {
    /// An empty folder.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A file of the smoke run's results.
    pub fn results(&self, relative: &str) -> PathBuf {
        self.folder.path().join("results/smoke").join(relative)
    }

    /// The program, ready to run a stage of the smoke experiment.
    pub fn command(&self, stage: &str, settings: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command
            .arg(stage)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke.yaml"));
        command.arg("--results").arg(self.folder.path().join("results"));
        command.arg("--data").arg(self.folder.path().join("data"));
        command.args(["--device", "cpu"]);
        for setting in settings {
            command.args(["--set", setting]);
        }
        command
    }

    /// Runs a stage of the smoke experiment.
    pub fn run(&self, stage: &str, settings: &[&str]) -> Output {
        self.command(stage, settings).output().expect("the program starts")
    }
}

/// Standard output of a run that succeeds.
pub fn succeeds(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Standard error of a run that fails with status 1.
pub fn fails(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}
