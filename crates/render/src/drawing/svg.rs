//! A small SVG writer for sheets of pictures; positions and lengths are in millimetres.

use std::fmt::Write;

use plotters::style::RGBColor;

use super::outline::Outline;
use super::palette::Hatch;
use super::style::{FAMILY, Style, hex, mm, pt};

/// A document under construction. [`super::export::Figure::new`] replaces its first tag by one with the size on paper.
pub(crate) struct Svg {
    body: String,
}

/// Where a text stands relative to its position.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(crate) fn new() -> Self {
        Self {
            body: String::from("<svg>\n"),
        }
    }

    pub(crate) fn finish(mut self) -> String {
        self.body.push_str("</svg>\n");
        self.body
    }

    // Writing to a string cannot fail.
    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    pub(crate) fn rectangle(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], fill: RGBColor) {
        let [x, y, width, height] = [x, y, width, height].map(number);
        let fill = hex(fill);
        self.element(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>"
        ));
    }

    pub(crate) fn line(&mut self, from: [f64; 2], to: [f64; 2], colour: RGBColor, width: f64) {
        let [x1, y1, x2, y2, width] = [from[0], from[1], to[0], to[1], width].map(number);
        let stroke = hex(colour);
        self.element(format_args!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{stroke}\" stroke-width=\"{width}\"/>"
        ));
    }

    /// A bar in a classifier's colour and hatch.
    pub(crate) fn bar(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], style: &Style, classifier: usize) {
        self.rectangle([x, y], [width, height], style.colour(classifier));
        for [from, to] in Hatch::of(classifier).lines([x, y, x + width, y + height], 0.75) {
            self.line(from, to, plotters::style::WHITE, 0.13);
        }
    }

    /// A square picture.
    pub(crate) fn image(&mut self, [x, y]: [f64; 2], side: f64, data_uri: &str) {
        let [x, y, side] = [x, y, side].map(number);
        self.element(format_args!(
            "<image x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" href=\"{data_uri}\"/>"
        ));
    }

    /// A line of text; `y` is its baseline.
    pub(crate) fn text(&mut self, [x, y]: [f64; 2], content: &str, points: f64, colour: RGBColor, anchor: Anchor) {
        let [x, y] = [x, y].map(number);
        let size = (pt(points) * 100.0).round() / 100.0;
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (fill, content) = (hex(colour), escape(content));
        self.element(format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-family=\"{FAMILY}\" font-size=\"{size}\" fill=\"{fill}\" \
             text-anchor=\"{anchor}\">{content}</text>"
        ));
    }

    /// The border of a region inside a square panel: white over a darker line, visible on any picture.
    pub(crate) fn outline(&mut self, [x, y]: [f64; 2], side: f64, outline: &Outline) {
        let cell = side / outline.side.max(1) as f64;
        let mut path = String::new();
        for [from, to] in border(outline) {
            let point = |[column, row]: [usize; 2]| [x + column as f64 * cell, y + row as f64 * cell].map(number);
            let ([x1, y1], [x2, y2]) = (point(from), point(to));
            let _ = write!(path, "M{x1} {y1}L{x2} {y2}");
        }
        if path.is_empty() {
            return;
        }
        for (colour, width) in [("#000000", 0.34), ("#ffffff", 0.17)] {
            let width = number(width);
            self.element(format_args!(
                "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linecap=\"square\"/>"
            ));
        }
    }
}

/// Millimetres as drawing units with two decimals.
fn number(millimetres: f64) -> f64 {
    (mm(millimetres) * 100.0).round() / 100.0
}

/// Text that may stand between tags.
pub(crate) fn escape(content: &str) -> String {
    // XML has no control characters, escaped or not.
    let is_none = |c: char| (c.is_control() && !"\t\n\r".contains(c)) || "\u{fffe}\u{ffff}".contains(c);
    content
        .replace(is_none, "\u{fffd}")
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The edges between inside and outside, as [column, row] corners; straight edges are joined.
fn border(outline: &Outline) -> Vec<[[usize; 2]; 2]> {
    let side = outline.side;
    let inside = |row: Option<usize>, column: Option<usize>| match (row, column) {
        (Some(row), Some(column)) if row < side && column < side => {
            outline.inside.get(row * side + column).copied().unwrap_or(false)
        }
        _ => false,
    };
    let mut segments = Vec::new();
    // Line `at` lies between cells `at - 1` and `at`; runs along it start and end where the border does.
    for at in 0..=side {
        for horizontal in [true, false] {
            let crosses = |along: usize| {
                let (before, after) = (at.checked_sub(1), Some(at));
                if horizontal {
                    inside(before, Some(along)) != inside(after, Some(along))
                } else {
                    inside(Some(along), before) != inside(Some(along), after)
                }
            };
            let mut start = None;
            for along in 0..=side {
                match (start, along < side && crosses(along)) {
                    (None, true) => start = Some(along),
                    (Some(first), false) => {
                        segments.push(if horizontal {
                            [[first, at], [along, at]]
                        } else {
                            [[at, first], [at, along]]
                        });
                        start = None;
                    }
                    _ => {}
                }
            }
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_of_a_box_has_four_edges() {
        let inside = (0..16)
            .map(|i| (1..3).contains(&(i / 4)) && (1..4).contains(&(i % 4)))
            .collect();
        let edges = border(&Outline { side: 4, inside });
        assert_eq!(edges.len(), 4);
        assert!(edges.contains(&[[1, 1], [4, 1]]) && edges.contains(&[[4, 1], [4, 3]]));
    }

    #[test]
    fn bad_outlines_have_no_border() {
        assert!(
            border(&Outline {
                side: 0,
                inside: Vec::new()
            })
            .is_empty()
        );
        assert!(
            border(&Outline {
                side: 3,
                inside: Vec::new()
            })
            .is_empty()
        );
    }

    #[test]
    fn text_is_escaped() {
        let mut svg = Svg::new();
        svg.text([0.0, 0.0], "<&>", 7.0, RGBColor(0, 0, 0), Anchor::Start);
        assert!(svg.finish().contains("&lt;&amp;&gt;"));
        assert_eq!(escape("a\u{1}b\u{1b}\tc\u{ffff}"), "a\u{fffd}b\u{fffd}\tc\u{fffd}");
    }
}
