/// A similarity transform (rotation, uniform scale, shift) from the pixels of an output square to those of a source
/// image: `x_src = a x - b y + tx`, `y_src = b x + a y + ty`.
///
/// Coordinates are continuous: pixel (i, j) covers `[i, i + 1) x [j, j + 1)` and its centre is `(i + 0.5, j + 0.5)`, so
/// the same transform divided by two serves a square of half the side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Scale times the cosine of the angle.
    pub a: f64,
    /// Scale times the sine of the angle.
    pub b: f64,
    /// Shift to the right, source pixels.
    pub tx: f64,
    /// Shift downwards, source pixels.
    pub ty: f64,
}

impl Similarity {
    /// The transform that changes nothing.
    pub const IDENTITY: Self = Self {
        a: 1.0,
        b: 0.0,
        tx: 0.0,
        ty: 0.0,
    };

    /// Rotation by `angle` (radians, clockwise on the screen as y points down) and scaling by `scale`, such that the
    /// point `from` is mapped to `to`.
    pub fn about(scale: f64, angle: f64, from: [f64; 2], to: [f64; 2]) -> Self {
        let (sin, cos) = angle.sin_cos();
        let turn = Self {
            a: scale * cos,
            b: scale * sin,
            tx: 0.0,
            ty: 0.0,
        };
        let [x, y] = turn.apply(from);
        Self {
            tx: to[0] - x,
            ty: to[1] - y,
            ..turn
        }
    }

    /// Source coordinates of an output point.
    pub fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.a * x - self.b * y + self.tx, self.b * x + self.a * y + self.ty]
    }

    /// The transform that applies `first`, then `self`.
    pub fn compose(&self, first: &Self) -> Self {
        let [tx, ty] = self.apply([first.tx, first.ty]);
        Self {
            a: self.a * first.a - self.b * first.b,
            b: self.b * first.a + self.a * first.b,
            tx,
            ty,
        }
    }

    /// The transform from source to output coordinates; `None` when the scale is zero or not finite.
    pub fn inverse(&self) -> Option<Self> {
        let square = self.a * self.a + self.b * self.b;
        if !(square.is_normal() && self.tx.is_finite() && self.ty.is_finite()) {
            return None;
        }
        let turn = Self {
            a: self.a / square,
            b: -self.b / square,
            tx: 0.0,
            ty: 0.0,
        };
        let [x, y] = turn.apply([self.tx, self.ty]);
        Some(Self { tx: -x, ty: -y, ..turn })
    }

    /// Source pixels per output pixel.
    pub fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }

    /// The same transform into a source image shrunk by `factor`.
    pub(crate) fn into_shrunk(self, factor: f64) -> Self {
        Self {
            a: self.a / factor,
            b: self.b / factor,
            tx: self.tx / factor,
            ty: self.ty / factor,
        }
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    use super::*;

    fn similarity() -> impl Strategy<Value = Similarity> {
        (0.1..10.0, -4.0..4.0, -300.0..300.0, -300.0..300.0)
            .prop_map(|(scale, angle, tx, ty)| Similarity::about(scale, angle, [0.0, 0.0], [tx, ty]))
    }

    fn point() -> impl Strategy<Value = [f64; 2]> {
        [-300.0..300.0, -300.0..300.0]
    }

    #[test]
    fn a_quarter_turn_is_clockwise_on_the_screen() {
        let turn = Similarity::about(2.0, std::f64::consts::FRAC_PI_2, [1.0, 1.0], [5.0, 5.0]);
        let [x, y] = turn.apply([2.0, 1.0]);
        assert_abs_diff_eq!(x, 5.0, epsilon = 1e-12);
        assert_abs_diff_eq!(y, 7.0, epsilon = 1e-12);
    }

    #[test]
    fn nothing_inverts_a_collapse() {
        assert_eq!(
            Similarity {
                a: 0.0,
                ..Similarity::IDENTITY
            }
            .inverse(),
            None
        );
        assert_eq!(
            Similarity {
                tx: f64::NAN,
                ..Similarity::IDENTITY
            }
            .inverse(),
            None
        );
    }

    proptest! {
        #[test]
        fn the_inverse_leads_back(transform in similarity(), point in point()) {
            let back = transform.inverse().unwrap().apply(transform.apply(point));
            assert_abs_diff_eq!(back[0], point[0], epsilon = 1e-8);
            assert_abs_diff_eq!(back[1], point[1], epsilon = 1e-8);
        }

        #[test]
        fn compose_applies_one_after_the_other(second in similarity(), first in similarity(), point in point()) {
            let composed = second.compose(&first).apply(point);
            let in_turn = second.apply(first.apply(point));
            assert_abs_diff_eq!(composed[0], in_turn[0], epsilon = 1e-8);
            assert_abs_diff_eq!(composed[1], in_turn[1], epsilon = 1e-8);
        }
    }
}
