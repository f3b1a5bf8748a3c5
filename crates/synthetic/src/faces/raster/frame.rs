use super::shape::Point;

/// Middle of the eyes in CelebA's aligned images, pixels.
const EYES: Point = [88.5, 111.2];

/// Distance from the middle of the eyes to the middle of the mouth in CelebA's aligned images, pixels.
pub(in crate::faces) const EYES_TO_MOUTH: f32 = 40.9;

/// From the face's coordinates to the image's.
///
/// The face's origin is the middle between its eyes, its unit a pixel of an image without jitter, x to the right and y
/// downwards; the mouth is at (0, 40.9). The map is a similarity close to a shift, as in CelebA's alignment.
#[derive(Clone, Copy, Debug)]
pub(in crate::faces) struct Frame {
    cos: f32,
    sin: f32,
    shift: Point,
}

impl Frame {
    /// A face turned in the image plane by `angle` radians, scaled, and shifted by `offset` pixels.
    pub fn new(angle: f32, scale: f32, offset: Point) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self {
            cos: cos * scale,
            sin: sin * scale,
            shift: [EYES[0] + offset[0], EYES[1] + offset[1]],
        }
    }

    /// A point of the face, in the image.
    pub fn apply(&self, p: Point) -> Point {
        [
            self.cos * p[0] - self.sin * p[1] + self.shift[0],
            self.sin * p[0] + self.cos * p[1] + self.shift[1],
        ]
    }

    /// A point of the image, on the face.
    pub fn inverse(&self, p: Point) -> Point {
        let square = self.cos * self.cos + self.sin * self.sin;
        let (x, y) = (p[0] - self.shift[0], p[1] - self.shift[1]);
        [
            (self.cos * x + self.sin * y) / square,
            (self.cos * y - self.sin * x) / square,
        ]
    }

    /// How far one pixel to the right in the image is on the face.
    pub fn inverse_step(&self) -> Point {
        let square = self.cos * self.cos + self.sin * self.sin;
        [self.cos / square, -self.sin / square]
    }

    /// Image pixels per unit of the face.
    pub fn scale(&self) -> f32 {
        self.cos.hypot(self.sin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_undoes_apply() {
        let frame = Frame::new(0.3, 1.1, [2.0, -3.0]);
        let p = [13.0, -27.0];
        let q = frame.inverse(frame.apply(p));
        assert!((p[0] - q[0]).hypot(p[1] - q[1]) < 1e-4);
        assert!((frame.scale() - 1.1).abs() < 1e-6);
        let (a, b) = (frame.inverse([5.0, 7.0]), frame.inverse([6.0, 7.0]));
        let step = frame.inverse_step();
        assert!((b[0] - a[0] - step[0]).hypot(b[1] - a[1] - step[1]) < 1e-4);
    }
}
