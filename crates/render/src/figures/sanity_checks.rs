//! How alike maps stay while the network's weights are randomised, method by method.

use metrics::Interval;
use plotters::style::text_anchor::{HPos, VPos};

use super::complete::one_each;
use crate::drawing::axes::{Axes, TICK_GAP, TITLE_GAP, decimals, left_of, ticks};
use crate::drawing::export::Figure;
use crate::drawing::legend::{Key, legend, legend_height, of_classifiers};
use crate::drawing::page::{Dash, Page};
use crate::drawing::palette::Marker;
use crate::drawing::style::{Column, GRID, INK, Style, fit, line_height, widest};
use crate::error::{Error, Result};
use crate::text::number;

/// How alike the maps of some scores stay after weights were randomised.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SanityPoint {
    /// Mean rank correlation of a map with itself; `None` where no map had one.
    pub similarity: Option<f64>,
    /// Its confidence interval.
    pub interval: Option<Interval>,
}

/// One method.
#[derive(Debug, Clone, PartialEq)]
pub struct SanityPanel {
    /// Its name as papers write it.
    pub method: String,
    /// For each classifier one point a depth.
    pub curves: Vec<Vec<SanityPoint>>,
}

/// Maps under randomised weights.
#[derive(Debug, Clone, PartialEq)]
pub struct SanityChecks {
    /// Names of the classifiers.
    pub classifiers: Vec<String>,
    /// From the head down: the part of the network from which on weights were randomised.
    pub depths: Vec<String>,
    /// The methods.
    pub panels: Vec<SanityPanel>,
}

const NAME: &str = "sanity_checks";
const MARGIN: f64 = 1.0;
const HEIGHT: f64 = 32.0;
/// Between panels, and between rows of them.
const GAP: f64 = 3.0;
/// Narrower panels have no room for their title.
const NARROWEST: f64 = 27.0;
/// So many methods fit one column.
const FEW: usize = 2;
/// Longer names of depths are shortened.
const LONGEST_NAME: f64 = 20.0;
/// Distance of the classifiers' points at one depth, of the distance of two depths.
const APART: f64 = 0.14;

