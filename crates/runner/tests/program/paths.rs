//! Relative paths: beside the file that names them, those of the command line in the working directory.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::place::{fails, succeeds};

fn biascam(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    command.args(arguments).args(["--device", "cpu"]).current_dir(folder);
    command.output().expect("the program starts")
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
}

/// A table of eight pictures in a folder.
fn table(folder: &Path) {
    let mut rows = "image,wilted,split\n".to_owned();
    fs::create_dir_all(folder.join("images")).expect("made");
    for number in 0..8 {
        let picture = image::RgbImage::from_pixel(24, 24, image::Rgb([30 * number, 9, 9]));
        picture
            .save(folder.join(format!("images/{number}.png")))
            .expect("written");
        let split = if number < 4 { "train" } else { "test" };
        rows += &format!("{number}.png,{},{split}\n", number % 2);
    }
    fs::write(folder.join("labels.csv"), rows).expect("written");
}

const TABLE: &str = "{file: labels.csv, images: images, split_column: split}";

const SMALL: &str = "
model: {architecture: {block: basic, stem: {kernel: 3, stride: 2, max_pool: true}, stages: [{width: 8, blocks: 1, stride: 1, kernel: 3}]}}
training: {epochs: 1, batch_size: 4}
classifiers: {unbalanced: {class_weights: none}, balanced: null}
";

#[test]
fn a_table_is_beside_the_experiment_or_below_data() {
    for (experiment, data, at) in [
        // Beside the experiment, without and with a folder's name.
        ("deep/mine.yaml", String::new(), "deep"),
        ("deep/mine.yaml", "folder: flowers, ".to_owned(), "deep/flowers"),
        ("deep/mine.yaml", "folder: ../flowers, ".to_owned(), "flowers"),
        // Below --data, as names.
        ("deep/mine.yaml", String::new(), "data"),
        ("mine.yaml", "folder: flowers, ".to_owned(), "data/flowers"),
    ] {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = place.path();
        table(&folder.join(at));
        let text = format!("data: {{source: table, image_size: 16, {data}table: {TABLE}}}\n{SMALL}");
        write(&folder.join(experiment), &text);
        let said = succeeds(&biascam(folder, &["reproduce", experiment, "--dry-run"]));
        assert!(said.contains("train/unbalanced"), "{data:?} in {at}: {said}");
        // A file that extends it from elsewhere changes nothing.
        write(
            &folder.join("other/top.yaml"),
            &format!("extends: ../{experiment}\nseed: 3\n"),
        );
        let said = succeeds(&biascam(folder, &["reproduce", "other/top.yaml", "--dry-run"]));
        assert!(said.contains("train/unbalanced"), "{data:?} in {at}: {said}");
    }
}

#[test]
fn the_one_beside_the_experiment_comes_first_and_the_command_line_is_here() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path();
    table(&folder.join("deep/flowers"));
    table(&folder.join("here"));
    write(&folder.join("data/flowers/labels.csv"), "not,a,table\n");
    let text = format!("data: {{source: table, image_size: 16, folder: flowers, table: {TABLE}}}\n{SMALL}");
    write(&folder.join("deep/mine.yaml"), &text);
    succeeds(&biascam(folder, &["train", "deep/mine.yaml"]));
    let record = fs::read_to_string(folder.join("results/mine/experiment.yaml")).expect("text");
    assert!(record.contains("folder: ../../deep/flowers"), "{record}");
    let again = biascam(folder, &["train", "results/mine/experiment.yaml", "--dry-run"]);
    assert!(succeeds(&again).contains("0 of 1 steps would run"));
    succeeds(&biascam(
        folder,
        &["train", "deep/mine.yaml", "--dry-run", "--set", "data.folder=here"],
    ));

    fs::remove_dir_all(folder.join("deep/flowers")).expect("removed");
    fs::remove_dir_all(folder.join("data")).expect("removed");
    let message = fails(&biascam(folder, &["train", "deep/mine.yaml"]));
    for part in [
        "data/flowers/labels.csv is not there",
        "beside the experiment's file, or below --data",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

/// What a run used of regions lies in its folder: it can be drawn again and repeated when the originals have gone and it has moved.
#[test]
fn regions_and_their_pictures_are_kept() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path();
    table(&folder.join("data"));
    image::GrayImage::from_fn(4, 4, |x, _| image::Luma([if x < 2 { 255 } else { 0 }]))
        .save(folder.join("left.png"))
        .expect("written");
    write(
        &folder.join("regions/flower.yaml"),
        "# where flowers are\nregions: {left: {attributes: [wilted], mask: ../left.png}}\n",
    );
    let text = format!(
        "data: {{source: table, image_size: 16, table: {TABLE}}}\nmeasure: {{regions: regions/flower.yaml, resamples: 100}}\n{SMALL}"
    );
    write(&folder.join("mine.yaml"), &text);
    succeeds(&biascam(folder, &["reproduce", "mine.yaml"]));
    let manifest = fs::read_to_string(folder.join("results/mine/manifest.json")).expect("text");
    for part in ["\"inputs/flower.yaml\"", "\"inputs/masks/1-left.png\""] {
        assert!(manifest.contains(part), "{part}");
    }
    for gone in ["regions/flower.yaml", "left.png", "mine.yaml"] {
        fs::remove_file(folder.join(gone)).expect("removed");
    }
    fs::create_dir(folder.join("elsewhere")).expect("made");
    fs::rename(folder.join("results/mine"), folder.join("elsewhere/mine")).expect("moved");
    succeeds(&biascam(
        folder,
        &["draw", "elsewhere/mine", "--set", "figures.palette=grey"],
    ));
    let record = fs::read_to_string(folder.join("elsewhere/mine/experiment.yaml")).expect("text");
    assert!(record.contains("regions: inputs/flower.yaml"), "{record}");
    let again = ["elsewhere/mine/experiment.yaml", "--results", "elsewhere"];
    let said = biascam(folder, &[&["reproduce"], &again[..]].concat());
    succeeds(&said);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        said.matches("unchanged").count() >= 5 && !said.contains("changed since"),
        "{said}"
    );
    // Without a regions file none stays.
    succeeds(&biascam(
        folder,
        &[
            &["reproduce"],
            &again[..],
            &["--replace", "--set", "measure.regions=none"],
        ]
        .concat(),
    ));
    assert!(!folder.join("elsewhere/mine/inputs/flower.yaml").exists());
}
