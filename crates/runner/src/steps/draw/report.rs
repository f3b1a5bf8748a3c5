//! What the report says of a run.

use metrics::{Class, Judgement};
use pipeline::Provenance;

use crate::citation;
use crate::error::Result;
use crate::experiment::{DataSource, Experiment, to_yaml};
use crate::measured::{AttributeMeasures, DataFacts, Measured};
use crate::recorded::Recorded;
use crate::steps::examples;
use crate::tables::{
    caution, decomposition_in_short, interventions_in_short, locality_in_short, locality_note, means, sentences,
    subgroups_in_short,
};
use pipeline::Manifest;
use render::Figure;
use render::report::{Fact, FileLink, ReportData, ReportKind};
use render::sheet::{Cell, Column, Sheet, Unit};
use render::text::{counted, thousands};

/// What is in a table, by its file's name.
const TABLES: [(&str, &str); 16] = [
    ("subgroups", "the groups in which each classifier errs most"),
    (
        "decomposition",
        "what sets the two classifiers apart: threshold, head or features",
    ),
    ("attributes", "the paper’s table"),
    ("statistics", "every measure over every filter, with intervals"),
    ("bias_reliance", "what of each score is a bias"),
    ("bias_reliance_differences", "the same, balanced against unbalanced"),
    ("occlusion", "what each score loses with the region hidden"),
    ("locality", "how much of a cell's influence lies where the cell is"),
    ("interventions", "what toggling each attribute in the images does"),
    ("cross_effects", "the same of every attribute on every score"),
    (
        "faithfulness",
        "whether maps tell what the classifiers use, method by method",
    ),
    ("sanity", "the same with weights randomised"),
    ("claims", "the verdicts"),
    ("published", "every number beside the paper’s"),
    ("published_agreement", "how far they are apart"),
    ("published_claims", "the claims, ours beside the paper’s"),
];

/// Collects it.
///
/// # Errors
/// None that a run can cause.
pub fn report_data(
    recorded: &Recorded<'_>,
    data: &DataFacts,
    measured: &Measured,
    figures: &[Figure],
) -> Result<ReportData> {
    let Recorded {
        experiment,
        manifest,
        folder,
    } = *recorded;
    let source = match experiment.data.source {
        DataSource::Procedural => "procedural faces",
        DataSource::Celeba => "CelebA",
        DataSource::Table => "a table's images",
    };
    let mut summary = format!(
        "{}, {}, {} of {source} ({}); classifiers: {}.",
        counted(measured.attributes.len(), "attribute"),
        counted(data.training, "training image"),
        counted(data.test, "test image"),
        data.filter,
        measured.classifiers.join(", ")
    );
    let count = |wanted: Judgement| {
        measured
            .findings
            .iter()
            .filter(|one| one.judgement == Some(wanted))
            .count()
    };
    let was = |count: usize| format!("{count} {}", if count == 1 { "was" } else { "were" });
    let judged = measured.findings.iter().filter(|one| one.judgement.is_some()).count();
    if judged > 0 {
        summary += &format!(
            " Of {}, {} observed, {} contradicted, {} without clear effect, and {} had too little data. This speaks of these trained networks: another \
             training may say otherwise.",
            counted(judged, "judged claim"),
            was(count(Judgement::Observed)),
            was(count(Judgement::Contradicted)),
            was(count(Judgement::NoClearEffect)),
            count(Judgement::TooLittleData)
        );
    }
    if let Some(coarse) = experiment.coarse_maps() {
        summary += &format!(" Caution: {coarse}.");
    }
    if let Some(caution) = caution(measured) {
        summary += " ";
        summary += &caution;
    }
    Ok(ReportData {
        kind: ReportKind::Run,
        title: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        summary,
        findings: measured.findings.clone(),
        overview: vec![overview(measured)],
        decomposition: measured.decomposition.as_ref().map(|decomposition| Sheet {
            title: String::new(),
            ..decomposition_in_short(decomposition)
        }),
        verdicts: measured
            .decomposition
            .as_ref()
            .map(|decomposition| sentences(measured, decomposition))
            .unwrap_or_default(),
        figures: figures.to_vec(),
        tables: std::iter::once(attributes(&measured.learnt()))
            .chain((!measured.subgroups.is_empty()).then(|| subgroups_in_short(&measured.learnt())))
            .chain(
                measured
                    .locality
                    .iter()
                    .any(Option::is_some)
                    .then(|| locality_in_short(measured)),
            )
            .chain(
                measured
                    .cross_effects
                    .iter()
                    .any(Option::is_some)
                    .then(|| interventions_in_short(measured)),
            )
            .collect(),
        examples: examples::read_browser(folder)?,
        formats: experiment
            .figures
            .formats
            .iter()
            .map(|format| format.extension())
            .collect(),
        unfiled: figures
            .iter()
            .map(Figure::name)
            .filter(|name| !experiment.figures.wants(name))
            .collect(),
        facts: facts(experiment, manifest, data),
        experiment: to_yaml(experiment, folder)?,
        durations: Some(durations(manifest)),
        files: files(experiment, manifest, measured, figures),
        citation: citation::bibtex(&manifest.version, manifest.revision.as_deref()),
    })
}

