//! The paper's layout of bars: attributes along x, the minority class upwards, the majority class downwards, the
//! classifiers side by side.

use plotters::style::text_anchor::{HPos, VPos};

use super::axes::{Axes, Key, Page, decimals, legend, legend_height, page, ticks, units};
use super::data::{Bar, BarFigure, BarGroup};
use super::error::{FigureError, Result};
use super::style::{BAND, DOUBLE_COLUMN, INK, TICK, colour, fit, readable, text_width, vertical};

/// What distinguishes one bar figure from another.
pub(super) struct Layout<'a> {
    pub name: &'static str,
    /// Titles of the upper and the lower half of the y axis.
    pub up: &'a str,
    pub down: &'a str,
    /// What the ticks of chance level are called in the legend.
    pub chance: &'a str,
    /// Whether the y axis always runs to 1.
    pub whole_range: bool,
    /// Whether attributes without a place of their own are marked.
    pub mark_global: bool,
}

const LEFT: f64 = 13.0;
const MARGIN: f64 = 1.5;
const HEIGHT: f64 = 62.0;
/// Names longer than this are shortened.
const LONGEST_NAME: f64 = 45.0;
/// Below this width per attribute, names would touch: the figure grows instead.
const NARROWEST: f64 = 3.2;
/// Above this width per attribute, bars would turn into walls; but the legend needs some room.
const WIDEST: f64 = 16.0;
const LEAST: f64 = 70.0;
/// Share of an attribute's width that its bars take.
const FILLED: f64 = 0.8;

/// Draws the figure; returns the SVG and its size in mm.
pub(super) fn draw(data: &BarFigure, layout: &Layout<'_>) -> Result<(String, [f64; 2])> {
    if data.groups.is_empty() || data.classifiers.is_empty() {
        return Err(FigureError::Empty(layout.name));
    }
    if let Some(group) = data
        .groups
        .iter()
        .find(|group| group.bars.len() != data.classifiers.len())
    {
        return Err(FigureError::Mismatch {
            figure: layout.name,
            what: "bars of an attribute",
            found: group.bars.len(),
            expected: data.classifiers.len(),
        });
    }
    let names: Vec<String> = data
        .groups
        .iter()
        .map(|group| fit(&label(group), TICK, LONGEST_NAME))
        .collect();
    let below = names.iter().map(|name| text_width(name, TICK)).fold(0.0, f64::max) + 3.0;
    let entries = entries(data, layout);
    let attributes = data.groups.len() as f64;
    let widest = (WIDEST * attributes).max(LEAST);
    let plot_width = (DOUBLE_COLUMN - LEFT - MARGIN).min(widest).max(NARROWEST * attributes);
    let above = MARGIN + legend_height(&entries, plot_width) + 1.0;
    let size = [LEFT + plot_width + MARGIN, above + HEIGHT + below];

    let mut svg = String::new();
    {
        let page = page(&mut svg, size)?;
        legend(&page, [LEFT, MARGIN], plot_width, &entries)?;
        let [up, down] = reach(data, layout);
        let axes = Axes::new(
            &page,
            [LEFT, above],
            [plot_width, HEIGHT],
            0.0..data.groups.len() as f64,
            -down..up,
        );
        if layout.mark_global {
            bands(data, &axes, up, down)?;
        }
        let marks = ticks(-down..up, 10);
        let places = decimals(&marks);
        axes.y_ticks(&marks, |value| format!("{:.places$}", value.abs()))?;
        axes.y_title(layout.up, up / 2.0, 9.5)?;
        axes.y_title(layout.down, -down / 2.0, 9.5)?;
        for (index, group) in data.groups.iter().enumerate() {
            draw_group(&axes, index as f64, group)?;
        }
        axes.line(&[(0.0, 0.0), (data.groups.len() as f64, 0.0)], INK, 0.2)?;
        draw_names(&page, &axes, &names, down)?;
        page.present()?;
    }
    Ok((svg, size))
}

/// The name below an attribute; a minority that lacks the attribute is marked.
fn label(group: &BarGroup) -> String {
    let mark = if group.minority_positive { "" } else { " (−)" };
    readable(&group.attribute) + mark
}

