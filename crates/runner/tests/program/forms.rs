//! The same experiment on each form of CelebA, and with packed images: the same scores, byte for byte.

use std::fs;
use std::process::Command;

use crate::place::{Place, fails, succeeds};

/// Procedural faces in a layout, in the place of CelebA.
fn faces(place: &Place, layout: &str) {
    let out = place.folder.path().join("data/celeba");
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    command.args([
        "data",
        "procedural",
        "--images",
        "200",
        "--seed",
        "4",
        "--layout",
        layout,
        "--out",
    ]);
    succeeds(&command.arg(&out).output().expect("the program starts"));
    // Of the hub's copy, only the images' files are known by their hub.
    assert_eq!(out.join("img_align+identity+attr").is_dir(), layout == "parquet");
}

const CELEBA: [&str; 3] = ["data.source=celeba", "training.epochs=1", "measure.resamples=100"];

fn predictions(place: &Place) -> Vec<u8> {
    fs::read(place.results("balanced/predictions.parquet")).expect("scores")
}

#[test]
fn every_form_gives_the_same_scores() {
    let mut expected: Option<Vec<u8>> = None;
    for layout in ["nested", "flat", "zip", "parquet"] {
        let place = Place::empty();
        faces(&place, layout);
        succeeds(&place.run("predict", &CELEBA));
        let scores = predictions(&place);
        assert!(*expected.get_or_insert_with(|| scores.clone()) == scores, "{layout}");
        if layout == "parquet" {
            packed_images_change_nothing(&place, &scores);
            without_landmarks_it_says_what_cannot_be_done(&place);
        }
    }
}

fn packed_images_change_nothing(place: &Place, scores: &[u8]) {
    fs::remove_dir_all(place.folder.path().join("results")).expect("removed");
    let settings = [&CELEBA[..], &["data.packed_cache=true"]].concat();
    let output = place.run("predict", &settings);
    succeeds(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("packed images") && said.contains("celeba-56.pixels"),
        "{said}"
    );
    assert!(predictions(place) == scores);
    // Toggling it changes no result, and so nothing is done again.
    let output = place.run("predict", &CELEBA);
    assert!(String::from_utf8_lossy(&output.stderr).matches("unchanged").count() == 4);
    // A file in the folder's place: it cannot be written, and the way out is named.
    let packed = place.folder.path().join("data/packed");
    fs::remove_dir_all(&packed).expect("removed");
    fs::write(&packed, "").expect("written");
    let message = fails(&place.run("predict", &settings));
    assert!(
        message.contains("cannot be written") && message.contains("data.packed_cache=false"),
        "{message}"
    );
}

fn without_landmarks_it_says_what_cannot_be_done(place: &Place) {
    let data = place.folder.path().join("data/celeba");
    fs::remove_dir_all(data.join("Anno")).expect("removed");
    let output = place.run("reproduce", &CELEBA);
    let printed = succeeds(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the frontal filter cannot run"), "{said}");
    assert!(printed.contains("this run beside the paper"), "{printed}");
    let report = fs::read_to_string(place.results("report.html")).expect("a report");
    assert!(report.contains("not filtered"), "the report says so too");

    let shard = data.join("img_align+identity+attr/valid-00000-of-00001.parquet");
    fs::remove_file(shard).expect("removed");
    let message = fails(&place.run("predict", &CELEBA));
    assert!(
        message.contains("valid-*.parquet") && message.contains("biascam data fetch celeba --out"),
        "{message}"
    );
}

#[test]
fn the_paper_s_numbers_can_be_asked_for_with_other_data() {
    let place = Place::new();
    let settings = ["training.epochs=1", "measure.resamples=100", "measure.published=true"];
    let printed = succeeds(&place.run("reproduce", &settings));
    assert!(printed.contains("published"), "{printed}");
    for file in [
        "tables/published.csv",
        "tables/published.md",
        "tables/published.tex",
        "tables/published_agreement.csv",
        "tables/published_claims.csv",
        "figures/published.svg",
    ] {
        assert!(place.results(file).is_file(), "{file}");
    }
    let claims = fs::read_to_string(place.results("tables/published_claims.csv")).expect("a table");
    // The paper's own numbers show the paper's claims; nothing is judged on them.
    let published: Vec<f64> = claims
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(7).expect("a column").parse().expect("a number"))
        .collect();
    assert!(
        published.len() == 5 && published.iter().all(|effect| *effect > 0.0),
        "{claims}"
    );
    let printed = succeeds(&place.run("reproduce", &settings[..2]));
    assert!(!printed.contains("published") && !place.results("tables/published.csv").exists());
}
