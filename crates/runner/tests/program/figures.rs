//! Drawing again: from a results folder alone, with other looks, and from what is left of a damaged one.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use render::figures;

/// All but what only an experiment with all arms has.
const NAMES: [&str; figures::NAMES.len() - 1] = {
    let mut names = [""; figures::NAMES.len() - 1];
    let mut place = 0;
    while place < names.len() {
        // `decomposition` is the first.
        names[place] = figures::NAMES[place + 1];
        place += 1;
    }
    names
};

use crate::place::{Place, fails, succeeds};

/// With this every figure is drawn, also on procedural faces.
const PUBLISHED: &str = "measure.published=true";

/// `biascam draw FOLDER`, with no data set anywhere.
fn draw(folder: &Path, settings: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    command.arg("draw").arg(folder).args(["--data", "nowhere"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command.output().expect("the program starts")
}

fn file(place: &Place, name: &str) -> Vec<u8> {
    let path = place.results(&format!("figures/{name}"));
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn results_are_drawn_again_from_their_files() {
    let place = Place::new();
    succeeds(&place.run("reproduce", &[PUBLISHED]));
    let folder = place.results("");
    fs::remove_dir_all(place.folder.path().join("data")).expect("removed");

    // The same bytes, by another process.
    let all = || -> Vec<Vec<u8>> {
        let kinds = ["svg", "pdf", "png"];
        let names = NAMES.iter().flat_map(|name| kinds.map(|kind| format!("{name}.{kind}")));
        names.map(|name| file(&place, &name)).collect()
    };
    let before = all();
    fs::remove_dir_all(folder.join("figures")).expect("removed");
    succeeds(&draw(&folder, &[]));
    assert!(before == all(), "the same results, other bytes");

    // Another look, by the folder or by the experiment: only what is asked for, and nothing is computed.
    let look = [
        PUBLISHED,
        "figures.palette=tol_bright",
        "figures.formats=[svg]",
        "figures.which=[error_rates]",
    ];
    fs::remove_dir_all(folder.join("figures")).expect("removed");
    succeeds(&place.run("draw", &look));
    let svg = String::from_utf8(file(&place, "error_rates.svg")).expect("text");
    assert!(svg.contains("#EE6677") && svg.contains("width=\"180mm\""), "{svg:.400}");
    assert_eq!(fs::read_dir(folder.join("figures")).expect("a folder").count(), 1);
    succeeds(&draw(
        &folder,
        &[
            "figures.which=[training_curves]",
            "figures.columns={training_curves: single}",
        ],
    ));
    let svg = String::from_utf8(file(&place, "training_curves.svg")).expect("text");
    assert!(svg.contains("width=\"88mm\""), "{svg:.400}");

    // What is asked for is checked before anything is drawn.
    for (setting, part) in [
        ("figures.which=[error_rate]", "error_rates"),
        ("figures.palette=rainbow", "okabe_ito"),
        ("figures.formats=[eps]", "pdf"),
        // Other examples have to be chosen, and what was computed is not computed again.
        ("figures.example_attributes=[Bald]", "figures.example_attributes"),
        ("training.epochs=7", "biascam reproduce"),
    ] {
        let message = fails(&draw(&folder, &[setting]));
        assert!(message.contains(part), "{message}");
    }
    assert!(fails(&draw(place.folder.path(), &[])).contains("experiment.yaml"));
}

#[test]
fn what_cannot_be_drawn_is_named_and_the_rest_is_drawn() {
    let place = Place::new();
    succeeds(&place.run("reproduce", &[PUBLISHED, "figures.formats=[svg]"]));
    let folder = place.results("");
    let drawn_again = |damage: &dyn Fn()| {
        damage();
        fs::remove_dir_all(folder.join("figures")).expect("removed");
        let message = fails(&draw(&folder, &[]));
        let drawn: Vec<&str> = NAMES
            .into_iter()
            .filter(|name| folder.join(format!("figures/{name}.svg")).is_file())
            .collect();
        (message, drawn)
    };
    // A classifier's energies cut short: its errors are drawn, its energies are not.
    let path = folder.join("balanced/energy.parquet");
    let bytes = fs::read(&path).expect("energies");
    let (message, drawn) = drawn_again(&|| fs::write(&path, &bytes[..bytes.len() / 2]).expect("written"));
    assert!(
        message.contains("balanced") && message.contains("energy.parquet"),
        "{message}"
    );
    assert_eq!(drawn, NAMES);
    let errors = String::from_utf8(file(&place, "error_rates.svg")).expect("text");
    let energies = String::from_utf8(file(&place, "energies.svg")).expect("text");
    assert!(
        errors.contains("unbalanced") && errors.contains(">\nbalanced\n"),
        "both have errors"
    );
    assert!(
        energies.contains("unbalanced") && !energies.contains(">\nbalanced\n"),
        "one has energies"
    );
    // By the experiment what is damaged is made anew.
    succeeds(&place.run("draw", &[PUBLISHED, "figures.formats=[svg]"]));
    assert_eq!(fs::read(&path).expect("energies"), bytes);

    let report = fs::read(folder.join("report.html")).expect("a report");

    // A file of one figure alone takes no other figure with it.
    let path = folder.join("balanced/sanity.parquet");
    let sanity = fs::read(&path).expect("similarities");
    let hidden = folder.join("unbalanced/occlusion.parquet");
    let losses = fs::read(&hidden).expect("losses");
    let (message, drawn) = drawn_again(&|| {
        fs::write(&path, &sanity[..sanity.len() / 2]).expect("written");
        fs::remove_file(&hidden).expect("removed");
    });
    for part in ["sanity.parquet", "unbalanced/occlusion.parquet is missing"] {
        assert_eq!(message.matches(part).count(), 1, "{message}");
    }
    assert_eq!(drawn, NAMES);
    fs::write(&path, sanity).expect("written");
    fs::write(&hidden, losses).expect("written");

    // Examples of the report that cannot be read: all figures, and the report as it was.
    let path = folder.join("examples.json");
    let examples = fs::read(&path).expect("examples");
    let (message, drawn) = drawn_again(&|| fs::write(&path, "{}").expect("written"));
    assert!(message.contains("examples.json"), "{message}");
    assert_eq!(drawn, NAMES);
    fs::write(&path, examples).expect("written");

    // The examples of an older version: none.
    let path = folder.join("chosen.safetensors");
    let chosen = fs::read(&path).expect("examples");
    let (message, drawn) = drawn_again(&|| fs::remove_file(&path).expect("removed"));
    assert!(
        message.contains("examples") && message.contains("chosen.safetensors"),
        "{message}"
    );
    assert_eq!(drawn.len(), NAMES.len() - 1);
    fs::write(&path, chosen).expect("written");

    // A classifier without scores is left out, and one without history.
    let path = folder.join("balanced/predictions.parquet");
    let scores = fs::read(&path).expect("scores");
    let history = folder.join("unbalanced/training.parquet");
    let (message, drawn) = drawn_again(&|| {
        fs::remove_file(&path).expect("removed");
        fs::remove_file(&history).expect("removed");
    });
    for part in [
        "balanced is left out",
        "predictions.parquet",
        "training_curves",
        "training.parquet",
    ] {
        assert!(message.contains(part), "{message:?} should contain {part:?}");
    }
    assert_eq!(drawn.len(), NAMES.len() - 1);
    fs::write(&path, scores).expect("written");

    // Nothing known of the data set: nothing can be drawn, and that is said once for each figure.
    let (message, drawn) = drawn_again(&|| fs::remove_file(folder.join("data.json")).expect("removed"));
    assert!(message.contains("data.json"), "{message}");
    assert!(drawn.is_empty(), "{drawn:?}");
    assert!(!report.is_empty() && fs::read(folder.join("report.html")).expect("a report") == report);
}
