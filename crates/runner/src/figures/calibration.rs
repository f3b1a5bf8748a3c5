//! Reliability of the predicted probabilities of the minority class.

use super::axes::{Axes, below, half_line, left_of, ticks};
use super::data::CalibrationCurve;
use super::error::{FigureError, Result};
use super::export::Figure;
use super::legend::{Key, legend, legend_height};
use super::page::{Dash, Page};
use super::palette::Marker;
use super::style::{Column, GREY, Style};
use crate::names::{number, readable};

const NAME: &str = "calibration";
const MARGIN: f64 = 1.0;
const RIGHT: f64 = 3.0;
const TALLEST: f64 = 80.0;

/// Draws, for each classifier, how often the minority class is right where it is predicted with a given probability.
///
/// # Errors
/// No classifier with a sample.
pub fn calibration(style: &Style, curves: &[CalibrationCurve]) -> Result<Figure> {
    if curves.iter().all(|curve| curve.bins.is_empty()) {
        return Err(FigureError::Empty(NAME));
    }
    let mut entries: Vec<(Key, String)> = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| {
            let error = curve
                .error
                .map_or_else(String::new, |error| format!(", calibration error {}", number(error, 3)));
            (Key::Line(index), readable(&curve.classifier) + &error)
        })
        .collect();
    entries.push((Key::Interval, "95 % confidence interval".to_owned()));
    entries.push((Key::Rule(GREY, Dash::Dashed), "calibrated".to_owned()));
    let marks = ticks(0.0..1.0, 5);
    let label = |tick: f64| number(tick, 1);
    let width = style.width(Column::Single);
    let left = MARGIN + left_of(style, marks.iter().map(|&tick| label(tick)));
    let panel = [width - left - RIGHT, (width - left - RIGHT).min(TALLEST)];
    let top = MARGIN + legend_height(style, &entries, panel[0]).max(half_line(style.tick()));
    let size = [width, top + panel[1] + below(style) + MARGIN];

    let mut svg = String::new();
    let page = Page::new(&mut svg, style, size)?;
    legend(&page, [left, MARGIN], panel[0], &entries)?;
    let axes = Axes::new(&page, [left, top], panel, 0.0..1.0, 0.0..1.0);
    axes.x_ticks(&marks, label)?;
    axes.y_ticks(&marks, label)?;
    axes.frame()?;
    axes.line(&[[0.0, 0.0], [1.0, 1.0]], GREY, 0.2, Dash::Dashed)?;
    axes.x_title("predicted probability of the minority class")?;
    axes.y_title("observed frequency", 0.5, left - MARGIN)?;
    for (index, curve) in curves.iter().enumerate() {
        let line: Vec<[f64; 2]> = curve.bins.iter().map(|bin| [bin.predicted, bin.observed]).collect();
        if line.len() > 1 {
            axes.line(&line, style.colour(index), 0.4, Dash::Solid)?;
        }
        for bin in &curve.bins {
            let [x, low] = axes.at(bin.predicted, bin.interval.0);
            let [_, high] = axes.at(bin.predicted, bin.interval.1);
            page.interval(x, low, high, 0.5)?;
        }
        for &point in &line {
            axes.marker(point, Marker::of(index), 0.75, style.colour(index), false)?;
        }
    }
    page.finish()?;
    let caption = "How often the minority class is the label where a classifier gives it a probability, in ten equal steps, over all \
        attributes and frontal test images together. Calibration error: mean distance from the diagonal, weighted by samples. \
        Error bars: Wilson's 95 % confidence intervals, as if all samples were independent. The probability is (z + 1) / 2 within \
        [0, 1] after training by the Euclidean loss, the logistic function of z after cross-entropy; class weights change what it \
        means, so a balanced classifier is not expected on the diagonal.";
    Ok(Figure::new(NAME, caption.to_owned(), svg, size))
}
