//! Names of points, each where there is room.

use plotters::style::WHITE;
use plotters::style::text_anchor::{HPos, VPos};

use super::page::{Page, Point};
use super::style::{INK, capital, text_width};
use crate::error::Result;

/// Places names beside points without covering a point, another name, or the border.
pub(crate) struct Labels {
    /// Boxes `[left, top, right, bottom]` in mm that are taken.
    taken: Vec<[f64; 4]>,
    /// Lines that names had better not cross.
    lines: Vec<[Point; 2]>,
    /// The box that names stay in.
    within: [f64; 4],
}

impl Labels {
    pub(crate) fn new(within: [f64; 4]) -> Self {
        Self {
            taken: Vec::new(),
            lines: Vec::new(),
            within,
        }
    }

    /// Keeps names away from a point.
    pub(crate) fn avoid(&mut self, [x, y]: Point, radius: f64) {
        self.taken.push([x - radius, y - radius, x + radius, y + radius]);
    }

    /// Keeps names off a line where there is another place.
    pub(crate) fn avoid_line(&mut self, from: Point, to: Point) {
        self.lines.push([from, to]);
    }

    /// Writes names, each beside the first of its points where it fits: first those that cross no line, then the others on a white
    /// ground. Says whether all have a place.
    pub(crate) fn write(&mut self, page: &Page<'_>, names: &[(String, Vec<Point>)], points: f64) -> Result<bool> {
        let half = capital(points) / 2.0 + 0.25;
        let mut left: Vec<&(String, Vec<Point>)> = names.iter().collect();
        for crossing in [false, true] {
            let mut without = Vec::new();
            for named in left {
                let (name, beside) = named;
                let width = text_width(name, points);
                let mut places = beside.iter().flat_map(|&point| around(point, width, half));
                let Some(place) = places.find(|place| self.is_free(place, crossing)) else {
                    without.push(named);
                    continue;
                };
                if crossing {
                    page.rectangle([place[0], place[1]], [place[2], place[3]], WHITE)?;
                }
                self.taken.push(place);
                let at = [place[0], f64::midpoint(place[1], place[3])];
                page.text(name, at, points, INK, (HPos::Left, VPos::Center))?;
            }
            left = without;
        }
        Ok(left.is_empty())
    }

    fn is_free(&self, place: &[f64; 4], crossing: bool) -> bool {
        let [left, top, right, bottom] = self.within;
        let inside = place[0] >= left && place[1] >= top && place[2] <= right && place[3] <= bottom;
        inside
            && self.taken.iter().all(|other| apart(place, other))
            && (crossing || !self.lines.iter().any(|line| crosses(line, place)))
    }
}

/// Whether a part of a line lies in a box (Liang and Barsky's clipping).
fn crosses([from, to]: &[Point; 2], [left, top, right, bottom]: &[f64; 4]) -> bool {
    let (mut first, mut last) = (0.0_f64, 1.0_f64);
    for (start, step, low, high) in [
        (from[0], to[0] - from[0], left, right),
        (from[1], to[1] - from[1], top, bottom),
    ] {
        if step == 0.0 {
            if start <= *low || start >= *high {
                return false;
            }
            continue;
        }
        let [a, b] = [(low - start) / step, (high - start) / step];
        first = first.max(a.min(b));
        last = last.min(a.max(b));
    }
    first < last
}

/// Boxes for a text next to a point: right, left, above, below, and at the corners.
fn around([x, y]: Point, width: f64, half: f64) -> [[f64; 4]; 8] {
    const GAP: f64 = 1.1;
    let beside = |left: f64, middle: f64| [left, middle - half, left + width, middle + half];
    let rise = half + 0.8;
    [
        beside(x + GAP, y),
        beside(x - GAP - width, y),
        beside(x - width / 2.0, y - GAP - half),
        beside(x - width / 2.0, y + GAP + half),
        beside(x + GAP * 0.6, y - rise),
        beside(x + GAP * 0.6, y + rise),
        beside(x - GAP * 0.6 - width, y - rise),
        beside(x - GAP * 0.6 - width, y + rise),
    ]
}

fn apart(a: &[f64; 4], b: &[f64; 4]) -> bool {
    a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1]
}

#[cfg(test)]
mod tests {
    use super::super::style::Style;
    use super::*;

    #[test]
    fn names_do_not_overlap() {
        let mut svg = String::new();
        let page = Page::new(&mut svg, &Style::default(), [30.0, 10.0]).unwrap();
        let mut labels = Labels::new([0.0, 0.0, 30.0, 10.0]);
        let names = vec![("Bald".to_owned(), vec![[15.0, 5.0]]); 20];
        assert!(!labels.write(&page, &names, 7.0).unwrap());
        let written = labels.taken.len();
        assert!((2..=8).contains(&written), "{written}");
        for (index, a) in labels.taken.iter().enumerate() {
            assert!(labels.taken[index + 1..].iter().all(|b| apart(a, b)));
        }
    }

    #[test]
    fn names_keep_off_lines_where_they_can() {
        let mut svg = String::new();
        let page = Page::new(&mut svg, &Style::default(), [60.0, 20.0]).unwrap();
        let mut labels = Labels::new([0.0, 0.0, 60.0, 20.0]);
        labels.avoid_line([30.0, 10.0], [60.0, 10.0]);
        let names = [("Bald".to_owned(), vec![[30.0, 10.0]])];
        assert!(labels.write(&page, &names, 7.0).unwrap());
        assert!(labels.taken[0][2] <= 30.0, "left of the point, {:?}", labels.taken);
    }

    #[test]
    fn lines_cross_boxes() {
        let place = [1.0, 1.0, 3.0, 2.0];
        for (line, expected) in [
            ([[0.0, 0.0], [4.0, 3.0]], true),
            ([[2.0, 0.0], [2.0, 5.0]], true),
            ([[0.0, 1.5], [0.5, 1.5]], false),
            ([[0.0, 3.0], [4.0, 2.5]], false),
            ([[1.0, 0.0], [1.0, 5.0]], false),
            ([[1.5, 1.5], [1.6, 1.6]], true),
        ] {
            assert_eq!(crosses(&line, &place), expected, "{line:?}");
        }
    }
}
