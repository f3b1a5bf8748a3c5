//! What sets two classifiers apart, shared out: a bar of three parts for each quantity.

use metrics::{Interval, Part};
use plotters::style::WHITE;
use plotters::style::text_anchor::{HPos, VPos};

use crate::drawing::axes::{Axes, TICK_GAP, below, decimals, ticks};
use crate::drawing::export::Figure;
use crate::drawing::legend::{Key, legend, legend_height};
use crate::drawing::page::{Dash, Page};
use crate::drawing::palette::Marker;
use crate::drawing::style::{Column, INK, Style, fit, line_height, widest};
use crate::error::{Error, Result};
use crate::text::signed;

/// One quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct DecompositionRow {
    /// What it is.
    pub title: String,
    /// The steps from the first classifier to the second, and back, by [`Part::ALL`]; either way they add up to the difference.
    pub steps: [[f64; 3]; 2],
    /// The whole difference.
    pub difference: f64,
    /// Its confidence interval.
    pub interval: Option<Interval>,
}

/// The difference of two classifiers, quantity by quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct DecompositionFigure {
    /// The two classifiers: where the steps of the upper bars begin, and those of the lower ones.
    pub ends: [String; 2],
    /// What is subtracted from what, in words.
    pub difference: String,
    /// Groups of quantities, each on a scale of its own, which its title names.
    pub panels: Vec<(String, Vec<DecompositionRow>)>,
}

const NAME: &str = "decomposition";
const MARGIN: f64 = 1.0;
const RIGHT: f64 = 4.0;
const GAP: f64 = 3.0;
/// Most of the width that titles take.
const TITLES: f64 = 0.4;
/// Colours of the parts begin behind those of the two classifiers.
const FIRST_COLOUR: usize = 2;

/// Draws two bars for each quantity, the steps from either classifier: those that raise it to the right of 0, those that lower it to the
/// left, and the whole difference as a point with its interval.
///
/// # Errors
/// No quantity.
pub fn decomposition(style: &Style, data: &DecompositionFigure) -> Result<Figure> {
    let panels: Vec<&(String, Vec<DecompositionRow>)> =
        data.panels.iter().filter(|(_, rows)| !rows.is_empty()).collect();
    if panels.is_empty() {
        return Err(Error::Empty(NAME));
    }
    let width = style.width(Column::Single);
    let titles = panels
        .iter()
        .flat_map(|(_, rows)| rows.iter().map(|row| row.title.as_str()));
    let left = (widest(titles, style.tick()) + TICK_GAP).min(width * TITLES);
    let inner = width - 2.0 * MARGIN - left - RIGHT;
    let row = line_height(style.tick()) * 1.9;
    let mut entries: Vec<(Key, String)> = Part::ALL
        .iter()
        .enumerate()
        .map(|(place, part)| (Key::Bar(FIRST_COLOUR + place), part.name().to_owned()))
        .collect();
    entries.push((Key::Mark(Marker::of(1), INK), data.difference.clone()));
    let [first, second] = &data.ends;
    entries.push((
        Key::Words,
        format!("upper bar: steps from {first}, lower bar: from {second}"),
    ));
    let key = legend_height(style, &entries, width - 2.0 * MARGIN);
    let heights = panels.iter().map(|(_, rows)| rows.len() as f64 * row + below(style));
    let height = 2.0 * MARGIN + key + heights.sum::<f64>() + GAP * (panels.len() - 1) as f64;
    let mut svg = String::new();
    let page = Page::new(&mut svg, style, [width, height])?;
    legend(&page, [MARGIN, MARGIN], width - 2.0 * MARGIN, &entries)?;
    let mut top = MARGIN + key;
    for (title, rows) in panels {
        let tall = rows.len() as f64 * row;
        draw_panel(&page, [MARGIN + left, top], [inner, tall], title, rows)?;
        top += tall + below(style) + GAP;
    }
    page.finish()?;
    let caption = "What sets the balanced classifier apart from the unbalanced one, step by step. Upper bars, from the unbalanced classifier: its \
        decision threshold is moved (with no network changed), its head is refitted with class weights to the same features, and the features \
        are exchanged. Lower bars: the same steps back from the balanced classifier. Either way the three add up to the difference (point, \
        with its 95 % interval). To the right of 0: a step that raises the quantity. Means over attributes; specificity: energy \
        less what the maps of other attributes have in the same region; no evidence: maps without any positive value; region's loss: what the \
        score loses with the region hidden, beyond an equal area elsewhere; turned: decisions that go over to the other class when the \
        attribute is toggled in the image. Errors and turned decisions are of the images of the class, the others of those predicted as it.";
    Ok(Figure::new(NAME, caption.to_owned(), svg, [width, height]))
}

