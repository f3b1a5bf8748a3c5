//! The drawing stage: from tables and maps to figures and the report.

use std::cell::RefCell;

use metrics::{Class, MIN_SAMPLES, Statistics};

use super::maps::MapsFile;
use super::measure::{comparison, results_key};
use super::{DataSet, history, pictures, report};
use crate::context::Context;
use crate::error::Result;
use crate::figures::data::{
    Bar, BarFigure, BarGroup, BarPair, BiasBar, BiasFigure, BiasGroup, EnergyScatter, EpochPoint, PublishedFigure,
    PublishedPanel, ScatterPoint, TrainingCurve,
};
use crate::figures::{self, Figure};
use crate::measured::{AttributeMeasures, Measured};
use crate::published::Published;
use crate::tables::{Agreement, Comparison, Comparisons};

/// Runs the stage.
///
/// # Errors
/// Those of reading results and example images, of drawing, and of writing.
pub fn run(context: &mut Context, data: &DataSet, measured: &Measured) -> Result<()> {
    let trained: Vec<String> = context
        .experiment
        .classifiers
        .keys()
        .map(|name| format!("train/{name}"))
        .collect();
    let key = results_key(context).stages(&context.manifest, trained.iter().map(String::as_str));
    context.stage("draw", key, |context| draw(context, data, measured))
}

fn draw(context: &Context, data: &DataSet, measured: &Measured) -> Result<Vec<String>> {
    let published = Published::of(&context.experiment)?.unwrap_or_default();
    let maps: Vec<MapsFile> = measured
        .classifiers
        .iter()
        .map(|name| MapsFile::read(context, name, data.attributes().len()))
        .collect::<Result<_>>()?;
    let mut drawn = vec![
        figures::error_rates(&error_bars(measured, &published)),
        figures::energies(&energy_bars(measured, &published)),
        figures::energy_scatter(&scatter(measured)),
        figures::bias_reliance(&bias_reliance(measured)),
        figures::average_cams(&pictures::average_cams(context, data, measured, &maps)?),
    ];
    if let Some(comparison) = comparison(context, measured)?.filter(|comparison| !comparison.numbers.is_empty()) {
        drawn.push(figures::published(&published_figure(&comparison)));
    }
    let curves = training_curves(context, measured)?;
    if !curves.is_empty() {
        drawn.push(figures::training_curves(&curves));
    }
    if let Some(examples) = pictures::examples(context, data, measured, &maps)? {
        drawn.push(figures::examples(&examples));
    }
    let drawn: Vec<Figure> = drawn.into_iter().collect::<Result<_, _>>()?;

    let written = RefCell::new(Vec::new());
    let write = |name: &str, bytes: &[u8]| -> Result<()> {
        let path = format!("figures/{name}");
        context.results.write(&path, bytes)?;
        written.borrow_mut().push(path);
        Ok(())
    };
    for figure in &drawn {
        figure.write(&write)?;
    }
    let report = crate::report::render(&report::report_data(context, data, measured, &drawn)?);
    context.results.write("report.html", report.as_bytes())?;
    let mut written = written.into_inner();
    written.push("report.html".to_owned());
    Ok(written)
}

/// The bars of one attribute; `bar` makes one of a classifier's position and a class.
fn group(attribute: &AttributeMeasures, chance: Option<f64>, bar: impl Fn(usize, Class) -> Bar) -> BarGroup {
    let minority = attribute.minority();
    let pair = |index| BarPair {
        minority: bar(index, minority),
        majority: bar(index, minority.opposite()),
    };
    BarGroup {
        attribute: attribute.name.clone(),
        minority_positive: minority == Class::Positive,
        global: !attribute.local,
        chance,
        bars: (0..attribute.classifiers.len()).map(pair).collect(),
    }
}

fn error_bars(measured: &Measured, published: &Published) -> BarFigure {
    let groups = measured.attributes.iter().map(|attribute| {
        group(attribute, None, |index, class| {
            let rates = &attribute.classifiers[index].rates;
            Bar {
                value: rates.rate(class),
                interval: None,
                published: published.error(&attribute.name, &measured.classifiers[index], class),
            }
        })
    });
    BarFigure {
        classifiers: measured.classifiers.clone(),
        groups: groups.collect(),
    }
}

