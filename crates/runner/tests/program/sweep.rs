//! `biascam sweep` as a user runs it: two runs at a time, one that fails, one that is stopped, and what is done when it is run again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::place::{copy_faces, fails, succeeds};
use pipeline::ReadTable;

/// A sweep over the smoke experiment in a folder of its own.
pub struct Sweep {
    folder: tempfile::TempDir,
}

/// What makes a run of the smoke experiment a matter of a second.
pub const TINY: &str = "experiment: SMOKE\n\
    set:\n  training.epochs: 1\n  measure.resamples: 100\n  \
    classifiers: {swept: {class_weights: domain_adaptive}}\n";

impl Sweep {
    /// Writes the sweep file: [`TINY`] and what follows it.
    pub fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let smoke = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke.yaml");
        fs::write(
            folder.path().join("tiny.yaml"),
            format!("{}{text}", TINY.replace("SMOKE", smoke)),
        )
        .expect("written");
        copy_faces(&folder.path().join("data"));
        Self { folder }
    }

    /// A path below the sweep's results.
    pub fn results(&self, relative: &str) -> PathBuf {
        self.folder.path().join("results/tiny").join(relative)
    }

    /// The folder in which the program runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The command, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command
            .args(["sweep", "tiny.yaml", "--device", "cpu"])
            .args(arguments)
            .current_dir(self.folder.path());
        command
    }

    /// Runs it.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_sweep_from_its_list_to_its_comparison() {
    let sweep = Sweep::new("axes: {classifiers.swept.exponent: [0, 1]}\nseeds: [1, 2]\n");
    let listed = succeeds(&sweep.run(&["--list"]));
    for part in [
        "exponent-0_seed-1",
        "exponent-1_seed-2",
        "4 runs, 80 steps",
        "no time can be estimated",
    ] {
        assert!(listed.contains(part), "{part:?} is missing:\n{listed}");
    }
    assert!(!sweep.results("").exists(), "--list writes nothing");
    assert!(succeeds(&sweep.run(&["--status"])).contains("0 finished"));

    let output = sweep.run(&["--jobs", "2"]);
    let printed = succeeds(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("2 at a time"), "{said}");
    assert_eq!(said.matches(": finished in").count(), 4, "{said}");
    for part in ["exponent 0", "Majority error", "report.html"] {
        assert!(printed.contains(part), "{part:?} is missing:\n{printed}");
    }

    // The comparison says what the runs' own tables say.
    let table = ReadTable::csv(&sweep.results("comparison/tables/comparison.csv")).expect("a table");
    assert_eq!(table.height(), 2);
    let runs: Vec<f64> = [1, 2]
        .iter()
        .map(|seed| {
            let path = sweep.results(&format!("exponent-1_seed-{seed}/tables/attributes.csv"));
            let errors = ReadTable::csv(&path)
                .expect("a table")
                .doubles("swept_majority_error")
                .expect("numbers");
            errors.iter().map(|error| error.expect("measured")).sum::<f64>() / errors.len() as f64
        })
        .collect();
    let found = table.doubles("majority_error").expect("numbers")[1].expect("a mean");
    assert!((found - (runs[0] + runs[1]) / 2.0).abs() < 1e-9, "{found} for {runs:?}");
    assert_ne!(runs[0], runs[1], "the seed changes the training");
    for file in [
        "comparison.parquet",
        "comparison.tex",
        "comparison.md",
        "attributes.csv",
        "runs.parquet",
        "tests.csv",
        "onsets.csv",
    ] {
        assert!(sweep.results(&format!("comparison/tables/{file}")).is_file(), "{file}");
    }
    for figure in ["sweep", "sweep_attribute_errors"] {
        let svg = text(&sweep.results(&format!("comparison/figures/{figure}.svg")));
        assert!(svg.contains("<svg") && !svg.contains("NaN"), "{figure}");
        assert!(
            sweep.results(&format!("comparison/figures/{figure}.pdf")).is_file(),
            "{figure}"
        );
    }
    let page = text(&sweep.results("comparison/report.html"));
    assert!(page.contains("exponent 1") && page.contains("<svg") && !page.contains("src=\"http"));

    // A run is an ordinary results folder.
    let inspected = Command::new(env!("CARGO_BIN_EXE_biascam"))
        .arg("inspect")
        .arg(sweep.results("exponent-1_seed-2"))
        .output();
    assert!(succeeds(&inspected.expect("the program starts")).contains("train/swept"));

    // Again, nothing is done, and the same files come out; a time can be estimated now.
    let before = text(&sweep.results("comparison/tables/runs.csv"));
    let again = sweep.run(&[]);
    succeeds(&again);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        said.contains("4 finished before") && !said.contains("started"),
        "{said}"
    );
    assert_eq!(before, text(&sweep.results("comparison/tables/runs.csv")));
    assert!(succeeds(&sweep.run(&["--list"])).contains("one after the other"));
    let mut elsewhere = Command::new(env!("CARGO_BIN_EXE_biascam"));
    elsewhere.args(["sweep", "tiny.yaml", "--list", "--device", "cuda"]);
    let output = elsewhere
        .current_dir(sweep.folder())
        .output()
        .expect("the program starts");
    assert!(
        succeeds(&output).contains("no time can be estimated"),
        "of another device"
    );
    assert!(succeeds(&sweep.run(&["--status"])).contains("4 finished"));

    // A run whose results are gone is made again, and no other.
    fs::remove_file(sweep.results("exponent-0_seed-2/tables/attributes.csv")).expect("removed");
    let again = sweep.run(&[]);
    succeeds(&again);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert_eq!(said.matches(": finished in").count(), 1, "{said}");
    assert!(said.contains("exponent-0_seed-2: finished"), "{said}");
    assert_eq!(before, text(&sweep.results("comparison/tables/runs.csv")));

    // What is half done does not tell how long the whole takes.
    for run in [
        "exponent-0_seed-1",
        "exponent-0_seed-2",
        "exponent-1_seed-1",
        "exponent-1_seed-2",
    ] {
        fs::remove_file(sweep.results(run).join("tables/attributes.csv")).expect("removed");
    }
    assert!(succeeds(&sweep.run(&["--list"])).contains("no time can be estimated"));
}

