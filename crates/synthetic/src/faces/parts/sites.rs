use std::ops::Range;

use dataset::AttributeMasks;

use crate::faces::attribute::{ATTRIBUTES, Attribute};
use crate::faces::raster::{Frame, HEIGHT, Shape, WIDTH};

/// Image pixels per pixel of the masks, in both directions.
const REDUCTION: u32 = 2;

/// Collects the place of each attribute's cue while the face is drawn: where the cue would be at full strength in this
/// face's geometry, whether it is drawn or not, so that one definition serves both classes.
pub(in crate::faces) struct Sites {
    frame: Frame,
    masks: AttributeMasks,
    crossings: Vec<(f32, i32)>,
}

impl Sites {
    pub fn new(frame: Frame) -> Self {
        let masks = AttributeMasks::new(WIDTH / REDUCTION, HEIGHT / REDUCTION, ATTRIBUTES);
        Self {
            frame,
            masks,
            crossings: Vec::with_capacity(16),
        }
    }

    /// Adds a shape in the face's coordinates to the sites of these attributes: every pixel whose centre is inside (non-zero
    /// winding).
    pub fn add(&mut self, attributes: &[Attribute], shape: &Shape) {
        for (y, columns) in self.spans(shape) {
            for x in columns {
                self.insert(attributes, x, y);
            }
        }
    }

    /// Adds the part of the shape that is inside `limit`.
    pub fn add_within(&mut self, attributes: &[Attribute], shape: &Shape, limit: &Shape) {
        let width = self.masks.width() as usize;
        let mut allowed = vec![false; width * self.masks.height() as usize];
        for (y, columns) in self.spans(limit) {
            allowed[y as usize * width..][columns.start as usize..columns.end as usize].fill(true);
        }
        for (y, columns) in self.spans(shape) {
            for x in columns {
                if allowed[y as usize * width + x as usize] {
                    self.insert(attributes, x, y);
                }
            }
        }
    }

    fn insert(&mut self, attributes: &[Attribute], x: u32, y: u32) {
        for &attribute in attributes {
            self.masks.insert(attribute as usize, x, y);
        }
    }

    /// The rows of the masks that the shape meets, with the columns inside it.
    fn spans(&mut self, shape: &Shape) -> Vec<(u32, Range<u32>)> {
        let scale = 1.0 / REDUCTION as f32;
        let points = shape.map(|p| self.frame.apply(p).map(|v| v * scale)).0;
        let top = points.iter().map(|p| p[1]).fold(f32::MAX, f32::min).floor().max(0.0) as u32;
        let bottom = points.iter().map(|p| p[1]).fold(f32::MIN, f32::max).ceil().max(0.0) as u32;
        let mut spans = Vec::new();
        for y in top..bottom.min(self.masks.height()) {
            let centre = y as f32 + 0.5;
            self.crossings.clear();
            for (i, p) in points.iter().enumerate() {
                let q = points[(i + 1) % points.len()];
                if (p[1] <= centre) != (q[1] <= centre) {
                    let x = p[0] + (q[0] - p[0]) * (centre - p[1]) / (q[1] - p[1]);
                    self.crossings.push((x, if q[1] > p[1] { 1 } else { -1 }));
                }
            }
            self.crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut winding = 0;
            for pair in self.crossings.windows(2) {
                winding += pair[0].1;
                if winding != 0 {
                    let edge = |x: f32| (x - 0.5).ceil().clamp(0.0, self.masks.width() as f32) as u32;
                    spans.push((y, edge(pair[0].0)..edge(pair[1].0)));
                }
            }
        }
        spans
    }

    /// Makes the whole image the attribute's site.
    pub fn add_everywhere(&mut self, attribute: Attribute) {
        for y in 0..self.masks.height() {
            for x in 0..self.masks.width() {
                self.masks.insert(attribute as usize, x, y);
            }
        }
    }

    pub fn into_masks(self) -> AttributeMasks {
        self.masks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_contains_the_pixels_whose_centres_are_inside() {
        let frame = Frame::new(0.0, 1.0, [0.0, 0.0]);
        let mut sites = Sites::new(frame);
        let (centre, radius) = ([3.0, -7.0], 21.0);
        let points: Vec<_> = (0..720)
            .map(|k| {
                let (s, c) = (k as f32 * 0.5).to_radians().sin_cos();
                [centre[0] + radius * c, centre[1] + radius * s]
            })
            .collect();
        sites.add(&[Attribute::Smiling, Attribute::Young], &Shape(points));
        let masks = sites.into_masks();
        for y in 0..masks.height() {
            for x in 0..masks.width() {
                let p = frame.inverse([(x * 2 + 1) as f32, (y * 2 + 1) as f32]);
                let distance = (p[0] - centre[0]).hypot(p[1] - centre[1]);
                if (distance - radius).abs() > 0.01 {
                    assert_eq!(masks.contains(Attribute::Smiling as usize, x, y), distance < radius);
                }
            }
        }
        assert_eq!(
            masks.area(Attribute::Smiling as usize),
            masks.area(Attribute::Young as usize)
        );
        assert_eq!(masks.area(Attribute::Bald as usize), 0);
    }

    #[test]
    fn a_ring_is_what_one_of_two_shapes_covers_and_a_limit_cuts() {
        let areas = |draw: &dyn Fn(&mut Sites)| {
            let mut sites = Sites::new(Frame::new(0.0, 1.0, [0.0, 0.0]));
            draw(&mut sites);
            sites.into_masks().area(0)
        };
        let at = [Attribute::ALL[0]];
        let (wide, high) = (
            Shape::ellipse([0.0, 0.0], [40.0, 20.0], 0.0),
            Shape::ellipse([0.0, 0.0], [20.0, 40.0], 0.0),
        );
        let both = areas(&|sites| sites.add_within(&at, &wide, &high));
        let either = areas(&|sites| {
            sites.add(&at, &wide);
            sites.add(&at, &high);
        });
        let ring = areas(&|sites| sites.add(&at, &wide.ring(&high)));
        assert!(both > 0 && ring > 0);
        assert_eq!(ring, either - both);
    }
}
