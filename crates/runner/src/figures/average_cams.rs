//! Average maps over average faces, for every attribute, classifier and predicted class.

use super::data::{AverageCams, AveragePanel};
use super::error::{FigureError, Result};
use super::export::Figure;
use super::raster::overlay;
use super::sheet::{colour_scale, panel, thousands};
use super::style::{DOUBLE_COLUMN, GREY, GRID, INK, LABEL, NOTE, TICK, colour, fit, points_to_fit, readable};
use super::svg::{Anchor, Svg};

const NAME: &str = "average_cams";
const MARGIN: f64 = 1.0;
/// Space between panels, between classifiers and between columns of attributes.
const GAP: f64 = 0.5;
const CLASSIFIER_GAP: f64 = 1.1;
const COLUMN_GAP: f64 = 3.0;
/// Heights: title line with the scale, column heads, name above and numbers below a row of panels.
const TITLE_LINE: f64 = 4.5;
const HEAD: f64 = 7.5;
const NAME_LINE: f64 = 3.6;
const NUMBERS: f64 = 5.4;
const ROW_GAP: f64 = 1.4;
/// Rows that fit a page before another column is opened, and the largest panel.
const ROWS: usize = 10;
const LARGEST_PANEL: f64 = 22.0;
const MOST_COLUMNS: usize = 4;

/// Draws the sheet: for each attribute and classifier the average map of the samples predicted positive and of those
/// predicted negative, over the average face of the same samples.
///
/// # Errors
/// No attribute or classifier, or an attribute without two panels per classifier.
pub fn average_cams(data: &AverageCams) -> Result<Figure> {
    if data.rows.is_empty() || data.classifiers.is_empty() {
        return Err(FigureError::Empty(NAME));
    }
    let classifiers = data.classifiers.len();
    if let Some(row) = data.rows.iter().find(|row| row.panels.len() != classifiers) {
        return Err(FigureError::Mismatch {
            figure: NAME,
            what: "pairs of panels of an attribute",
            found: row.panels.len(),
            expected: classifiers,
        });
    }
    let columns = data.rows.len().div_ceil(ROWS).min(MOST_COLUMNS);
    let rows = data.rows.len().div_ceil(columns);
    let gaps = classifiers as f64 * GAP + (classifiers - 1) as f64 * CLASSIFIER_GAP;
    let available = (DOUBLE_COLUMN - 2.0 * MARGIN - (columns - 1) as f64 * COLUMN_GAP) / columns as f64;
    let side = ((available - gaps) / (2 * classifiers) as f64).clamp(4.0, LARGEST_PANEL);
    let column_width = side * (2 * classifiers) as f64 + gaps;
    let row_height = NAME_LINE + side + NUMBERS + ROW_GAP;
    let width = (2.0 * MARGIN + column_width * columns as f64 + COLUMN_GAP * (columns - 1) as f64).max(62.0);
    let size = [width, MARGIN + TITLE_LINE + HEAD + rows as f64 * row_height];

    let mut svg = Svg::new();
    svg.rectangle([0.0, 0.0], size, plotters::style::WHITE);
    colour_scale(&mut svg, [width - MARGIN, MARGIN + TITLE_LINE / 2.0]);
    // The panel's distance from the left of its column.
    let offset = |classifier: usize, class: usize| {
        classifier as f64 * (2.0 * side + GAP + CLASSIFIER_GAP) + class as f64 * (side + GAP)
    };
    let sizes = data
        .classifiers
        .iter()
        .map(|name| points_to_fit(&readable(name), NOTE..LABEL, 2.0 * side));
    let classifier_size = sizes.fold(LABEL, f64::min);
    for column in 0..columns {
        let left = MARGIN + column as f64 * (column_width + COLUMN_GAP);
        let top = MARGIN + TITLE_LINE;
        for (index, name) in data.classifiers.iter().enumerate() {
            let start = left + offset(index, 0);
            let middle = start + side + GAP / 2.0;
            let name = fit(&readable(name), classifier_size, 2.0 * side);
            svg.text([middle, top + 2.8], &name, classifier_size, INK, Anchor::Middle);
            svg.line(
                [start, top + 3.7],
                [start + 2.0 * side + GAP, top + 3.7],
                colour(index),
                0.5,
            );
            for (class, sign) in ["+", "−"].into_iter().enumerate() {
                let middle = left + offset(index, class) + side / 2.0;
                svg.text([middle, top + 6.6], sign, LABEL, INK, Anchor::Middle);
            }
        }
    }
    for (index, row) in data.rows.iter().enumerate() {
        let left = MARGIN + (index / rows) as f64 * (column_width + COLUMN_GAP);
        let top = MARGIN + TITLE_LINE + HEAD + (index % rows) as f64 * row_height;
        svg.line([left, top + 0.1], [left + column_width, top + 0.1], GRID, 0.12);
        let name = fit(&readable(&row.attribute), TICK, column_width);
        svg.text([left, top + 2.9], &name, TICK, INK, Anchor::Start);
        for (classifier, pair) in row.panels.iter().enumerate() {
            for (class, content) in pair.iter().enumerate() {
                let place = [left + offset(classifier, class), top + NAME_LINE];
                panel(&mut svg, place, side, picture(content).as_ref(), row.outline.as_ref())?;
                let middle = place[0] + side / 2.0;
                let below = place[1] + side;
                let energy = content
                    .energy
                    .map_or_else(|| "–".to_owned(), |energy| format!("{energy:.2}"));
                svg.text([middle, below + 2.4], &energy, NOTE + 0.5, INK, Anchor::Middle);
                let samples = thousands(content.samples);
                svg.text([middle, below + 4.7], &samples, NOTE, GREY, Anchor::Middle);
            }
        }
    }
    let caption = "Average activation maps over average faces, of the samples predicted positive (+) and negative (−). Outline: \
        where the attribute is expected; below: mean proportional energy inside it and number of samples. The faces are grey: \
        all colour is activation.";
    Ok(Figure::new(NAME, caption.to_owned(), svg.finish(), size))
}

/// The average face with the average map over it; `None` without samples.
fn picture(content: &AveragePanel) -> Option<image::RgbImage> {
    let face = content.face.as_ref()?;
    Some(
        content
            .map
            .as_ref()
            .map_or_else(|| face.clone(), |map| overlay(face, map)),
    )
}
