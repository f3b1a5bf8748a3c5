//! Methods tried on several trainings: the command's page and table, and what it refuses before hours of work.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::place::{Place, fails, succeeds};

fn benchmark(place: &Place, more: &[&str]) -> Output {
    let smoke = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments/smoke.yaml");
    Command::new(env!("CARGO_BIN_EXE_biascam"))
        .current_dir(place.folder.path())
        .arg("benchmark-maps")
        .arg(smoke)
        .args(["--device", "cpu", "--images", "6", "--road-images", "1"])
        .args(["--set", "classifiers={unbalanced: {class_weights: none}}"])
        .args(["--set", "training.epochs=1"])
        .args(more)
        .output()
        .expect("the program starts")
}

#[test]
fn a_page_has_every_method_and_the_command_goes_on_from_what_is_there() {
    let place = Place::new();
    let page = place.folder.path().join("page.md");
    let few = ["--methods", "hires_cam,layer_cam", "--seeds", "1,2", "--out", "page.md"];
    succeeds(&benchmark(&place, &few));
    let text = fs::read_to_string(&page).expect("a page");
    for part in [
        "biascam benchmark-maps ",
        "Means over 2 trainings (seeds 1, 2)",
        "**unbalanced, images predicted as the majority**",
        "\n| HiResCAM ",
        "\n| LayerCAM ",
        "\n| mean map ",
        "Of fewer than 3 trainings nothing is said",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let results = place.folder.path().join("results/smoke-maps");
    let table = fs::read_to_string(results.join("benchmark.csv")).expect("a table");
    // Two predicted classes, two methods, three baselines.
    assert_eq!(table.lines().count(), 1 + 2 * 5, "{table}");
    assert!(
        fs::read_to_string(results.join("command.txt"))
            .expect("a command")
            .contains("--seeds 1,2")
    );

    // What is around the marks is the reader's own; no training is made again.
    fs::write(&page, format!("mine\n{}", text.split_once("\n\n").expect("a title").1)).expect("written");
    let again = benchmark(&place, &few);
    succeeds(&again);
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(!said.contains("epoch"), "{said}");
    assert!(fs::read_to_string(&page).expect("a page").starts_with("mine\n"));

    // Other settings want to be asked for.
    let other = [&few[..], &["--set", "training.epochs=2"]].concat();
    let said = fails(&benchmark(&place, &other));
    assert!(said.contains("holds finished results of other settings"), "{said}");
    succeeds(&benchmark(&place, &[&other[..], &["--dry-run"]].concat()));
    assert!(
        !fs::read_to_string(results.join("command.txt"))
            .expect("a command")
            .contains("epochs=2")
    );
}

#[test]
fn what_would_be_passed_over_or_lost_is_refused_at_once() {
    let place = Place::new();
    let said = fails(&benchmark(&place, &["--set", "seed=3"]));
    assert!(
        said.contains("--set seed: benchmark-maps sets it itself; --seeds"),
        "{said}"
    );
    let said = fails(&benchmark(&place, &["--set", "measure.locality.images=3"]));
    assert!(said.contains("sets it itself, to 0"), "{said}");
    let said = fails(&benchmark(&place, &["--out", "nowhere/page.md"]));
    assert!(said.contains("its folder is not there"), "{said}");
    let said = fails(&benchmark(&place, &["--out", "/dev/null"]));
    assert!(said.contains("no regular file"), "{said}");

    let other = place.folder.path().join("results/smoke-maps");
    fs::create_dir_all(&other).expect("made");
    fs::write(other.join("mine.txt"), "mine").expect("written");
    let said = fails(&benchmark(&place, &[]));
    assert!(said.contains("holds files, but no command.txt"), "{said}");
    assert_eq!(fs::read_dir(&other).expect("a folder").count(), 1);
}