fn overview(measured: &Measured) -> Sheet {
    Sheet {
        id: "overview".to_owned(),
        title: "Means over attributes".to_owned(),
        note: "In brackets: attributes behind the mean. Energies are those of attributes with a local region, for the images \
               predicted as the class."
            .to_owned()
            + &locality_note(measured).map_or_else(String::new, |note| format!(" {note}")),
        ..means(measured)
    }
}

/// Of the threshold-free measures those that are shown: title, unit, and place in [`Ranked::NAMES`](crate::measured::Ranked::NAMES).
const RANKED: [(&str, Unit, usize); 3] = [
    ("AUROC", Unit::Share, 0),
    ("AP", Unit::Share, 1),
    ("d′", Unit::Number(2), 2),
];

fn attributes(measured: &Measured) -> Sheet {
    let mut columns = vec![
        Column::new("attribute", Unit::Text),
        Column::new("region", Unit::Text),
        Column::new("positive", Unit::Share),
    ];
    for group in ["errors", "energy"] {
        for classifier in &measured.classifiers {
            let titles = if group == "errors" {
                ["FNR", "FPR"]
            } else {
                ["as +", "as −"]
            };
            columns.extend(titles.map(|title| Column::new(title, Unit::Share).under(format!("{classifier} {group}"))));
        }
    }
    for classifier in &measured.classifiers {
        columns.extend(
            RANKED.map(|(title, unit, _)| Column::new(title, unit).under(format!("{classifier}, any threshold"))),
        );
    }
    let placed = measured.has_regions();
    let row = |attribute: &AttributeMeasures| {
        let mut row = vec![
            Cell::Link {
                text: attribute.name.clone(),
                href: format!("#examples/{}", attribute.name),
            },
            Cell::from(if attribute.local { "local" } else { "global" }),
            Cell::number(attribute.positive_rate()),
        ];
        // As in the paper and in the LaTeX table.
        let marked = |cell: Cell, class: Class| {
            if class == attribute.minority() {
                cell
            } else {
                cell.emphasised()
            }
        };
        for classifier in &attribute.classifiers {
            row.extend(Class::BOTH.map(|class| marked(Cell::number(classifier.rates.rate(class)), class)));
        }
        for classifier in &attribute.classifiers {
            row.extend(
                Class::BOTH.map(|class| match classifier.energy(class).filter(|_| placed) {
                    Some(energy) => marked(
                        Cell::number(Some(energy.mean)).with_note(format!("n {}", energy.n)),
                        class,
                    ),
                    None => Cell::Absent,
                }),
            );
        }
        for classifier in &attribute.classifiers {
            row.extend(RANKED.map(|(_, _, place)| match classifier.ranked.values[place] {
                Some(found) => Cell::number(Some(found.value)),
                None => Cell::Absent,
            }));
        }
        row
    };
    Sheet {
        id: "attributes".to_owned(),
        title: "All attributes".to_owned(),
        note: "FNR: false negatives / positives; FPR: false positives / negatives; energy: mean proportional energy of the images \
               predicted as positive (as +) or negative (as −), n of them. AUROC: area under the receiver operating characteristic; AP: average precision; d′: \
               distance of the classes in standard deviations; all with intervals in tables/attributes.csv, with Brier score and calibration \
               error. Bold: the majority class of the training images. A name leads to its examples; \
               what is searched are names and regions."
            .to_owned()
            + if placed {
                ""
            } else {
                " No regions were given (measure.regions, or data.table.boxes or masks of a table's images), so there are no energies."
            },
        columns,
        rows: measured.attributes.iter().map(row).collect(),
        searchable: true,
        ..Sheet::default()
    }
}

