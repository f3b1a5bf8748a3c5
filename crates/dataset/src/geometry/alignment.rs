use serde::{Deserialize, Serialize};

use super::similarity::Similarity;
use crate::{Error, Landmarks, Result};

/// Where a face's landmarks go in the square.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceReference {
    /// Where the middle of the eyes goes, in sides of the square.
    pub eye_middle: [f64; 2],
    /// The square's side, in distances from the middle of the eyes to the middle of the mouth.
    pub side: f64,
}

impl Default for FaceReference {
    /// AFFACT's; the paper's aligned faces agree.
    fn default() -> Self {
        Self {
            eye_middle: [0.5, 0.45],
            side: 5.5,
        }
    }
}

impl FaceReference {
    /// The transform from the square of side `size` to an image with these landmarks.
    ///
    /// # Errors
    /// Without landmarks, or when they have no direction or scale.
    pub(super) fn transform(&self, landmarks: Option<&Landmarks>, size: usize) -> Result<Similarity> {
        let landmarks = landmarks.ok_or_else(|| Error::Landmarks {
            image: "an image".to_owned(),
            found: "that are not given".to_owned(),
        })?;
        from_landmarks(self, landmarks, size as f64)
    }
}

/// Size of CelebA's own alignment.
const CELEBA: (u32, u32) = (178, 218);
/// Side of the square for which CelebA's scale is already right.
const CELEBA_SIDE: f64 = 224.0;
/// By how much that square shows CelebA's image shifted to the right and down.
const CELEBA_SHIFT: [f64; 2] = [24.0, -10.0];

/// Alignment of a face to a square, the same view of it for every side.
///
/// With landmarks it is the similarity transform that makes the line between the eyes level, puts its middle at
/// (0.5, 0.45) of the square, and the middle of the mouth 1/5.5 of the side away from it (AFFACT, Günther 2017).
/// Without, it depends on the image's size:
///
/// - 178 x 218, CelebA's own alignment: the square of 224 shows the image shifted by (+24, -10), scaled to the side asked
///   for. On the authors' landmarks this agrees with the transform above in the mean.
/// - any other: the largest centred square of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alignment {
    /// Side of the square, pixels.
    pub size: usize,
}

impl Alignment {
    /// The transform from the square to an image of `image_size` (width, height) with these landmarks.
    ///
    /// # Errors
    /// When the landmarks have no direction or scale: both eyes in one point, or the mouth between them.
    pub fn transform(&self, landmarks: Option<&Landmarks>, image_size: (u32, u32)) -> Result<Similarity> {
        let size = self.size as f64;
        if landmarks.is_some() {
            return FaceReference::default().transform(landmarks, self.size);
        }
        if image_size == CELEBA {
            let scale = CELEBA_SIDE / size;
            return Ok(Similarity {
                a: scale,
                b: 0.0,
                tx: -CELEBA_SHIFT[0],
                ty: -CELEBA_SHIFT[1],
            });
        }
        let (width, height) = (f64::from(image_size.0), f64::from(image_size.1));
        let side = width.min(height);
        Ok(Similarity {
            a: side / size,
            b: 0.0,
            tx: (width - side) / 2.0,
            ty: (height - side) / 2.0,
        })
    }
}

