//! Curves over what a sweep varies.

use std::ops::Range;

use metrics::Interval;

use crate::drawing::axes::Axes;
use crate::drawing::page::{Dash, Point};
use crate::drawing::palette::Marker;
use crate::drawing::style::Style;
use crate::error::Result;

/// What is along x.
#[derive(Debug, Clone, PartialEq)]
pub struct XAxis {
    /// What it is.
    pub title: String,
    /// The values as a person reads them.
    pub labels: Vec<String>,
    /// The same as numbers; `None` where they are categories, which are spaced evenly.
    pub numbers: Option<Vec<f64>>,
}

impl XAxis {
    /// The place of a value.
    pub(super) fn at(&self, x: usize) -> f64 {
        match &self.numbers {
            Some(numbers) => numbers[x],
            None => x as f64,
        }
    }

    /// From the first to the last value, with a little room, that marks are not cut.
    pub(super) fn range(&self) -> Range<f64> {
        let places: Vec<f64> = (0..self.labels.len()).map(|x| self.at(x)).collect();
        let first = places.iter().copied().fold(f64::INFINITY, f64::min);
        let last = places.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !(first.is_finite() && last > first) {
            let only = if first.is_finite() { first } else { 0.0 };
            return only - 0.5..only + 0.5;
        }
        let room = (last - first) * if self.numbers.is_some() { 0.04 } else { 0.12 };
        first - room..last + room
    }
}

/// A place on a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Position along x.
    pub x: usize,
    /// The value.
    pub value: f64,
    /// Its interval, drawn as a band, or as a bar where x is a category.
    pub interval: Option<Interval>,
}

/// The curves of the two classes in one series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClassCurves {
    /// Of the minority class.
    pub minority: Vec<CurvePoint>,
    /// Of the majority class.
    pub majority: Vec<CurvePoint>,
}

impl ClassCurves {
    pub(super) fn points(&self) -> impl Iterator<Item = &CurvePoint> {
        self.minority.iter().chain(&self.majority)
    }
}

/// Colour and dash of a class's curve. With one series the classes differ by colour too.
pub(super) fn look(
    style: &Style,
    series: usize,
    of: usize,
    minority: bool,
) -> (plotters::style::RGBColor, Dash, Marker) {
    let index = match (of, minority) {
        (1, false) => 1,
        (1, true) => 0,
        _ => series,
    };
    let dash = if minority { Dash::Solid } else { Dash::Dashed };
    (style.colour(index), dash, Marker::of(index))
}

/// Draws the curves of all series, bands first.
pub(super) fn draw(axes: &Axes<'_, '_>, x: &XAxis, series: &[ClassCurves], y: &Range<f64>, radius: f64) -> Result<()> {
    let style = axes.page.style;
    let clip = |value: f64| value.clamp(y.start, y.end);
    let all = || {
        series
            .iter()
            .enumerate()
            .flat_map(|(index, curves)| [(index, true, &curves.minority), (index, false, &curves.majority)])
    };
    for (index, minority, points) in all() {
        let (colour, _, _) = look(&style, index, series.len(), minority);
        let known: Vec<(f64, f64, f64)> = points
            .iter()
            .filter_map(|point| {
                let Interval { low, high } = point.interval?;
                Some((x.at(point.x), clip(low), clip(high)))
            })
            .collect();
        if x.numbers.is_some() && known.len() > 1 {
            let upper = known.iter().map(|&(x, _, high)| axes.at(x, high));
            let lower = known.iter().rev().map(|&(x, low, _)| axes.at(x, low));
            axes.page.veil(&upper.chain(lower).collect::<Vec<Point>>(), colour)?;
        }
    }
    for (index, minority, points) in all() {
        let (colour, dash, marker) = look(&style, index, series.len(), minority);
        // Categories of several curves stand side by side.
        let shift = if x.numbers.is_some() {
            0.0
        } else {
            (2.0 * index as f64 + f64::from(u8::from(!minority)) - series.len() as f64 + 0.5) * 0.08
        };
        let places: Vec<Point> = points
            .iter()
            .filter(|point| point.value.is_finite())
            .map(|point| [x.at(point.x) + shift, clip(point.value)])
            .collect();
        if x.numbers.is_some() && places.len() > 1 {
            axes.line(&places, colour, 0.4, dash)?;
        } else if x.numbers.is_none() {
            for point in points {
                if let Some(Interval { low, high }) = point.interval {
                    let at = x.at(point.x) + shift;
                    axes.line(&[[at, clip(low)], [at, clip(high)]], colour, 0.3, Dash::Solid)?;
                }
            }
        }
        for place in places {
            axes.marker(place, marker, radius, colour, !minority)?;
        }
    }
    Ok(())
}

/// From 0, or below where there is something, to a little above the highest value; intervals may reach half as far again, no further,
/// so that a wide one does not flatten all curves.
pub(super) fn y_range<'a>(points: impl Iterator<Item = &'a CurvePoint>) -> Range<f64> {
    let (mut low, mut high, mut lowest, mut highest) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
    for point in points.filter(|point| point.value.is_finite()) {
        (low, high) = (low.min(point.value), high.max(point.value));
        if let Some(interval) = point.interval {
            (lowest, highest) = (lowest.min(interval.low), highest.max(interval.high));
        }
    }
    let span = high - low;
    if span <= 0.0 {
        return 0.0..1.0;
    }
    let top = high.max(highest.min(high + span / 2.0));
    // A band below 0 of a share that cannot be negative says nothing.
    let bottom = if low < 0.0 {
        low.min(lowest.max(low - span / 2.0))
    } else {
        0.0
    };
    bottom..top + span * 0.05
}
