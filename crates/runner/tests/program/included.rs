//! The experiments inside the program: found by name from any folder, where a file on disk wins, and written as files.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::place::{copy_faces, fails, succeeds};

fn biascam(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    command.args(arguments).current_dir(folder);
    command.output().expect("the program starts")
}

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn they_are_listed_and_checked_by_name_from_any_folder() {
    let place = empty();
    let folder = place.path();
    let listed = succeeds(&biascam(folder, &["experiments"]));
    let line = |name: &str| {
        let mut lines = listed.lines().map(str::trim);
        lines.find(|line| line.split("  ").next() == Some(name))
    };
    for (name, part) in [
        ("smoke", "in seconds"),
        ("celeba-quick", "tenth of the training images"),
        ("arms", "five seeds"),
    ] {
        assert!(line(name).is_some_and(|line| line.contains(part)), "{name}: {listed}");
    }
    for asked in ["smoke", "smoke.yaml", "./smoke.yaml", "experiments/smoke.yaml"] {
        let said = succeeds(&biascam(folder, &["check", asked]));
        let head = "experiments/smoke.yaml (inside the program): nothing is wrong";
        assert!(
            said.starts_with(head) && said.contains("results/smoke"),
            "{asked}: {said}"
        );
    }
    let said = succeeds(&biascam(folder, &["check", "celeba-quick"]));
    assert!(
        said.starts_with(
            "experiments/celeba-quick.yaml (inside the program), which extends experiments/celeba.yaml (inside the program): "
        ),
        "{said}"
    );
    for asked in [
        "arms",
        "sweeps/class_weights_small",
        "experiments/sweeps/class_weights.yaml",
    ] {
        let said = succeeds(&biascam(folder, &["check", asked]));
        assert!(said.contains("nothing is wrong with the sweep"), "{said}");
        let said = succeeds(&biascam(folder, &["sweep", asked, "--list", "--device", "cpu"]));
        assert!(said.contains("seed-1"), "{said}");
    }
    assert_eq!(fs::read_dir(folder).expect("a folder").count(), 0);
}

#[test]
fn a_file_on_disk_wins_and_may_extend_what_is_inside() {
    let place = empty();
    let folder = place.path();
    let write = |path: &str, text: &str| {
        fs::create_dir_all(folder.join(path).parent().expect("a folder")).expect("made");
        fs::write(folder.join(path), text).expect("written");
    };
    let check = |asked: &str| succeeds(&biascam(folder, &["check", asked]));
    for (extends, depth) in [("smoke", 1), ("smoke.yaml", 1), ("experiments/celeba-quick.yaml", 2)] {
        write("deep/mine.yaml", &format!("extends: {extends}\nseed: 41\n"));
        let said = check("deep/mine.yaml");
        assert_eq!(said.matches("which extends").count(), depth, "{said}");
        assert!(said.contains("seed 41"), "{said}");
    }
    // The name without its extension, and one of the program's in the folder that it names.
    assert!(check("deep/mine").contains("seed 41"));
    write("experiments/smoke.yaml", "data: {source: procedural}\nseed: 42\n");
    let said = check("smoke");
    assert!(
        said.starts_with("experiments/smoke.yaml: ") && said.contains("seed 42"),
        "{said}"
    );
    assert!(succeeds(&biascam(folder, &["experiments"])).contains("(here the file experiments/smoke.yaml)"));
    write("smoke.yaml", "data: {source: procedural}\nseed: 43\n");
    assert!(check("smoke").contains("seed 43"));
    // A folder of the name is none.
    fs::create_dir(folder.join("celeba")).expect("made");
    assert!(check("celeba").contains("inside the program"));
}

