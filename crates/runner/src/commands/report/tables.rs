//! The tables of a comparison.

use std::collections::BTreeSet;

use metrics::{Claim, Interval};

use super::folder::{RunClaim, RunFolder};
use render::sheet::{Cell, Column, Sheet, Unit};

/// All of them, in the order of the page.
pub(super) fn all(runs: &[RunFolder]) -> Vec<Sheet> {
    let mut tables = vec![
        measures(runs),
        verdicts(runs),
        differences(runs),
        facts(runs),
        attributes(runs),
    ];
    // Runs without an unbalanced and a balanced classifier have no verdicts.
    tables.retain(|table| table.id != "verdicts" || !table.rows.is_empty());
    tables
}

type Values = Vec<Option<f64>>;

/// One row a run and classifier: means over attributes.
fn measures(runs: &[RunFolder]) -> Sheet {
    let mean = |values: &Values, kept: &dyn Fn(usize) -> bool| {
        let kept: Vec<f64> = values
            .iter()
            .enumerate()
            .filter(|(at, _)| kept(*at))
            .filter_map(|(_, &value)| value)
            .collect();
        let mean = (!kept.is_empty()).then(|| kept.iter().sum::<f64>() / kept.len() as f64);
        Cell::number(mean).with_note(format!("({})", kept.len()))
    };
    let rows = runs.iter().flat_map(|run| {
        run.classifiers.iter().map(move |classifier| {
            let every = |_: usize| true;
            let local = |at: usize| run.local.as_ref().is_none_or(|local| local[at]);
            vec![
                Cell::Link {
                    text: run.name.clone(),
                    href: format!("{}/report.html", run.link),
                },
                Cell::from(classifier.name.as_str()),
                mean(&classifier.minority_error, &every),
                mean(&classifier.majority_error, &every),
                mean(&classifier.minority_energy, &local),
                mean(&classifier.majority_energy, &local),
            ]
        })
    });
    let without: Vec<&str> = runs
        .iter()
        .filter(|run| run.local.is_none())
        .map(|run| run.name.as_str())
        .collect();
    let mut note = "Means over attributes; in brackets, how many. Energies are those of attributes with a local region, for the images \
                    predicted as the class."
        .to_owned();
    if !without.is_empty() {
        note += &format!(
            " The regions of {} are not to be had: its energies are over all attributes.",
            without.join(", ")
        );
    }
    Sheet {
        id: "measures".to_owned(),
        title: "Measures".to_owned(),
        note,
        columns: vec![
            Column::new("run", Unit::Text),
            Column::new("classifier", Unit::Text),
            Column::new("minority", Unit::Share).of("error"),
            Column::new("majority", Unit::Share).of("error"),
            Column::new("minority", Unit::Share).of("energy"),
            Column::new("majority", Unit::Share).of("energy"),
        ],
        rows: rows.collect(),
        ..Sheet::default()
    }
}

/// One row a claim, one column a run.
fn verdicts(runs: &[RunFolder]) -> Sheet {
    let known: Vec<&str> = Claim::ALL.iter().map(|claim| claim.name()).collect();
    let mut claims: Vec<&str> = known.clone();
    claims.extend(
        runs.iter()
            .flat_map(|run| &run.claims)
            .map(|claim| claim.claim.as_str())
            .filter(|name| !known.contains(name))
            .collect::<BTreeSet<_>>(),
    );
    claims.retain(|name| {
        runs.iter()
            .any(|run| run.claims.iter().any(|claim| claim.claim == **name))
    });
    let statement = |name: &str| {
        let claim = Claim::ALL.iter().find(|claim| claim.name() == name);
        claim.map_or_else(|| name.replace('_', " "), |claim| claim.statement().to_owned())
    };
    let row = |name: &&str| {
        let of = |run: &RunFolder| {
            let claim = run.claims.iter().find(|claim| claim.claim == **name);
            claim.map_or(Cell::Absent, |claim| Cell::Text(verdict(claim)))
        };
        // The statement is long: it may break, as a first column may not.
        [Cell::Text((*name).replace('_', " ")), Cell::Text(statement(name))]
            .into_iter()
            .chain(runs.iter().map(of))
            .collect()
    };
    Sheet {
        id: "verdicts".to_owned(),
        title: "Verdicts".to_owned(),
        note: "Verdict on each claim, effect and its 95 % interval. The rule is in each run’s report.".to_owned(),
        columns: [
            Column::new("claim", Unit::Text),
            Column::new("in words", Unit::LongText),
        ]
        .into_iter()
        .chain(runs.iter().map(|run| Column::new(&run.name, Unit::LongText)))
        .collect(),
        rows: claims.iter().map(row).collect(),
        ..Sheet::default()
    }
}

