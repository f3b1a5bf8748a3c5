//! What is seen of pictures with an alpha channel.

use image::{DynamicImage, Rgb, RgbImage};

/// A picture over white, in 8 bits. The colour under full transparency has no part in it, partly transparent pixels are blended, and
/// opaque ones stay as they are.
pub(super) fn over_white(picture: DynamicImage) -> RgbImage {
    match picture {
        DynamicImage::ImageLumaA8(_) | DynamicImage::ImageRgba8(_) => {
            let picture = picture.into_rgba8();
            RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
                let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
                Rgb([red, green, blue].map(|value| blend(value.into(), alpha.into(), 255) as u8))
            })
        }
        picture if picture.color().has_alpha() => {
            let mut picture = picture.into_rgba16();
            for pixel in picture.pixels_mut() {
                let [red, green, blue, alpha] = pixel.0;
                let [red, green, blue] =
                    [red, green, blue].map(|value| blend(value.into(), alpha.into(), 65_535) as u16);
                pixel.0 = [red, green, blue, 65_535];
            }
            DynamicImage::ImageRgba16(picture).into_rgb8()
        }
        opaque => opaque.into_rgb8(),
    }
}

/// A value and white, both up to `full`, in the proportion of `alpha` to the rest of `full`, rounded.
fn blend(value: u64, alpha: u64, full: u64) -> u64 {
    (value * alpha + full * (full - alpha) + full / 2) / full
}

/// Whether a file that begins so may have transparent pixels: it cannot be a JPEG, a BMP, or a PNG that says before its pixels that it
/// has no alpha.
pub(crate) fn may_be_transparent(bytes: &[u8]) -> bool {
    const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
    if bytes.starts_with(b"\xff\xd8") || bytes.starts_with(b"BM") || bytes.is_empty() {
        return false;
    }
    let Some(mut chunks) = bytes.strip_prefix(SIGNATURE) else {
        return true;
    };
    // Length, kind, content and checksum; the kind of colours is the header's tenth byte.
    while let [l0, l1, l2, l3, kind @ ..] = chunks
        && let Some((kind, content)) = kind.split_at_checked(4)
    {
        match kind {
            b"IHDR" if content.get(9).is_some_and(|colours| colours & 4 != 0) => return true,
            b"tRNS" => return true,
            b"IDAT" => return false,
            _ => {}
        }
        let length = u32::from_be_bytes([*l0, *l1, *l2, *l3]) as usize;
        match content.get(length.saturating_add(4)..) {
            Some(rest) => chunks = rest,
            None => break,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, ImageEncoder};

    use super::*;
    use crate::decode;

    /// The pixels of a PNG of one row.
    fn decoded(values: &[u8], width: u32, kind: ExtendedColorType) -> Vec<[u8; 3]> {
        let mut bytes = Vec::new();
        let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.write_image(values, width, 1, kind).unwrap();
        let picture = decode(&bytes, "a.png".as_ref()).unwrap();
        picture.pixels().map(|pixel| pixel.0).collect()
    }

    /// The bytes of numbers of 16 bits, as the encoder takes them.
    fn wide(values: &[u16]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_ne_bytes()).collect()
    }

    #[test]
    fn a_colour_that_nobody_sees_has_no_part_in_the_picture() {
        let hidden = [[0, 0, 0, 0], [255, 0, 9, 0]].concat();
        assert_eq!(decoded(&hidden, 2, ExtendedColorType::Rgba8), [[255; 3]; 2]);
        assert_eq!(decoded(&[0, 0, 77, 0], 2, ExtendedColorType::La8), [[255; 3]; 2]);
        let hidden = wide(&[0, 0, 0, 0, 65_535, 1000, 3, 0]);
        assert_eq!(decoded(&hidden, 2, ExtendedColorType::Rgba16), [[255; 3]; 2]);
        assert_eq!(decoded(&wide(&[5000, 0]), 1, ExtendedColorType::La16), [[255; 3]]);
    }

    #[test]
    fn the_beginning_of_a_file_tells_whether_there_is_alpha() {
        let png = |kind| {
            let mut bytes = Vec::new();
            let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
            encoder
                .write_image(&[0; 4], 4 / u32::from(kind_bytes(kind)), 1, kind)
                .unwrap();
            bytes
        };
        fn kind_bytes(kind: ExtendedColorType) -> u16 {
            kind.bits_per_pixel() / 8
        }
        assert!(may_be_transparent(&png(ExtendedColorType::Rgba8)));
        assert!(may_be_transparent(&png(ExtendedColorType::La8)));
        let grey = png(ExtendedColorType::L8);
        assert!(!may_be_transparent(&grey));
        assert!(may_be_transparent(&grey[..30]), "not known yet");
        let with_key = [&grey[..33], b"\0\0\0\x02tRNS\0\x07abcd", &grey[33..]].concat();
        assert!(may_be_transparent(&with_key));
        assert!(may_be_transparent(b"RIFF....WEBP") && !may_be_transparent(b"\xff\xd8\xff"));
    }

    #[test]
    fn what_is_half_seen_is_half_white_and_what_is_seen_stays() {
        let pixels = [[10, 200, 77, 255], [0, 100, 255, 128]].concat();
        // 0 and 255, 100 and 255, half of each: 255 * 127 / 255 = 127, (100 * 128 + 255 * 127) / 255 = 177.2.
        let seen = [[10, 200, 77], [127, 177, 255]];
        assert_eq!(decoded(&pixels, 2, ExtendedColorType::Rgba8), seen);
        let pixels: Vec<u16> = pixels.iter().map(|&value| u16::from(value) * 257).collect();
        assert_eq!(decoded(&wide(&pixels), 2, ExtendedColorType::Rgba16), seen);
        assert_eq!(
            decoded(&[90, 255, 0, 128], 2, ExtendedColorType::La8),
            [[90; 3], [127; 3]]
        );
        // Without alpha: 16 bits are rounded, not cut.
        assert_eq!(
            decoded(&wide(&[65_535, 257, 129]), 1, ExtendedColorType::Rgb16),
            [[255, 1, 1]]
        );
    }
}
