//! Minority energy against majority energy, with arrows from one classifier to the other.

use std::ops::Range;

use super::axes::{Axes, below, decimals, half_line, left_of, ticks};
use super::data::EnergyScatter;
use super::error::{FigureError, Result};
use super::export::Figure;
use super::labels::Labels;
use super::legend::{Key, legend, legend_height, of_classifiers};
use super::page::{Dash, Page};
use super::palette::Marker;
use super::style::{Column, GREY, Style};
use crate::names::{number, readable};

const NAME: &str = "energy_scatter";
const MARGIN: f64 = 1.0;
/// Right of the panel: half of its last tick's label.
const RIGHT: f64 = 3.0;
const RADIUS: f64 = 0.75;
/// Height of the panel at most: a square in a column, a wide panel across a page.
const TALLEST: f64 = 100.0;

/// Draws each attribute as an arrow from the first classifier to the last, over (majority energy, minority energy).
///
/// # Errors
/// No attribute or classifier, or an attribute without one position per classifier.
pub fn energy_scatter(style: &Style, data: &EnergyScatter) -> Result<Figure> {
    if data.points.is_empty() || data.classifiers.is_empty() {
        return Err(FigureError::Empty(NAME));
    }
    if let Some(point) = data
        .points
        .iter()
        .find(|point| point.energies.len() != data.classifiers.len())
    {
        return Err(FigureError::Mismatch {
            figure: NAME,
            what: "positions of an attribute",
            found: point.energies.len(),
            expected: data.classifiers.len(),
        });
    }
    let mut entries = of_classifiers(&data.classifiers, Key::Point);
    entries.push((Key::Rule(GREY, Dash::Dashed), "equal energy".to_owned()));
    let range = range(data);
    let marks = ticks(range.clone(), 6);
    let places = decimals(&marks);
    let label = |tick: f64| number(tick, places);
    let width = style.width(Column::Single);
    let left = MARGIN + left_of(style, marks.iter().map(|&tick| label(tick)));
    let panel = [width - left - RIGHT, (width - left - RIGHT).min(TALLEST)];
    let top = MARGIN + legend_height(style, &entries, panel[0]).max(half_line(style.tick()));
    let size = [width, top + panel[1] + below(style) + MARGIN];

    let mut svg = String::new();
    let page = Page::new(&mut svg, style, size)?;
    legend(&page, [left, MARGIN], panel[0], &entries)?;
    let axes = Axes::new(&page, [left, top], panel, range.clone(), range.clone());
    axes.x_ticks(&marks, label)?;
    axes.y_ticks(&marks, label)?;
    axes.frame()?;
    axes.line(&[[range.start; 2], [range.end; 2]], GREY, 0.2, Dash::Dashed)?;
    axes.x_title("energy when the majority is predicted")?;
    axes.y_title(
        "energy when the minority is predicted",
        (range.start + range.end) / 2.0,
        left - MARGIN,
    )?;
    let named = draw_points(&axes, data, [left, top, left + panel[0], top + panel[1]])?;
    page.finish()?;
    let unnamed = if named {
        ""
    } else {
        " Points without room for a name have none."
    };
    let caption = format!(
        "Mean proportional energy of the samples predicted as the minority class against that of the samples predicted as the \
         majority class; arrows lead from the first classifier to the last. Above the diagonal, the region matters more for the \
         minority.{unnamed}"
    );
    Ok(Figure::new(NAME, caption, svg, size))
}

/// The same range for both axes, so that the diagonal is one: tenths around all points.
fn range(data: &EnergyScatter) -> Range<f64> {
    let all = data.points.iter().flat_map(|point| point.energies.iter().flatten());
    let (low, high) = all
        .flat_map(|&(x, y)| [x, y])
        .filter(|value| value.is_finite())
        .fold((1.0_f64, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low > high {
        return 0.0..1.0;
    }
    let low = ((low * 10.0 - 0.2).floor() / 10.0).clamp(0.0, 0.8);
    let high = ((high * 10.0 + 0.2).ceil() / 10.0).clamp(low + 0.2, 1.0);
    low..high
}

/// Returns whether every attribute has its name.
fn draw_points(axes: &Axes<'_, '_>, data: &EnergyScatter, within: [f64; 4]) -> Result<bool> {
    let page = axes.page;
    let finite = |energy: &Option<(f64, f64)>| energy.filter(|(x, y)| x.is_finite() && y.is_finite());
    let mut labels = Labels::new(within);
    for point in &data.points {
        let mut positions = point.energies.iter().map(finite);
        if let (Some(Some(from)), Some(Some(to))) = (positions.next(), positions.next_back()) {
            page.arrow(axes.at(from.0, from.1), axes.at(to.0, to.1), RADIUS, GREY, 0.18)?;
        }
    }
    for point in &data.points {
        for (index, energy) in point.energies.iter().enumerate() {
            if let Some((x, y)) = finite(energy) {
                axes.marker([x, y], Marker::of(index), RADIUS, page.style.colour(index), false)?;
                labels.avoid(axes.at(x, y), RADIUS + 0.15);
            }
        }
    }
    let mut all = true;
    for point in &data.points {
        let beside: Vec<_> = point
            .energies
            .iter()
            .filter_map(finite)
            .map(|(x, y)| axes.at(x, y))
            .collect();
        let name = readable(&point.attribute);
        all &= beside.is_empty() || labels.write(page, &name, page.style.tick(), &beside)?;
    }
    Ok(all)
}
