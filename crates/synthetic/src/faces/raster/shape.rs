use tiny_skia::{Path, PathBuilder};

/// A point or vector: x to the right, y downwards.
pub(in crate::faces) type Point = [f32; 2];

/// A closed polygon, fine enough to look smooth at the size of a face image.
#[derive(Clone, Debug)]
pub(in crate::faces) struct Shape(pub Vec<Point>);

impl Shape {
    /// An ellipse with its first axis turned by `angle` radians (clockwise on the screen).
    pub fn ellipse(centre: Point, radii: Point, angle: f32) -> Self {
        let (sin, cos) = angle.sin_cos();
        let count = (8.0 + radii[0].max(radii[1])).min(48.0) as usize;
        Self(
            (0..count)
                .map(|k| {
                    let (s, c) = (k as f32 / count as f32 * std::f32::consts::TAU).sin_cos();
                    let (x, y) = (radii[0] * c, radii[1] * s);
                    [centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos]
                })
                .collect(),
        )
    }

    /// A smooth closed curve through the points (Catmull-Rom, four pieces a span).
    pub fn smooth(points: &[Point]) -> Self {
        let n = points.len();
        let at = |i: usize| points[i % n];
        let spans = (0..n).flat_map(|i| span([at(i + n - 1), at(i), at(i + 1), at(i + 2)]));
        Self(spans.collect())
    }

    /// The polygon of these corners.
    pub fn polygon(points: &[Point]) -> Self {
        Self(points.to_vec())
    }

    /// A band around a line, `width(u)` wide at the fraction u of its length.
    pub fn band(line: &[Point], width: impl Fn(f32) -> f32) -> Self {
        let n = line.len();
        let side = |sign: f32| {
            let width = &width;
            (0..n).map(move |i| {
                let (p, q) = (line[i.saturating_sub(1)], line[(i + 1).min(n - 1)]);
                let (dx, dy) = (q[0] - p[0], q[1] - p[1]);
                let scale = sign * 0.5 * width(i as f32 / (n - 1) as f32) / dx.hypot(dy).max(1e-6);
                [line[i][0] - dy * scale, line[i][1] + dx * scale]
            })
        };
        Self(side(1.0).chain(side(-1.0).rev()).collect())
    }

    /// What lies inside one of the two shapes but not inside both, if they run the same way around: the winding numbers of
    /// one polygon that goes along the first and back along the second.
    pub fn ring(&self, other: &Self) -> Self {
        let there = self.0.iter().chain(self.0.first());
        let back = other.0.first().into_iter().chain(other.0.iter().rev());
        Self(there.chain(back).copied().collect())
    }

    /// The shape under a map of its points.
    pub fn map(&self, f: impl Fn(Point) -> Point) -> Self {
        Self(self.0.iter().map(|&p| f(p)).collect())
    }

    /// The polygon as a path for the rasteriser; `None` when it has no extent.
    pub fn path(&self) -> Option<Path> {
        let mut builder = PathBuilder::with_capacity(self.0.len() + 1, self.0.len());
        let (first, rest) = self.0.split_first()?;
        builder.move_to(first[0], first[1]);
        for p in rest {
            builder.line_to(p[0], p[1]);
        }
        builder.close();
        builder.finish()
    }
}

/// A smooth open line through the points.
pub(in crate::faces) fn line(points: &[Point]) -> Vec<Point> {
    let last = points.len() - 1;
    let at = |i: isize| points[i.clamp(0, last as isize) as usize];
    let mut out: Vec<Point> = (0..last as isize)
        .flat_map(|i| span([at(i - 1), at(i), at(i + 1), at(i + 2)]))
        .collect();
    out.push(points[last]);
    out
}

/// Four points of the Catmull-Rom curve from the second to the third of `p`, the third left out.
fn span(p: [Point; 4]) -> impl Iterator<Item = Point> {
    (0..4).map(move |k| {
        let u = k as f32 / 4.0;
        std::array::from_fn(|axis| {
            let [a, b, c, d] = p.map(|q| q[axis]);
            b + 0.5 * u * (c - a + u * (2.0 * a - 5.0 * b + 4.0 * c - d + u * (3.0 * (b - c) + d - a)))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_has_the_width_asked_for() {
        let Shape(points) = Shape::band(&[[0.0, 0.0], [10.0, 0.0]], |u| 2.0 + 2.0 * u);
        assert_eq!(points, [[0.0, 1.0], [10.0, 2.0], [10.0, -2.0], [0.0, -1.0]]);
    }

    #[test]
    fn smooth_curves_pass_through_their_points() {
        let corners = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]];
        let Shape(curve) = Shape::smooth(&corners);
        assert_eq!(curve.len(), 16);
        for corner in corners {
            assert!(curve.contains(&corner));
            assert!(line(&corners).contains(&corner));
        }
    }

    #[test]
    fn shapes_without_extent_have_no_path() {
        assert!(Shape(Vec::new()).path().is_none());
        assert!(Shape::ellipse([1.0, 2.0], [3.0, 4.0], 0.5).path().is_some());
    }
}
