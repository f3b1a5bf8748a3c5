//! Errors, energies and bias reliance over what a sweep varies.

use plotters::style::text_anchor::{HPos, VPos};

use super::curve::{ClassCurves, XAxis, draw, look, y_range};
use crate::drawing::axes::{Axes, TICK_GAP, below, decimals, half_line, left_of, ticks};
use crate::drawing::export::Figure;
use crate::drawing::legend::{Key, legend, legend_height, of_classifiers};
use crate::drawing::page::{Dash, Page};
use crate::drawing::palette::Marker;
use crate::drawing::style::{Column, GREY, INK, Style, fit, line_height, text_width, widest};
use crate::error::{Error, Result};
use crate::text::{number, readable};

const NAME: &str = "sweep";
const MARGIN: f64 = 1.0;
const RIGHT: f64 = 2.0;
const GUTTER: f64 = 3.0;
const HEIGHT: f64 = 42.0;
/// Names of categories longer than this are shortened.
const LONGEST: f64 = 35.0;

/// One panel: a quantity of the minority and of the majority class.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What it is.
    pub title: String,
    /// Its curves, one entry a series.
    pub series: Vec<ClassCurves>,
}

/// Everything the figure shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// What varies.
    pub x: XAxis,
    /// Names of the series.
    pub series: Vec<String>,
    /// The panels, from left to right.
    pub panels: Vec<Panel>,
    /// What the figure shows and how often it was repeated, as a sentence.
    pub caption: String,
}

/// Draws the panels: side by side across a page, above each other in a column.
///
/// # Errors
/// No panel or no point.
pub fn sweep_curves(style: &Style, data: &Curves) -> Result<Figure> {
    let points = || {
        data.panels
            .iter()
            .flat_map(|panel| panel.series.iter().flat_map(ClassCurves::points))
    };
    if points().next().is_none() || data.x.labels.is_empty() {
        return Err(Error::Empty(NAME));
    }
    let width = style.width(Column::Double);
    let ranges: Vec<_> = data
        .panels
        .iter()
        .map(|panel| y_range(panel.series.iter().flat_map(ClassCurves::points)))
        .collect();
    let labels = ranges.iter().flat_map(|range| {
        let y = ticks(range.clone(), 5);
        let places = decimals(&y);
        y.into_iter().map(move |tick| number(tick, places))
    });
    let across = if width >= 120.0 { data.panels.len() } else { 1 } as f64;
    let down = (data.panels.len() as f64 / across).ceil();
    let left = left_of(style, labels.collect::<Vec<_>>());
    let panel = (width - 2.0 * MARGIN - across * (left + RIGHT) - (across - 1.0) * GUTTER) / across;
    let entries = entries(style, data);
    let key = legend_height(style, &entries, width - left - RIGHT).max(half_line(style.tick()));
    let foot = foot(style, &data.x, panel);
    let size = [
        width,
        2.0 * MARGIN + key + down * (HEIGHT + foot) + (down - 1.0) * GUTTER,
    ];
    let mut svg = String::new();
    let page = Page::new(&mut svg, style, size)?;
    legend(&page, [MARGIN + left, MARGIN], width - left - RIGHT, &entries)?;
    for (index, (shown, y)) in data.panels.iter().zip(&ranges).enumerate() {
        let (column, row) = (index as f64 % across, (index as f64 / across).floor());
        let origin = [
            MARGIN + left + column * (left + panel + RIGHT + GUTTER),
            MARGIN + key + row * (HEIGHT + foot + GUTTER),
        ];
        let axes = Axes::new(&page, origin, [panel, HEIGHT], data.x.range(), y.clone());
        x_ticks(&axes, &data.x, panel, y.start)?;
        let marks = ticks(y.clone(), 5);
        let places = decimals(&marks);
        axes.y_ticks(&marks, |tick| number(tick, places))?;
        axes.frame()?;
        axes.y_title(&shown.title, (y.start + y.end) / 2.0, left)?;
        draw(&axes, &data.x, &shown.series, y, 0.65)?;
        let (x, bottom) = (
            origin[0] + panel / 2.0,
            origin[1] + HEIGHT + foot - line_height(style.label()),
        );
        page.text(
            &readable(&data.x.title),
            [x, bottom],
            style.label(),
            INK,
            (HPos::Center, VPos::Top),
        )?;
    }
    page.finish()?;
    Ok(Figure::new(NAME, data.caption.clone(), svg, size))
}