fn energy_bars(measured: &Measured, published: &Published) -> BarFigure {
    let groups = measured.attributes.iter().map(|attribute| {
        group(attribute, Some(attribute.area), |index, class| {
            let energy = attribute.classifiers[index].energy(class);
            Bar {
                value: energy.map(|statistics| statistics.mean),
                interval: energy
                    .and_then(|statistics| statistics.interval)
                    .map(|interval| (interval.low, interval.high)),
                published: published.energy(&attribute.name, &measured.classifiers[index], class),
            }
        })
    });
    BarFigure {
        classifiers: measured.classifiers.clone(),
        groups: groups.collect(),
    }
}

fn bias_reliance(measured: &Measured) -> BiasFigure {
    let group = |attribute: &AttributeMeasures| BiasGroup {
        attribute: attribute.name.clone(),
        global: !attribute.local,
        bars: attribute
            .classifiers
            .iter()
            .map(|classifier| {
                let majority = classifier.reliance(attribute.class(false));
                BiasBar {
                    score: majority.map(|reliance| reliance.score.mean),
                    constant: majority.map(|reliance| reliance.constant),
                    bias: majority.map(|reliance| reliance.bias),
                    region: majority.map(|reliance| reliance.region.mean),
                    region_minority: classifier
                        .reliance(attribute.class(true))
                        .filter(|reliance| reliance.score.n >= MIN_SAMPLES)
                        .map(|reliance| reliance.region.mean),
                }
            })
            .collect(),
    };
    BiasFigure {
        classifiers: measured.classifiers.clone(),
        groups: measured.attributes.iter().map(group).collect(),
    }
}

fn scatter(measured: &Measured) -> EnergyScatter {
    let point = |attribute: &AttributeMeasures| ScatterPoint {
        attribute: attribute.name.clone(),
        energies: attribute
            .classifiers
            .iter()
            .map(|measures| {
                // A mean over a handful of samples would be drawn as boldly as one over thousands.
                let enough = |statistics: &Statistics| statistics.n >= MIN_SAMPLES;
                let mean = |class| Some(measures.energy(class).filter(enough)?.mean);
                mean(attribute.minority().opposite()).zip(mean(attribute.minority()))
            })
            .collect(),
    };
    EnergyScatter {
        classifiers: measured.classifiers.clone(),
        points: measured
            .attributes
            .iter()
            .filter(|attribute| attribute.local)
            .map(point)
            .collect(),
    }
}

fn published_figure(comparison: &Comparisons) -> PublishedFigure {
    let mut attributes: Vec<String> = Vec::new();
    for one in &comparison.numbers {
        if attributes.last() != Some(&one.attribute) {
            attributes.push(one.attribute.clone());
        }
    }
    let panel = |agreement: &Agreement| PublishedPanel {
        classifier: agreement.classifier.clone(),
        quantity: agreement.quantity,
        values: attributes
            .iter()
            .map(|attribute| {
                let of = |one: &&Comparison| {
                    (&one.attribute, &one.classifier, one.quantity)
                        == (attribute, &agreement.classifier, agreement.quantity)
                };
                comparison.numbers.iter().find(of).map(|one| (one.ours, one.published))
            })
            .collect(),
        mean_difference: agreement.mean_difference(),
        mean_absolute_difference: agreement.mean_absolute_difference,
        rank_correlation: agreement.rank_correlation,
    };
    PublishedFigure {
        panels: comparison.agreements.iter().map(panel).collect(),
        attributes,
    }
}

fn training_curves(context: &Context, measured: &Measured) -> Result<Vec<TrainingCurve>> {
    measured
        .classifiers
        .iter()
        .filter(|name| context.experiment.is_trained(name))
        .map(|name| {
            let points = history::read(context, name)?.into_iter().map(|epoch| EpochPoint {
                epoch: epoch.epoch as f64,
                loss: Some(epoch.loss),
                validation_loss: None,
                minority_error: epoch.minority_error,
                majority_error: epoch.majority_error,
            });
            Ok(TrainingCurve {
                classifier: name.clone(),
                points: points.collect(),
            })
        })
        .collect()
}
