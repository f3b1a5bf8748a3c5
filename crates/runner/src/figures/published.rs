//! A run beside the paper: for each attribute and quantity, ours and the published number.

use plotters::style::text_anchor::{HPos, VPos};

use super::axes::{Axes, Key, Page, legend, legend_height, page, units};
use super::data::{PublishedFigure, PublishedPanel};
use super::error::{FigureError, Result};
use super::export::Figure;
use super::style::{BAND, DOUBLE_COLUMN, GREY, INK, LABEL, NOTE, TICK, colour, fit, readable, text, text_width};

const NAME: &str = "published";
const MARGIN: f64 = 1.0;
/// The most that names of attributes take.
const NAMES: f64 = 36.0;
/// Height of an attribute's row.
const ROW: f64 = 3.5;
/// Between two panels, and between those of two classifiers.
const GAP: f64 = 3.2;
const GROUP_GAP: f64 = 5.0;
/// Above the panels: the classifier's name and the quantity's.
const HEAD: f64 = 8.6;
/// Below: ticks and three lines of numbers.
const BELOW: f64 = 12.5;

/// Draws a row an attribute and a panel a quantity: a dot for our number, an upright stroke for the published one, and a line
/// between.
///
/// # Errors
/// No attribute or panel, or a panel without one value an attribute.
pub fn published(data: &PublishedFigure) -> Result<Figure> {
    if data.attributes.is_empty() || data.panels.is_empty() {
        return Err(FigureError::Empty(NAME));
    }
    let rows = data.attributes.len();
    if let Some(panel) = data.panels.iter().find(|panel| panel.values.len() != rows) {
        return Err(FigureError::Mismatch {
            figure: NAME,
            what: "values of a panel",
            found: panel.values.len(),
            expected: rows,
        });
    }
    let mut classifiers: Vec<&str> = Vec::new();
    for panel in &data.panels {
        if !classifiers.contains(&panel.classifier.as_str()) {
            classifiers.push(&panel.classifier);
        }
    }
    let mut entries: Vec<(Key, String)> = classifiers
        .iter()
        .enumerate()
        .map(|(index, name)| (Key::Dot(colour(index)), format!("{}, this run", readable(name))))
        .collect();
    entries.push((Key::Interval, "published".to_owned()));

    let names = data.attributes.iter().map(|name| fit(&readable(name), TICK, NAMES));
    let names: Vec<String> = names.collect();
    let widest = names.iter().map(|name| text_width(name, TICK)).fold(0.0, f64::max);
    let left = MARGIN + widest + 1.5;
    let above = MARGIN + legend_height(&entries, DOUBLE_COLUMN - 2.0 * MARGIN) + HEAD;
    let height = ROW * rows as f64;
    let gaps = GAP * (data.panels.len() - classifiers.len()) as f64 + GROUP_GAP * (classifiers.len() - 1) as f64;
    let width = (DOUBLE_COLUMN - left - 2.0 - gaps) / data.panels.len() as f64;
    let size = [DOUBLE_COLUMN, above + height + BELOW];
    let mut svg = String::new();
    {
        let page = page(&mut svg, size)?;
        legend(&page, [MARGIN, MARGIN], DOUBLE_COLUMN - 2.0 * MARGIN, &entries)?;
        let style = text(TICK, INK, HPos::Right, VPos::Center);
        for (row, name) in names.iter().enumerate() {
            let middle = above + (row as f64 + 0.5) * ROW;
            page.draw_text(name, &style, (units(left - 1.2), units(middle)))?;
        }
        let mut x = left;
        for (index, panel) in data.panels.iter().enumerate() {
            let position = classifiers
                .iter()
                .position(|name| *name == panel.classifier)
                .unwrap_or(0);
            let first = index == 0 || data.panels[index - 1].classifier != panel.classifier;
            if index > 0 {
                x += if first { GROUP_GAP } else { GAP };
            }
            let area = Axes::new(&page, [x, above], [width, height], 0.0..1.0, 0.0..rows as f64);
            draw_panel(&page, &area, panel, position, [x, above], [width, height])?;
            if first {
                let style = text(LABEL, INK, HPos::Left, VPos::Top);
                page.draw_text(
                    &readable(&panel.classifier),
                    &style,
                    (units(x), units(above - HEAD + 0.6)),
                )?;
            }
            x += width;
        }
        page.present()?;
    }
    let caption = "This run beside the paper: error rates and mean proportional energies (of the images predicted positive and \
        negative) of each attribute. Below: mean of ours less the published, mean absolute difference, and rank correlation over \
        attributes. Weights, seeds and resampling are not the authors'.";
    Ok(Figure::new(NAME, caption.to_owned(), svg, size))
}

fn draw_panel(
    page: &Page<'_>,
    axes: &Axes<'_>,
    panel: &PublishedPanel,
    classifier: usize,
    [x, above]: [f64; 2],
    [width, height]: [f64; 2],
) -> Result<()> {
    let rows = panel.values.len();
    for row in (0..rows).step_by(2) {
        axes.rectangle([0.0, (rows - row) as f64], [1.0, (rows - row - 1) as f64], BAND)?;
    }
    axes.x_ticks(&[0.0, 0.5, 1.0], |tick| {
        if tick == 0.5 {
            ".5".to_owned()
        } else {
            format!("{tick:.0}")
        }
    })?;
    for (row, value) in panel.values.iter().enumerate() {
        let y = (rows - row) as f64 - 0.5;
        if let Some((ours, published)) = value.filter(|(ours, published)| ours.is_finite() && published.is_finite()) {
            axes.line(&[(ours, y), (published, y)], GREY, 0.22)?;
            axes.line(&[(published, y - 0.36), (published, y + 0.36)], INK, 0.3)?;
            axes.dot(ours, y, 0.7, colour(classifier))?;
        }
    }
    let centre = units(x + width / 2.0);
    let style = text(TICK, INK, HPos::Center, VPos::Bottom);
    page.draw_text(title(panel.quantity), &style, (centre, units(above - 0.8)))?;
    let style = text(NOTE, INK, HPos::Center, VPos::Top);
    let correlation = panel
        .rank_correlation
        .map_or_else(|| "–".to_owned(), |value| format!("{value:+.2}"));
    let notes = [
        format!("Δ {:+.3}", panel.mean_difference),
        format!("|Δ| {:.3}", panel.mean_absolute_difference),
        format!("ρ {correlation}"),
    ];
    for (line, note) in notes.iter().enumerate() {
        let y = above + height + 4.2 + 2.5 * line as f64;
        page.draw_text(note, &style, (centre, units(y)))?;
    }
    Ok(())
}

fn title(quantity: &str) -> &str {
    match quantity {
        "fnr" => "FNR",
        "fpr" => "FPR",
        "energy_predicted_positive" => "energy +",
        "energy_predicted_negative" => "energy −",
        other => other,
    }
}