fn verdict(claim: &RunClaim) -> String {
    let mark = match claim.verdict.as_str() {
        "observed" => "✓",
        "contradicted" => "✗",
        "no clear effect" => "~",
        "described" => "·",
        _ => "?",
    };
    let effect = claim.effect.map_or_else(String::new, |effect| format!(" {effect:+.3}"));
    let interval = claim.interval.map_or_else(String::new, |Interval { low, high }| {
        format!(" [{low:+.3}, {high:+.3}]")
    });
    format!("{mark} {}{effect}{interval}", claim.verdict).replace('-', "\u{2212}")
}

/// The settings that are not the same in all runs.
fn differences(runs: &[RunFolder]) -> Sheet {
    let keys: BTreeSet<&String> = runs.iter().flat_map(|run| run.settings.keys()).collect();
    let rows: Vec<Vec<Cell>> = keys
        .into_iter()
        .filter_map(|key| {
            let values: Vec<Option<&String>> = runs.iter().map(|run| run.settings.get(key)).collect();
            let differs = values.windows(2).any(|pair| pair[0] != pair[1]);
            differs.then(|| {
                let cell = |value: Option<&String>| Cell::Text(value.map_or_else(|| "–".to_owned(), Clone::clone));
                std::iter::once(Cell::from(key.as_str()))
                    .chain(values.into_iter().map(cell))
                    .collect()
            })
        })
        .collect();
    let note = match (rows.is_empty(), runs.len()) {
        (true, 1) => "One run: there is nothing to differ from.",
        (true, _) => "All settings are the same.",
        _ => "–: the run does not have the setting.",
    };
    Sheet {
        id: "settings".to_owned(),
        title: "Settings that differ".to_owned(),
        note: note.to_owned(),
        columns: by_run("setting", runs),
        rows,
        ..Sheet::default()
    }
}

fn by_run(first: &str, runs: &[RunFolder]) -> Vec<Column> {
    std::iter::once(Column::new(first, Unit::Text))
        .chain(runs.iter().map(|run| Column::new(&run.name, Unit::LongText)))
        .collect()
}

/// What made each run.
fn facts(runs: &[RunFolder]) -> Sheet {
    let row = |name: &str, value: &dyn Fn(&RunFolder) -> String| {
        std::iter::once(Cell::from(name))
            .chain(runs.iter().map(|run| Cell::Text(value(run))))
            .collect()
    };
    let seconds = |run: &RunFolder, prefix: &str| {
        let stages = run.manifest.stages.iter().filter(|(name, _)| name.starts_with(prefix));
        format!("{:.1} s", stages.map(|(_, stage)| stage.seconds).sum::<f64>())
    };
    Sheet {
        id: "runs".to_owned(),
        title: "The runs".to_owned(),
        note: String::new(),
        columns: by_run("fact", runs),
        rows: vec![
            row("command", &|run| run.manifest.command_line()),
            row("program", &|run| format!("biascam {}", run.manifest.version)),
            row("revision", &|run| {
                run.manifest.revision.clone().unwrap_or_else(|| "–".to_owned())
            }),
            row("device", &|run| run.manifest.devices()),
            row("data", &|run| run.manifest.data.clone()),
            row("seed", &|run| run.manifest.seed.to_string()),
            row("training", &|run| seconds(run, "train/")),
            row("all steps", &|run| seconds(run, "")),
        ],
        ..Sheet::default()
    }
}

/// One row an attribute of any run, four columns a run and classifier.
fn attributes(runs: &[RunFolder]) -> Sheet {
    let mut names: Vec<&String> = Vec::new();
    for name in runs.iter().flat_map(|run| &run.attributes) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut columns = vec![Column::new("attribute", Unit::Text)];
    for run in runs {
        for classifier in &run.classifiers {
            let group = format!("{} {}", run.name, classifier.name);
            let titles = ["minority error", "majority error", "minority energy", "majority energy"];
            columns.extend(titles.map(|title| Column::new(title, Unit::Share).under(&group)));
        }
    }
    let row = |name: &&String| {
        let mut row = vec![Cell::from(name.as_str())];
        for run in runs {
            let at = run.attributes.iter().position(|known| known == *name);
            for classifier in &run.classifiers {
                let all = [
                    &classifier.minority_error,
                    &classifier.majority_error,
                    &classifier.minority_energy,
                    &classifier.majority_energy,
                ];
                row.extend(all.map(|values| Cell::number(at.and_then(|at| values[at]))));
            }
        }
        row
    };
    Sheet {
        id: "attributes".to_owned(),
        title: "Attributes".to_owned(),
        note: "Errors among the minority and the majority class of the training images; mean energies of the images predicted as them.".to_owned(),
        columns,
        rows: names.iter().map(row).collect(),
        searchable: true,
        ..Sheet::default()
    }
}
