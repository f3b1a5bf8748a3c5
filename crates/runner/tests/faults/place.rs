//! An undisturbed run to compare with, and folders in which runs are disturbed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The smoke experiment in a second or two.
const SETTINGS: [&str; 9] = [
    "data.procedural={train: 240, validation: 16, test: 24}",
    "data.image_size=28",
    "training.epochs=1",
    // A state after every step: each is a rename.
    "training.checkpoint_seconds=0",
    "training.batch_size=60",
    "measure.resamples=100",
    "explain.keep_maps=true",
    "figures.which=[training_curves, examples]",
    "figures.formats=[svg]",
];

/// Files by their path below the results folder.
type Files = BTreeMap<String, Vec<u8>>;

/// What all cases share.
pub struct Lab {
    folder: tempfile::TempDir,
    shim: PathBuf,
    /// The undisturbed run's files.
    pub files: Files,
    /// How long it took.
    pub duration: Duration,
    finished: PathBuf,
}

impl Lab {
    /// Compiles the shim, writes the data and makes the undisturbed run; `None` where there is no C compiler.
    pub fn new() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let shim = folder.path().join("shim.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/shim.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&shim)
            .arg(source)
            .arg("-ldl")
            .output();
        match compiled {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => {
                testing::missing("cc", "faults are injected by a C shim, and there is no `cc`");
                return None;
            }
        }
        let mut lab = Self {
            folder,
            shim,
            files: Files::new(),
            duration: Duration::ZERO,
            finished: PathBuf::new(),
        };
        // The first run writes the data, the second is the one to compare with.
        lab.case().succeeds("the first run");
        let case = lab.case();
        let started = Instant::now();
        case.succeeds("the undisturbed run");
        lab.duration = started.elapsed();
        lab.files = files_of(&case.results());
        lab.finished = case.folder.keep();
        Some(lab)
    }

    /// An empty folder with the data.
    pub fn case(&self) -> Case {
        Case {
            folder: tempfile::tempdir_in(self.folder.path()).expect("a temporary folder"),
            data: self.folder.path().join("data"),
        }
    }

    /// A folder with the undisturbed run's files.
    pub fn finished_case(&self) -> Case {
        let case = self.case();
        for name in self.files.keys() {
            let to = case.results().join(name);
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
            std::fs::copy(self.finished.join("results/smoke").join(name), to).expect("copied");
        }
        case
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> usize {
        self.files.values().map(Vec::len).sum()
    }
}

/// A folder in which something goes wrong.
pub struct Case {
    folder: tempfile::TempDir,
    data: PathBuf,
}

impl Case {
    /// The results folder.
    pub fn results(&self) -> PathBuf {
        self.folder.path().join("results/smoke")
    }

    /// The program on the small experiment. The command is the same in every folder: the manifest records it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command.current_dir(self.folder.path());
        command.args([
            "reproduce",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke.yaml"),
        ]);
        command
            .args(["--device", "cpu", "--results"])
            .arg("results")
            .arg("--data")
            .arg(&self.data);
        for setting in SETTINGS {
            command.args(["--set", setting]);
        }
        command
    }

    /// The program with a fault in its results folder.
    pub fn faulty(&self, lab: &Lab, fault: &str, at: usize) -> Command {
        let mut command = self.command();
        // Files are opened by their relative path, and open ones are known by their absolute one.
        let below = if fault == "full" {
            self.results().canonicalize().unwrap_or_else(|_| self.results())
        } else {
            PathBuf::from("results/smoke")
        };
        command.env("LD_PRELOAD", &lab.shim).env("FAULT", fault);
        command.env("FAULT_AT", at.to_string()).env("FAULT_BELOW", below);
        command
    }

    fn succeeds(&self, what: &str) {
        let output = self.command().output().expect("starts");
        assert!(output.status.success(), "{what}: {}", message(&output));
    }

