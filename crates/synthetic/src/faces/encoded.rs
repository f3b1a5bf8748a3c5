use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use super::store::name;
use crate::{Error, Result};

/// JPEG quality of the images.
const QUALITY: u8 = 90;

/// The picture of face `index` as the bytes of its file.
pub(super) fn encoded(image: &RgbImage, index: usize) -> Result<Vec<u8>> {
    let mut jpeg = Vec::with_capacity(1 << 14);
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(image)
        .map_err(|source| Error::Encode {
            path: name(index, "jpg").into(),
            source,
        })?;
    Ok(jpeg)
}
