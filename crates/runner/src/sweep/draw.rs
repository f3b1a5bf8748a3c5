//! The comparison's files: tables, figures, and a page with all of it.

use std::path::{Path, PathBuf};

use super::comparison::{Comparison, Setting};
use super::joint::{self, JointSetting};
use super::records::{Quantity, Record};
use super::state::State;
use super::{COMPARISON, Plan, REPORT, tables};
use crate::error::Result;
use crate::experiment::FigureSettings;
use crate::included;
use crate::measured;
use crate::steps::draw::convert;
use metrics::Part;
use pipeline::{Progress, ResultsFolder};
use render::Figure;
use render::figures::sweep::{
    AttributePanel, AttributePanels, ClassCurves, Compromise, Compromises, CurvePoint, Curves, Panel, XAxis,
    sweep_attributes, sweep_curves, sweep_pareto,
};
use render::figures::{DecompositionFigure, DecompositionRow};
use render::report::{Fact, FileLink, ReportData, ReportKind, run};
use render::sheet::{Cell, Column, Sheet, Unit};
use render::text::counted;

/// What was found in the finished runs.
pub struct Found<'a> {
    /// Their numbers.
    pub records: &'a [Record],
    /// The settings compared.
    pub comparison: &'a Comparison,
    /// What the seeds of each setting say together.
    pub joint: &'a [JointSetting],
}

/// Writes everything below the sweep's folder `comparison`; returns the path of the page.
///
/// # Errors
/// When another process is at it, a figure cannot be drawn, or a file cannot be written.
pub fn write(plan: &Plan, found: &Found<'_>, states: &[State], sweep: &Path) -> Result<PathBuf> {
    let Found {
        records,
        comparison,
        joint,
    } = *found;
    let folder = ResultsFolder::open(&sweep.join(COMPARISON))?;
    let files = tables::files(plan, records, comparison, joint)?;
    for (name, bytes) in files {
        folder.write(&format!("tables/{name}"), &bytes)?;
    }
    let settings = &plan.runs[0].experiment.figures;
    let mut figures = figures(comparison, settings)?;
    if let Some(data) = decomposition(joint) {
        figures.insert(
            0,
            render::figures::decomposition(&settings.style("decomposition"), &data)?,
        );
    }
    convert(settings, figures.iter().collect(), &Progress::new(), |name, bytes| {
        Ok(folder.write(&format!("figures/{name}"), bytes)?)
    })?;
    let page = run(&report(plan, found, states, figures));
    folder.write(REPORT, page.as_bytes())?;
    Ok(folder.join(REPORT))
}

/// The figures for which there is something to draw, in the style of the experiment.
fn figures(comparison: &Comparison, settings: &FigureSettings) -> Result<Vec<Figure>> {
    let style = |name: &str| settings.style(name);
    let mut figures = vec![sweep_curves(&style("sweep"), &curves(comparison))?];
    let front = compromises(comparison);
    if front
        .points
        .iter()
        .any(|point| point.error.is_finite() && point.energy.is_finite())
    {
        figures.push(sweep_pareto(&style("sweep_pareto"), &front)?);
    }
    for panels in [
        attribute_panels(
            comparison,
            "sweep_attribute_errors",
            [Quantity::MinorityError, Quantity::MajorityError],
        ),
        attribute_panels(
            comparison,
            "sweep_attribute_energies",
            [Quantity::MinorityEnergy, Quantity::MajorityEnergy],
        ),
    ] {
        if !panels.panels.is_empty() {
            figures.push(sweep_attributes(&style(panels.name), &panels)?);
        }
    }
    Ok(figures)
}

/// The steps of each quantity's difference, means over seeds with the difference's interval over them: of one setting a panel for each kind of
/// quantity, of several a panel for each of the main quantities with a row for each setting. `None` without arms.
fn decomposition(settings: &[JointSetting]) -> Option<DecompositionFigure> {
    let ends = ["unbalanced", "balanced"];
    let row = |setting: &JointSetting, quantity: measured::DecomposedQuantity, title: String| {
        let mean = |kind: &str, name: &str| Some(setting.part(quantity, kind, name)?.mean);
        let steps = |end: &str| -> Option<[f64; 3]> {
            let [threshold, head, features] = Part::ALL.map(|part| mean(&format!("step from {end}"), part.name()));
            Some([threshold?, head?, features?])
        };
        let difference = setting.part(quantity, "difference", "balanced - unbalanced")?;
        Some(DecompositionRow {
            title,
            steps: [steps(ends[0])?, steps(ends[1])?],
            difference: difference.mean,
            interval: difference.over.as_ref().map(|over| over.interval),
        })
    };
    let mut panels: Vec<(String, Vec<DecompositionRow>)> = Vec::new();
    match settings {
        [only] => {
            for quantity in measured::DecomposedQuantity::ALL {
                let Some(row) = row(only, quantity, quantity.title().to_owned()) else {
                    continue;
                };
                match panels.last_mut().filter(|(kind, _)| kind == quantity.kind()) {
                    Some((_, rows)) => rows.push(row),
                    None => panels.push((quantity.kind().to_owned(), vec![row])),
                }
            }
        }
        several => {
            for quantity in MAIN {
                let rows = several
                    .iter()
                    .filter_map(|setting| row(setting, quantity, setting.name()));
                panels.push((quantity.title().to_owned(), rows.collect()));
            }
        }
    }
    panels
        .iter()
        .any(|(_, rows)| !rows.is_empty())
        .then(|| DecompositionFigure {
            ends: ends.map(str::to_owned),
            panels,
            difference: "balanced − unbalanced".to_owned(),
        })
}