/// Whether the labels of x are set upwards: where they would touch.
fn upward(style: &Style, x: &XAxis, panel: f64) -> bool {
    let room = panel / x.labels.len().max(1) as f64;
    x.numbers.is_none()
        && x.labels
            .iter()
            .any(|label| text_width(&readable(label), style.tick()) + 1.0 > room)
}

/// Room below a panel.
fn foot(style: &Style, x: &XAxis, panel: f64) -> f64 {
    if upward(style, x, panel) {
        let names = x
            .labels
            .iter()
            .map(|label| fit(&readable(label), style.tick(), LONGEST));
        widest(names, style.tick()) + 2.0 * TICK_GAP + line_height(style.label()) + 1.0
    } else {
        below(style)
    }
}

fn x_ticks(axes: &Axes<'_, '_>, x: &XAxis, panel: f64, bottom: f64) -> Result<()> {
    let style = &axes.page.style;
    let Some(numbers) = &x.numbers else {
        let points = style.tick();
        let turned = upward(style, x, panel);
        for (index, label) in x.labels.iter().enumerate() {
            let label = fit(&readable(label), points, LONGEST);
            let [left, y] = axes.at(index as f64, bottom);
            let at = [left, y + TICK_GAP];
            if turned {
                axes.page.upward(&label, at, points, INK, (HPos::Right, VPos::Center))?;
            } else {
                axes.page.text(&label, at, points, INK, (HPos::Center, VPos::Top))?;
            }
        }
        return Ok(());
    };
    // The tested values themselves, where they have room; else round ones.
    let label = |value: f64| {
        let index = numbers.iter().position(|&number| number == value);
        index.map_or_else(|| value.to_string(), |index| x.labels[index].clone())
    };
    let width = widest(&x.labels, style.tick()) + 1.2;
    let places: Vec<f64> = numbers.iter().map(|&value| axes.at(value, bottom)[0]).collect();
    if places.windows(2).all(|pair| pair[1] - pair[0] >= width) {
        return axes.x_ticks(numbers, label);
    }
    let most = (panel / 8.0).clamp(2.0, 8.0) as usize;
    let marks = ticks(x.range(), most);
    let decimals = decimals(&marks);
    axes.x_ticks(&marks, |tick| number(tick, decimals))
}

/// Colours stand for series, dashes and hollow marks for the majority; with one series colours do too.
pub(super) fn entries(style: &Style, data: &Curves) -> Vec<(Key, String)> {
    class_entries(
        style,
        &data.x,
        &data.series,
        data.panels.iter().flat_map(|panel| &panel.series),
    )
}

/// See [`entries`].
pub(super) fn class_entries<'a>(
    style: &Style,
    x: &XAxis,
    series: &[String],
    curves: impl Iterator<Item = &'a ClassCurves>,
) -> Vec<(Key, String)> {
    let mut entries = Vec::new();
    if series.len() > 1 {
        let key = if x.numbers.is_some() { Key::Line } else { Key::Point };
        entries.extend(of_classifiers(series, key));
    }
    for (minority, name) in [(true, "minority class"), (false, "majority class")] {
        let (colour, dash, marker) = look(style, 0, series.len(), minority);
        let (colour, marker) = if series.len() == 1 {
            (colour, marker)
        } else {
            (GREY, Marker::Circle)
        };
        let key = match (x.numbers.is_some(), minority) {
            (true, _) => Key::Rule(colour, dash),
            (false, true) => Key::Mark(marker, colour),
            (false, false) => Key::Hollow(marker, colour),
        };
        entries.push((key, name.to_owned()));
    }
    if curves
        .flat_map(ClassCurves::points)
        .any(|point| point.interval.is_some())
    {
        let shape = if x.numbers.is_some() { "bands" } else { "bars" };
        entries.push((Key::Words, format!("{shape}: 95 % interval over seeds")));
    }
    entries
}

/// The dotted line of chance.
pub(super) fn chance_entry() -> (Key, String) {
    (Key::Rule(INK, Dash::Dotted), "area of the region".to_owned())
}
