//! Reliability of the predicted probabilities of the minority class.

use metrics::CalibrationBin;

use crate::drawing::export::Figure;
use crate::drawing::legend::Key;
use crate::drawing::page::Dash;
use crate::drawing::palette::Marker;
use crate::drawing::panels::{Axis, Panel, Panels};
use crate::drawing::style::{Column, GREY, Style};
use crate::error::{Error, Result};
use crate::text::{number, readable};

/// The calibration of one classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationCurve {
    /// Name of the classifier.
    pub classifier: String,
    /// Its steps that have samples, in order: of the minority class, how probable it was said to be and how often it is the label.
    pub bins: Vec<CalibrationBin>,
    /// Mean distance of predicted and observed, weighted by samples.
    pub error: Option<f64>,
}

const NAME: &str = "calibration";
const TALLEST: f64 = 80.0;

/// Draws, for each classifier, how often the minority class is right where it is predicted with a given probability.
///
/// # Errors
/// No classifier with a sample.
pub fn calibration(style: &Style, curves: &[CalibrationCurve]) -> Result<Figure> {
    if curves.iter().all(|curve| curve.bins.is_empty()) {
        return Err(Error::Empty(NAME));
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
    let panel = Panel {
        x: Axis::of("predicted probability of the minority class", 0.0..1.0, 5),
        y: Axis::of("observed frequency", 0.0..1.0, 5),
        entries,
    };
    let layout = Panels {
        panels: &[panel],
        column: Column::Single,
        height: |width| width.min(TALLEST),
    };
    let drawn = layout.draw(style, |axes, _| {
        axes.line(&[[0.0, 0.0], [1.0, 1.0]], GREY, 0.2, Dash::Dashed)?;
        for (index, curve) in curves.iter().enumerate() {
            let line: Vec<[f64; 2]> = curve.bins.iter().map(|bin| [bin.predicted, bin.observed]).collect();
            if line.len() > 1 {
                axes.line(&line, style.colour(index), 0.4, Dash::Solid)?;
            }
            for bin in &curve.bins {
                let [x, low] = axes.at(bin.predicted, bin.interval.low);
                let [_, high] = axes.at(bin.predicted, bin.interval.high);
                axes.page.interval(x, low, high, 0.5)?;
            }
            for &point in &line {
                axes.marker(point, Marker::of(index), 0.75, style.colour(index), false)?;
            }
        }
        Ok(())
    })?;
    let caption = "How often the minority class is the label where a classifier gives it a probability, in ten equal steps, over all \
        attributes and test images together. Calibration error: mean distance from the diagonal, weighted by samples. \
        Error bars: Wilson's 95 % confidence intervals, as if all samples were independent. The probability is (z + 1) / 2 within \
        [0, 1] after training by the Euclidean loss, the logistic function of z after cross-entropy; class weights change what it \
        means, so a balanced classifier is not expected on the diagonal.";
    Ok(Figure::new(NAME, caption.to_owned(), drawn.svg, drawn.size))
}