#[test]
fn what_is_not_there_is_answered_with_names() {
    let place = empty();
    let folder = place.path();
    fs::create_dir_all(folder.join("results/mine")).expect("made");
    fs::write(
        folder.join("results/mine/experiment.yaml"),
        "data: {source: procedural}\n",
    )
    .expect("written");
    fs::write(folder.join("a.yaml"), "seed: 1\nextends: smok.yaml\n").expect("written");
    fs::write(folder.join("s.yaml"), "experiment: smok\naxes: {seed: [1]}\n").expect("written");
    for (arguments, parts) in [
        (
            ["run", "smok"],
            &[
                "smok: no such file",
                "did you mean `smoke`?",
                "embedded, smoke, table-example, celeba",
            ][..],
        ),
        (["check", "smok.yaml"], &["did you mean `smoke`?"]),
        (
            ["run", "data/mine.yaml"],
            &["data/mine.yaml: no such file", "`biascam experiments`"],
        ),
        (
            ["sweep", "arm"],
            &["did you mean `arms`?", "arms, class_weights_small, class_weights"],
        ),
        (
            ["sweep", "smoke"],
            &["an experiment, expected a sweep; `biascam reproduce experiments/smoke.yaml`"],
        ),
        (["sweep", "smokey"], &["`smoke` is one of the experiments there"]),
        (
            ["run", "arms"],
            &["a sweep, expected an experiment; `biascam sweep experiments/sweeps/arms.yaml`"],
        ),
        (
            ["run", "results/mine"],
            &["a results folder", "results/mine/experiment.yaml"],
        ),
        (
            ["check", "a.yaml"],
            &["a.yaml:2: extends: smok.yaml", "did you mean `smoke`?"],
        ),
        (["sweep", "s.yaml"], &["smok: no such file", "did you mean `smoke`?"]),
    ] {
        let message = fails(&biascam(folder, &arguments));
        for part in parts {
            assert!(
                message.contains(part),
                "{arguments:?}: {message:?} should contain {part:?}"
            );
        }
    }
}

#[test]
fn an_experiment_and_a_sweep_run_by_name() {
    let place = empty();
    let folder = place.path();
    copy_faces(&folder.join("data"));
    let one = [
        "--set",
        "classifiers={unbalanced: {class_weights: none}}",
        "--set",
        "training.epochs=1",
        "--set",
        "measure.faithfulness.images=0",
        "--device",
        "cpu",
    ];
    let run = |arguments: &[&str]| biascam(folder, &[arguments, &one].concat());
    let made = run(&["run", "smoke"]);
    succeeds(&made);
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    let head = "experiments/smoke.yaml (inside the program) -> results/smoke, data sets in data (";
    assert!(said.lines().next().is_some_and(|line| line.starts_with(head)), "{said}");
    assert!(folder.join("results/smoke/report.html").is_file());
    let again = run(&["reproduce", "experiments/smoke.yaml"]);
    succeeds(&again);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!said.contains("training 1"), "{said}");
    assert!(said.matches("unchanged").count() > 4, "{said}");

    fs::write(
        folder.join("tiny.yaml"),
        "experiment: smoke\nset: {measure.occlusion.images: 0, measure.decomposed_images: 0}\nseeds: [1, 2]\n",
    )
    .expect("written");
    succeeds(&run(&["sweep", "tiny"]));
    assert!(folder.join("results/tiny/comparison/report.html").is_file());
}

#[test]
fn they_are_written_as_files_and_replace_none_unasked() {
    let place = empty();
    let folder = place.path();
    let write = ["experiments", "--write", "mine"];
    let said = succeeds(&biascam(folder, &write));
    assert!(
        said.contains("mine/smoke.yaml") && said.contains("mine/sweeps/arms.yaml"),
        "{said}"
    );
    succeeds(&biascam(folder, &["check", "mine/celeba-quick.yaml"]));
    succeeds(&biascam(folder, &["check", "mine/sweeps/arms.yaml"]));
    let said = succeeds(&biascam(folder, &write));
    assert!(said.starts_with("9 were there already, the same"), "{said}");

    fs::write(folder.join("mine/smoke.yaml"), "seed: 7\n").expect("written");
    fs::remove_file(folder.join("mine/embedded.yaml")).expect("removed");
    let message = fails(&biascam(folder, &write));
    assert!(
        message.contains("mine/smoke.yaml") && message.contains("--replace") && !message.contains("celeba.yaml"),
        "{message}"
    );
    assert!(!folder.join("mine/embedded.yaml").exists(), "nothing was written");
    assert_eq!(
        fs::read_to_string(folder.join("mine/smoke.yaml")).expect("text"),
        "seed: 7\n"
    );
    succeeds(&biascam(folder, &[&write[..], &["--replace"]].concat()));
    assert!(folder.join("mine/embedded.yaml").exists());
    succeeds(&biascam(folder, &["check", "mine/smoke.yaml"]));
}
