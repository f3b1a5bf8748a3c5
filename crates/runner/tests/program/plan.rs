//! The plan before a run: what `check` and `schema` say, roles whatever the names, and paths from the file that names them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::place::{Place, fails, succeeds};

fn biascam(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    command.args(arguments).current_dir(folder);
    command.output().expect("the program starts")
}

#[test]
fn check_says_the_plan_or_what_is_wrong_and_makes_nothing() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let said = succeeds(&biascam(Path::new(root), &["check", "experiments/celeba-quick.yaml"]));
    for part in [
        "experiments/celeba-quick.yaml, which extends experiments/celeba.yaml: nothing is wrong",
        "CelebA, 0.1 of the training images, at 224 x 224 pixels",
        "resnet50, starting from timm/resnet50.tv_in1k",
        "euclidean loss, 5 epochs of batches of 64, seed 1",
        "unbalanced: class weights none; balanced: class weights domain_adaptive",
        "explain (hires_cam, target predicted)",
        "results/celeba-quick",
    ] {
        assert!(said.contains(part), "{said:?} should contain {part:?}");
    }
    // Scores may be taken apart where nothing is hidden.
    let apart = [
        "--set",
        "measure.occlusion.images=0",
        "--set",
        "measure.decomposed_images=5",
    ];
    let check = [&["check", "experiments/celeba-quick.yaml"], &apart[..]].concat();
    let said = succeeds(&biascam(Path::new(root), &check));
    assert!(said.contains("occlude (at most 5 decomposed)"), "{said}");
    let said = succeeds(&biascam(
        Path::new(root),
        &["check", "experiments/sweeps/class_weights_small.yaml"],
    ));
    for part in [
        "experiments/embedded.yaml",
        "15 for 15 points: exponent-0_seed-1",
        "1, 2, 3",
    ] {
        assert!(said.contains(part), "{said:?} should contain {part:?}");
    }
    let place = Place::empty();
    let folder = place.folder.path();
    fs::write(
        folder.join("a.yaml"),
        "data: {source: procedural}\ntraining: {epoch: 3, momentum: high}\n",
    )
    .expect("written");
    let message = fails(&biascam(folder, &["check", "a.yaml", "--set", "seed=x"]));
    for part in [
        "biascam: 3 faults:",
        "- --set seed=x: seed: x, expected a whole number",
        "- a.yaml:2: training.epoch: unknown key, expected one of loss, epochs",
        "- a.yaml:2: training.momentum: high, expected a number",
    ] {
        assert!(message.contains(part), "{message:?} should contain {part:?}");
    }
    // What one setting of a classifier leaves out stays as if it had been written out, and names of folders are taken.
    fs::write(folder.join("a.yaml"), "data: {source: procedural}\n").expect("written");
    let set = |setting: &'static str| biascam(folder, &["check", "a.yaml", "--set", setting]);
    let said = succeeds(&set("classifiers.balanced.exponent=0.5"));
    assert!(
        said.contains("unbalanced: class weights none; balanced: class weights domain_adaptive to the power of 0.5"),
        "{said}"
    );
    assert!(
        fails(&set("classifiers.tables.class_weights=none")).contains("`tables` names a folder that every run has")
    );
    assert!(fails(&set("measure.regions=nowhere.yaml")).contains("nowhere.yaml"));
    assert!(fails(&set("figures.example_attributes=[Smile]")).contains("`Smile` is unknown"));
    fs::write(folder.join("s.yaml"), "experiment: b.yaml\naxes: {seed: [1, 2]}\n").expect("written");
    assert!(fails(&biascam(folder, &["check", "s.yaml"])).contains("b.yaml"));
    assert_eq!(fs::read_dir(folder).expect("a folder").count(), 2);
}

#[test]
fn the_schemas_are_json_schema() {
    for (of, key) in [("experiment", "training"), ("sweep", "axes")] {
        let text = succeeds(&biascam(Path::new("."), &["schema", of]));
        let schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert!(schema["$schema"].as_str().expect("a draft").contains("draft-07"));
        assert!(schema["properties"][key]["description"].is_string(), "{of}");
        assert_eq!(schema["additionalProperties"], false);
    }
}