fn facts(experiment: &Experiment, manifest: &Manifest, data: &DataFacts) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact {
        name: name.to_owned(),
        value,
    };
    let source = match experiment.data.source {
        DataSource::Procedural => "procedural faces",
        DataSource::Celeba => "CelebA",
        DataSource::Table => "table",
    };
    let mut facts = vec![
        fact("command", manifest.command_line()),
        fact("data", format!("{source}, {}", manifest.data)),
        fact(
            "images",
            format!(
                "{} training and {} test images ({}); {}; {size} × {size} pixels",
                thousands(data.training),
                thousands(data.test),
                data.filter,
                counted(data.attributes.len(), "attribute"),
                size = experiment.data.image_size
            ),
        ),
        fact(
            "training",
            format!(
                "{}, batches of {}, seed {}",
                counted(experiment.training.epochs, "epoch"),
                experiment.training.batch_size,
                manifest.seed
            ),
        ),
        fact(
            "maps",
            format!("{}, target {}", experiment.explain.method, experiment.explain.target),
        ),
        fact("device", manifest.devices()),
        fact("program", format!("biascam {}", manifest.version)),
    ];
    if !manifest.skipped_images.is_empty() {
        facts.push(fact(
            "bad images left out",
            format!("{} (bad_images.csv)", manifest.skipped_images.len()),
        ));
    }
    if let Some(revision) = &manifest.revision {
        facts.push(fact("revision", revision.clone()));
    }
    facts
}

fn durations(manifest: &Manifest) -> Sheet {
    // The step that writes this report has not ended yet.
    let stages = manifest.stages.iter().filter(|(name, _)| *name != "draw");
    Sheet {
        id: "durations".to_owned(),
        title: "Durations".to_owned(),
        note: "Of each step when it was last run, interruptions left out, and who ran it: a later run on another machine leaves what is \
               unchanged, and its line, as they are. Drawing not counted. Times are UTC."
            .to_owned(),
        columns: ["step", "seconds", "program", "device", "threads", "host", "begun"]
            .map(|title| {
                let unit = match title {
                    "seconds" => Unit::Number(1),
                    "step" | "threads" => Unit::Text,
                    _ => Unit::LongText,
                };
                Column::new(title, unit)
            })
            .to_vec(),
        rows: stages
            .map(|(name, stage)| {
                let Provenance {
                    device,
                    threads,
                    host,
                    started,
                    ..
                } = &stage.provenance;
                vec![
                    Cell::from(name.as_str()),
                    Cell::number(Some(stage.seconds)),
                    Cell::from(stage.provenance.program_in_short().as_str()),
                    Cell::from(device.as_str()),
                    Cell::from(threads.to_string().as_str()),
                    Cell::from(host.as_str()),
                    Cell::from(started.as_str()),
                ]
            })
            .collect(),
        ..Sheet::default()
    }
}

/// What the folder holds: tables by what is there, so that a step that writes one more need not be known here.
fn files(experiment: &Experiment, manifest: &Manifest, measured: &Measured, figures: &[Figure]) -> Vec<FileLink> {
    let link = |path: &str, description: &str| FileLink {
        path: path.to_owned(),
        description: description.to_owned(),
    };
    let mut files = vec![
        link("experiment.yaml", "every setting of this run"),
        link("manifest.json", "what made each file, and its hash"),
    ];
    let tables = manifest.stages.get("measure").map(|stage| stage.artefacts.keys());
    for path in tables.into_iter().flatten() {
        let what = TABLES
            .iter()
            .find(|(start, _)| path.starts_with(&format!("tables/{start}.")));
        files.push(link(path, what.map_or("", |(_, what)| what)));
    }
    for figure in figures.iter().filter(|figure| experiment.figures.wants(figure.name())) {
        for format in &experiment.figures.formats {
            files.push(link(&format!("figures/{}.{}", figure.name(), format.extension()), ""));
        }
    }
    for classifier in &measured.classifiers {
        for (file, what) in [
            ("checkpoint.safetensors", "the classifier"),
            ("training.parquet", "its training, epoch by epoch"),
            (
                "training.jsonl",
                "the same while it ran, with times; also .tfevents for TensorBoard",
            ),
            ("predictions.parquet", "its scores"),
            ("energy.parquet", "its maps' energies, and its scores taken apart"),
            (
                "occlusion.parquet",
                "its scores with regions hidden, and what all biases make of them",
            ),
            (
                "interventions.parquet",
                "its scores of images in which an attribute is toggled",
            ),
            (
                "locality.parquet",
                "how much of a cell's influence lies where the cell is",
            ),
            ("faithfulness.parquet", "methods tried on a sample of its scores"),
            ("sanity.parquet", "the same with weights randomised"),
            ("reference.safetensors", "the mean of its features, for centred maps"),
        ] {
            let there = match file {
                "training.parquet" | "training.jsonl" => experiment.is_trained(classifier),
                "occlusion.parquet" => experiment.measure.wants_occlusion(),
                "interventions.parquet" => experiment.wants_interventions(),
                "locality.parquet" => experiment.wants_locality(classifier),
                "faithfulness.parquet" | "sanity.parquet" => experiment.wants_faithfulness(classifier),
                "reference.safetensors" => !experiment.is_derived(classifier),
                _ => true,
            };
            if there {
                files.push(link(&format!("{classifier}/{file}"), what));
            }
        }
    }
    files
}
