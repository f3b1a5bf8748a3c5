//! Faces and maps as pixels: overlays, encoding.

use std::io::Cursor;

use crate::colour::ColourMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::imageops::{FilterType, resize};
use image::{ImageFormat, Rgb, RgbImage};

use crate::error::Result;

/// Pixels per millimetre at which photographs are embedded: 300 per inch, what the PNG can show.
const PIXELS_PER_MM: f64 = 300.0 / 25.4;

/// An image as a `data:` URI, shrunk to what a panel of `side` mm can show.
pub(crate) fn data_uri(image: &RgbImage, side: f64) -> Result<String> {
    let limit = (side * PIXELS_PER_MM).ceil().max(1.0) as u32;
    let larger = image.width().max(image.height());
    let shrunk = (larger > limit).then(|| {
        let scaled = |length: u32| (length * limit).div_ceil(larger).max(1);
        resize(
            image,
            scaled(image.width()),
            scaled(image.height()),
            FilterType::Triangle,
        )
    });
    let mut bytes = Cursor::new(Vec::new());
    shrunk
        .as_ref()
        .unwrap_or(image)
        .write_to(&mut bytes, ImageFormat::Png)?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes.get_ref())))
}

/// The picture at most as large as a contact sheet shows it.
#[must_use]
pub fn shrunken(image: &RgbImage) -> RgbImage {
    const SIDE: u32 = 128;
    if image.width().max(image.height()) <= SIDE {
        return image.clone();
    }
    resize(image, SIDE, SIDE, FilterType::Triangle)
}

/// Opacity of the colour over the face: weak activations leave the face visible.
fn opacity(value: f32) -> f32 {
    0.15 + 0.65 * value.clamp(0.0, 1.0)
}

/// A map over a face. The face turns grey, so that every colour in the picture is activation; [`crate::picture::overlay`], the plain
/// half and half, keeps the face's colours instead.
///
/// `map` is row-major and square with values in `[0, 1]`; if its side is not the image's it is enlarged bilinearly.
pub(crate) fn overlay(face: &RgbImage, map: &[f32]) -> RgbImage {
    tinted(face, map, ColourMap::default())
}

/// `overlay` in any colours.
#[must_use]
pub fn tinted(face: &RgbImage, map: &[f32], colours: ColourMap) -> RgbImage {
    let side = map.len().isqrt();
    let [width, height] = [face.width(), face.height()];
    RgbImage::from_fn(width, height, |x, y| {
        let [r, g, b] = face.get_pixel(x, y).0.map(f32::from);
        let grey = 0.299 * r + 0.587 * g + 0.114 * b;
        let value = sample(
            map,
            side,
            (x as f32 + 0.5) / width as f32,
            (y as f32 + 0.5) / height as f32,
        );
        let (colour, alpha) = (colours.colour(value).map(f32::from), opacity(value));
        Rgb(colour.map(|channel| (channel * alpha + grey * (1.0 - alpha)).round() as u8))
    })
}

/// The value of a square map at a position in `[0, 1]`, bilinear with half-pixel centres and replicated edges.
fn sample(map: &[f32], side: usize, x: f32, y: f32) -> f32 {
    if side == 0 {
        return 0.0;
    }
    let cell = |position: f32| {
        let position = (position * side as f32 - 0.5).clamp(0.0, (side - 1) as f32);
        let below = position as usize;
        (below, (below + 1).min(side - 1), position - below as f32)
    };
    let ((left, right, u), (top, bottom, v)) = (cell(x), cell(y));
    let row = |row: usize| map[row * side + left] * (1.0 - u) + map[row * side + right] * u;
    row(top) * (1.0 - v) + row(bottom) * v
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_images_are_shrunk_and_small_ones_kept() {
        let decode = |uri: &str| {
            let bytes = STANDARD
                .decode(uri.strip_prefix("data:image/png;base64,").unwrap())
                .unwrap();
            image::load_from_memory(&bytes).unwrap().to_rgb8()
        };
        let small = RgbImage::from_fn(7, 5, |x, y| Rgb([x as u8, y as u8, 9]));
        assert_eq!(decode(&data_uri(&small, 10.0).unwrap()), small);
        let large = decode(&data_uri(&RgbImage::new(500, 250), 10.0).unwrap());
        assert_eq!((large.width(), large.height()), (119, 60));
    }

    #[test]
    fn the_colours_run_from_dark_to_light() {
        let lightness = |value: f32| {
            ColourMap::default()
                .colour(value)
                .iter()
                .map(|&channel| u32::from(channel))
                .sum::<u32>()
        };
        for step in 0..100 {
            assert!(
                lightness(step as f32 / 100.0) < lightness((step + 1) as f32 / 100.0),
                "{step}"
            );
        }
    }

    #[test]
    fn a_map_of_any_side_is_laid_over_the_face() {
        let face = RgbImage::from_pixel(8, 8, Rgb([100, 100, 100]));
        let warm = overlay(&face, &[1.0]);
        assert!(warm.pixels().all(|pixel| pixel.0[0] > 150));
        let half = overlay(&face, &[0.0, 1.0, 0.0, 1.0]);
        assert!(half.get_pixel(0, 0).0[0] < 100 && half.get_pixel(7, 0).0[0] > 150);
        assert_eq!(
            overlay(&face, &[]).get_pixel(0, 0),
            overlay(&face, &[0.0]).get_pixel(0, 0)
        );
    }
}
