//! Average maps over average faces, for every attribute, classifier and predicted class.

use crate::colour::ColourMap;

use super::complete::one_each;
use crate::drawing::export::Figure;
use crate::drawing::outline::Outline;
use crate::drawing::picture_panel::{colour_scale, panel};
use crate::drawing::raster::overlay;
use crate::drawing::style::{Column, GREY, GRID, INK, Style, capital, fit, line_height, points_to_fit, text_width};
use crate::drawing::svg::{Anchor, Svg};
use crate::error::Result;
use crate::text::{readable, thousands};
use image::RgbImage;

/// One panel of the sheet of average maps: the samples that a classifier predicts as one class.
#[derive(Debug, Clone, Default)]
pub struct AveragePanel {
    /// Number of samples.
    pub samples: usize,
    /// Their mean proportional energy.
    pub energy: Option<f64>,
    /// Their average face, square; `None` without samples.
    pub face: Option<RgbImage>,
    /// Their average map, row-major and square, of any side, in `[0, 1]`.
    pub map: Option<Vec<f32>>,
}

/// The panels of one attribute.
#[derive(Debug, Clone)]
pub struct AverageRow {
    /// Name of the attribute.
    pub attribute: String,
    /// Where the attribute is expected.
    pub outline: Option<Outline>,
    /// For each classifier the samples predicted positive and those predicted negative.
    pub panels: Vec<[AveragePanel; 2]>,
}

/// The sheet of average maps.
#[derive(Debug, Clone)]
pub struct AverageCams {
    /// Names of the classifiers.
    pub classifiers: Vec<String>,
    /// The attributes, in reading order.
    pub rows: Vec<AverageRow>,
}

const NAME: &str = "average_cams";
const MARGIN: f64 = 1.0;
/// Space between panels, between classifiers and between columns of attributes.
const GAP: f64 = 0.4;
const CLASSIFIER_GAP: f64 = 1.2;
const COLUMN_GAP: f64 = 3.0;
const ROW_GAP: f64 = 1.6;
/// Rows that fit a page before another column is opened, and the largest panel.
const ROWS: usize = 10;
const LARGEST_PANEL: f64 = 21.0;
/// So many attributes fit one column of a page.
const FEW: usize = 5;

