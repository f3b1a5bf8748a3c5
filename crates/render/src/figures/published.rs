//! A run beside the paper: for each attribute and quantity, ours and the published number.

use plotters::style::WHITE;
use plotters::style::text_anchor::{HPos, VPos};

use crate::drawing::axes::{Axes, TICK_GAP};
use crate::drawing::export::Figure;
use crate::drawing::legend::{Key, legend, legend_height};
use crate::drawing::page::{Dash, Page};
use crate::drawing::palette::Marker;
use crate::drawing::style::{BAND, Column, GREY, GRID, INK, Style, fit, line_height, widest};
use crate::error::{Error, Result};
use crate::text::{number, readable, signed};

/// One quantity of one classifier beside the published numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedPanel {
    /// Name of the classifier.
    pub classifier: String,
    /// `fnr`, `fpr`, `energy_predicted_positive` or `energy_predicted_negative`.
    pub quantity: &'static str,
    /// (ours, published) of each attribute, in `[0, 1]`.
    pub values: Vec<Option<(f64, f64)>>,
    /// Mean of ours less mean of the published.
    pub mean_difference: f64,
    /// Mean absolute difference.
    pub mean_absolute_difference: f64,
    /// Spearman's correlation over attributes.
    pub rank_correlation: Option<f64>,
}

/// A run beside the paper, attribute by attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedFigure {
    /// The attributes, from above to below.
    pub attributes: Vec<String>,
    /// The panels, from left to right.
    pub panels: Vec<PublishedPanel>,
}

const NAME: &str = "published";
const MARGIN: f64 = 1.0;
/// The most that names of attributes take.
const NAMES: f64 = 34.0;
/// Between two panels, and between those of two classifiers.
const GAP: f64 = 2.6;
const GROUP_GAP: f64 = 4.5;

/// Draws a row an attribute and a panel a quantity: a point for our number, an upright stroke for the published one, and a line
/// between.
///
/// # Errors
/// No attribute or panel, or a panel without one value an attribute.
pub fn published(style: &Style, data: &PublishedFigure) -> Result<Figure> {
    if data.attributes.is_empty() || data.panels.is_empty() {
        return Err(Error::Empty(NAME));
    }
    let rows = data.attributes.len();
    if let Some(panel) = data.panels.iter().find(|panel| panel.values.len() != rows) {
        return Err(Error::Mismatch {
            figure: NAME,
            what: "values of a panel",
            found: panel.values.len(),
            expected: rows,
        });
    }
    let groups: Vec<&[PublishedPanel]> = data
        .panels
        .chunk_by(|one, other| one.classifier == other.classifier)
        .collect();
    let mut entries: Vec<(Key, String)> = groups
        .iter()
        .enumerate()
        .map(|(index, group)| {
            (
                Key::Point(index),
                format!("{}, this run", readable(&group[0].classifier)),
            )
        })
        .collect();
    entries.push((Key::Upright, "published".to_owned()));

    let (label, tick) = (style.label(), style.tick());
    let total = style.width(Column::Double);
    let names = data.attributes.iter().map(|name| fit(&readable(name), tick, NAMES));
    let names: Vec<String> = names.collect();
    let left = MARGIN + widest(&names, tick) + 1.5;
    // As many classifiers abreast as leave the numbers below the panels room; the others go below.
    let each = groups.iter().map(|group| group.len()).max().unwrap_or(1) as f64;
    let width_of = |abreast: usize| {
        let gaps = GAP * (each - 1.0) * abreast as f64 + GROUP_GAP * (abreast - 1) as f64;
        (total - left - MARGIN - 1.0 - gaps) / (each * abreast as f64)
    };
    let narrowest = data
        .panels
        .iter()
        .map(|panel| widest(notes(panel), tick))
        .fold(0.0, f64::max);
    let mut abreast = groups.len();
    while abreast > 1 && width_of(abreast) < narrowest {
        abreast -= 1;
    }
    let width = width_of(abreast);
    let lines = groups.len().div_ceil(abreast);

    let head = line_height(label) + line_height(tick) + 1.4;
    // A row holds a line of text.
    let row_height = line_height(tick) * 1.12;
    let height = row_height * rows as f64;
    let block = head + height + TICK_GAP + 4.0 * line_height(tick) + 0.5;
    let top = MARGIN + legend_height(style, &entries, total - 2.0 * MARGIN);
    let size = [
        total,
        top + lines as f64 * block + (lines - 1) as f64 * GROUP_GAP + MARGIN,
    ];
    let mut svg = String::new();
    let page = Page::new(&mut svg, style, size)?;
    legend(&page, [MARGIN, MARGIN], total - 2.0 * MARGIN, &entries)?;
    for (index, group) in groups.iter().enumerate() {
        let column = (index % abreast) as f64;
        let above = top + head + (index / abreast) as f64 * (block + GROUP_GAP);
        if index % abreast == 0 {
            for (row, name) in names.iter().enumerate() {
                let middle = above + (row as f64 + 0.5) * row_height;
                page.text(name, [left - 1.2, middle], tick, INK, (HPos::Right, VPos::Center))?;
            }
        }
        let room = each * width + (each - 1.0) * GAP;
        let x = left + column * (room + GROUP_GAP);
        let name = fit(&readable(&group[0].classifier), label, room);
        page.text(&name, [x, above - head + 0.3], label, INK, (HPos::Left, VPos::Top))?;
        for (position, panel) in group.iter().enumerate() {
            let x = x + position as f64 * (width + GAP);
            let axes = Axes::new(&page, [x, above], [width, height], 0.0..1.0, 0.0..rows as f64);
            draw_panel(&axes, panel, index, [x, above], [width, height])?;
        }
    }
    page.finish()?;
    let caption = "This run beside the paper: error rates and mean proportional energies (of the images predicted positive and \
        negative) of each attribute. Below: mean of ours less the published, mean absolute difference, and rank correlation over \
        attributes. Weights, seeds and resampling are not the authors'.";
    Ok(Figure::new(NAME, caption.to_owned(), svg, size))
}

