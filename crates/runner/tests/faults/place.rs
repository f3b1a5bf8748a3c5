//! Undisturbed work to compare with, and folders in which it is disturbed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::work::Work;

/// Files by their path below a folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The compiled shim.
pub struct Shim {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Shim {
    /// Compiles it; `None` where there is no C compiler.
    pub fn new() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("shim.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/shim.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&path)
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
        Some(Self { _folder: folder, path })
    }
}

/// A fault, in the words of the shim.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What happens.
    pub kind: &'static str,
    /// To which call, or after how many bytes.
    pub at: usize,
    /// The error that a call fails with.
    pub error: i32,
    /// Where; nothing means below the folder in which the work ends.
    pub below: Vec<PathBuf>,
}

impl Fault {
    /// A fault below the folder in which the work ends.
    pub fn of(kind: &'static str, at: usize) -> Self {
        Self {
            kind,
            at,
            error: 0,
            below: Vec::new(),
        }
    }
}

/// What the shim has counted.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Changes of folders.
    pub changes: usize,
}

/// A kind of work, and the undisturbed end of it.
pub struct Lab<'a> {
    folder: tempfile::TempDir,
    shim: &'a Shim,
    /// What is done.
    pub work: Work,
    /// The undisturbed work's files.
    pub files: Files,
    /// How long it took.
    pub duration: Duration,
    /// What it did.
    pub counts: Counts,
    /// The reads and openings of it, and of the same command in the finished folder.
    pub reads: [Vec<Read>; 2],
    finished: PathBuf,
}

/// A file that was opened or read, and how often.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// `open` or `read`.
    pub kind: &'static str,
    /// Below the case's folder, or the absolute one.
    pub path: PathBuf,
    /// How many times.
    pub count: usize,
}

