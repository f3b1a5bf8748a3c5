//! All that is done to a picture before a network sees it.

use std::path::Path;

use crate::decode::{decode, decode_upright};
use crate::{Framing, Landmarks, Result, warp_into};

/// How the file of a picture becomes the square that a network sees: what a [`Loader`](crate::Loader) does to the images of a
/// [`Source`](crate::Source), as data, so that it can be done to other pictures too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preparation {
    /// Side of the square, pixels, at least 1.
    pub size: usize,
    /// Which part of the image it shows.
    pub framing: Framing,
    /// Whether the image is turned as its EXIF orientation says.
    pub upright: bool,
}

impl Preparation {
    /// The square `[size, size, 3]` (channels last, values in \[0, 1\]) of a file's bytes; `path` is for messages.
    ///
    /// # Errors
    /// When the bytes are no picture, or its landmarks are needed and have no direction or scale.
    pub fn apply(&self, bytes: &[u8], path: &Path, landmarks: Option<&Landmarks>) -> Result<Vec<f32>> {
        let image = match self.upright {
            true => decode_upright(bytes, path)?,
            false => decode(bytes, path)?,
        };
        let image = self.framing.on_canvas(image);
        let transform = self.framing.transform(landmarks, image.dimensions(), self.size);
        let transform = transform.map_err(|error| error.of_image(&path.display().to_string()))?;
        let mut pixels = vec![0.0; 3 * self.size * self.size];
        warp_into(&image, &transform, self.size, &mut pixels);
        Ok(pixels)
    }
}
