//! A page to draw on, over plotters; positions and lengths are in millimetres from its upper left corner.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::{Circle, DrawingArea, IntoDrawingArea, PathElement, Polygon, Rectangle, SVGBackend};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle, WHITE};

use super::palette::{Hatch, Marker};
use super::style::{Style, mm, text, vertical};
use crate::error::Result;

/// A point in mm.
pub(crate) type Point = [f64; 2];

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dash {
    Solid,
    Dashed,
    Dotted,
}

/// An empty white page of a size in mm, under construction.
pub(crate) struct Page<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    /// How everything on it looks.
    pub style: Style,
}

/// Millimetres as whole drawing units.
fn units(millimetres: f64) -> i32 {
    mm(millimetres).round() as i32
}

fn place([x, y]: Point) -> (i32, i32) {
    (units(x), units(y))
}

fn stroke(colour: RGBColor, width: f64) -> ShapeStyle {
    colour.stroke_width(units(width).unsigned_abs().max(1))
}

impl<'a> Page<'a> {
    pub(crate) fn new(svg: &'a mut String, style: &Style, [width, height]: [f64; 2]) -> Result<Self> {
        let area = SVGBackend::with_string(svg, (units(width).unsigned_abs(), units(height).unsigned_abs()));
        let area = area.into_drawing_area();
        area.fill(&WHITE)?;
        Ok(Self { area, style: *style })
    }

    /// Ends the drawing.
    pub(crate) fn finish(self) -> Result<()> {
        Ok(self.area.present()?)
    }

    /// A filled rectangle between two corners.
    pub(crate) fn rectangle(&self, [x0, y0]: Point, [x1, y1]: Point, colour: RGBColor) -> Result<()> {
        let corners = [place([x0.min(x1), y0.min(y1)]), place([x0.max(x1), y0.max(y1)])];
        Ok(self.area.draw(&Rectangle::new(corners, colour.filled()))?)
    }

    /// A filled rectangle in a classifier's colour and hatch.
    pub(crate) fn bar(&self, [x0, y0]: Point, [x1, y1]: Point, classifier: usize) -> Result<()> {
        const SPACING: f64 = 0.75;
        self.rectangle([x0, y0], [x1, y1], self.style.colour(classifier))?;
        let corners = [x0.min(x1), y0.min(y1), x0.max(x1), y0.max(y1)];
        for line in Hatch::of(classifier).lines(corners, SPACING) {
            self.line(&line, WHITE, 0.13, Dash::Solid)?;
        }
        Ok(())
    }

    pub(crate) fn line(&self, points: &[Point], colour: RGBColor, width: f64, dash: Dash) -> Result<()> {
        let points: Vec<_> = points.iter().copied().map(place).collect();
        let stroke = stroke(colour, width);
        match dash {
            Dash::Solid => self.area.draw(&PathElement::new(points, stroke))?,
            Dash::Dashed => {
                self.area
                    .draw(&DashedPathElement::new(points, units(1.3), units(0.8), stroke))?;
            }
            Dash::Dotted => {
                self.area
                    .draw(&DashedPathElement::new(points, units(0.35), units(0.6), stroke))?;
            }
        }
        Ok(())
    }

    /// An upright interval with ends, readable on paper and on any bar.
    pub(crate) fn interval(&self, x: f64, from: f64, to: f64, cap: f64) -> Result<()> {
        for (colour, width) in [(WHITE, 0.4), (super::style::INK, 0.16)] {
            self.line(&[[x, from], [x, to]], colour, width, Dash::Solid)?;
        }
        for end in [from, to] {
            self.line(&[[x - cap, end], [x + cap, end]], super::style::INK, 0.16, Dash::Solid)?;
        }
        Ok(())
    }

    /// A point of a given shape with a white rim; hollow ones are white inside.
    pub(crate) fn marker(
        &self,
        centre: Point,
        marker: Marker,
        radius: f64,
        colour: RGBColor,
        hollow: bool,
    ) -> Result<()> {
        self.shape(centre, marker, radius + 0.12, WHITE)?;
        self.shape(centre, marker, radius, colour)?;
        if hollow {
            self.shape(centre, marker, radius * 0.55, WHITE)?;
        }
        Ok(())
    }

    fn shape(&self, [x, y]: Point, marker: Marker, radius: f64, colour: RGBColor) -> Result<()> {
        let corners = marker.corners(radius);
        if corners.is_empty() {
            return Ok(self
                .area
                .draw(&Circle::new(place([x, y]), units(radius), colour.filled()))?);
        }
        self.polygon(
            &corners.iter().map(|[dx, dy]| [x + dx, y + dy]).collect::<Vec<_>>(),
            colour,
        )
    }

    pub(crate) fn polygon(&self, points: &[Point], colour: RGBColor) -> Result<()> {
        let points: Vec<_> = points.iter().copied().map(place).collect();
        Ok(self.area.draw(&Polygon::new(points, colour.filled()))?)
    }

    /// A translucent area, such as the intervals along a line: what is below it stays visible.
    pub(crate) fn veil(&self, points: &[Point], colour: RGBColor) -> Result<()> {
        const OPACITY: f64 = 0.18;
        let points: Vec<_> = points.iter().copied().map(place).collect();
        Ok(self.area.draw(&Polygon::new(points, colour.mix(OPACITY).filled()))?)
    }

    /// A small cross: a value that is absent.
    pub(crate) fn cross(&self, [x, y]: Point, radius: f64) -> Result<()> {
        for rise in [radius, -radius] {
            let ends = [[x - radius, y - rise], [x + radius, y + rise]];
            self.line(&ends, super::style::GREY, 0.18, Dash::Solid)?;
        }
        Ok(())
    }

    /// An arrow whose head ends `short` of the second point.
    pub(crate) fn arrow(&self, from: Point, to: Point, short: f64, colour: RGBColor, width: f64) -> Result<()> {
        const HEAD: f64 = 1.2;
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = dx.hypot(dy);
        if length < short + HEAD {
            return self.line(&[from, to], colour, width, Dash::Solid);
        }
        let (ux, uy) = (dx / length, dy / length);
        let tip = [to[0] - short * ux, to[1] - short * uy];
        let back = [tip[0] - HEAD * ux, tip[1] - HEAD * uy];
        self.line(&[from, back], colour, width, Dash::Solid)?;
        let corner = |side: f64| [back[0] - side * 0.45 * HEAD * uy, back[1] + side * 0.45 * HEAD * ux];
        self.polygon(&[tip, corner(1.0), corner(-1.0)], colour)
    }

    /// A line of text at a position of its left, middle or right.
    pub(crate) fn text(
        &self,
        content: &str,
        at: Point,
        points: f64,
        colour: RGBColor,
        (h, v): (HPos, VPos),
    ) -> Result<()> {
        Ok(self.area.draw_text(content, &text(points, colour, h, v), place(at))?)
    }

    /// The same, reading upwards; `h` is the place along the text.
    pub(crate) fn upward(
        &self,
        content: &str,
        at: Point,
        points: f64,
        colour: RGBColor,
        (h, v): (HPos, VPos),
    ) -> Result<()> {
        Ok(self
            .area
            .draw_text(content, &vertical(points, colour, h, v), place(at))?)
    }
}