impl<'a> Lab<'a> {
    /// Does the work undisturbed, and looks what it reads.
    pub fn new(shim: &'a Shim, work: Work) -> Self {
        let mut lab = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            shim,
            work,
            files: Files::new(),
            duration: Duration::ZERO,
            counts: Counts { changes: 0 },
            reads: [Vec::new(), Vec::new()],
            finished: PathBuf::new(),
        };
        // The first time may write the data that all cases share, the second is the one to compare with.
        let first = lab.case();
        first.succeeds("the first time");
        let case = lab.case();
        let started = Instant::now();
        case.succeeds("the undisturbed work");
        lab.duration = started.elapsed();
        lab.files = files_of(&case.results());
        lab.finished = case.folder.keep();
        let looked = lab.case();
        for reads in 0..2 {
            let below = vec![looked.results(), looked.data.clone()];
            let (output, counts, log) = looked.run_with(
                &lab,
                &Fault {
                    below,
                    ..Fault::of("list", 0)
                },
            );
            assert!(output.status.success(), "looked at: {}", message(&output));
            if reads == 0 {
                lab.counts = counts;
            }
            lab.reads[reads] = reads_of(&log, &looked);
        }
        lab
    }

    /// An empty folder with what the work needs.
    pub fn case(&self) -> Case {
        let folder = tempfile::tempdir_in(self.folder.path()).expect("a temporary folder");
        for (name, text) in &self.work.files {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let path = folder.path().canonicalize().expect("a folder");
        Case {
            data: match self.work.shares_data {
                true => path.with_file_name("data"),
                false => path.join("data"),
            },
            work: self.work.clone(),
            path,
            folder,
        }
    }

    /// A folder with the undisturbed work's files.
    pub fn finished_case(&self) -> Case {
        let case = self.case();
        for name in self.files.keys() {
            let to = case.results().join(name);
            if name.ends_with('/') {
                std::fs::create_dir_all(to).expect("made");
                continue;
            }
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
            std::fs::copy(self.finished.join(self.work.root).join(name), to).expect("copied");
        }
        // By its lock a folder of a comparison is known.
        for folder in ["", "comparison"].map(|folder| Path::new(self.work.root).join(folder)) {
            if self.finished.join(&folder).join(".lock").exists() {
                std::fs::write(case.path.join(&folder).join(".lock"), b"").expect("written");
            }
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
    /// The same, absolute.
    pub path: PathBuf,
    /// Where its data are.
    pub data: PathBuf,
    work: Work,
}

impl Case {
    /// The folder in which the work ends.
    pub fn results(&self) -> PathBuf {
        self.path.join(self.work.root)
    }

    /// The program at work. The command is the same in every folder: the manifest records it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command.current_dir(&self.path).args(&self.work.arguments);
        if self.work.shares_data {
            command.arg("--data").arg(&self.data);
        }
        command
    }

    /// The program with a fault.
    pub fn faulty(&self, lab: &Lab<'_>, fault: &Fault) -> Command {
        let mut command = self.command();
        std::fs::write(self.counts(), [0; 64]).expect("written");
        std::fs::write(self.log(), b"").expect("written");
        let below: Vec<PathBuf> = match fault.below.is_empty() {
            true => vec![self.results()],
            false => fault.below.clone(),
        };
        let below: Vec<String> = below.iter().map(|path| path.display().to_string()).collect();
        command
            .env("LD_PRELOAD", &lab.shim.path)
            .env("FAULT", fault.kind)
            .env("FAULT_AT", fault.at.to_string())
            .env("FAULT_ERROR", fault.error.to_string())
            .env("FAULT_BELOW", below.join("\n"))
            .env("FAULT_COUNTS", self.counts())
            .env("FAULT_LOG", self.log());
        command
    }

    fn counts(&self) -> PathBuf {
        self.path.join(".counts")
    }

    fn log(&self) -> PathBuf {
        self.path.join(".log")
    }

    /// The same, what it has counted and the log that it has written.
    pub fn run_with(&self, lab: &Lab<'_>, fault: &Fault) -> (Output, Counts, Vec<u8>) {
        let output = self.faulty(lab, fault).output().expect("starts");
        let counts = std::fs::read(self.counts()).expect("counts");
        let changes = usize::from_le_bytes(counts[..8].try_into().expect("a number"));
        (output, Counts { changes }, std::fs::read(self.log()).expect("a log"))
    }

    fn succeeds(&self, what: &str) {
        let output = self.command().output().expect("starts");
        assert!(output.status.success(), "{what}: {}", message(&output));
    }

    /// Works without a fault, and compares all files.
    pub fn ends_as(&self, lab: &Lab<'_>, what: &str) {
        self.succeeds(what);
        self.is_same(lab, what);
    }

    /// The same, or it is refused with one message that names a file and the way to make it anew, which then does.
    pub fn ends_or_is_mended(&self, lab: &Lab<'_>, what: &str) {
        let output = self.command().output().expect("starts");
        if !output.status.success() {
            let message = refusal(&output, what);
            let anew = if message.contains("--fresh") {
                assert!(
                    lab.files.keys().any(|name| message.contains(&**name)),
                    "{what}: {message}"
                );
                self.command().arg("--fresh").output()
            } else {
                // What is to be removed is named first.
                let named = message
                    .split_once("biascam: ")
                    .and_then(|(_, rest)| rest.split_once(": "));
                let named = named.map(|(path, _)| self.path.join(path)).filter(|path| path.exists());
                let removed = named.filter(|path| path.starts_with(self.results()) && message.contains("remove"));
                let removed = removed.unwrap_or_else(|| panic!("{what}: no way out is named: {message}"));
                match removed.is_dir() {
                    true => std::fs::remove_dir_all(removed).expect("removed"),
                    false => std::fs::remove_file(removed).expect("removed"),
                }
                self.command().output()
            };
            let anew = anew.expect("starts");
            assert!(anew.status.success(), "{what}, mended: {}", self::message(&anew));
        }
        self.is_same(lab, what);
    }

    /// Every file that is there under its own name is whole.
    pub fn is_part_of(&self, lab: &Lab<'_>) {
        for (name, bytes) in files_of(&self.results()) {
            // A folder may have been made for a file that did not come.
            let passing = name.ends_with('/') || self.work.passing.iter().any(|passing| name.contains(passing));
            assert!(passing || lab.files.get(&name) == Some(&bytes), "{name} is not whole");
        }
    }

    /// No file is missing of those that were finished.
    pub fn has_all_of(&self, lab: &Lab<'_>, what: &str) {
        let found = files_of(&self.results());
        let gone: Vec<_> = lab.files.keys().filter(|name| !found.contains_key(*name)).collect();
        assert!(gone.is_empty(), "{what}: gone {gone:?}");
    }

    /// The files are those of the undisturbed work, and no others.
    pub fn is_same(&self, lab: &Lab<'_>, what: &str) {
        self.has_the_same(lab, what);
        let found = files_of(&self.results());
        let new: Vec<_> = found.keys().filter(|name| !lab.files.contains_key(*name)).collect();
        assert!(new.is_empty(), "{what}: new {new:?}");
    }

    /// The files of the undisturbed work are there.
    pub fn has_the_same(&self, lab: &Lab<'_>, what: &str) {
        self.has_all_of(lab, what);
        let found = files_of(&self.results());
        for (name, bytes) in &lab.files {
            let found = &found[name];
            if name.ends_with("manifest.json") {
                assert_eq!(without_times(found), without_times(bytes), "{what}: {name}");
            } else if name.ends_with("report.html") {
                assert!(text_without_times(found) == text_without_times(bytes), "{what}: {name}");
            } else {
                assert!(found == bytes, "{what}: {name} is another");
            }
        }
    }
}

/// The lines `open PATH` and `read PATH` of a log, counted.
fn reads_of(log: &[u8], case: &Case) -> Vec<Read> {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    let log = String::from_utf8_lossy(log);
    for line in log.lines() {
        *counted.entry(line).or_default() += 1;
    }
    let read = |(line, count): (&str, usize)| {
        let (kind, path) = line.split_once(' ').expect("two words");
        let path = Path::new(path);
        Read {
            kind: if kind == "open" { "open" } else { "read" },
            path: path.strip_prefix(&case.path).unwrap_or(path).to_owned(),
            count,
        }
    };
    counted.into_iter().map(read).collect()
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

/// What the program said, without a panic in it.
pub fn message(output: &Output) -> String {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!message.contains("panicked"), "{message}");
    message
}

/// What it said when it ended with status 1: one message.
pub fn refusal(output: &Output, what: &str) -> String {
    let message = message(output);
    assert_eq!(output.status.code(), Some(1), "{what}: {message}");
    assert_eq!(message.matches("biascam: ").count(), 1, "{what}: {message}");
    message
}

/// What is no artefact: the lock, whose line names the process, the hashes of data with their times, the logs of a training, which tell the time and what was resumed, and
/// what the runs of a sweep said.
const LOGS: [&str; 6] = [
    ".lock",
    ".written",
    ".content-hashes",
    "training.jsonl",
    "training.tfevents",
    "logs",
];

/// Whether a path is of such a file.
pub fn is_log(path: &Path) -> bool {
    path.iter().any(|part| LOGS.iter().any(|log| part == *log))
}

/// The artefacts below a folder, and the folders without any, whose names end in a slash.
pub fn files_of(folder: &Path) -> Files {
    fn walk(root: &Path, folder: &Path, files: &mut Files) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            if is_log(Path::new(&name)) {
                continue;
            }
            if path.is_dir() {
                let before = files.len();
                walk(root, &path, files);
                if files.len() == before {
                    files.insert(format!("{name}/"), Vec::new());
                }
            } else {
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
    // The comparison of a sweep has none.
    let Some((before, durations)) = text.split_once("id=\"durations-table\"") else {
        return text;
    };
    let (_, after) = durations.split_once("</table>").expect("its end");
    format!("{before}{after}")
}