/// The quantities whose steps are drawn over a sweep's settings.
const MAIN: [measured::DecomposedQuantity; 4] = [
    measured::DecomposedQuantity::BalancedError,
    measured::DecomposedQuantity::MinorityEnergy,
    measured::DecomposedQuantity::MajorityEnergy,
    measured::DecomposedQuantity::MajoritySpecificity,
];

fn axis(comparison: &Comparison) -> XAxis {
    XAxis {
        title: comparison.x.clone(),
        labels: comparison.labels.clone(),
        numbers: comparison.numbers.clone(),
    }
}

/// The curves of two quantities, series by series; `mean` finds the mean of one in a setting.
fn class_curves(
    comparison: &Comparison,
    [minority, majority]: [Quantity; 2],
    mean: impl Fn(&Setting, Quantity) -> Option<super::comparison::Mean>,
) -> Vec<ClassCurves> {
    let of = |series: usize, quantity: Quantity| -> Vec<CurvePoint> {
        comparison
            .settings
            .iter()
            .filter(|setting| setting.series == series)
            .filter_map(|setting| {
                let mean = mean(setting, quantity)?;
                Some(CurvePoint {
                    x: setting.x,
                    value: mean.value,
                    interval: mean.interval,
                })
            })
            .collect()
    };
    (0..comparison.series.len())
        .map(|series| ClassCurves {
            minority: of(series, minority),
            majority: of(series, majority),
        })
        .collect()
}

fn curves(comparison: &Comparison) -> Curves {
    let panel = |title: &str, quantities: [Quantity; 2]| Panel {
        title: title.to_owned(),
        series: class_curves(comparison, quantities, |setting, quantity| {
            setting.means[quantity.index()]
        }),
    };
    let repeated = match seeds(comparison) {
        seeds if seeds > 1 => format!(
            "means over up to {seeds} seeds, with Student's 95 % interval over them as a band (cut where it would leave the panel)"
        ),
        _ => "one seed, so without intervals".to_owned(),
    };
    Curves {
        x: axis(comparison),
        series: comparison.series.clone(),
        panels: vec![
            panel("error", [Quantity::MinorityError, Quantity::MajorityError]),
            panel(
                "energy in the region",
                [Quantity::MinorityEnergy, Quantity::MajorityEnergy],
            ),
            panel("bias reliance", [Quantity::MinorityBias, Quantity::MajorityBias]),
        ],
        caption: format!(
            "Error, mean proportional energy and bias reliance (constant part / score) of the minority and the majority classes; means over \
             the attributes that every run measured; {repeated}."
        ),
    }
}

fn attribute_panels(comparison: &Comparison, name: &'static str, quantities: [Quantity; 2]) -> AttributePanels {
    let energy = quantities[0] == Quantity::MinorityEnergy;
    let panels = comparison
        .attributes
        .iter()
        .enumerate()
        .map(|(index, (attribute, area))| AttributePanel {
            attribute: attribute.clone(),
            chance: area.filter(|_| energy),
            series: class_curves(comparison, quantities, |setting, quantity| {
                setting.attributes[index][quantity.index()]
            }),
        })
        .filter(|panel| {
            panel
                .series
                .iter()
                .any(|curves| !curves.minority.is_empty() || !curves.majority.is_empty())
        })
        .collect();
    let (y, what) = if energy {
        (
            "energy in the region",
            "Mean proportional energy of the images predicted as the minority and as the majority class",
        )
    } else {
        (
            "error",
            "Error among the test images of the minority and of the majority class",
        )
    };
    AttributePanels {
        name,
        x: axis(comparison),
        y: y.to_owned(),
        series: comparison.series.clone(),
        panels,
        caption: format!("{what}, attribute by attribute, by size of the minority class."),
    }
}

fn compromises(comparison: &Comparison) -> Compromises {
    let mean =
        |setting: &Setting, quantity: Quantity| setting.means[quantity.index()].map_or(f64::NAN, |mean| mean.value);
    let points = comparison.settings.iter().map(|setting| Compromise {
        series: setting.series,
        x: setting.x,
        error: mean(setting, Quantity::BalancedError),
        energy: mean(setting, Quantity::BalancedEnergy),
        on_front: setting.on_front,
    });
    Compromises {
        x: axis(comparison),
        series: comparison.series.clone(),
        points: points.collect(),
        caption: "Balanced error against balanced energy (means of both classes, over the attributes that every run measured). The front \
                  joins the settings that no other beats in both."
            .to_owned(),
    }
}

