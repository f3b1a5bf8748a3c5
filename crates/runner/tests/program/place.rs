//! The program as a user runs it, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// A folder for data and results, and the program to run in it.
pub struct Place {
    /// Holds `data` and `results`.
    pub folder: tempfile::TempDir,
}

impl Place {
    /// A folder with the smoke experiment's faces.
    pub fn new() -> Self {
        let place = Self::empty();
        copy_faces(&place.folder.path().join("data"));
        place
    }

    /// An empty folder, in which the first run draws the faces.
    pub fn empty() -> Self {
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
        command.args(["--device", "cpu", "--replace"]);
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

/// Puts the smoke experiment's faces into a folder of data sets: a copy, which a test may change. Drawing them takes longer than most of
/// what is tested on them, so it is done once.
pub fn copy_faces(data: &Path) {
    static DRAWN: OnceLock<PathBuf> = OnceLock::new();
    let drawn = DRAWN.get_or_init(|| {
        // In cargo's own folder for this, as nothing is dropped when the tests end.
        let drawn = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faces");
        let _ = fs::remove_dir_all(&drawn);
        let place = Place::empty();
        let one = ["classifiers={unbalanced: {class_weights: none}}", "training.epochs=1"];
        succeeds(&place.run("train", &one));
        copy(&place.folder.path().join("data"), &drawn);
        drawn
    });
    copy(drawn, data);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).expect("copied")),
        }
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