    /// Runs without a fault, and compares all files.
    pub fn ends_as(&self, lab: &Lab, what: &str) {
        self.succeeds(what);
        self.is_same(lab, what);
    }

    /// The same, or the run is refused with a message that names the file and the way to make it anew, which then does.
    pub fn ends_as_or_names(&self, lab: &Lab, name: &str, what: &str) {
        let output = self.command().output().expect("starts");
        if !output.status.success() {
            let message = message(&output);
            assert_eq!(output.status.code(), Some(1), "{what}: {message}");
            assert!(
                message.contains(name) && message.contains("--fresh"),
                "{what}: {message}"
            );
            let fresh = self.command().arg("--fresh").output().expect("starts");
            assert!(fresh.status.success(), "{what}, --fresh: {}", self::message(&fresh));
        }
        self.is_same(lab, what);
    }

    /// Every file that is there under its own name is whole.
    pub fn is_part_of(&self, lab: &Lab) {
        for (name, bytes) in files_of(&self.results()) {
            let passing =
                ["manifest.json", "report.html"].contains(&&*name) || name.ends_with("unfinished.safetensors");
            assert!(passing || lab.files.get(&name) == Some(&bytes), "{name} is not whole");
        }
    }

    fn is_same(&self, lab: &Lab, what: &str) {
        let found = files_of(&self.results());
        let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&lab.files), "{what}");
        for (name, bytes) in &lab.files {
            let found = &found[name];
            match name.as_str() {
                "manifest.json" => assert_eq!(without_times(found), without_times(bytes), "{what}"),
                "report.html" => assert!(text_without_times(found) == text_without_times(bytes), "{what}: {name}"),
                _ => assert!(found == bytes, "{what}: {name} is another"),
            }
        }
    }
}

/// A small file system in memory, for as long as this lives.
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts one at a folder; `None` where this process may not.
    pub fn mount(folder: &Path) -> Option<Self> {
        std::fs::create_dir_all(folder).expect("made");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64m", "biascam"])
            .arg(folder)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(folder.to_owned()))
    }

    /// Mounts it again, `ro` or `rw`.
    pub fn remount(&self, how: &str) {
        let output = Command::new("mount")
            .args(["-o", &format!("remount,{how}")])
            .arg(&self.0)
            .output()
            .expect("starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg(&self.0).status().ok();
    }
}

/// What a run said, without a panic in it.
fn message(output: &Output) -> String {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!message.contains("panicked"), "{message}");
    message
}

/// What is no artefact: the lock, whose line names the process, and the logs of a training, which tell the time and what was resumed.
const LOGS: [&str; 4] = [".lock", ".written", "training.jsonl", "training.tfevents"];

/// The artefacts below a folder.
fn files_of(folder: &Path) -> Files {
    fn walk(root: &Path, folder: &Path, files: &mut Files) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            if path.is_dir() {
                walk(root, &path, files);
            } else if !LOGS.iter().any(|log| path.ends_with(log)) {
                files.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    let mut files = Files::new();
    walk(folder, folder, &mut files);
    files
}

/// A manifest without the durations of the stages, the hash of the report, which shows them, and the command, which may have
/// had `--fresh`.
fn without_times(bytes: &[u8]) -> serde_json::Value {
    let mut manifest: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
    manifest["command"].take();
    manifest["checksum"].take();
    for stage in manifest["stages"].as_object_mut().expect("stages").values_mut() {
        stage["seconds"].take();
        // When it was, and whether another training went on beside it.
        for beside in ["started", "threads"] {
            stage["provenance"][beside].take();
        }
        if let Some(report) = stage["artefacts"].get_mut("report.html") {
            report.take();
        }
    }
    manifest
}

/// The report without its table of durations and the `--fresh` of its command.
fn text_without_times(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).expect("text").replace(" --fresh", "");
    let (before, durations) = text.split_once("id=\"durations-table\"").expect("a table of durations");
    let (_, after) = durations.split_once("</table>").expect("its end");
    format!("{before}{after}")
}