fn report(plan: &Plan, found: &Found<'_>, states: &[State], figures: Vec<Figure>) -> ReportData {
    let comparison = found.comparison;
    let finished = states.iter().filter(|state| state.is_finished()).count();
    let fact = |name: &str, value: String| Fact {
        name: name.to_owned(),
        value,
    };
    let link = |path: &str, description: &str| FileLink {
        path: path.to_owned(),
        description: description.to_owned(),
    };
    let mut files = vec![
        link(
            "tables/comparison.csv",
            "one row a setting; also .parquet, .md and .tex",
        ),
        link(
            "tables/attributes.csv",
            "one row a setting, attribute and quantity; also .parquet",
        ),
        link("tables/runs.csv", "every number of every run; also .parquet"),
        link("tables/tests.csv", "tests between settings; also .parquet"),
        link("tables/onsets.csv", "where the majority begins to be looked at"),
    ];
    files.extend(
        plan.runs
            .iter()
            .map(|run| link(&format!("../{}/manifest.json", run.name), "a run")),
    );
    ReportData {
        title: plan.name.clone(),
        summary: format!(
            "{finished} of {} of {} {} finished, along {}: {} compared, of {} over {}.",
            counted(plan.runs.len(), "run"),
            plan.experiment.display(),
            if finished == 1 { "is" } else { "are" },
            comparison.x,
            counted(comparison.settings.len(), "setting"),
            counted(comparison.attributes.len(), "attribute"),
            counted(seeds(comparison), "seed"),
        ),
        kind: ReportKind::Sweep,
        verdicts: joint::sentences(found.joint)
            .into_iter()
            .chain(tables::findings(comparison))
            .collect(),
        overview: vec![overview(comparison)],
        figures,
        formats: plan.runs[0]
            .experiment
            .figures
            .formats
            .iter()
            .map(|format| format.extension())
            .collect(),
        tables: vec![tests(comparison)],
        facts: vec![
            fact("program", format!("biascam {}", env!("CARGO_PKG_VERSION"))),
            fact("sweep", plan.path.display().to_string()),
            fact("x", comparison.x.clone()),
            fact("runs", format!("{finished} of {} finished", plan.runs.len())),
        ],
        experiment: included::read(&plan.path).unwrap_or_default(),
        files,
        ..ReportData::default()
    }
}

/// The most seeds behind a mean.
fn seeds(comparison: &Comparison) -> usize {
    let means = comparison
        .settings
        .iter()
        .flat_map(|setting| setting.means.iter().flatten());
    means.map(|mean| mean.seeds).max().unwrap_or_default()
}

fn overview(comparison: &Comparison) -> Sheet {
    let columns = std::iter::once(Column::new("setting", Unit::Text))
        .chain(Quantity::ALL.map(tables::mean_column))
        .chain([Column::new("majority looked at", Unit::Count)]);
    let row = |setting: &Setting| {
        let mut row = vec![Cell::from(comparison.name(setting))];
        row.extend(Quantity::ALL.map(|quantity| tables::mean(setting.means[quantity.index()])));
        row.push(Cell::count(setting.looked_at));
        row
    };
    Sheet {
        id: "settings".to_owned(),
        title: "Settings".to_owned(),
        note: tables::note(comparison),
        columns: columns.collect(),
        rows: comparison.settings.iter().map(row).collect(),
        searchable: true,
        ..Sheet::default()
    }
}

fn tests(comparison: &Comparison) -> Sheet {
    let rows = comparison.tests.iter().map(|test| {
        let name = |position: usize| comparison.name(&comparison.settings[test.settings[position]]);
        vec![
            Cell::from(test.quantity.title()),
            Cell::from(name(0)),
            Cell::from(name(1)),
            Cell::number(Some(test.attributes.difference)),
            Cell::count(test.attributes.n),
            Cell::number(test.p_adjusted),
            Cell::number(test.p_attributes_adjusted),
        ]
    });
    Sheet {
        id: "tests".to_owned(),
        title: "Tests between settings".to_owned(),
        note: format!(
            "{} Differences are second - first. p: Student's paired test over seeds, of means over attributes; p over attributes: Wilcoxon's \
             signed-rank test, each averaged over seeds, which takes attributes to be independent. Both after Holm's correction over the tests \
             of a quantity.",
            tables::test_counts(comparison).join(" ")
        ),
        columns: vec![
            Column::new("quantity", Unit::Text),
            Column::new("first", Unit::Text),
            Column::new("second", Unit::Text),
            Column::new("difference", Unit::Number(3)),
            Column::new("attributes", Unit::Count),
            Column::new("p", Unit::Number(4)),
            Column::new("p over attributes", Unit::Number(4)),
        ],
        rows: rows.collect(),
        searchable: true,
        ..Sheet::default()
    }
}
