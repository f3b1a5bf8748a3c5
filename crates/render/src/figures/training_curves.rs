//! Loss and validation errors by epoch.

use crate::drawing::axes::{Axes, ticks};
use crate::drawing::export::Figure;
use crate::drawing::legend::{Key, of_classifiers};
use crate::drawing::page::Dash;
use crate::drawing::palette::Marker;
use crate::drawing::panels::{Axis, Panel, Panels};
use crate::drawing::style::{Column, GREY, Style};
use crate::error::{Error, Result};
use crate::text::number;

/// The state of training after one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EpochPoint {
    /// Epochs completed, from 1.
    pub epoch: f64,
    /// Mean training loss of the epoch.
    pub loss: Option<f64>,
    /// Validation loss.
    pub validation_loss: Option<f64>,
    /// Mean validation error of the minority classes.
    pub minority_error: Option<f64>,
    /// Mean validation error of the majority classes.
    pub majority_error: Option<f64>,
}

/// The training of one classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingCurve {
    /// Name of the classifier.
    pub classifier: String,
    /// Its epochs, in order.
    pub points: Vec<EpochPoint>,
}

const NAME: &str = "training_curves";
const HEIGHT: f64 = 44.0;

/// One line of a panel: what it takes from an epoch, and how it is drawn.
type Line = (fn(&EpochPoint) -> Option<f64>, Dash);

/// Draws the loss and the validation errors of every classifier: side by side across a page, above each other in a column.
///
/// # Errors
/// No classifier with an epoch.
pub fn training_curves(style: &Style, curves: &[TrainingCurve]) -> Result<Figure> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let epochs = || points().map(|point| point.epoch).filter(|epoch| epoch.is_finite());
    let last = epochs().fold(f64::NEG_INFINITY, f64::max);
    if !last.is_finite() {
        return Err(Error::Empty(NAME));
    }
    let first = epochs().fold(f64::INFINITY, f64::min).min(last - 1.0);

    let loss: [Line; 2] = [
        (|point| point.loss, Dash::Solid),
        (|point| point.validation_loss, Dash::Dashed),
    ];
    let errors: [Line; 2] = [
        (|point| point.minority_error, Dash::Solid),
        (|point| point.majority_error, Dash::Dashed),
    ];
    let sides = [
        ("loss", loss, ["training", "validation"]),
        ("validation error", errors, ["minority", "majority"]),
    ];
    let whole = ticks(first..last, 8).into_iter().filter(|tick| tick.fract() == 0.0);
    let epoch = Axis {
        title: "epoch".to_owned(),
        ticks: whole.map(|tick| (tick, number(tick, 0))).collect(),
        range: first..last,
    };
    let panels = sides.each_ref().map(|(title, lines, names)| {
        let values = points().flat_map(|point| lines.map(|(value, _)| value(point)));
        let top = values.flatten().filter(|value| value.is_finite()).fold(0.0, f64::max);
        Panel {
            x: epoch.clone(),
            y: Axis::of(title, 0.0..if top > 0.0 { top * 1.05 } else { 1.0 }, 8),
            entries: entries(curves, lines, *names),
        }
    });
    let layout = Panels {
        panels: &panels,
        column: Column::Double,
        height: |_| HEIGHT,
    };
    let drawn = layout.draw(style, |axes, side| {
        let (_, lines, _) = sides[side];
        for (classifier, curve) in curves.iter().enumerate() {
            for (value, dash) in lines {
                draw_line(axes, &curve.points, value, dash, classifier)?;
            }
        }
        Ok(())
    })?;
    let losses = if points().any(|point| point.validation_loss.is_some()) {
        "Training and validation loss"
    } else {
        "Training loss"
    };
    let place = if drawn.beside {
        ["left", "right"]
    } else {
        ["above", "below"]
    };
    let caption = format!(
        "{losses} ({}); validation errors of the minority and the majority classes, mean over attributes ({}).",
        place[0], place[1]
    );
    Ok(Figure::new(NAME, caption, drawn.svg, drawn.size))
}

fn draw_line(
    axes: &Axes<'_, '_>,
    points: &[EpochPoint],
    value: fn(&EpochPoint) -> Option<f64>,
    dash: Dash,
    classifier: usize,
) -> Result<()> {
    let line: Vec<[f64; 2]> = points
        .iter()
        .filter_map(|point| Some([point.epoch, value(point)?]))
        .filter(|[x, y]| x.is_finite() && y.is_finite())
        .collect();
    let ink = axes.page.style.colour(classifier);
    if line.len() > 1 {
        axes.line(&line, ink, 0.4, dash)?;
    }
    // With many epochs marks would be the line; every so many are enough to tell the classifiers apart.
    let step = line.len().div_ceil(12).max(1);
    line.iter()
        .step_by(step)
        .try_for_each(|&point| axes.marker(point, Marker::of(classifier), 0.6, ink, dash != Dash::Solid))
}

/// Colours and marks stand for classifiers, dashes for the second line of a panel, if it has one.
fn entries(curves: &[TrainingCurve], lines: &[Line; 2], names: [&str; 2]) -> Vec<(Key, String)> {
    let classifiers: Vec<String> = curves.iter().map(|curve| curve.classifier.clone()).collect();
    let mut entries = of_classifiers(&classifiers, Key::Line);
    let drawn = |value: fn(&EpochPoint) -> Option<f64>| {
        curves
            .iter()
            .flat_map(|curve| &curve.points)
            .any(|point| value(point).is_some())
    };
    if lines.iter().all(|&(value, _)| drawn(value)) {
        entries.push((Key::Rule(GREY, Dash::Solid), names[0].to_owned()));
        entries.push((Key::Rule(GREY, Dash::Dashed), names[1].to_owned()));
    }
    entries
}