fn draw_panel(
    axes: &Axes<'_, '_>,
    panel: &PublishedPanel,
    classifier: usize,
    [x, above]: [f64; 2],
    [width, height]: [f64; 2],
) -> Result<()> {
    let page = axes.page;
    let style = page.style;
    let tick = style.tick();
    let rows = panel.values.len();
    for row in (0..rows).step_by(2) {
        axes.rectangle([0.0, (rows - row) as f64], [1.0, (rows - row - 1) as f64], BAND)?;
    }
    // The outer labels stay inside, so that they do not run into the next panel's.
    for (value, label, side) in [
        (0.0, "0", HPos::Left),
        (0.5, ".5", HPos::Center),
        (1.0, "1", HPos::Right),
    ] {
        axes.line(&[[value, 0.0], [value, rows as f64]], GRID, 0.12, Dash::Solid)?;
        let [x, y] = axes.at(value, 0.0);
        page.text(label, [x, y + TICK_GAP], tick, INK, (side, VPos::Top))?;
    }
    for (row, value) in panel.values.iter().enumerate() {
        let y = (rows - row) as f64 - 0.5;
        if let Some((ours, published)) = value.filter(|(ours, published)| ours.is_finite() && published.is_finite()) {
            axes.line(&[[ours, y], [published, y]], WHITE, 0.5, Dash::Solid)?;
            axes.line(&[[ours, y], [published, y]], GREY, 0.22, Dash::Solid)?;
            axes.line(&[[published, y - 0.42], [published, y + 0.42]], INK, 0.3, Dash::Solid)?;
            axes.marker([ours, y], Marker::of(classifier), 0.65, style.colour(classifier), false)?;
        }
    }
    let centre = x + width / 2.0;
    let title = title(panel.quantity);
    page.text(title, [centre, above - 0.8], tick, INK, (HPos::Center, VPos::Bottom))?;
    for (line, note) in notes(panel).iter().enumerate() {
        let y = above + height + TICK_GAP + 0.5 + line_height(tick) * (line + 1) as f64;
        page.text(note, [centre, y], tick, INK, (HPos::Center, VPos::Top))?;
    }
    Ok(())
}

/// Mean difference, mean absolute difference and rank correlation.
fn notes(panel: &PublishedPanel) -> [String; 3] {
    let correlation = panel
        .rank_correlation
        .map_or_else(|| "–".to_owned(), |value| signed(value, 2));
    [
        format!("Δ {}", signed(panel.mean_difference, 3)),
        format!("|Δ| {}", number(panel.mean_absolute_difference, 3)),
        format!("ρ {correlation}"),
    ]
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
