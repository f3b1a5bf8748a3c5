//! A plotting area on a page: ticks, frame, titles, and marks at data positions.

use std::ops::Range;

use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

use super::page::{Dash, Page, Point};
use super::palette::Marker;
use super::style::{GRID, INK, Style, capital, line_height, widest};
use crate::error::Result;

/// Space in mm between an axis and its tick labels.
pub(crate) const TICK_GAP: f64 = 0.9;
/// Space in mm between tick labels and a title.
pub(crate) const TITLE_GAP: f64 = 1.0;

/// A rectangle of the page with linear axes.
pub(crate) struct Axes<'p, 'a> {
    pub page: &'p Page<'a>,
    /// Its upper left corner and its size in mm.
    origin: Point,
    size: [f64; 2],
    x: Range<f64>,
    y: Range<f64>,
}

impl<'p, 'a> Axes<'p, 'a> {
    pub(crate) fn new(page: &'p Page<'a>, origin: Point, size: [f64; 2], x: Range<f64>, y: Range<f64>) -> Self {
        Self {
            page,
            origin,
            size,
            x,
            y,
        }
    }

    /// Page position of a data point.
    pub(crate) fn at(&self, x: f64, y: f64) -> Point {
        let share = |value: f64, range: &Range<f64>| (value - range.start) / (range.end - range.start);
        [
            self.origin[0] + share(x, &self.x) * self.size[0],
            self.origin[1] + (1.0 - share(y, &self.y)) * self.size[1],
        ]
    }

    /// Left, top, right and bottom on the page, in mm.
    pub(crate) fn bounds(&self) -> [f64; 4] {
        let ([x, y], [width, height]) = (self.origin, self.size);
        [x, y, x + width, y + height]
    }

    pub(crate) fn rectangle(&self, from: Point, to: Point, colour: RGBColor) -> Result<()> {
        self.page
            .rectangle(self.at(from[0], from[1]), self.at(to[0], to[1]), colour)
    }

    pub(crate) fn line(&self, points: &[Point], colour: RGBColor, width: f64, dash: Dash) -> Result<()> {
        let points: Vec<Point> = points.iter().map(|&[x, y]| self.at(x, y)).collect();
        self.page.line(&points, colour, width, dash)
    }

    pub(crate) fn marker(
        &self,
        [x, y]: Point,
        marker: Marker,
        radius: f64,
        colour: RGBColor,
        hollow: bool,
    ) -> Result<()> {
        self.page.marker(self.at(x, y), marker, radius, colour, hollow)
    }

    /// Horizontal grid lines with their values at the left.
    pub(crate) fn y_ticks(&self, ticks: &[f64], label: impl Fn(f64) -> String) -> Result<()> {
        let points = self.page.style.tick();
        for &tick in ticks {
            self.line(&[[self.x.start, tick], [self.x.end, tick]], GRID, 0.12, Dash::Solid)?;
            let [x, y] = self.at(self.x.start, tick);
            let at = [x - TICK_GAP, y];
            self.page
                .text(&label(tick), at, points, INK, (HPos::Right, VPos::Center))?;
        }
        Ok(())
    }

    /// Vertical grid lines with their values below.
    pub(crate) fn x_ticks(&self, ticks: &[f64], label: impl Fn(f64) -> String) -> Result<()> {
        let points = self.page.style.tick();
        for &tick in ticks {
            self.line(&[[tick, self.y.start], [tick, self.y.end]], GRID, 0.12, Dash::Solid)?;
            let [x, y] = self.at(tick, self.y.start);
            let at = [x, y + TICK_GAP];
            self.page
                .text(&label(tick), at, points, INK, (HPos::Center, VPos::Top))?;
        }
        Ok(())
    }

    /// The left and the lower edge.
    pub(crate) fn frame(&self) -> Result<()> {
        let corners = [
            [self.x.start, self.y.end],
            [self.x.start, self.y.start],
            [self.x.end, self.y.start],
        ];
        self.line(&corners, INK, 0.2, Dash::Solid)
    }

    /// A title at the far left of a page that left [`left_of`] the axis, along the middle of a part of the y axis.
    pub(crate) fn y_title(&self, content: &str, middle: f64, left: f64) -> Result<()> {
        let points = self.page.style.label();
        let [x, y] = self.at(self.x.start, middle);
        let at = [x - left, y];
        self.page.upward(content, at, points, INK, (HPos::Center, VPos::Top))
    }

    /// A title centred below the x axis and its ticks.
    pub(crate) fn x_title(&self, content: &str) -> Result<()> {
        let style = &self.page.style;
        let [x, y] = self.at((self.x.start + self.x.end) / 2.0, self.y.start);
        let at = [x, y + TICK_GAP + line_height(style.tick()) + TITLE_GAP * 0.5];
        self.page
            .text(content, at, style.label(), INK, (HPos::Center, VPos::Top))
    }
}

/// Room in mm left of a y axis for its tick labels and its title.
pub(crate) fn left_of<S: AsRef<str>>(style: &Style, labels: impl IntoIterator<Item = S>) -> f64 {
    widest(labels, style.tick()) + TICK_GAP + TITLE_GAP + line_height(style.label())
}

/// Room in mm below an x axis for its tick labels and its title.
pub(crate) fn below(style: &Style) -> f64 {
    TICK_GAP + line_height(style.tick()) + TITLE_GAP * 0.5 + line_height(style.label()) + 0.5
}

/// Height in mm that a line of text takes around its middle.
pub(crate) fn half_line(points: f64) -> f64 {
    capital(points) / 2.0 + 0.3
}

/// Round values that cover a range with at most `most` intervals: steps of 1, 2 or 5 times a power of ten.
pub(crate) fn ticks(range: Range<f64>, most: usize) -> Vec<f64> {
    let span = range.end - range.start;
    if !(span > 0.0 && span.is_finite()) || most == 0 {
        return vec![range.start];
    }
    let raw = span / most as f64;
    let power = 10.0_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|&step| step >= raw * (1.0 - 1e-9));
    let step = step.unwrap_or(10.0 * power);
    let first = (range.start / step - 1e-9).ceil() as i64;
    let last = (range.end / step + 1e-9).floor() as i64;
    (first..=last).map(|multiple| multiple as f64 * step).collect()
}

/// Decimals that tell the given ticks apart.
pub(crate) fn decimals(ticks: &[f64]) -> usize {
    let step = ticks
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .fold(f64::INFINITY, f64::min);
    if step.is_finite() && step > 0.0 {
        (-(step.log10() + 1e-9).floor()).clamp(0.0, 6.0) as usize
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0..1.0, 5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(ticks(-0.35..0.7, 6), [-0.2, 0.0, 0.2, 0.4, 0.6000000000000001]);
        assert_eq!(ticks(1.0..8.0, 8).len(), 8);
        assert_eq!(ticks(3.0..3.0, 5), [3.0]);
        let all = [&[0.0, 0.2][..], &[0.0, 5.0], &[0.0, 0.05], &[1.0]].map(decimals);
        assert_eq!(all, [1, 0, 2, 1]);
    }

    #[test]
    fn data_lie_where_the_axes_say() {
        let mut svg = String::new();
        let page = Page::new(&mut svg, &Style::default(), [100.0, 100.0]).unwrap();
        let axes = Axes::new(&page, [10.0, 20.0], [50.0, 40.0], 0.0..2.0, -1.0..1.0);
        assert_eq!(axes.at(0.0, 1.0), [10.0, 20.0]);
        assert_eq!(axes.at(2.0, -1.0), [60.0, 60.0]);
        assert_eq!(axes.at(1.0, 0.0), [35.0, 40.0]);
    }
}
