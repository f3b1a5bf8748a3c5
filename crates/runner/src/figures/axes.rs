//! A plotting area with a frame, ticks, titles and a legend, on top of plotters; lengths are in millimetres.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::{
    Cartesian2d, Circle, DrawingArea, IntoDrawingArea, PathElement, Polygon, Rectangle, SVGBackend,
};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle, WHITE};

use super::error::Result;
use super::style::{GREY, GRID, INK, LABEL, TICK, mm, text, text_width, vertical};

/// A page of plotters, in drawing units.
pub(super) type Page<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// An empty white page of the given size.
pub(super) fn page(svg: &mut String, [width, height]: [f64; 2]) -> Result<Page<'_>> {
    let page = SVGBackend::with_string(svg, (units(width).unsigned_abs(), units(height).unsigned_abs()));
    let page = page.into_drawing_area();
    page.fill(&WHITE)?;
    Ok(page)
}

/// Millimetres as whole drawing units.
pub(super) fn units(millimetres: f64) -> i32 {
    mm(millimetres).round() as i32
}

/// A line of a given colour and width.
pub(super) fn stroke(colour: RGBColor, width: f64) -> ShapeStyle {
    colour.stroke_width(units(width).unsigned_abs().max(1))
}

/// A rectangle of the page with a data coordinate system.
pub(super) struct Axes<'a> {
    page: Page<'a>,
    area: DrawingArea<SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    x: Range<f64>,
    y: Range<f64>,
}

impl<'a> Axes<'a> {
    /// An area at `[left, top]` of the given `[width, height]` for data in the ranges `x` and `y`.
    pub(super) fn new(page: &Page<'a>, origin: [f64; 2], size: [f64; 2], x: Range<f64>, y: Range<f64>) -> Self {
        let [left, top] = origin.map(units);
        let [right, bottom] = [units(origin[0] + size[0]), units(origin[1] + size[1])];
        let coordinates = Cartesian2d::new(x.clone(), y.clone(), (left..right, bottom..top));
        Self {
            page: page.clone(),
            area: page.apply_coord_spec(coordinates),
            x,
            y,
        }
    }

    /// Page position of a data point, in drawing units.
    pub(super) fn position(&self, x: f64, y: f64) -> (i32, i32) {
        self.area.map_coordinate(&(x, y))
    }

    pub(super) fn rectangle(&self, [x0, y0]: [f64; 2], [x1, y1]: [f64; 2], colour: RGBColor) -> Result<()> {
        // SVG knows no negative height.
        let corners = [(x0.min(x1), y0.max(y1)), (x0.max(x1), y0.min(y1))];
        Ok(self.area.draw(&Rectangle::new(corners, colour.filled()))?)
    }

    pub(super) fn line(&self, points: &[(f64, f64)], colour: RGBColor, width: f64) -> Result<()> {
        Ok(self
            .area
            .draw(&PathElement::new(points.to_vec(), stroke(colour, width)))?)
    }

    pub(super) fn dashes(&self, points: &[(f64, f64)], colour: RGBColor, width: f64) -> Result<()> {
        let dashed = DashedPathElement::new(points.iter().copied(), units(1.3), units(0.8), stroke(colour, width));
        Ok(self.area.draw(&dashed)?)
    }

    /// A dot of the given radius with a white rim.
    pub(super) fn dot(&self, x: f64, y: f64, radius: f64, colour: RGBColor) -> Result<()> {
        dot(&self.page, self.position(x, y), radius, colour)
    }

    /// A small cross: a value that is absent.
    pub(super) fn cross(&self, x: f64, y: f64, radius: f64, [right, down]: [f64; 2]) -> Result<()> {
        let (x, y) = self.position(x, y);
        cross(&self.page, (x + units(right), y + units(down)), radius)
    }