fn from_landmarks(reference: &FaceReference, landmarks: &Landmarks, size: f64) -> Result<Similarity> {
    let (left, right) = (landmarks.left_eye, landmarks.right_eye);
    let (across, down) = (
        f64::from(right[0]) - f64::from(left[0]),
        f64::from(right[1]) - f64::from(left[1]),
    );
    let (eyes, mouth) = (landmarks.eye_middle(), landmarks.mouth_middle());
    let distance = (mouth[0] - eyes[0]).hypot(mouth[1] - eyes[1]);
    let eye_distance = across.hypot(down);
    if !(distance.is_normal() && eye_distance.is_normal()) {
        return Err(Error::Landmarks {
            image: "an image".to_owned(),
            found: format!("with eyes at {left:?} and {right:?}, middle of the mouth at {mouth:?}"),
        });
    }
    let eye_to_mouth = 1.0 / reference.side;
    let scale = distance / (eye_to_mouth * size);
    Ok(Similarity::about(
        scale,
        down.atan2(across),
        reference.eye_middle.map(|part| part * size),
        eyes,
    ))
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    use super::*;

    fn inverse(landmarks: Option<&Landmarks>, size: usize, image: (u32, u32)) -> Similarity {
        Alignment { size }
            .transform(landmarks, image)
            .unwrap()
            .inverse()
            .unwrap()
    }

    #[test]
    fn celeba_without_landmarks_is_a_shift() {
        for size in [224, 112, 64] {
            let to_square = inverse(None, size, (178, 218));
            let unit = size as f64 / 224.0;
            let [x, y] = to_square.apply([0.0, 0.0]);
            assert_abs_diff_eq!(x, 24.0 * unit, epsilon = 1e-9);
            assert_abs_diff_eq!(y, -10.0 * unit, epsilon = 1e-9);
        }
    }

    #[test]
    fn other_sizes_are_cropped_to_their_centre() {
        let transform = Alignment { size: 50 }.transform(None, (200, 100)).unwrap();
        assert_eq!(transform.apply([0.0, 0.0]), [50.0, 0.0]);
        assert_eq!(transform.apply([50.0, 50.0]), [150.0, 100.0]);
    }

    #[test]
    fn landmarks_without_direction_or_scale_are_refused() {
        let row = [70.0, 110.0, 70.0, 110.0, 88.0, 130.0, 73.0, 152.0, 105.0, 152.0];
        let message = Alignment { size: 8 }
            .transform(Some(&Landmarks::from_row(row)), (178, 218))
            .unwrap_err()
            .to_string();
        assert!(message.contains("eyes at [70.0, 110.0] and [70.0, 110.0]"), "{message}");
        let row = [60.0, 110.0, 80.0, 110.0, 70.0, 130.0, 60.0, 110.0, 80.0, 110.0];
        assert!(
            Alignment { size: 8 }
                .transform(Some(&Landmarks::from_row(row)), (178, 218))
                .is_err()
        );
    }

    #[test]
    fn the_fixed_shift_is_the_mean_of_the_landmark_alignments() {
        let Some(path) = testing::shared("celeba/list_landmarks_align_celeba_validation.txt") else {
            return;
        };
        let rows = crate::parse_landmarks("landmarks", &std::fs::read(path).unwrap()).unwrap();
        let n = rows.rows().len() as f64;
        let fixed = inverse(None, 224, (178, 218));
        let mut mean = [0.0; 2];
        for (_, landmarks) in rows.rows() {
            let [x, y] = fixed.apply(landmarks.eye_middle());
            mean = [mean[0] + x / n, mean[1] + y / n];
        }
        // The authors' landmarks of their aligned images: (112.5, 101.2); the definition: (112, 100.8).
        assert_abs_diff_eq!(mean[0], 112.5, epsilon = 0.05);
        assert_abs_diff_eq!(mean[1], 101.2, epsilon = 0.05);
    }

    proptest! {
        #[test]
        fn landmarks_land_where_alignment_says(
            eyes in [10.0f32..80.0, 40.0..200.0],
            across in [5.0f32..60.0, -30.0..30.0],
            mouth in [-30.0f32..200.0, 5.0..300.0],
            width in 2.0f32..40.0,
            size in 8usize..300,
        ) {
            let right = [eyes[0] + across[0], eyes[1] + across[1]];
            let landmarks = Landmarks {
                left_eye: eyes,
                right_eye: right,
                nose: eyes,
                left_mouth: mouth,
                right_mouth: [mouth[0] + width, mouth[1]],
            };
            let distance = {
                let (e, m) = (landmarks.eye_middle(), landmarks.mouth_middle());
                (e[0] - m[0]).hypot(e[1] - m[1])
            };
            prop_assume!(distance > 1.0);
            let to_square = inverse(Some(&landmarks), size, (178, 218));
            let side = size as f64;

            let middle = to_square.apply(landmarks.eye_middle());
            assert_abs_diff_eq!(middle[0], 0.5 * side, epsilon = 1e-6 * side);
            assert_abs_diff_eq!(middle[1], 0.45 * side, epsilon = 1e-6 * side);

            let at = |p: [f32; 2]| to_square.apply([f64::from(p[0]), f64::from(p[1])]);
            let (left, right) = (at(landmarks.left_eye), at(landmarks.right_eye));
            assert_abs_diff_eq!(left[1], right[1], epsilon = 1e-5 * side);
            prop_assert!(left[0] < right[0]);

            let mouth = to_square.apply(landmarks.mouth_middle());
            let distance = (mouth[0] - middle[0]).hypot(mouth[1] - middle[1]);
            assert_abs_diff_eq!(distance, side / 5.5, epsilon = 1e-6 * side);
        }
    }
}
