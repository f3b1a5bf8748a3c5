//! How much of the scores for the majority class is the same for every image.

use plotters::style::text_anchor::{HPos, VPos};

use super::axes::{Axes, Key, Page, decimals, legend, legend_height, page, ticks, units};
use super::data::{BiasFigure, BiasGroup};
use super::error::{FigureError, Result};
use super::export::Figure;
use super::style::{BAND, DOUBLE_COLUMN, INK, TICK, colour, fit, readable, text_width, vertical};

const NAME: &str = "bias_reliance";
const LEFT: f64 = 13.0;
const MARGIN: f64 = 1.5;
/// Heights of the two panels and the space between them.
const SCORES: f64 = 42.0;
const REGION: f64 = 34.0;
const BETWEEN: f64 = 4.0;
const LONGEST_NAME: f64 = 45.0;
/// Width of an attribute: names would touch below the first, bars turn into walls above the second.
const ATTRIBUTE: [f64; 2] = [3.2, 16.0];
const LEAST: f64 = 90.0;
/// Part of an attribute's width that its bars take.
const FILLED: f64 = 0.8;

/// Draws, above, the constant part (bar), the head's bias (line) and the mean (dot) of the scores of the images predicted as the
/// majority class; below, what the attribute's region adds to the constant part when the majority (bar) and the minority (dot)
/// is predicted.
///
/// # Errors
/// No attribute or classifier, or an attribute without one entry per classifier.
pub fn bias_reliance(data: &BiasFigure) -> Result<Figure> {
    if data.groups.is_empty() || data.classifiers.is_empty() {
        return Err(FigureError::Empty(NAME));
    }
    let wrong = data
        .groups
        .iter()
        .find(|group| group.bars.len() != data.classifiers.len());
    if let Some(group) = wrong {
        return Err(FigureError::Mismatch {
            figure: NAME,
            what: "entries of an attribute",
            found: group.bars.len(),
            expected: data.classifiers.len(),
        });
    }
    let names: Vec<String> = data
        .groups
        .iter()
        .map(|group| fit(&readable(&group.attribute), TICK, LONGEST_NAME))
        .collect();
    let below = names.iter().map(|name| text_width(name, TICK)).fold(0.0, f64::max) + 3.0;
    let mut entries: Vec<(Key, String)> = data
        .classifiers
        .iter()
        .enumerate()
        .map(|(index, name)| (Key::Box(colour(index)), readable(name)))
        .collect();
    entries.extend([
        (Key::Dot(INK), "above: mean score; below: minority predicted".to_owned()),
        (Key::Line(INK), "head's bias".to_owned()),
    ]);
    if data.groups.iter().any(|group| group.global) {
        entries.push((Key::Box(BAND), "no place of its own".to_owned()));
    }
    let attributes = data.groups.len() as f64;
    let widest = (ATTRIBUTE[1] * attributes).max(LEAST);
    let width = (DOUBLE_COLUMN - LEFT - MARGIN)
        .min(widest)
        .max(ATTRIBUTE[0] * attributes);
    let above = MARGIN + legend_height(&entries, width) + 1.0;
    let size = [LEFT + width + MARGIN, above + SCORES + BETWEEN + REGION + below];

    let mut svg = String::new();
    {
        let page = page(&mut svg, size)?;
        legend(&page, [LEFT, MARGIN], width, &entries)?;
        let scores = panel(&page, [above, SCORES, width], data, "score for the majority", |group| {
            group
                .bars
                .iter()
                .flat_map(|bar| [bar.constant, bar.bias, bar.score])
                .collect()
        })?;
        let region = panel(
            &page,
            [above + SCORES + BETWEEN, REGION, width],
            data,
            "added by the region",
            |group| {
                group
                    .bars
                    .iter()
                    .flat_map(|bar| [bar.region, bar.region_minority])
                    .collect()
            },
        )?;
        for (index, group) in data.groups.iter().enumerate() {
            draw_group(&scores, &region, index as f64, group)?;
        }
        for axes in [&scores, &region] {
            axes.line(&[(0.0, 0.0), (attributes, 0.0)], INK, 0.2)?;
        }
        let style = vertical(TICK, INK, HPos::Right, VPos::Center);
        let bottom = units(above + SCORES + BETWEEN + REGION + 1.2);
        for (index, name) in names.iter().enumerate() {
            let (x, _) = region.position(index as f64 + 0.5, 0.0);
            page.draw_text(name, &style, (x, bottom))?;
        }
        page.present()?;
    }
    let caption = "Above: mean score of the images predicted as the majority class (dot), its constant part, which is the same \
        for every image (bar), and the head's bias (line); the dot beyond the bar is what the image itself adds. Below: what the \
        attribute's region adds to the constant part, for images predicted as the majority (bar) and as the minority class (dot). \
        All in logits of the predicted class, with attributes by size of the minority class.";
    Ok(Figure::new(NAME, caption.to_owned(), svg, size))
}

/// One panel with ticks and title: `[top, height, width]`, and all values that it must hold.
fn panel<'a>(
    page: &Page<'a>,
    [top, height, width]: [f64; 3],
    data: &BiasFigure,
    title: &str,
    values: impl Fn(&BiasGroup) -> Vec<Option<f64>>,
) -> Result<Axes<'a>> {
    let all: Vec<f64> = data
        .groups
        .iter()
        .flat_map(values)
        .flatten()
        .filter(|v| v.is_finite())
        .collect();
    let low = all.iter().copied().fold(0.0, f64::min);
    let high = all.iter().copied().fold(0.0, f64::max);
    let room = ((high - low) * 0.06).max(0.05);
    let range = (if low < 0.0 { low - room } else { 0.0 })..high + room;
    let axes = Axes::new(
        page,
        [LEFT, top],
        [width, height],
        0.0..data.groups.len() as f64,
        range.clone(),
    );
    for (index, _) in data.groups.iter().enumerate().filter(|(_, group)| group.global) {
        axes.rectangle([index as f64, range.start], [index as f64 + 1.0, range.end], BAND)?;
    }
    let marks = ticks(range.clone(), 6);
    let places = decimals(&marks);
    axes.y_ticks(&marks, |value| format!("{value:.places$}"))?;
    axes.y_title(title, (range.start + range.end) / 2.0, 9.5)?;
    Ok(axes)
}

fn draw_group<'a>(scores: &Axes<'a>, region: &Axes<'a>, left: f64, group: &BiasGroup) -> Result<()> {
    let width = FILLED / group.bars.len() as f64;
    for (index, bar) in group.bars.iter().enumerate() {
        let x = left + (1.0 - FILLED) / 2.0 + index as f64 * width;
        let middle = x + width / 2.0;
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        for (axes, value, dot) in [
            (scores, bar.constant, bar.score),
            (region, bar.region, bar.region_minority),
        ] {
            match finite(value) {
                Some(value) => axes.rectangle([x + width * 0.04, 0.0], [x + width * 0.96, value], colour(index))?,
                None => axes.cross(middle, 0.0, 0.4, [0.0, -1.2])?,
            }
            if let Some(value) = finite(dot) {
                axes.dot(middle, value, 0.5, INK)?;
            }
        }
        if let Some(value) = finite(bar.bias) {
            scores.line(&[(x, value), (x + width, value)], INK, 0.3)?;
        }
    }
    Ok(())
}
