//! Attributes toggled in images that the program draws: the scores of a run are those of the very pictures that `data procedural` writes, and
//! what follows from them is in tables, figures and the report.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use pipeline::ReadTable;

use crate::place::{Place, succeeds};

/// By image, toggled attribute and scored attribute, the score.
fn toggled(path: &Path, scored: &[&str]) -> HashMap<(String, String, String), f32> {
    let table = ReadTable::parquet(path).expect("a table");
    let (images, toggled) = (
        table.texts("image").expect("names"),
        table.texts("toggled").expect("names"),
    );
    let mut found = HashMap::new();
    for name in scored {
        let scores = table.singles(&format!("score_{name}")).expect("scores");
        for (row, score) in scores.into_iter().enumerate() {
            let key = (images[row].clone(), toggled[row].clone(), (*name).to_owned());
            found.insert(key, score.expect("a score"));
        }
    }
    found
}

#[test]
fn toggled_scores_are_those_of_the_pictures_that_are_written() {
    let place = Place::new();
    succeeds(&place.run("explain", &["measure.interventions.images=200"]));
    let scored = ["Smiling", "Eyeglasses", "Bald"];
    let ours = toggled(&place.results("balanced/interventions.parquet"), &scored);

    // The same faces, and some of them toggled, as a data set of its own, scored as any CelebA folder. Of the 480 faces the last 47 are tested.
    let biascam = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_biascam"));
        let output = command.current_dir(place.folder.path()).args(arguments).output();
        succeeds(&output.expect("the program starts"))
    };
    let toggles = "--counterfactuals=Smiling,Bald";
    biascam(&[
        "data",
        "procedural",
        "--out",
        "pairs",
        "--images",
        "480",
        "--seed",
        "1",
        toggles,
    ]);
    let experiment = "
data: {source: celeba, folder: pairs, image_size: 56}
model: {architecture: {block: basic, stem: {kernel: 3, stride: 2, max_pool: true}, stages: [{width: 8, blocks: 1, stride: 1, kernel: 3}, {width: 16, blocks: 1, stride: 2, kernel: 3}]}}
classifiers: {adopted: {weights: results/smoke/balanced/checkpoint.safetensors}}
";
    fs::write(place.folder.path().join("adopted.yaml"), experiment).expect("written");
    biascam(&["predict", "adopted.yaml", "--data", ".", "--device", "cpu"]);
    let predictions = place.folder.path().join("results/adopted/adopted/predictions.parquet");
    let table = ReadTable::parquet(&predictions).expect("a table");
    let (images, attributes) = (
        table.texts("image").expect("names"),
        table.texts("attribute").expect("names"),
    );
    let scores = table.singles("score").expect("scores");
    let theirs: HashMap<(&str, &str), f32> = images
        .iter()
        .zip(&attributes)
        .zip(&scores)
        .map(|((image, attribute), score)| ((image.as_str(), attribute.as_str()), score.expect("a score")))
        .collect();
    let pairs = fs::read_to_string(place.folder.path().join("pairs/pairs.csv")).expect("pairs");
    let mut compared = 0;
    for line in pairs.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        for name in scored {
            let Some(&expected) = theirs.get(&(cells[1], name)) else {
                continue; // not tested
            };
            let key = (cells[0].to_owned(), cells[2].to_owned(), name.to_owned());
            let found = ours.get(&key).unwrap_or_else(|| panic!("{key:?} is not there"));
            // Batches of other images: sums in another order.
            assert!((found - expected).abs() < 1e-4, "{key:?}: {found} for {expected}");
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared} scores compared");
    // What is left out there is left out here.
    let left_out = fs::read_to_string(place.folder.path().join("pairs/left_out.csv")).expect("left out");
    for line in left_out.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        assert!(
            !ours.contains_key(&(cells[0].to_owned(), cells[1].to_owned(), "Smiling".to_owned())),
            "{line}"
        );
    }
}

#[test]
fn what_toggling_does_is_told_where_images_are_drawn() {
    let place = Place::new();
    let said = succeeds(&place.run("reproduce", &[]));
    assert!(
        said.contains("Toggling the attribute in images of the majority class"),
        "{said}"
    );
    let table = ReadTable::csv(&place.results("tables/interventions.csv")).expect("a table");
    // Attributes, classifiers and classes.
    assert_eq!(table.height() % (40 * 2), 0);
    let counts = table.integers("n").expect("numbers");
    assert!(
        counts.iter().all(|&n| n <= 6) && counts.iter().filter(|&&n| n == 6).count() > 40,
        "{counts:?}"
    );
    for share in table.doubles("turned").expect("numbers").into_iter().flatten() {
        assert!((0.0..=1.0).contains(&share), "{share}");
    }
    let crossed = ReadTable::csv(&place.results("tables/cross_effects.csv")).expect("a table");
    let (one, other) = (
        crossed.texts("toggled").expect("names"),
        crossed.texts("score_of").expect("names"),
    );
    let (hidden, effect) = (
        crossed.integers("hidden").expect("0 or 1"),
        crossed.doubles("effect").expect("numbers"),
    );
    for row in 0..crossed.height() {
        let expected = other[row].ends_with("_Hair") || other[row] == "Receding_Hairline";
        if one[row] == "Bald" {
            assert_eq!(hidden[row] == 1, expected, "{} on {}", one[row], other[row]);
        }
        assert!(hidden[row] == 0 || effect[row].is_none());
    }
    for figure in ["turned_decisions", "cross_effects"] {
        assert!(place.results(&format!("figures/{figure}.svg")).is_file(), "{figure}");
    }
    let report = fs::read_to_string(place.results("report.html")).expect("the report");
    assert!(
        report.contains("id=\"interventions\""),
        "the section of toggled attributes"
    );

    // The claim takes one derived classifier, and that one stands in the tables of the report.
    let reason = "it takes a classifier that is the unbalanced one with its threshold moved";
    assert!(said.contains(reason), "{said}");
    let moved = "classifiers.moved={from: unbalanced, threshold: prior, to: balanced}";
    let said = succeeds(&place.run("reproduce", &[moved]));
    assert!(!said.contains(reason), "{said}");
    let turned = fs::read_to_string(place.results("tables/interventions.md")).expect("a table");
    assert!(
        turned.lines().next().is_some_and(|head| head.contains("moved")),
        "{turned}"
    );

    // Switched off, nothing of it is there, and nothing else runs again.
    let off = place.run("reproduce", &["measure.interventions.images=0"]);
    let said = String::from_utf8_lossy(&off.stderr).into_owned();
    assert!(!succeeds(&off).contains("Toggling the attribute"));
    assert!(said.contains("occlude/balanced         unchanged"), "{said}");
    assert!(!place.results("figures/cross_effects.svg").exists());
    assert!(!place.results("balanced/interventions.parquet").exists());
}