/// Scripts that stand in for Slurm's programs, so that they say what a real one seldom does.
#[test]
fn what_is_in_the_queue_is_known_by_name() {
    let sweep = Sweep::new("axes: {classifiers.swept.exponent: [0, 1]}\n");
    let programs = tempfile::tempdir().expect("a temporary folder");
    let says = |program: &str, script: &str| {
        let path = programs.path().join(program);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("made executable");
    };
    let path = format!(
        "{}:{}",
        programs.path().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let run = |argument: &str| {
        let output = sweep.command(&[argument]).env("PATH", &path).output();
        output.expect("the program starts")
    };
    // The runs are taken, their comparison is not.
    says(
        "sbatch",
        "case \"$*\" in *--dependency*) echo 'too many jobs' >&2; exit 1;; esac; echo 12",
    );
    says("squeue", "printf '12|0|PENDING|Resources\\n12|1|PENDING|Resources\\n'");
    let message = fails(&run("--slurm"));
    for part in ["job array 12", "--compare", "too many jobs"] {
        assert!(message.contains(part), "{part:?} is missing: {message}");
    }
    assert!(succeeds(&run("--slurm")).contains("nothing to hand in"));
    let output = run("--compare");
    succeeds(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("2 runs are made elsewhere"), "{said}");
    // One of the two is no longer in the queue, and nobody makes it.
    says("squeue", "echo '12|0|PENDING|Resources'");
    let message = fails(&run("--compare"));
    assert!(
        message.contains("0 of 2 runs are finished, 1 are made elsewhere, 1 were not carried through"),
        "{message}"
    );
}

#[test]
fn one_failing_run_does_not_stop_the_others() {
    // A learning rate at which the loss is soon no number.
    let sweep = Sweep::new(
        "axes: {training.optimiser: [sgd], training.learning_rate: [1.0e+5, 0.006]}\ncompare: {x: training.learning_rate}\n",
    );
    let output = sweep.run(&["--jobs", "2"]);
    let message = fails(&output);
    assert!(message.contains("1 of 2 runs are finished, 1 failed"), "{message}");
    assert!(message.contains("- learning-rate-100000.0: "), "{message}");
    assert!(
        message.contains("learning rate") && message.contains("logs"),
        "{message}"
    );
    // What is finished is compared all the same, and the status names the reason.
    assert!(sweep.results("comparison/report.html").is_file());
    let status = succeeds(&sweep.run(&["--status"]));
    assert!(
        status.contains("1 finished") && status.contains("1 failed") && status.contains("failed: "),
        "{status}"
    );
    assert!(fails(&sweep.run(&["--compare"])).contains("1 failed"));
}

#[test]
fn a_stopped_sweep_goes_on() {
    let sweep = Sweep::new("axes: {classifiers.swept.exponent: [0, 1]}\n");
    let slow = [
        "--jobs",
        "2",
        "--set",
        "training.epochs=60",
        "--set",
        "training.checkpoint_seconds=0",
    ];
    let mut child = sweep
        .command(&slow)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let state = |run: &str| sweep.results(run).join("swept/unfinished.safetensors");
    let runs = ["exponent-0", "exponent-1"];
    let started = Instant::now();
    while !runs.iter().all(|run| state(run).exists()) && started.elapsed() < Duration::from_secs(120) {
        assert!(
            child.try_wait().expect("a status").is_none(),
            "it ended before both runs had a state"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = succeeds(&sweep.run(&["--status", "--set", "training.epochs=60"]));
    assert!(status.contains("running, process"), "{status}");
    // A second process leaves them alone, and says so.
    let second = sweep.run(&["--jobs", "2", "--set", "training.epochs=60"]);
    succeeds(&second);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        said.contains("nothing is finished that could be compared: 2 runs are made elsewhere")
            && !said.contains("started"),
        "{said}"
    );
    let kill = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status();
    assert!(kill.expect("a shell").success());
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("2 stopped with what they have finished kept") && said.contains("goes on from what is finished"),
        "{said}"
    );
    assert!(runs.iter().all(|run| state(run).exists()));
    // What was stopped is not counted as done.
    for run in runs {
        assert!(said.contains(&format!("{run}: stopped\n")), "{said}");
    }

    // The processes are gone, and what they left is taken up.
    succeeds(&sweep.run(&["--jobs", "2", "--set", "training.epochs=60"]));
    for run in runs {
        assert!(!state(run).exists());
        assert!(
            text(&sweep.results(&format!("logs/{run}.log"))).contains("going on after epoch"),
            "{run}"
        );
    }
}

#[test]
fn bad_sweeps_are_refused_before_anything_starts() {
    for (text, arguments, expected) in [
        (
            "axes: {training.epoch: [1, 2], seed: [1, 1]}\n",
            &[][..],
            &["epochs", "tiny.yaml"][..],
        ),
        ("axes: {seed: [1, 1]}\n", &[], &["the same run"]),
        ("axes: {data.source: [procedural, celeba]}\n", &[], &["celeba", "mmlab"]),
        (
            "axes: {training.precision: [float32, bf16]}\n",
            &["--device", "cpu"],
            &["training.precision: bf16", "float32"],
        ),
        ("axes: {seed: [1, 2]}\n", &["--device", "cuda:x"], &["cuda:x"]),
        (
            "axes: {seed: [1, 2]}\n",
            &["--slurm", "--device", "cuda:0,cuda:1"],
            &["cuda:0,cuda:1 --slurm", "one device"],
        ),
    ] {
        let sweep = Sweep::new(text);
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command
            .args(["sweep", "tiny.yaml"])
            .args(arguments)
            // Some processors compute in bf16; none does without AVX-512.
            .env("BIASCAM_SIMD", "avx2")
            .current_dir(sweep.folder());
        let message = fails(&command.output().expect("the program starts"));
        for part in expected {
            assert!(message.contains(part), "{message:?} should contain {part:?}");
        }
        assert!(
            !sweep.results("").exists(),
            "{text:?} should be refused before anything is written"
        );
    }
    // A file that is not there: those that are, and other YAML is not among them.
    let sweep = Sweep::new("axes: {seed: [1, 2]}\n");
    fs::write(sweep.folder().join("other.yaml"), "classifiers: {}\n").expect("written");
    let mut absent = Command::new(env!("CARGO_BIN_EXE_biascam"));
    let output = absent.args(["sweep", "tyni.yaml"]).current_dir(sweep.folder()).output();
    let message = fails(&output.expect("the program starts"));
    assert!(
        message.contains("tyni.yaml: no such file")
            && message.contains("as files there are tiny.yaml")
            && !message.contains("other.yaml"),
        "{message}"
    );
    // Two things cannot be asked for at once.
    assert_eq!(Sweep::new("").run(&["--list", "--slurm"]).status.code(), Some(2));
}

#[test]
fn a_comparison_of_changed_runs_goes_first() {
    let sweep = Sweep::new("axes: {classifiers.swept.exponent: [0, 1]}\n");
    succeeds(&sweep.run(&[]));
    let runs = || {
        let table = ReadTable::csv(&sweep.results("comparison/tables/runs.csv")).expect("a table");
        let mut names = table.texts("run").expect("names");
        names.dedup();
        names
    };
    assert_eq!(runs(), ["exponent-0", "exponent-1"]);
    // Where no run is finished, there is no comparison; what somebody has put there stays.
    fs::write(sweep.results("comparison/figures/mine.svg"), "mine").expect("written");
    for run in ["exponent-0", "exponent-1"] {
        fs::write(sweep.results(run).join("manifest.json"), "x").expect("written");
    }
    assert!(fails(&sweep.run(&[])).contains("0 of 2 runs are finished, 2 failed"));
    assert!(!sweep.results("comparison/report.html").exists() && !sweep.results("comparison/tables").exists());
    assert!(sweep.results("comparison/figures/mine.svg").is_file());
    for run in ["exponent-0", "exponent-1"] {
        fs::remove_dir_all(sweep.results(run)).expect("removed");
    }
    succeeds(&sweep.run(&[]));
    assert_eq!(runs(), ["exponent-0", "exponent-1"]);
    fs::write(sweep.results("exponent-1/manifest.json"), "x").expect("written");
    let output = sweep.run(&[]);
    let message = fails(&output);
    for part in [
        "comparison: removed, for exponent-1 is no longer known to be finished",
        "1 of 2 runs are finished, 1 failed",
        "manifest.json: not a manifest",
        "to make one of them anew, delete its folder",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(runs(), ["exponent-0"]);
    // By the way that the message tells.
    fs::remove_dir_all(sweep.results("exponent-1")).expect("removed");
    succeeds(&sweep.run(&[]));
    assert_eq!(runs(), ["exponent-0", "exponent-1"]);

    // Where a comparison fails too, no run's failure is hidden.
    fs::write(sweep.results("exponent-1/manifest.json"), "x").expect("written");
    fs::remove_dir_all(sweep.results("comparison")).expect("removed");
    fs::write(sweep.results("comparison"), "in the way").expect("written");
    let message = fails(&sweep.run(&[]));
    for part in ["1 failed", "what is finished cannot be compared"] {
        assert!(message.contains(part), "{message}");
    }
}
