//! Minority energy against majority energy, with arrows from one classifier to the other.

use std::ops::Range;

use super::complete::one_each;
use crate::drawing::axes::Axes;
use crate::drawing::export::Figure;
use crate::drawing::labels::Labels;
use crate::drawing::legend::{Key, of_classifiers};
use crate::drawing::page::{Dash, Point};
use crate::drawing::palette::Marker;
use crate::drawing::panels::{Axis, Panel, Panels};
use crate::drawing::style::{Column, GREY, Style};
use crate::error::Result;
use crate::text::readable;

/// One attribute of the energy scatter: for each classifier (majority energy, minority energy), if both were measured.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterPoint {
    /// Name of the attribute.
    pub attribute: String,
    /// One position per classifier.
    pub energies: Vec<Option<(f64, f64)>>,
}

/// Minority energy against majority energy.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergyScatter {
    /// Names of the classifiers; arrows lead from the first to the last.
    pub classifiers: Vec<String>,
    /// The attributes.
    pub points: Vec<ScatterPoint>,
}

const NAME: &str = "energy_scatter";
const RADIUS: f64 = 0.75;
/// Height of the panel at most: a square in a column, a wide panel across a page.
const TALLEST: f64 = 100.0;
/// The names of so many attributes have room in one column.
const FEW: usize = 16;

/// Draws each attribute as an arrow from the first classifier to the last, over (majority energy, minority energy).
///
/// # Errors
/// No attribute or classifier, or an attribute without one position per classifier.
pub fn energy_scatter(style: &Style, data: &EnergyScatter) -> Result<Figure> {
    one_each(
        NAME,
        &data.points,
        &data.classifiers,
        "positions of an attribute",
        |point| point.energies.len(),
    )?;
    let mut entries = of_classifiers(&data.classifiers, Key::Point);
    entries.push((Key::Rule(GREY, Dash::Dashed), "equal energy".to_owned()));
    let range = range(data);
    let panel = Panel {
        x: Axis::of("energy when the majority is predicted", range.clone(), 6),
        y: Axis::of("energy when the minority is predicted", range.clone(), 6),
        entries,
    };
    let layout = Panels {
        panels: &[panel],
        column: if data.points.len() <= FEW {
            Column::Single
        } else {
            Column::Double
        },
        height: |width| width.min(TALLEST),
    };
    let mut named = true;
    let drawn = layout.draw(style, |axes, _| {
        axes.line(&[[range.start; 2], [range.end; 2]], GREY, 0.2, Dash::Dashed)?;
        named = draw_points(axes, data)?;
        Ok(())
    })?;
    let unnamed = if named {
        ""
    } else {
        " Points without room for a name have none."
    };
    let arrows = if data.classifiers.len() > 1 {
        "; arrows lead from the first classifier to the last"
    } else {
        ""
    };
    let caption = format!(
        "Mean proportional energy of the samples predicted as the minority class against that of the samples predicted as the \
         majority class{arrows}. Above the diagonal, the region matters more for the minority.{unnamed}"
    );
    Ok(Figure::new(NAME, caption, drawn.svg, drawn.size))
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
fn draw_points(axes: &Axes<'_, '_>, data: &EnergyScatter) -> Result<bool> {
    let page = axes.page;
    let finite = |energy: &Option<(f64, f64)>| energy.filter(|(x, y)| x.is_finite() && y.is_finite());
    let mut labels = Labels::new(axes.bounds());
    for point in &data.points {
        let mut positions = point.energies.iter().map(finite);
        if let (Some(Some(from)), Some(Some(to))) = (positions.next(), positions.next_back()) {
            let [from, to] = [axes.at(from.0, from.1), axes.at(to.0, to.1)];
            page.arrow(from, to, RADIUS, GREY, 0.18)?;
            labels.avoid_line(from, to);
            labels.avoid(arrow_head(from, to), 0.6);
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
    let names: Vec<_> = data
        .points
        .iter()
        .map(|point| {
            let beside = point.energies.iter().filter_map(finite).map(|(x, y)| axes.at(x, y));
            (readable(&point.attribute), beside.collect::<Vec<_>>())
        })
        .filter(|(_, beside)| !beside.is_empty())
        .collect();
    labels.write(page, &names, page.style.tick())
}

/// The middle of an arrow's head.
fn arrow_head(from: Point, to: Point) -> Point {
    let length = (to[0] - from[0]).hypot(to[1] - from[1]).max(f64::MIN_POSITIVE);
    let back = (RADIUS + 0.6).min(length) / length;
    [0, 1].map(|axis| to[axis] + back * (from[axis] - to[axis]))
}