/// How far the axis runs up and down: to the next tenth above everything drawn there.
fn reach(data: &BarFigure, layout: &Layout<'_>) -> [f64; 2] {
    if layout.whole_range {
        return [1.0, 1.0];
    }
    let highest = |bar: fn(&super::data::BarPair) -> &Bar| {
        let values = data
            .groups
            .iter()
            .flat_map(|group| &group.bars)
            .map(bar)
            .flat_map(|bar| {
                [bar.value, bar.published, bar.interval.map(|interval| interval.1)]
                    .into_iter()
                    .flatten()
                    .filter(|v| v.is_finite())
            });
        ((values.fold(0.0, f64::max) * 10.0 - 1e-9).ceil() / 10.0).clamp(0.1, 1.0)
    };
    [highest(|pair| &pair.minority), highest(|pair| &pair.majority)]
}

fn bars(data: &BarFigure) -> impl Iterator<Item = &Bar> {
    data.groups
        .iter()
        .flat_map(|group| &group.bars)
        .flat_map(|pair| [&pair.minority, &pair.majority])
}

/// The legend explains what is in this figure and nothing else.
fn entries(data: &BarFigure, layout: &Layout<'_>) -> Vec<(Key, String)> {
    let mut entries: Vec<(Key, String)> = data
        .classifiers
        .iter()
        .enumerate()
        .map(|(index, name)| (Key::Box(colour(index)), readable(name)))
        .collect();
    if bars(data).any(|bar| bar.published.is_some()) {
        entries.push((Key::Dot(INK), "published".to_owned()));
    }
    if bars(data).any(|bar| bar.interval.is_some()) {
        entries.push((Key::Interval, "95 % interval".to_owned()));
    }
    if data.groups.iter().any(|group| group.chance.is_some()) {
        entries.push((Key::Line(INK), layout.chance.to_owned()));
    }
    if bars(data).any(|bar| bar.value.is_none()) {
        entries.push((Key::Cross, "no sample".to_owned()));
    }
    if layout.mark_global && data.groups.iter().any(|group| group.global) {
        entries.push((Key::Box(BAND), "no place of its own".to_owned()));
    }
    entries
}

/// A light band behind attributes without a place of their own.
fn bands(data: &BarFigure, axes: &Axes<'_>, up: f64, down: f64) -> Result<()> {
    for (index, _) in data.groups.iter().enumerate().filter(|(_, group)| group.global) {
        axes.rectangle([index as f64, -down], [index as f64 + 1.0, up], BAND)?;
    }
    Ok(())
}

fn draw_group(axes: &Axes<'_>, left: f64, group: &BarGroup) -> Result<()> {
    let width = FILLED / group.bars.len() as f64;
    // Marks stay readable with one attribute and do not touch each other with forty.
    let (x0, _) = axes.position(left, 0.0);
    let (x1, _) = axes.position(left + width, 0.0);
    let bar_mm = f64::from(x1 - x0) / super::style::UNITS_PER_MM;
    let radius = (bar_mm * 0.28).clamp(0.2, 0.7);
    for (index, pair) in group.bars.iter().enumerate() {
        let x = left + (1.0 - FILLED) / 2.0 + index as f64 * width;
        let middle = x + width / 2.0;
        for (bar, sign) in [(&pair.minority, 1.0), (&pair.majority, -1.0)] {
            match bar.value.filter(|value| value.is_finite()) {
                Some(value) => {
                    axes.rectangle([x + width * 0.04, 0.0], [x + width * 0.96, sign * value], colour(index))?
                }
                None => axes.cross(middle, 0.0, radius.min(0.5), [0.0, -sign * 1.4])?,
            }
            if let Some((low, high)) = bar.interval {
                axes.line(&[(middle, sign * low), (middle, sign * high)], INK, 0.18)?;
            }
            if let Some(published) = bar.published {
                axes.dot(middle, sign * published, radius, INK)?;
            }
        }
    }
    if let Some(chance) = group.chance {
        let (from, to) = (left + (1.0 - FILLED) / 2.0, left + (1.0 + FILLED) / 2.0);
        for level in [chance, -chance] {
            axes.line(&[(from, level), (to, level)], INK, 0.25)?;
        }
    }
    Ok(())
}

fn draw_names(page: &Page<'_>, axes: &Axes<'_>, names: &[String], down: f64) -> Result<()> {
    let style = vertical(TICK, INK, HPos::Right, VPos::Center);
    names.iter().enumerate().try_for_each(|(index, name)| {
        let (x, y) = axes.position(index as f64 + 0.5, -down);
        Ok(page.draw_text(name, &style, (x, y + units(1.2)))?)
    })
}
