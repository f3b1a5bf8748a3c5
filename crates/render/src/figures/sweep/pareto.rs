//! Balanced error against balanced energy, with the front of the settings that no other beats in both.

use super::curve::XAxis;
use crate::drawing::axes::{Axes, below, decimals, half_line, left_of, ticks};
use crate::drawing::export::Figure;
use crate::drawing::labels::Labels;
use crate::drawing::legend::{Key, legend, legend_height, of_classifiers};
use crate::drawing::page::{Dash, Page, Point};
use crate::drawing::palette::Marker;
use crate::drawing::style::{Column, GREY, Style};
use crate::error::{Error, Result};
use crate::text::{number, readable};

const NAME: &str = "sweep_pareto";
const MARGIN: f64 = 1.0;
const RIGHT: f64 = 3.0;
/// Height by width of the panel.
const SHAPE: f64 = 0.85;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compromise {
    /// Position of its series.
    pub series: usize,
    /// Position along the sweep's x, which it is named by.
    pub x: usize,
    /// Balanced error.
    pub error: f64,
    /// Balanced energy.
    pub energy: f64,
    /// Whether no other setting is at least as good in both, and better in one.
    pub on_front: bool,
}

/// Everything the figure shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Compromises {
    /// What the sweep varies.
    pub x: XAxis,
    /// Names of the series.
    pub series: Vec<String>,
    /// The settings.
    pub points: Vec<Compromise>,
    /// What the figure shows, as a sentence.
    pub caption: String,
}

/// Draws the settings and their front.
///
/// # Errors
/// No setting with both numbers.
pub fn sweep_pareto(style: &Style, data: &Compromises) -> Result<Figure> {
    let points: Vec<&Compromise> = data
        .points
        .iter()
        .filter(|point| point.error.is_finite() && point.energy.is_finite())
        .collect();
    if points.is_empty() {
        return Err(Error::Empty(NAME));
    }
    let range = |value: fn(&Compromise) -> f64| {
        let low = points.iter().map(|point| value(point)).fold(f64::INFINITY, f64::min);
        let high = points
            .iter()
            .map(|point| value(point))
            .fold(f64::NEG_INFINITY, f64::max);
        let room = ((high - low) * 0.12).max(0.005);
        low - room..high + room
    };
    let (x, y) = (range(|point| point.error), range(|point| point.energy));
    let (x_marks, y_marks) = (ticks(x.clone(), 5), ticks(y.clone(), 5));
    let (x_places, y_places) = (decimals(&x_marks), decimals(&y_marks));
    let width = style.width(Column::Single);
    let left = left_of(
        style,
        y_marks.iter().map(|&mark| number(mark, y_places)).collect::<Vec<_>>(),
    );
    let panel = width - 2.0 * MARGIN - left - RIGHT;
    let height = panel * SHAPE;
    let entries = entries(data);
    let key = legend_height(style, &entries, panel).max(half_line(style.tick()));
    let size = [width, 2.0 * MARGIN + key + height + below(style)];
    let mut svg = String::new();
    let page = Page::new(&mut svg, style, size)?;
    legend(&page, [MARGIN + left, MARGIN], panel, &entries)?;
    let origin = [MARGIN + left, MARGIN + key];
    let axes = Axes::new(&page, origin, [panel, height], x, y.clone());
    axes.x_ticks(&x_marks, |tick| number(tick, x_places))?;
    axes.y_ticks(&y_marks, |tick| number(tick, y_places))?;
    axes.frame()?;
    axes.x_title("balanced error (less is better)")?;
    axes.y_title("balanced energy (more is better)", (y.start + y.end) / 2.0, left)?;

    let mut front: Vec<Point> = points
        .iter()
        .filter(|point| point.on_front)
        .map(|point| [point.error, point.energy])
        .collect();
    front.sort_by(|a, b| a[0].total_cmp(&b[0]));
    if front.len() > 1 {
        axes.line(&front, GREY, 0.25, Dash::Dashed)?;
    }
    let mut labels = Labels::new([origin[0], origin[1], origin[0] + panel + RIGHT, origin[1] + height]);
    for point in &points {
        let place = [point.error, point.energy];
        axes.marker(
            place,
            Marker::of(point.series),
            0.9,
            style.colour(point.series),
            !point.on_front,
        )?;
        labels.avoid(axes.at(place[0], place[1]), 1.0);
    }
    let names: Vec<_> = points
        .iter()
        .map(|point| {
            let beside = vec![axes.at(point.error, point.energy)];
            (readable(&data.x.labels[point.x]), beside)
        })
        .collect();
    labels.write(&page, &names, style.tick())?;
    page.finish()?;
    Ok(Figure::new(NAME, data.caption.clone(), svg, size))
}

fn entries(data: &Compromises) -> Vec<(Key, String)> {
    let mut entries = Vec::new();
    if data.series.len() > 1 {
        entries.extend(of_classifiers(&data.series, Key::Point));
    }
    entries.push((Key::Rule(GREY, Dash::Dashed), "front".to_owned()));
    entries.push((
        Key::Words,
        format!("numbers: {}; hollow: beaten", readable(&data.x.title)),
    ));
    entries
}
