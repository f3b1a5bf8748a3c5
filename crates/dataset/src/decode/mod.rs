//! Pictures from the bytes of their files.
//!
//! A format is told by a file's first bytes, not by its name. Whatever the format, a picture becomes 8 bits of red, green and blue, as a
//! viewer shows it: transparent parts lie over white, so that a colour that nobody sees has no part in it.

mod format;
mod jpeg;
mod transparency;

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

pub(crate) use transparency::may_be_transparent;

use crate::undecodable::{MOST_PIXELS, Undecodable};
use crate::{Error, Result};

/// The picture in the bytes of a JPEG, PNG, WebP, GIF (its first frame) or BMP file, whatever the extension of `path` says, as the
/// file stores it: what CelebA's landmarks refer to. Transparent pixels are blended with white, as most viewers show them; with an
/// opaque alpha channel, or none, the colours are the file's. 16 bits are rounded to 8.
///
/// # Errors
/// [`Error::Decode`] when the bytes are of none of these formats, damaged, not complete, or of more than 250 megapixels.
pub fn decode(bytes: &[u8], path: &Path) -> Result<RgbImage> {
    let picture = decoder(bytes).and_then(|(decoder, format)| pixels(decoder, format, bytes));
    Ok(transparency::over_white(picture.map_err(of(path))?))
}

/// The same as [`decode`], turned and mirrored as the file's EXIF orientation says: as people see it. Telephones store a photograph as the
/// sensor lies and note how it was held.
///
/// # Errors
/// As [`decode`]; an orientation that cannot be read is none.
pub fn decode_upright(bytes: &[u8], path: &Path) -> Result<RgbImage> {
    let picture = decoder(bytes).and_then(|(mut decoder, format)| {
        let orientation = orientation(&mut decoder);
        Ok((pixels(decoder, format, bytes)?, orientation))
    });
    let (picture, orientation) = picture.map_err(of(path))?;
    let picture = transparency::over_white(picture);
    if orientation == Orientation::NoTransforms {
        return Ok(picture);
    }
    let mut picture = DynamicImage::ImageRgb8(picture);
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

/// The pixels that a file stores, upright, with their alpha and of as many bits as they have.
pub(crate) fn decode_channels(bytes: &[u8]) -> Result<DynamicImage, Undecodable> {
    let (mut decoder, format) = decoder(bytes)?;
    let orientation = orientation(&mut decoder);
    let mut picture = pixels(decoder, format, bytes)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Width and height of an image from the header of its file, as [`decode`] gives it.
pub(crate) fn dimensions(bytes: &[u8], path: &Path) -> Result<(u32, u32)> {
    let (decoder, _) = decoder(bytes).map_err(of(path))?;
    Ok(decoder.dimensions())
}

/// Width and height as [`decode_upright`] gives it.
pub(crate) fn upright_dimensions(bytes: &[u8], path: &Path) -> Result<(u32, u32)> {
    let (mut decoder, _) = decoder(bytes).map_err(of(path))?;
    let (width, height) = decoder.dimensions();
    let lies = matches!(
        orientation(&mut decoder),
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    Ok(if lies { (height, width) } else { (width, height) })
}

/// Whether a file is seen as it is stored.
pub(crate) fn is_upright(bytes: &[u8]) -> bool {
    decoder(bytes).is_ok_and(|(mut decoder, _)| orientation(&mut decoder) == Orientation::NoTransforms)
}

/// The error of a file.
pub(crate) fn of(path: &Path) -> impl FnOnce(Undecodable) -> Error {
    |source| Error::Decode {
        path: path.to_owned(),
        source,
    }
}

/// What decodes the bytes, and their format. Its header has been read, and declares no more than the file can hold.
fn decoder(bytes: &[u8]) -> Result<(impl ImageDecoder + '_, ImageFormat), Undecodable> {
    let format = format::of(bytes)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let most = most_bytes(bytes.len() as u64, format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(most);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| fault(error, format, bytes))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(Undecodable::TooLarge { width, height });
    }
    if decoder.total_bytes() > most {
        return Err(Undecodable::NotHeld {
            width,
            height,
            bytes: bytes.len(),
        });
    }
    Ok((decoder, format))
}

/// The most memory that a picture in a file of so many bytes can need: a header of a few bytes may declare an image of gigabytes. Neither
/// deflate (1 : 1032) nor JPEG (a bit for each block of 64) packs more tightly than 1 : 1100, but a PNG's single bits become up to 4
/// bytes each; other formats know no such limit.
fn most_bytes(length: u64, format: ImageFormat) -> u64 {
    const PACKED: u64 = 1100;
    const SMALL: u64 = 16 << 20;
    let packed = match format {
        ImageFormat::Jpeg => PACKED,
        ImageFormat::Png => 32 * PACKED,
        // Of the most pixels that are read, 8 bytes each.
        _ => return 8 * MOST_PIXELS,
    };
    length.saturating_mul(packed).clamp(SMALL, 8 * MOST_PIXELS)
}

fn pixels(decoder: impl ImageDecoder, format: ImageFormat, bytes: &[u8]) -> Result<DynamicImage, Undecodable> {
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| fault(error, format, bytes))?;
    if format == ImageFormat::Jpeg && !jpeg::is_complete(bytes) {
        // The decoder fills the missing rest with grey.
        return Err(Undecodable::CutOff);
    }
    Ok(picture)
}

/// Why a decoder gave up: that of JPEG has many words for a file that ends too early.
fn fault(error: image::ImageError, format: ImageFormat, bytes: &[u8]) -> Undecodable {
    match format {
        ImageFormat::Jpeg if !jpeg::is_complete(bytes) => Undecodable::CutOff,
        _ => error.into(),
    }
}

fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
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
    fn a_jpeg_that_is_cut_off_anywhere_is_told_so() {
        let whole = stored(ImageFormat::Jpeg);
        for length in [4, 20, 100, 300, whole.len() / 2, whole.len() - 3] {
            let error = decode(&whole[..length], "a.jpg".as_ref()).unwrap_err();
            let Error::Decode { source, .. } = error else {
                panic!("{error}");
            };
            assert!(matches!(source, Undecodable::CutOff), "{length}: {source:?}");
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
