//! Maps over images.

use image::{Rgb, RgbImage};

use crate::colour::ColourMap;
use crate::error::{Error, Result};

/// Share of the map's colour in an overlay.
const OPACITY: f32 = 0.5;

/// The colours of a map over an image, half and half.
///
/// - `map`: `[size, size]`, [0, 1]
/// - `image`: `[size, size, 3]` red, green, blue, [0, 1]
///
/// # Errors
/// [`Error::Pixels`] when the lengths are others.
pub fn overlay(map: &[f32], image: &[f32], size: usize, colours: ColourMap) -> Result<RgbImage> {
    check("map", map.len(), size * size)?;
    check("image", image.len(), size * size * 3)?;
    Ok(RgbImage::from_fn(size as u32, size as u32, |x, y| {
        let position = y as usize * size + x as usize;
        let colour = colours.colour(map[position]);
        Rgb([0, 1, 2].map(|c| {
            let below = image[3 * position + c].clamp(0.0, 1.0) * 255.0;
            (OPACITY * f32::from(colour[c]) + (1.0 - OPACITY) * below).round() as u8
        }))
    }))
}

/// Values `[size, size, 3]` in [0, 1], such as a batch's image or the mean of several, as a picture.
///
/// # Errors
/// [`Error::Pixels`] when the length is another.
pub fn picture(values: &[f32], size: usize) -> Result<RgbImage> {
    check("image", values.len(), size * size * 3)?;
    Ok(RgbImage::from_fn(size as u32, size as u32, |x, y| {
        let start = 3 * (y as usize * size + x as usize);
        Rgb([0, 1, 2].map(|c| (values[start + c].clamp(0.0, 1.0) * 255.0).round() as u8))
    }))
}

fn check(what: &'static str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Pixels { what, found, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_and_colour_share_the_pixel() {
        let image = [1.0, 0.0, 0.5, 2.0, -1.0, f32::NAN];
        let image: Vec<f32> = image.iter().chain(&image).copied().collect();
        let found = overlay(&[0.0, 1.0, 0.5, 0.25], &image, 2, ColourMap::Jet).unwrap();
        // Jet's ends are (0, 0, 128) and (128, 0, 0).
        assert_eq!(*found.get_pixel(0, 0), Rgb([128, 0, 128]));
        assert_eq!(*found.get_pixel(1, 0), Rgb([192, 0, 0]));
        assert_eq!(*picture(&image, 2).unwrap().get_pixel(0, 1), Rgb([255, 0, 128]));
    }

    #[test]
    fn lengths_are_checked() {
        let message = overlay(&[0.0; 4], &[0.0; 11], 2, ColourMap::Jet)
            .unwrap_err()
            .to_string();
        assert_eq!(message, "image: shape [11], expected 12 values");
        assert!(overlay(&[0.0; 3], &[0.0; 12], 2, ColourMap::Jet).is_err());
        assert!(picture(&[0.0; 3], 2).is_err());
    }
}
