//! Minority energy against majority energy, with arrows from one classifier to the other.

use plotters::style::text_anchor::{HPos, VPos};

use super::axes::{Axes, Key, Page, legend, legend_height, page, ticks, units};
use super::data::EnergyScatter;
use super::error::{FigureError, Result};
use super::export::Figure;
use super::style::{GREY, INK, NOTE, UNITS_PER_MM, colour, readable, text, text_width};

const NAME: &str = "energy_scatter";
const SIDE: f64 = 105.0;
const LEFT: f64 = 14.0;
const MARGIN: f64 = 2.0;
/// Right of the panel: half of its last tick's label.
const RIGHT: f64 = 4.0;
const BELOW: f64 = 11.0;

/// Draws each attribute as an arrow from the first classifier to the last, over (majority energy, minority energy).
///
/// # Errors
/// No attribute or classifier, or an attribute without one position per classifier.
pub fn energy_scatter(data: &EnergyScatter) -> Result<Figure> {
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
    let mut entries: Vec<(Key, String)> = data
        .classifiers
        .iter()
        .enumerate()
        .map(|(index, name)| (Key::Dot(colour(index)), readable(name)))
        .collect();
    entries.push((Key::Dashes(GREY), "equal energy".to_owned()));
    let above = MARGIN + legend_height(&entries, SIDE) + 1.0;
    let size = [LEFT + SIDE + RIGHT, above + SIDE + BELOW];
    let mut svg = String::new();
    {
        let page = page(&mut svg, size)?;
        legend(&page, [LEFT, MARGIN], SIDE, &entries)?;
        let axes = Axes::new(&page, [LEFT, above], [SIDE, SIDE], 0.0..1.0, 0.0..1.0);
        let marks = ticks(0.0..1.0, 5);
        axes.x_ticks(&marks, |tick| format!("{tick:.1}"))?;
        axes.y_ticks(&marks, |tick| format!("{tick:.1}"))?;
        axes.frame()?;
        axes.dashes(&[(0.0, 0.0), (1.0, 1.0)], GREY, 0.2)?;
        axes.x_title("energy of samples predicted as the majority class", 5.5)?;
        axes.y_title("energy of samples predicted as the minority class", 0.5, 10.5)?;
        draw_points(&page, &axes, data)?;
        page.present()?;
    }
    let caption = "Mean proportional energy of the samples predicted as the minority class against that of the samples \
        predicted as the majority class; arrows lead from the first classifier to the last. Above the diagonal, the region \
        matters more for the minority.";
    Ok(Figure::new(NAME, caption.to_owned(), svg, size))
}

fn draw_points(page: &Page<'_>, axes: &Axes<'_>, data: &EnergyScatter) -> Result<()> {
    let mut taken: Vec<[i32; 4]> = Vec::new();
    for point in &data.points {
        let mut positions = point
            .energies
            .iter()
            .map(|energy| energy.filter(|(x, y)| x.is_finite() && y.is_finite()));
        if let (Some(Some(from)), Some(Some(to))) = (positions.next(), positions.next_back()) {
            axes.arrow(from, to, GREY, 0.18)?;
        }
        for (index, energy) in point.energies.iter().enumerate() {
            if let Some((x, y)) = energy.filter(|(x, y)| x.is_finite() && y.is_finite()) {
                axes.dot(x, y, 0.75, colour(index))?;
                let (x, y) = axes.position(x, y);
                let half = units(0.9);
                taken.push([x - half, y - half, x + half, y + half]);
            }
        }
    }
    // Names last, each where there is room: beside its first dot, else beside its last, else not at all.
    for point in &data.points {
        let name = readable(&point.attribute);
        let width = (text_width(&name, NOTE) * UNITS_PER_MM).ceil() as i32;
        let candidates = point
            .energies
            .iter()
            .flatten()
            .filter(|(x, y)| x.is_finite() && y.is_finite());
        let place = candidates
            .flat_map(|&(x, y)| around(axes.position(x, y), width))
            .find(|place| {
                let inside = place[2] <= axes.position(1.0, 0.0).0 && place[0] >= axes.position(0.0, 0.0).0;
                inside && taken.iter().all(|other| apart(place, other))
            });
        if let Some(place) = place {
            taken.push(place);
            let style = text(NOTE, INK, HPos::Left, VPos::Center);
            page.draw_text(&name, &style, (place[0], (place[1] + place[3]) / 2))?;
        }
    }
    Ok(())
}

/// Boxes `[left, top, right, bottom]` for a text of the given width next to a dot: right, left, above, below.
fn around((x, y): (i32, i32), width: i32) -> [[i32; 4]; 4] {
    let (gap, half) = (units(1.2), units(1.0));
    let beside = |left: i32, middle: i32| [left, middle - half, left + width, middle + half];
    [
        beside(x + gap, y),
        beside(x - gap - width, y),
        beside(x - width / 2, y - gap - half),
        beside(x - width / 2, y + gap + half),
    ]
}

fn apart(a: &[i32; 4], b: &[i32; 4]) -> bool {
    a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1]
}