/// Draws one panel for each method: for each classifier the mean rank correlation of its maps with themselves, over how far down from
/// the head weights were randomised.
///
/// # Errors
/// No method, depth or classifier, or a method without one point for each classifier and depth.
pub fn sanity_checks(style: &Style, data: &SanityChecks) -> Result<Figure> {
    one_each(NAME, &data.panels, &data.classifiers, "curves of a method", |panel| {
        panel.curves.len()
    })?;
    let (depths, methods) = (data.depths.len(), data.panels.len());
    let curves = || data.panels.iter().flat_map(|panel| &panel.curves);
    if let Some(curve) = curves().find(|curve| curve.len() != depths) {
        return Err(Error::Mismatch {
            figure: NAME,
            what: "points of a curve",
            found: curve.len(),
            expected: depths,
        });
    }
    if depths == 0 {
        return Err(Error::Empty(NAME));
    }
    let (label, tick) = (style.label(), style.tick());
    let width = style.width(if methods <= FEW { Column::Single } else { Column::Double });
    let low = curves()
        .flatten()
        .flat_map(|point| [point.similarity, point.interval.map(|interval| interval.low)])
        .flatten()
        .filter(|value| value.is_finite())
        .fold(0.0, f64::min);
    let range = (low * 5.0).floor() / 5.0..1.0;
    let marks = ticks(range.clone(), 6);
    let places = decimals(&marks);
    let left = MARGIN + left_of(style, marks.iter().map(|&mark| number(mark, places)));

    // As many panels abreast as have room for the names below them, and rows of one length.
    let slot = line_height(tick) * 1.05;
    let room = width - left - MARGIN + GAP;
    let most = (room / ((slot * depths as f64).max(NARROWEST) + GAP)) as usize;
    let rows = methods.div_ceil(most.max(1));
    let abreast = methods.div_ceil(rows);
    let panel = room / abreast as f64 - GAP;
    let names: Vec<String> = data.depths.iter().map(|name| fit(name, tick, LONGEST_NAME)).collect();
    let level = widest(&names, tick) + 1.5 <= panel / depths as f64;
    let name_room = TICK_GAP + if level { line_height(tick) } else { widest(&names, tick) };

    let mut entries = of_classifiers(&data.classifiers, Key::Line);
    if curves().flatten().any(|point| point.interval.is_some()) {
        entries.push((Key::Interval, "95 % confidence interval".to_owned()));
    }
    let title = line_height(label) + 0.6;
    let top = MARGIN + legend_height(style, &entries, width - left - MARGIN);
    let block = title + HEIGHT + name_room;
    let foot = TITLE_GAP + line_height(label) + MARGIN;
    let size = [width, top + rows as f64 * block + (rows - 1) as f64 * GAP + foot];

    let mut svg = String::new();
    let page = Page::new(&mut svg, style, size)?;
    legend(&page, [left, MARGIN], width - left - MARGIN, &entries)?;
    for (index, one) in data.panels.iter().enumerate() {
        let (row, column) = (index / abreast, index % abreast);
        let x = left + column as f64 * (panel + GAP);
        let y = top + row as f64 * (block + GAP) + title;
        let method = fit(&one.method, label, panel);
        page.text(&method, [x, y - 0.9], label, INK, (HPos::Left, VPos::Bottom))?;
        let axes = Axes::new(&page, [x, y], [panel, HEIGHT], -0.5..depths as f64 - 0.5, range.clone());
        if column == 0 {
            axes.y_ticks(&marks, |mark| number(mark, places))?;
            let middle = f64::midpoint(range.start, range.end);
            axes.y_title("rank correlation", middle, left - MARGIN)?;
        } else {
            for &mark in &marks {
                let ends = [[-0.5, mark], [depths as f64 - 0.5, mark]];
                axes.line(&ends, GRID, 0.12, Dash::Solid)?;
            }
        }
        axes.line(&[[-0.5, 0.0], [depths as f64 - 0.5, 0.0]], INK, 0.2, Dash::Solid)?;
        for (depth, name) in names.iter().enumerate() {
            let at = [axes.at(depth as f64, range.start)[0], y + HEIGHT + TICK_GAP];
            if level {
                page.text(name, at, tick, INK, (HPos::Center, VPos::Top))?;
            } else {
                page.upward(name, at, tick, INK, (HPos::Right, VPos::Center))?;
            }
        }
        let middle = (data.classifiers.len() - 1) as f64 / 2.0;
        for (classifier, curve) in one.curves.iter().enumerate() {
            draw_curve(&axes, curve, classifier, (classifier as f64 - middle) * APART)?;
        }
    }
    let at = [f64::midpoint(left, width - MARGIN), size[1] - foot + TITLE_GAP];
    let below = fit("randomised from the head down to", label, width - left - MARGIN);
    page.text(&below, at, label, INK, (HPos::Center, VPos::Top))?;
    page.finish()?;
    let caption = "Model-parameter randomisation (Adebayo et al. 2018): rank correlation of a raw map with itself after the weights were \
        randomised from the head down to the named part of the network, mean over a sample of scores. 1: the map stayed as it was; 0: \
        nothing of it is left. A method whose maps stay as they were does not show what the network has learnt. Error bars: 95 % \
        confidence intervals of the mean (bootstrap).";
    Ok(Figure::new(NAME, caption.to_owned(), svg, size))
}

/// One classifier's curve, moved by `shift` so that its intervals stand beside the others'.
fn draw_curve(axes: &Axes<'_, '_>, curve: &[SanityPoint], classifier: usize, shift: f64) -> Result<()> {
    let colour = axes.page.style.colour(classifier);
    let known = || {
        curve.iter().enumerate().filter_map(|(depth, point)| {
            let value = point.similarity.filter(|value| value.is_finite())?;
            Some(([depth as f64 + shift, value], point.interval))
        })
    };
    let line: Vec<[f64; 2]> = known().map(|(point, _)| point).collect();
    if line.len() > 1 {
        axes.line(&line, colour, 0.35, Dash::Solid)?;
    }
    for ([x, _], interval) in known() {
        if let Some(Interval { low, high }) = interval {
            let ([x, from], [_, to]) = (axes.at(x, low), axes.at(x, high));
            axes.page.interval(x, from, to, 0.4)?;
        }
    }
    line.iter()
        .try_for_each(|&point| axes.marker(point, Marker::of(classifier), 0.65, colour, false))
}