/// Draws the sheet: for each attribute and classifier the average map of the samples predicted positive and of those
/// predicted negative, over the average face of the same samples.
///
/// # Errors
/// No attribute or classifier, or an attribute without two panels per classifier.
pub fn average_cams(style: &Style, data: &AverageCams) -> Result<Figure> {
    one_each(
        NAME,
        &data.rows,
        &data.classifiers,
        "pairs of panels of an attribute",
        |row| row.panels.len(),
    )?;
    let classifiers = data.classifiers.len();
    let (label, tick) = (style.label(), style.tick());
    let width = style.width(if data.rows.len() <= FEW {
        Column::Single
    } else {
        Column::Double
    });
    let panels = (2 * classifiers) as f64;
    let gaps = classifiers as f64 * GAP + (classifiers - 1) as f64 * CLASSIFIER_GAP;
    let side_of = |columns: usize| {
        let room = width - 2.0 * MARGIN - (columns - 1) as f64 * COLUMN_GAP;
        (room / columns as f64 - gaps) / panels
    };
    // As few columns as the page's height allows, unless panels get too large; never so many that numbers would touch.
    let narrowest = text_width("00,000", tick);
    let mut columns = data.rows.len().div_ceil(ROWS);
    while columns < data.rows.len() && side_of(columns) > LARGEST_PANEL {
        columns += 1;
    }
    while columns > 1 && side_of(columns) < narrowest {
        columns -= 1;
    }
    let side = side_of(columns).clamp(3.0, LARGEST_PANEL);
    let rows = data.rows.len().div_ceil(columns);
    let column_width = side * panels + gaps;

    // Heights: colour scale, column heads, name above and numbers below a row of panels.
    let scale_line = line_height(tick) + 1.5;
    let swatch = 1.1;
    let head = line_height(label) + swatch + 0.9 + line_height(label) + 0.6;
    let name_line = line_height(tick) + 0.6;
    let numbers = 2.0 * line_height(tick) + 0.2;
    let row_height = name_line + side + numbers + ROW_GAP;
    let size = [
        width,
        MARGIN + scale_line + head + rows as f64 * row_height - ROW_GAP + MARGIN,
    ];

    let mut svg = Svg::new();
    svg.rectangle([0.0, 0.0], size, plotters::style::WHITE);
    let middle = [width - MARGIN, MARGIN + line_height(tick) / 2.0];
    colour_scale(&mut svg, style, middle, ColourMap::default());
    // The panel's distance from the left of its column.
    let offset = |classifier: usize, class: usize| {
        classifier as f64 * (2.0 * side + GAP + CLASSIFIER_GAP) + class as f64 * (side + GAP)
    };
    let block = 2.0 * side + GAP;
    let sizes = data
        .classifiers
        .iter()
        .map(|name| points_to_fit(&readable(name), tick..label, block));
    let classifier_size = sizes.fold(label, f64::min);
    let top = MARGIN + scale_line;
    for column in 0..columns.min(data.rows.len().div_ceil(rows)) {
        let left = MARGIN + column as f64 * (column_width + COLUMN_GAP);
        for (index, name) in data.classifiers.iter().enumerate() {
            let start = left + offset(index, 0);
            let name = fit(&readable(name), classifier_size, block);
            let baseline = top + capital(label) + 0.4;
            svg.text(
                [start + block / 2.0, baseline],
                &name,
                classifier_size,
                INK,
                Anchor::Middle,
            );
            let below = top + line_height(label) + 0.3;
            svg.bar([start, below], [block, swatch], style, index);
            for (class, sign) in ["+", "−"].into_iter().enumerate() {
                let middle = left + offset(index, class) + side / 2.0;
                let baseline = below + swatch + 0.6 + capital(label);
                svg.text([middle, baseline], sign, label, INK, Anchor::Middle);
            }
        }
    }
    for (index, row) in data.rows.iter().enumerate() {
        let left = MARGIN + (index / rows) as f64 * (column_width + COLUMN_GAP);
        let top = top + head + (index % rows) as f64 * row_height;
        svg.line([left, top], [left + column_width, top], GRID, 0.15);
        let name = fit(&readable(&row.attribute), tick, column_width);
        svg.text([left, top + capital(tick) + 0.6], &name, tick, INK, Anchor::Start);
        for (classifier, pair) in row.panels.iter().enumerate() {
            for (class, content) in pair.iter().enumerate() {
                let place = [left + offset(classifier, class), top + name_line];
                let outline = row.outline.as_ref();
                panel(&mut svg, style, place, side, picture(content).as_ref(), outline)?;
                let middle = place[0] + side / 2.0;
                let first = place[1] + side + capital(tick) + 0.7;
                let energy = content
                    .energy
                    .map_or_else(|| "–".to_owned(), |energy| format!("{energy:.2}"));
                svg.text([middle, first], &energy, tick, INK, Anchor::Middle);
                let samples = thousands(content.samples);
                let second = first + line_height(tick);
                svg.text([middle, second], &samples, tick, GREY, Anchor::Middle);
            }
        }
    }
    let below = if data.rows.iter().any(|row| row.outline.is_some()) {
        "Outline: where the attribute is expected; below: mean proportional energy inside it and number of samples."
    } else {
        "Below: mean proportional energy where the attribute is expected, and number of samples."
    };
    let caption = format!(
        "Average activation maps over average images, of the samples predicted positive (+) and negative (−). {below} The images are \
         grey: all colour is activation."
    );
    Ok(Figure::new(NAME, caption, svg.finish(), size))
}

/// The average face with the average map over it; `None` without samples.
fn picture(content: &AveragePanel) -> Option<RgbImage> {
    let face = content.face.as_ref()?;
    Some(
        content
            .map
            .as_ref()
            .map_or_else(|| face.clone(), |map| overlay(face, map)),
    )
}
