/// The five landmarks of CelebA: pixels (x, y) of the image they belong to, y downwards.
///
/// Left and right are the image's, not the person's, as in CelebA's files.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmarks {
    /// Centre of the eye on the image's left.
    pub left_eye: [f32; 2],
    /// Centre of the eye on the image's right.
    pub right_eye: [f32; 2],
    /// Tip of the nose.
    pub nose: [f32; 2],
    /// Corner of the mouth on the image's left.
    pub left_mouth: [f32; 2],
    /// Corner of the mouth on the image's right.
    pub right_mouth: [f32; 2],
}

impl Landmarks {
    /// Landmarks from the ten numbers of a row of `list_landmarks_align_celeba.txt`.
    pub fn from_row(v: [f32; 10]) -> Self {
        Self {
            left_eye: [v[0], v[1]],
            right_eye: [v[2], v[3]],
            nose: [v[4], v[5]],
            left_mouth: [v[6], v[7]],
            right_mouth: [v[8], v[9]],
        }
    }

    /// The middle between the eyes.
    pub fn eye_middle(&self) -> [f64; 2] {
        middle(self.left_eye, self.right_eye)
    }

    /// The middle between the corners of the mouth.
    pub fn mouth_middle(&self) -> [f64; 2] {
        middle(self.left_mouth, self.right_mouth)
    }
}

fn middle(p: [f32; 2], q: [f32; 2]) -> [f64; 2] {
    [
        f64::midpoint(f64::from(p[0]), f64::from(q[0])),
        f64::midpoint(f64::from(p[1]), f64::from(q[1])),
    ]
}
