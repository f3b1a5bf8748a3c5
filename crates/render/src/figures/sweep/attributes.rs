//! One small panel for each attribute: its error or its energy over what a sweep varies.

use plotters::style::text_anchor::{HPos, VPos};

use super::curve::{ClassCurves, XAxis, draw};
use super::curves::{chance_entry, class_entries};
use crate::drawing::axes::{Axes, left_of};
use crate::drawing::export::Figure;
use crate::drawing::legend::{legend, legend_height};
use crate::drawing::page::{Dash, Page};
use crate::drawing::style::{Column, INK, Style, fit, line_height};
use crate::error::{Error, Result};
use crate::text::{number, readable};

const MARGIN: f64 = 1.0;
const RIGHT: f64 = 1.5;
const GUTTER: f64 = 2.2;
/// Width of a panel, at least; and its height.
const NARROWEST: f64 = 26.0;
const HEIGHT: f64 = 19.0;

/// One attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributePanel {
    /// Its name.
    pub attribute: String,
    /// What a map that knows nothing would have, as a line.
    pub chance: Option<f64>,
    /// Its curves, one entry a series; values in [0, 1].
    pub series: Vec<ClassCurves>,
}

/// Everything the figure shows.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributePanels {
    /// The figure's file name.
    pub name: &'static str,
    /// What varies.
    pub x: XAxis,
    /// What is along y.
    pub y: String,
    /// Names of the series.
    pub series: Vec<String>,
    /// The attributes, in reading order.
    pub panels: Vec<AttributePanel>,
    /// What the figure shows, as a sentence.
    pub caption: String,
}

/// Draws the panels, as many beside each other as fit; all have the same axes, from 0 to 1.
///
/// # Errors
/// No panel.
pub fn sweep_attributes(style: &Style, data: &AttributePanels) -> Result<Figure> {
    if data.panels.is_empty() || data.x.labels.is_empty() {
        return Err(Error::Empty(data.name));
    }
    let width = style.width(Column::Double);
    let marks = [0.0, 0.5, 1.0];
    let left = left_of(style, marks.map(|mark| number(mark, 1)));
    let room = width - 2.0 * MARGIN - left - RIGHT;
    let across = ((room + GUTTER) / (NARROWEST + GUTTER))
        .floor()
        .max(1.0)
        .min(data.panels.len() as f64);
    let panel = (room - (across - 1.0) * GUTTER) / across;
    let panel = panel.min(2.0 * NARROWEST);
    let down = (data.panels.len() as f64 / across).ceil();
    let head = line_height(style.tick());
    let mut entries = class_entries(
        style,
        &data.x,
        &data.series,
        data.panels.iter().flat_map(|panel| &panel.series),
    );
    if data.panels.iter().any(|panel| panel.chance.is_some()) {
        entries.push(chance_entry());
    }
    let key = legend_height(style, &entries, room);
    // Ticks below the last panel of each column, and one title.
    let foot = crate::drawing::axes::below(style);
    let step = head + HEIGHT + GUTTER;
    let size = [width, 2.0 * MARGIN + key + down * step - GUTTER + foot];
    let mut svg = String::new();
    let page = Page::new(&mut svg, style, size)?;
    legend(&page, [MARGIN + left, MARGIN], room, &entries)?;
    for (index, shown) in data.panels.iter().enumerate() {
        let (column, row) = (index as f64 % across, (index as f64 / across).floor());
        let origin = [
            MARGIN + left + column * (panel + GUTTER),
            MARGIN + key + head + row * step,
        ];
        let y = 0.0..1.0;
        let axes = Axes::new(&page, origin, [panel, HEIGHT], data.x.range(), y.clone());
        axes.y_ticks(
            &marks,
            |tick| {
                if column == 0.0 { number(tick, 1) } else { String::new() }
            },
        )?;
        let last = index + across as usize >= data.panels.len();
        axes.x_ticks(&ends(&data.x), |tick| {
            if last { end_label(&data.x, tick) } else { String::new() }
        })?;
        axes.frame()?;
        if let Some(chance) = shown.chance {
            let range = data.x.range();
            axes.line(&[[range.start, chance], [range.end, chance]], INK, 0.2, Dash::Dotted)?;
        }
        draw(&axes, &data.x, &shown.series, &y, 0.4)?;
        let name = fit(&readable(&shown.attribute), style.tick(), panel);
        page.text(
            &name,
            [origin[0], origin[1] - 0.6],
            style.tick(),
            INK,
            (HPos::Left, VPos::Bottom),
        )?;
    }
    let middle = MARGIN + key + (down * step - GUTTER) / 2.0;
    page.upward(&data.y, [MARGIN, middle], style.label(), INK, (HPos::Center, VPos::Top))?;
    let at = [MARGIN + left + room / 2.0, size[1] - MARGIN];
    page.text(
        &readable(&data.x.title),
        at,
        style.label(),
        INK,
        (HPos::Center, VPos::Bottom),
    )?;
    page.finish()?;
    Ok(Figure::new(data.name, data.caption.clone(), svg, size))
}

/// The first and the last value along x: small panels have room for no more.
fn ends(x: &XAxis) -> Vec<f64> {
    let last = x.labels.len() - 1;
    if last == 0 {
        vec![x.at(0)]
    } else {
        vec![x.at(0), x.at(last)]
    }
}

fn end_label(x: &XAxis, place: f64) -> String {
    const LONGEST: usize = 9;
    let label = (0..x.labels.len())
        .find(|&index| x.at(index) == place)
        .map_or("", |index| &x.labels[index]);
    let label = readable(label);
    if label.chars().count() > LONGEST {
        label.chars().take(LONGEST - 1).chain(['…']).collect()
    } else {
        label
    }
}
