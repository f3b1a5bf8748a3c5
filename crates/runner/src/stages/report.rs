//! What the report says of a run.

use metrics::{Class, Verdict};

use super::{DataFacts, occlude};
use crate::context::Context;
use crate::error::Result;
use crate::experiment::to_yaml;
use crate::figures::Figure;
use crate::measured::{AttributeMeasures, Measured};
use crate::report::{Cell, Column, Fact, FileLink, ReportData, Table};

/// Collects it.
///
/// # Errors
/// None that a run can cause.
pub fn report_data(context: &Context, data: &DataFacts, measured: &Measured, figures: &[Figure]) -> Result<ReportData> {
    let observed = measured
        .findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Observed)
        .count();
    let mut summary = format!(
        "{} attributes, {} training images, {} test images ({}); classifiers: {}.",
        measured.attributes.len(),
        data.training,
        data.test,
        data.filter,
        measured.classifiers.join(", ")
    );
    if !measured.findings.is_empty() {
        summary += &format!(
            " {observed} of the paper's {} claims are observed in this run.",
            measured.findings.len()
        );
    }
    Ok(ReportData {
        title: context.name.clone(),
        summary,
        findings: measured.findings.clone(),
        overview: vec![overview(measured)],
        figures: figures.to_vec(),
        tables: vec![attributes(measured)],
        facts: facts(context),
        experiment: to_yaml(&context.experiment)?,
        files: files(context, measured, figures),
    })
}

fn column(group: &str, title: &str) -> Column {
    Column {
        group: group.to_owned(),
        title: title.to_owned(),
    }
}

fn overview(measured: &Measured) -> Table {
    let row = |(index, name): (usize, &String)| {
        let mut row = vec![Cell::from(name.as_str())];
        for minority in [true, false] {
            row.push(mean(measured, |attribute| {
                attribute.classifiers[index].rates.rate(attribute.class(minority))
            }));
        }
        for minority in [true, false] {
            row.push(mean(measured, |attribute| {
                let energy = attribute.classifiers[index].energy(attribute.class(minority))?;
                attribute.local.then_some(energy.mean)
            }));
        }
        row
    };
    Table {
        id: "overview".to_owned(),
        title: "Means over attributes".to_owned(),
        note: "In brackets: attributes behind the mean. Energies are those of attributes with a local region, for the images \
               predicted as the class."
            .to_owned(),
        columns: vec![
            column("", "classifier"),
            column("error", "minority"),
            column("error", "majority"),
            column("energy", "minority"),
            column("energy", "majority"),
        ],
        rows: measured.classifiers.iter().enumerate().map(row).collect(),
    }
}

fn mean(measured: &Measured, value: impl Fn(&AttributeMeasures) -> Option<f64>) -> Cell {
    let values: Vec<f64> = measured.attributes.iter().filter_map(value).collect();
    let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    Cell::number(mean, 3).with_note(format!("({})", values.len()))
}

fn attributes(measured: &Measured) -> Table {
    let mut columns = vec![column("", "attribute"), column("", "positive")];
    for group in ["errors", "energy"] {
        for classifier in &measured.classifiers {
            let titles = if group == "errors" {
                ["FNR", "FPR"]
            } else {
                ["predicted +", "predicted −"]
            };
            columns.extend(titles.map(|title| column(&format!("{classifier} {group}"), title)));
        }
    }
    let row = |attribute: &AttributeMeasures| {
        let mut row = vec![
            Cell::from(attribute.name.as_str()),
            Cell::number(Some(attribute.positive_rate()), 3),
        ];
        let of_minority = |cell: Cell, class: Class| {
            if class == attribute.minority() {
                cell.emphasised()
            } else {
                cell
            }
        };
        for classifier in &attribute.classifiers {
            row.extend(Class::BOTH.map(|class| of_minority(Cell::number(classifier.rates.rate(class), 3), class)));
        }
        for classifier in &attribute.classifiers {
            row.extend(Class::BOTH.map(|class| match classifier.energy(class) {
                Some(energy) => of_minority(
                    Cell::number(Some(energy.mean), 3).with_note(format!("n {}", energy.n)),
                    class,
                ),
                None => Cell::Absent,
            }));
        }
        row
    };
    Table {
        id: "attributes".to_owned(),
        title: "All attributes".to_owned(),
        note: "FNR: false negatives / positives; FPR: false positives / negatives; energy: mean proportional energy of the images \
               predicted as the class, n of them. Bold: the minority class of the training images."
            .to_owned(),
        columns,
        rows: measured.attributes.iter().map(row).collect(),
    }
}

fn facts(context: &Context) -> Vec<Fact> {
    let manifest = &context.manifest;
    let fact = |name: &str, value: String| Fact {
        name: name.to_owned(),
        value,
    };
    let mut facts = vec![
        fact("program", format!("biascam {}", manifest.version)),
        fact("seed", manifest.seed.to_string()),
        fact("device", manifest.device.clone()),
        fact("data", manifest.data.clone()),
    ];
    if let Some(revision) = &manifest.revision {
        facts.push(fact("revision", revision.clone()));
    }
    for (name, stage) in &manifest.stages {
        // The stage that writes this report has not ended yet.
        if name != "draw" {
            facts.push(fact(name, format!("{:.1} s", stage.seconds)));
        }
    }
    facts
}

fn files(context: &Context, measured: &Measured, figures: &[Figure]) -> Vec<FileLink> {
    let link = |path: &str, description: &str| FileLink {
        path: path.to_owned(),
        description: description.to_owned(),
    };
    let mut files = vec![
        link("experiment.yaml", "every setting of this run"),
        link("manifest.json", "what made each file, and its hash"),
        link(
            "tables/attributes.csv",
            "the paper's table; also .parquet, .md and .tex",
        ),
        link(
            "tables/statistics.csv",
            "every measure over every filter, with intervals; also .parquet",
        ),
        link(
            "tables/bias_reliance.csv",
            "what of each score is a bias; also .parquet, .md, .tex, and _differences.csv",
        ),
        link(
            "tables/occlusion.csv",
            "what each score loses with the region hidden; also .parquet, .md and .tex",
        ),
        link(
            "tables/faithfulness.csv",
            "whether maps tell what the classifiers use, method by method; also .parquet, .md, .tex, and sanity.csv",
        ),
        link("tables/claims.csv", "the verdicts"),
    ];
    if figures.iter().any(|figure| figure.name() == "published") {
        files.push(link(
            "tables/published.csv",
            "every number beside the paper's; also .parquet, .md, .tex, _agreement.csv and _claims.csv",
        ));
    }
    for classifier in &measured.classifiers {
        for (file, what) in [
            ("checkpoint.safetensors", "the classifier"),
            ("training.parquet", "its training, epoch by epoch"),
            ("predictions.parquet", "its scores"),
            ("energy.parquet", "its maps' energies, and its scores taken apart"),
            (
                "occlusion.parquet",
                "its scores with regions hidden, and what all biases make of them",
            ),
            ("faithfulness.parquet", "methods tried on a sample of its scores"),
            ("sanity.parquet", "the same with weights randomised"),
            ("reference.safetensors", "the mean of its features, for centred maps"),
        ] {
            let there = match file {
                "training.parquet" => context.experiment.is_trained(classifier),
                "occlusion.parquet" => occlude::is_wanted(context),
                "faithfulness.parquet" | "sanity.parquet" => context.experiment.measure.faithfulness.images > 0,
                _ => true,
            };
            if there {
                files.push(link(&format!("{classifier}/{file}"), what));
            }
        }
    }
    files
}
