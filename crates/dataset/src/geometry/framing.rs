use image::RgbImage;
use image::imageops::{FilterType, resize};
use serde::{Deserialize, Serialize};

use super::alignment::{Alignment, FaceReference};
use super::similarity::Similarity;
use crate::{Landmarks, Result};

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
    /// The size (width, height) of the image that [`transform`](Self::transform) leads to: larger than the file's where that is stretched.
    pub fn canvas(&self, (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Self::Fit(Fit::Stretch) => (width.max(height), width.max(height)),
            _ => (width, height),
        }
    }

    /// The image at the size of its [`canvas`](Self::canvas).
    pub fn on_canvas(&self, image: RgbImage) -> RgbImage {
        let (width, height) = self.canvas(image.dimensions());
        if (width, height) == image.dimensions() {
            return image;
        }
        resize(&image, width, height, FilterType::Triangle)
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