    /// An arrow from one data point to another, with its head at the second.
    pub(super) fn arrow(&self, from: (f64, f64), to: (f64, f64), colour: RGBColor, width: f64) -> Result<()> {
        let ((x0, y0), (x1, y1)) = (self.position(from.0, from.1), self.position(to.0, to.1));
        self.page
            .draw(&PathElement::new(vec![(x0, y0), (x1, y1)], stroke(colour, width)))?;
        let (dx, dy) = (f64::from(x1 - x0), f64::from(y1 - y0));
        let length = dx.hypot(dy);
        if length < mm(1.5) {
            return Ok(());
        }
        let (ux, uy, head) = (dx / length, dy / length, mm(1.3));
        let corner = |side: f64| {
            let x = f64::from(x1) - head * (ux + side * 0.45 * uy);
            let y = f64::from(y1) - head * (uy - side * 0.45 * ux);
            (x.round() as i32, y.round() as i32)
        };
        Ok(self.page.draw(&Polygon::new(
            vec![(x1, y1), corner(1.0), corner(-1.0)],
            colour.filled(),
        ))?)
    }

    /// Horizontal grid lines with their values at the left.
    pub(super) fn y_ticks(&self, ticks: &[f64], label: impl Fn(f64) -> String) -> Result<()> {
        let style = text(TICK, INK, HPos::Right, VPos::Center);
        for &tick in ticks {
            self.line(&[(self.x.start, tick), (self.x.end, tick)], GRID, 0.12)?;
            let (x, y) = self.position(self.x.start, tick);
            self.page.draw_text(&label(tick), &style, (x - units(1.0), y))?;
        }
        Ok(())
    }

    /// Vertical grid lines with their values below.
    pub(super) fn x_ticks(&self, ticks: &[f64], label: impl Fn(f64) -> String) -> Result<()> {
        let style = text(TICK, INK, HPos::Center, VPos::Top);
        for &tick in ticks {
            self.line(&[(tick, self.y.start), (tick, self.y.end)], GRID, 0.12)?;
            let (x, y) = self.position(tick, self.y.start);
            self.page.draw_text(&label(tick), &style, (x, y + units(1.0)))?;
        }
        Ok(())
    }

    /// The left and the lower edge.
    pub(super) fn frame(&self) -> Result<()> {
        let corners = [
            (self.x.start, self.y.end),
            (self.x.start, self.y.start),
            (self.x.end, self.y.start),
        ];
        self.line(&corners, INK, 0.2)
    }

    /// A title along the middle of a part of the y axis, `offset` left of it.
    pub(super) fn y_title(&self, content: &str, middle: f64, offset: f64) -> Result<()> {
        let (x, y) = self.position(self.x.start, middle);
        Ok(self.page.draw_text(
            content,
            &vertical(LABEL, INK, HPos::Center, VPos::Center),
            (x - units(offset), y),
        )?)
    }

    /// A title centred below the x axis.
    pub(super) fn x_title(&self, content: &str, offset: f64) -> Result<()> {
        let (x, y) = self.position((self.x.start + self.x.end) / 2.0, self.y.start);
        Ok(self.page.draw_text(
            content,
            &text(LABEL, INK, HPos::Center, VPos::Top),
            (x, y + units(offset)),
        )?)
    }
}

/// A dot on the page with a white rim.
pub(super) fn dot(page: &Page<'_>, centre: (i32, i32), radius: f64, colour: RGBColor) -> Result<()> {
    page.draw(&Circle::new(centre, units(radius + 0.12), WHITE.filled()))?;
    Ok(page.draw(&Circle::new(centre, units(radius), colour.filled()))?)
}

fn cross(page: &Page<'_>, (x, y): (i32, i32), radius: f64) -> Result<()> {
    let r = units(radius);
    for corners in [[(x - r, y - r), (x + r, y + r)], [(x - r, y + r), (x + r, y - r)]] {
        page.draw(&PathElement::new(corners.to_vec(), stroke(GREY, 0.18)))?;
    }
    Ok(())
}