/// All tables of a results folder, with other names for the classifiers.
fn tables(folder: &Path, names: [(&str, &str); 2]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder.join("tables")).expect("tables") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            let mut text = fs::read_to_string(&path).expect("text");
            for (name, other) in names {
                text = text.replace(name, other);
            }
            all.push((path.file_name().expect("a name").to_string_lossy().into_owned(), text));
        }
    }
    all.sort();
    all
}

#[test]
fn the_compared_classifiers_are_told_by_their_roles() {
    let place = Place::new();
    let (published, epochs) = ("measure.published=true", "training.epochs=1");
    succeeds(&place.run("measure", &[published, epochs]));
    let named = tables(&place.results(""), [("unbalanced", "zz"), ("balanced", "aa")]);
    let roles = "classifiers={zz: {class_weights: none, role: unbalanced}, aa: {class_weights: domain_adaptive, role: balanced}}";
    let other = place.folder.path().join("other");
    let output = Command::new(env!("CARGO_BIN_EXE_biascam"))
        .args([
            "measure",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke.yaml"),
        ])
        .args(["--set", published, "--set", epochs, "--set", roles, "--device", "cpu"])
        .arg("--data")
        .arg(place.folder.path().join("data"))
        .arg("--results")
        .arg(&other)
        .output();
    let said = succeeds(&output.expect("the program starts"));
    assert!(!said.contains("No verdicts"), "{said}");
    let by_role = tables(&other.join("smoke"), [("unbalanced", "zz"), ("balanced", "aa")]);
    assert!(named.len() > 5);
    for (a, b) in named.iter().zip(&by_role) {
        assert_eq!(a, b);
    }
    assert_eq!(named.len(), by_role.len());
    let resolved = fs::read_to_string(other.join("smoke/experiment.yaml")).expect("text");
    assert!(resolved.contains("role: unbalanced") && resolved.contains("role: balanced"));
}

#[test]
fn a_run_is_repeated_from_its_results_folder() {
    let place = Place::new();
    let folder = place.folder.path();
    let write = |path: &str, text: &str| {
        fs::create_dir_all(folder.join(path).parent().expect("a folder")).expect("made");
        fs::write(folder.join(path), text).expect("written");
    };
    let smoke = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke.yaml");
    write("mine/smoke.yaml", &fs::read_to_string(smoke).expect("text"));
    write(
        "mine/regions.yaml",
        &format!(
            "regions: {{all: {{attributes: [{}], boxes: [{{x: [0, 0.5], y: [0, 1]}}]}}}}\n",
            dataset::Attributes::celeba()
                .names()
                .iter()
                .map(|name| format!("\"{name}\""))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    );
    write(
        "mine/half.yaml",
        "extends: smoke.yaml\nclassifiers: {unbalanced: {class_weights: none}, balanced: null}\nmeasure: {regions: regions.yaml}\n\
         training: {epochs: 1}\n",
    );
    let run = |arguments: &[&str]| biascam(folder, &[arguments, &["--device", "cpu"]].concat());
    succeeds(&run(&["explain", "mine/half.yaml"]));
    let resolved = fs::read_to_string(folder.join("results/half/experiment.yaml")).expect("text");
    assert!(
        resolved.contains("regions: inputs/regions.yaml") && !resolved.contains("extends"),
        "{resolved}"
    );
    // The regions file is kept, and what was read is not needed again.
    let kept = fs::read(folder.join("results/half/inputs/regions.yaml")).expect("kept");
    assert_eq!(kept, fs::read(folder.join("mine/regions.yaml")).expect("text"));
    let inspected = succeeds(&biascam(folder, &["inspect", "results/half"]));
    assert!(
        inspected.contains(&format!("inputs/regions.yaml  {} bytes", kept.len())),
        "{inspected}"
    );
    fs::remove_dir_all(folder.join("mine")).expect("removed");
    // From its own record nothing is different, nor is it with other regions and these again.
    let again = run(&["explain", "results/half/experiment.yaml", "--name", "half"]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    succeeds(&again);
    assert_eq!(
        said.lines().filter(|line| line.ends_with("unchanged")).count(),
        7,
        "{said}"
    );
}
