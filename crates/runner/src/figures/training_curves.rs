//! Loss and validation errors by epoch.

use super::axes::{Axes, Key, decimals, legend, legend_height, page, ticks};
use super::data::{EpochPoint, TrainingCurve};
use super::error::{FigureError, Result};
use super::export::Figure;
use super::style::{DOUBLE_COLUMN, GREY, colour, readable};

const NAME: &str = "training_curves";
const MARGIN: f64 = 1.5;
/// Right of a panel: half of its last tick's label.
const RIGHT: f64 = 4.0;
const LEFT: f64 = 14.0;
const HEIGHT: f64 = 50.0;
const BELOW: f64 = 11.0;

/// One line of a panel: what it takes from an epoch, and whether it is dashed.
type Line = (fn(&EpochPoint) -> Option<f64>, bool);

/// Draws the loss (left) and the validation errors (right) of every classifier.
///
/// # Errors
/// No classifier with an epoch.
pub fn training_curves(curves: &[TrainingCurve]) -> Result<Figure> {
    let epochs = || {
        curves
            .iter()
            .flat_map(|curve| &curve.points)
            .map(|point| point.epoch)
            .filter(|epoch| epoch.is_finite())
    };
    let last = epochs().fold(f64::NEG_INFINITY, f64::max);
    if !last.is_finite() {
        return Err(FigureError::Empty(NAME));
    }
    let first = epochs().fold(f64::INFINITY, f64::min).min(last - 1.0);

    let loss: [Line; 2] = [(|point| point.loss, false), (|point| point.validation_loss, true)];
    let errors: [Line; 2] = [
        (|point| point.minority_error, false),
        (|point| point.majority_error, true),
    ];
    let panels = [
        ("loss", loss, ["training", "validation"]),
        ("validation error", errors, ["minority", "majority"]),
    ];

    let width = DOUBLE_COLUMN / 2.0 - LEFT - RIGHT;
    let entries = panels
        .each_ref()
        .map(|(_, lines, names)| entries(curves, lines, *names));
    let legends = entries
        .each_ref()
        .map(|entries| legend_height(entries, width))
        .into_iter()
        .fold(0.0, f64::max);
    let above = MARGIN + legends + 1.0;
    let size = [DOUBLE_COLUMN, above + HEIGHT + BELOW];
    let mut svg = String::new();
    {
        let page = page(&mut svg, size)?;
        for (index, ((title, lines, _), entries)) in panels.iter().zip(&entries).enumerate() {
            let left = LEFT + index as f64 * DOUBLE_COLUMN / 2.0;
            legend(&page, [left, MARGIN], width, entries)?;
            let values = curves.iter().flat_map(|curve| &curve.points);
            let highest = values
                .flat_map(|point| lines.map(|(value, _)| value(point)))
                .flatten()
                .filter(|v| v.is_finite());
            let top = highest.fold(0.0, f64::max);
            let top = if top > 0.0 { top * 1.05 } else { 1.0 };
            let axes = Axes::new(&page, [left, above], [width, HEIGHT], first..last, 0.0..top);
            let (x, y) = (ticks(first..last, 8), ticks(0.0..top, 6));
            let whole: Vec<f64> = x.into_iter().filter(|tick| tick.fract() == 0.0).collect();
            axes.x_ticks(&whole, |tick| format!("{tick:.0}"))?;
            let places = decimals(&y);
            axes.y_ticks(&y, |tick| format!("{tick:.places$}"))?;
            axes.frame()?;
            axes.y_title(title, top / 2.0, 10.5)?;
            axes.x_title("epoch", 5.5)?;
            for (classifier, curve) in curves.iter().enumerate() {
                for &(value, dashed) in lines {
                    draw_line(&axes, &curve.points, value, dashed, classifier)?;
                }
            }
        }
        page.present()?;
    }
    let validated = curves
        .iter()
        .flat_map(|curve| &curve.points)
        .any(|point| point.validation_loss.is_some());
    let losses = if validated {
        "Training and validation loss"
    } else {
        "Training loss"
    };
    let caption = format!(
        "{losses} (left); validation errors of the minority and the majority classes, mean over attributes (right)."
    );
    Ok(Figure::new(NAME, caption, svg, size))
}

fn draw_line(
    axes: &Axes<'_>,
    points: &[EpochPoint],
    value: fn(&EpochPoint) -> Option<f64>,
    dashed: bool,
    classifier: usize,
) -> Result<()> {
    let line: Vec<(f64, f64)> = points
        .iter()
        .filter_map(|point| Some((point.epoch, value(point)?)))
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let ink = colour(classifier);
    if line.len() > 1 {
        if dashed {
            axes.dashes(&line, ink, 0.35)?;
        } else {
            axes.line(&line, ink, 0.4)?;
        }
    }
    line.iter().try_for_each(|&(x, y)| axes.dot(x, y, 0.5, ink))
}

/// Colours stand for classifiers, dashes for the second line of a panel, if it has one.
fn entries(curves: &[TrainingCurve], lines: &[Line; 2], names: [&str; 2]) -> Vec<(Key, String)> {
    let mut entries: Vec<(Key, String)> = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| (Key::Line(colour(index)), readable(&curve.classifier)))
        .collect();
    let drawn = |value: fn(&EpochPoint) -> Option<f64>| {
        curves
            .iter()
            .flat_map(|curve| &curve.points)
            .any(|p| value(p).is_some())
    };
    if lines.iter().all(|&(value, _)| drawn(value)) {
        entries.push((Key::Line(GREY), names[0].to_owned()));
        entries.push((Key::Dashes(GREY), names[1].to_owned()));
    }
    entries
}
