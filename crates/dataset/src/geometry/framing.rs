use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::alignment::{Alignment, FaceReference};
use super::similarity::Similarity;
use super::stretch::{stretched_x, stretched_y};
use crate::{Landmarks, Result};

/// The largest side of a square that an image is stretched to. A square of it, with the loader's copy, takes 30 MB: an image of 12,000 x 1 pixels
/// would else take a gigabyte. Networks see a few hundred pixels.
const WIDEST_STRETCHED: u32 = 2048;

/// How an image of any shape becomes a square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// The largest centred square: what is beside it is not seen.
    #[default]
    Crop,
    /// The whole image, centred; what is missing for a square continues its outermost pixels.
    Pad,
    /// The whole image, its shorter side stretched.
    Stretch,
}

impl Fit {
    /// The transform from a square of side `size` to an image of `image_size` (width, height), for [`Fit::Stretch`] the
    /// stretched one.
    fn transform(self, image_size: (u32, u32), size: usize) -> Similarity {
        let (width, height) = (f64::from(image_size.0), f64::from(image_size.1));
        let side = match self {
            Self::Crop => width.min(height),
            Self::Pad | Self::Stretch => width.max(height),
        };
        Similarity {
            a: side / size as f64,
            b: 0.0,
            tx: (width - side) / 2.0,
            ty: (height - side) / 2.0,
        }
    }
}

/// Which part of an image the square shows that a network sees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// A face, by its five landmarks.
    Landmarks(FaceReference),
    /// As [`Alignment`] does without landmarks: of an image of CelebA's size its fixed part, of any other the middle square.
    Celeba,
    /// Any image, by its sides.
    Fit(Fit),
}

impl Framing {
    /// The size (width, height) of the image that [`transform`](Self::transform) leads to: larger than the file's where that is stretched,
    /// to a square with the longer side, of at most 2,048 pixels.
    pub fn canvas(&self, (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Self::Fit(Fit::Stretch) => {
                let side = width.max(height).min(WIDEST_STRETCHED);
                (side, side)
            }
            _ => (width, height),
        }
    }

    /// The image at the size of its [`canvas`](Self::canvas).
    pub fn on_canvas(&self, image: RgbImage) -> RgbImage {
        let (width, height) = self.canvas(image.dimensions());
        // The longer side first: where it shrinks, there is less to stretch.
        match image.width() >= image.height() {
            true => stretched_y(stretched_x(image, width), height),
            false => stretched_x(stretched_y(image, height), width),
        }
    }

    /// The transform from the square of side `size` to the [`canvas`](Self::canvas), which is of `canvas` (width, height).
    ///
    /// # Errors
    /// As [`Alignment::transform`]; and for [`Framing::Landmarks`] without landmarks.
    pub fn transform(&self, landmarks: Option<&Landmarks>, canvas: (u32, u32), size: usize) -> Result<Similarity> {
        match self {
            Self::Landmarks(reference) => reference.transform(landmarks, size),
            Self::Celeba => Alignment { size }.transform(None, canvas),
            Self::Fit(fit) => Ok(fit.transform(canvas, size)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crop_cuts_and_pad_continues_the_longer_side() {
        let corners = |resize: Fit| {
            let transform = resize.transform((200, 100), 50);
            [transform.apply([0.0, 0.0]), transform.apply([50.0, 50.0])]
        };
        assert_eq!(corners(Fit::Crop), [[50.0, 0.0], [150.0, 100.0]]);
        assert_eq!(corners(Fit::Pad), [[0.0, -50.0], [200.0, 150.0]]);
        // CelebA's size has no meaning of its own here.
        assert_eq!(Fit::Crop.transform((178, 218), 178).apply([0.0, 0.0]), [0.0, 20.0]);
    }

    #[test]
    fn what_is_stretched_is_a_square_of_bounded_size() {
        let framing = Framing::Fit(Fit::Stretch);
        for (size, canvas) in [((30, 7), 30), ((12_000, 1), 2048), ((1, 5_000), 2048)] {
            let image = RgbImage::from_fn(size.0, size.1, |x, y| image::Rgb([(x / 64) as u8, (y / 64) as u8, 7]));
            let stretched = framing.on_canvas(image);
            assert_eq!(
                (framing.canvas(size), stretched.dimensions()),
                ((canvas, canvas), (canvas, canvas))
            );
            // The middle is where it was.
            let middle = stretched.get_pixel(canvas / 2, canvas / 2).0;
            let expected = [(size.0 / 128) as u8, (size.1 / 128) as u8, 7];
            assert!(
                middle
                    .iter()
                    .zip(expected)
                    .all(|(&found, expected)| found.abs_diff(expected) <= 1),
                "{middle:?}"
            );
        }
    }

    #[test]
    fn a_face_without_landmarks_has_no_place() {
        let framing = Framing::Landmarks(FaceReference::default());
        let message = framing.transform(None, (178, 218), 64).unwrap_err().to_string();
        assert!(message.contains("landmarks"), "{message}");
        let row = [60.0, 110.0, 110.0, 110.0, 88.0, 130.0, 70.0, 160.0, 100.0, 160.0];
        let face = Landmarks::from_row(row);
        assert_eq!(
            framing.transform(Some(&face), (178, 218), 64).unwrap(),
            Alignment { size: 64 }.transform(Some(&face), (178, 218)).unwrap()
        );
    }
}