fn draw_panel(page: &Page<'_>, origin: [f64; 2], size: [f64; 2], title: &str, rows: &[DecompositionRow]) -> Result<()> {
    let style = page.style;
    let sums = |row: &DecompositionRow| {
        let sum =
            |steps: &[f64; 3], keep: fn(f64) -> bool| steps.iter().copied().filter(|step| keep(*step)).sum::<f64>();
        let ends = row.interval.map_or([row.difference; 2], |ends| [ends.low, ends.high]);
        row.steps.iter().fold(ends, |[low, high], steps| {
            [
                low.min(sum(steps, |step| step < 0.0)),
                high.max(sum(steps, |step| step > 0.0)),
            ]
        })
    };
    let (low, high) = rows
        .iter()
        .map(sums)
        .fold((0.0_f64, 0.0_f64), |(low, high), [least, most]| {
            (low.min(least), high.max(most))
        });
    let room = ((high - low) * 0.04).max(1e-6);
    let range = low - room..high + room;
    let count = rows.len() as f64;
    let axes = Axes::new(page, origin, size, range.clone(), 0.0..count);
    let marks = ticks(range, 5);
    let places = decimals(&marks);
    axes.x_ticks(&marks, |mark| signed(mark, places))?;
    axes.x_title(title)?;
    for (index, row) in rows.iter().enumerate() {
        let middle = count - index as f64 - 0.5;
        let [_, y] = axes.at(0.0, middle);
        let name = fit(&row.title, style.tick(), origin[0] - MARGIN - TICK_GAP);
        page.text(
            &name,
            [origin[0] - TICK_GAP, y],
            style.tick(),
            INK,
            (HPos::Right, VPos::Center),
        )?;
        for (bar, steps) in row.steps.iter().enumerate() {
            let (bottom, top) = if bar == 0 { (0.03, 0.33) } else { (-0.33, -0.03) };
            let mut ends = [0.0_f64; 2];
            for (place, step) in steps.iter().enumerate().filter(|(_, step)| step.is_finite()) {
                let side = usize::from(*step > 0.0);
                let from = ends[side];
                ends[side] += step;
                page.bar(
                    axes.at(from, middle + bottom),
                    axes.at(ends[side], middle + top),
                    FIRST_COLOUR + place,
                )?;
            }
        }
        if let Some(Interval { low, high }) = row
            .interval
            .filter(|ends| ends.low.is_finite() && ends.high.is_finite())
        {
            let ([from, y], [to, _]) = (axes.at(low, middle), axes.at(high, middle));
            for (colour, width) in [(WHITE, 0.5), (INK, 0.2)] {
                page.line(&[[from, y], [to, y]], colour, width, Dash::Solid)?;
            }
        }
        axes.marker([row.difference, middle], Marker::of(1), 0.7, INK, false)?;
    }
    axes.line(&[[0.0, 0.0], [0.0, count]], INK, 0.2, Dash::Solid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_quantity_there_is_nothing_to_draw() {
        let data = DecompositionFigure {
            ends: ["unbalanced", "balanced"].map(str::to_owned),
            difference: "balanced − unbalanced".to_owned(),
            panels: vec![("difference".to_owned(), Vec::new())],
        };
        assert!(matches!(
            decomposition(&Style::default(), &data),
            Err(Error::Empty(NAME))
        ));
    }
}