/// The sample before an entry of a legend.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// A filled box.
    Box(RGBColor),
    /// A line.
    Line(RGBColor),
    /// A dashed line.
    Dashes(RGBColor),
    /// A dot.
    Dot(RGBColor),
    /// The cross of an absent value.
    Cross,
    /// A thin upright stroke with ends: an interval.
    Interval,
}

/// Height of one line of a legend.
pub(super) const LEGEND_LINE: f64 = 4.2;
/// Width of a key with the space after it, and the space after an entry.
const KEY: f64 = 5.0;
const GAP: f64 = 4.0;

/// Distributes entries over lines of the given width. Returns each entry's `[x, line]` and the number of lines.
fn flow(entries: &[(Key, String)], width: f64) -> (Vec<[f64; 2]>, usize) {
    let (mut x, mut line) = (0.0, 0);
    let places = entries
        .iter()
        .map(|(_, label)| {
            let needed = KEY + text_width(label, LABEL);
            if x > 0.0 && x + needed > width {
                (x, line) = (0.0, line + 1);
            }
            let place = [x, f64::from(line)];
            x += needed + GAP;
            place
        })
        .collect();
    (places, line as usize + 1)
}

/// Height that a legend takes in the given width.
pub(super) fn legend_height(entries: &[(Key, String)], width: f64) -> f64 {
    flow(entries, width).1 as f64 * LEGEND_LINE
}

/// A legend in reading order, its upper left corner at `origin`.
pub(super) fn legend(page: &Page<'_>, origin: [f64; 2], width: f64, entries: &[(Key, String)]) -> Result<()> {
    for ((key, label), [x, line]) in entries.iter().zip(flow(entries, width).0) {
        let (left, middle) = (units(origin[0] + x), units(origin[1] + (line + 0.5) * LEGEND_LINE));
        let (right, centre, half) = (left + units(3.6), left + units(1.8), units(1.0));
        match *key {
            Key::Box(colour) => {
                page.draw(&Rectangle::new(
                    [(left, middle - half), (right, middle + half)],
                    colour.filled(),
                ))?;
            }
            Key::Line(colour) => {
                page.draw(&PathElement::new(
                    vec![(left, middle), (right, middle)],
                    stroke(colour, 0.4),
                ))?;
            }
            Key::Dashes(colour) => {
                let points = [(left, middle), (right, middle)];
                let dashed = DashedPathElement::new(points, units(1.3), units(0.8), stroke(colour, 0.4));
                page.draw(&dashed)?;
            }
            Key::Dot(colour) => dot(page, (centre, middle), 0.6, colour)?,
            Key::Cross => cross(page, (centre, middle), 0.7)?,
            Key::Interval => {
                let line = vec![(centre, middle - half), (centre, middle + half)];
                page.draw(&PathElement::new(line, stroke(INK, 0.18)))?;
            }
        }
        let style = text(LABEL, INK, HPos::Left, VPos::Center);
        page.draw_text(label, &style, (left + units(KEY), middle))?;
    }
    Ok(())
}

/// Round values that cover a range with at most `most` intervals: steps of 1, 2 or 5 times a power of ten.
pub(super) fn ticks(range: Range<f64>, most: usize) -> Vec<f64> {
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
pub(super) fn decimals(ticks: &[f64]) -> usize {
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
        assert_eq!(
            (
                decimals(&[0.0, 0.2]),
                decimals(&[0.0, 5.0]),
                decimals(&[0.0, 0.05]),
                decimals(&[1.0])
            ),
            (1, 0, 2, 1)
        );
    }

    #[test]
    fn legends_wrap() {
        let entries: Vec<_> = (0..5).map(|_| (Key::Cross, "some entry".to_owned())).collect();
        assert_eq!(legend_height(&entries, 1000.0), LEGEND_LINE);
        assert_eq!(legend_height(&entries, 1.0), 5.0 * LEGEND_LINE);
    }
}
