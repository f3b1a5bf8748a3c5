//! Pictures from the bytes of their files.

use std::io::{Cursor, ErrorKind};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits, RgbImage};

use crate::{Error, Result};

/// An image from the bytes of a JPEG or PNG file, whatever the extension of `path` says, as the file stores it: what CelebA's
/// landmarks refer to.
///
/// # Errors
/// [`Error::Decode`] when the bytes are neither, or the image is not complete.
pub fn decode(bytes: &[u8], path: &Path) -> Result<RgbImage> {
    let failed = |source| Error::Decode {
        path: path.to_owned(),
        source,
    };
    let image = decode_bounded(bytes, None).map_err(failed)?;
    if bytes.starts_with(&[0xff, 0xd8]) && !is_complete_jpeg(bytes) {
        // The decoder fills the missing rest with grey.
        let source = std::io::Error::new(ErrorKind::UnexpectedEof, "the file ends before the image does");
        return Err(failed(image::ImageError::IoError(source)));
    }
    Ok(image.into_rgb8())
}

/// The image in a file, of any format or of one, with the pixels the file stores, in no more memory than such a file can need: a
/// header of a few bytes may declare an image of gigabytes. Neither deflate (1 : 1032) nor JPEG (a bit for each block of 64) packs
/// more tightly than this.
///
/// # Errors
/// The decoder's, and its limit where the declared image is larger than the file can hold.
pub fn decode_bounded(bytes: &[u8], format: Option<ImageFormat>) -> ImageResult<DynamicImage> {
    const PACKED: u64 = 1100;
    const SMALL: u64 = 16 << 20;
    let mut reader = match format {
        Some(format) => ImageReader::with_format(Cursor::new(bytes), format),
        None => ImageReader::new(Cursor::new(bytes)).with_guessed_format()?,
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some((bytes.len() as u64).saturating_mul(PACKED).max(SMALL));
    reader.limits(limits);
    reader.decode()
}

/// The same as [`decode`], turned and mirrored as the file's EXIF orientation says: as people see it. Telephones store a photograph as the
/// sensor lies and note how it was held.
///
/// # Errors
/// As [`decode`]; an orientation that cannot be read is none.
pub fn decode_upright(bytes: &[u8], path: &Path) -> Result<RgbImage> {
    let image = decode(bytes, path)?;
    let orientation = orientation(bytes);
    if orientation == Orientation::NoTransforms {
        return Ok(image);
    }
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(orientation);
    Ok(image.into_rgb8())
}

/// Width and height of an image from the header of its file, as [`decode`] gives it.
pub(crate) fn dimensions(bytes: &[u8], path: &Path) -> Result<(u32, u32)> {
    ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(image::ImageError::IoError)
        .and_then(ImageReader::into_dimensions)
        .map_err(|source| Error::Decode {
            path: path.to_owned(),
            source,
        })
}

/// Width and height as [`decode_upright`] gives it.
pub(crate) fn upright_dimensions(bytes: &[u8], path: &Path) -> Result<(u32, u32)> {
    let (width, height) = dimensions(bytes, path)?;
    let lies = matches!(
        orientation(bytes),
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    Ok(if lies { (height, width) } else { (width, height) })
}

fn orientation(bytes: &[u8]) -> Orientation {
    let decoder = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(image::ImageError::IoError)
        .and_then(ImageReader::into_decoder);
    decoder
        .and_then(|mut decoder| decoder.orientation())
        .unwrap_or(Orientation::NoTransforms)
}

/// Whether an end marker (ff d9) follows the last start of a scan (ff da). Neither pair occurs inside compressed data.
fn is_complete_jpeg(bytes: &[u8]) -> bool {
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|pair| pair == marker);
    last([0xff, 0xd9]) > last([0xff, 0xda])
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgb};

    use super::*;

    /// The stored picture, 48 x 16: red in its left third, blue elsewhere.
    fn stored(format: ImageFormat) -> Vec<u8> {
        let image = RgbImage::from_fn(48, 16, |x, _| Rgb(if x < 16 { [200, 0, 0] } else { [0, 0, 200] }));
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// EXIF as cameras write it: a big-endian TIFF header, and one entry, the orientation (tag 0x112, a 16 bit number).
    fn exif(orientation: u8) -> Vec<u8> {
        let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        exif
    }

    fn jpeg(orientation: u8) -> Vec<u8> {
        let mut bytes = stored(ImageFormat::Jpeg);
        let payload = [b"Exif\0\0".to_vec(), exif(orientation)].concat();
        let length = (payload.len() as u16 + 2).to_be_bytes();
        // APP1 follows the start of the image.
        bytes.splice(2..2, [vec![0xff, 0xe1], length.to_vec(), payload].concat());
        bytes
    }

    fn png(orientation: u8) -> Vec<u8> {
        let mut bytes = stored(ImageFormat::Png);
        let chunk = [b"eXIf".to_vec(), exif(orientation)].concat();
        let length = (chunk.len() as u32 - 4).to_be_bytes();
        let checksum = crc32fast::hash(&chunk).to_be_bytes();
        // Behind the signature and IHDR.
        bytes.splice(33..33, [length.to_vec(), chunk, checksum.to_vec()].concat());
        bytes
    }

    /// The side at which the red third is.
    fn red_band(image: &RgbImage) -> &'static str {
        let (width, height) = image.dimensions();
        let red = |x: u32, y: u32| image.get_pixel(x, y)[0] > 100;
        match (
            red(1, height / 2),
            red(width - 2, height / 2),
            red(width / 2, 1),
            red(width / 2, height - 2),
        ) {
            (true, false, false, false) => "left",
            (false, true, false, false) => "right",
            (false, false, true, false) => "upper",
            (false, false, false, true) => "lower",
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn photographs_are_turned_as_they_were_held() {
        // Where the stored left side is seen, by the EXIF standard's definition of the eight values.
        let seen = ["left", "right", "right", "left", "upper", "upper", "lower", "lower"];
        for (value, band) in (1..).zip(seen) {
            for bytes in [jpeg(value), png(value)] {
                let image = decode_upright(&bytes, "a".as_ref()).unwrap();
                let size = if value <= 4 { (48, 16) } else { (16, 48) };
                assert_eq!(image.dimensions(), size, "orientation {value}");
                assert_eq!(upright_dimensions(&bytes, "a".as_ref()).unwrap(), size);
                assert_eq!(red_band(&image), band, "orientation {value}");
                assert_eq!(decode(&bytes, "a".as_ref()).unwrap().dimensions(), (48, 16));
            }
        }
    }

    #[test]
    fn an_orientation_that_is_none_changes_nothing() {
        for bytes in [jpeg(0), jpeg(9), stored(ImageFormat::Jpeg), stored(ImageFormat::Png)] {
            let path = "a".as_ref();
            assert_eq!(decode_upright(&bytes, path).unwrap(), decode(&bytes, path).unwrap());
            assert_eq!(upright_dimensions(&bytes, path).unwrap(), (48, 16));
        }
        assert!(decode_upright(&jpeg(6)[..200], "a".as_ref()).is_err());
    }
}
