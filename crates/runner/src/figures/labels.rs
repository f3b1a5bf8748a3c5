//! Names of points, each where there is room.

use plotters::style::text_anchor::{HPos, VPos};

use super::error::Result;
use super::page::{Page, Point};
use super::style::{INK, capital, text_width};

/// Places names beside points without covering a point, another name, or the border.
pub(super) struct Labels {
    /// Boxes `[left, top, right, bottom]` in mm that are taken.
    taken: Vec<[f64; 4]>,
    /// The box that names stay in.
    within: [f64; 4],
}

impl Labels {
    pub(super) fn new(within: [f64; 4]) -> Self {
        Self {
            taken: Vec::new(),
            within,
        }
    }

    /// Keeps names away from a point.
    pub(super) fn avoid(&mut self, [x, y]: Point, radius: f64) {
        self.taken.push([x - radius, y - radius, x + radius, y + radius]);
    }

    /// Writes a name next to the first of some points where it fits; says whether it did.
    pub(super) fn write(&mut self, page: &Page<'_>, name: &str, points: f64, beside: &[Point]) -> Result<bool> {
        let width = text_width(name, points);
        let half = capital(points) / 2.0 + 0.25;
        let place = beside
            .iter()
            .flat_map(|&point| around(point, width, half))
            .find(|place| {
                let [left, top, right, bottom] = self.within;
                place[0] >= left
                    && place[1] >= top
                    && place[2] <= right
                    && place[3] <= bottom
                    && self.taken.iter().all(|other| apart(place, other))
            });
        let Some(place) = place else { return Ok(false) };
        self.taken.push(place);
        let at = [place[0], (place[1] + place[3]) / 2.0];
        page.text(name, at, points, INK, (HPos::Left, VPos::Center))?;
        Ok(true)
    }
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
        let written = (0..20)
            .filter(|_| labels.write(&page, "Bald", 7.0, &[[15.0, 5.0]]).unwrap())
            .count();
        assert!((2..=8).contains(&written), "{written}");
        for (index, a) in labels.taken.iter().enumerate() {
            assert!(labels.taken[index + 1..].iter().all(|b| apart(a, b)));
        }
    }
}
