use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::decode::{decode_channels, of};
use crate::{Error, Result};

/// Where each attribute of one image is visible: one bit per pixel and attribute.
///
/// The grid covers the whole image and may be coarser than it: pixel (x, y) of the grid stands for the image's rectangle
/// `[x, x + 1) * image_width / width` by `[y, y + 1) * image_height / height`.
///
/// # File format
/// An 8-bit grey PNG, `width` pixels wide and `height * ceil(A / 8)` high: planes of `height` rows, one below the other.
/// Bit `b` (value `1 << b`) of plane `p` belongs to attribute `8 p + b`. The unused bits of the last plane are zero.
///
/// ```
/// let mut masks = dataset::AttributeMasks::new(89, 109, 40);
/// masks.insert(31, 44, 76);
/// let png = masks.to_png("000001.png".as_ref())?;
/// let read = dataset::AttributeMasks::from_png(&png, 40, "000001.png".as_ref())?;
/// assert!(read.contains(31, 44, 76) && !read.contains(30, 44, 76));
/// # Ok::<(), dataset::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeMasks {
    width: u32,
    height: u32,
    attributes: usize,
    /// `[ceil(A / 8), height, width]`, as in the file.
    planes: Vec<u8>,
}

impl AttributeMasks {
    /// Masks without a single pixel, on a grid of `width` by `height`.
    pub fn new(width: u32, height: u32, attributes: usize) -> Self {
        let pixels = width as usize * height as usize;
        Self {
            width,
            height,
            attributes,
            planes: vec![0; pixels * attributes.div_ceil(8)],
        }
    }

    /// Width of the grid.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height of the grid.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Number of attributes.
    pub fn attributes(&self) -> usize {
        self.attributes
    }

    /// Whether the mask of `attribute` contains the grid's pixel (x, y).
    ///
    /// # Panics
    /// When there is no such attribute or pixel.
    pub fn contains(&self, attribute: usize, x: u32, y: u32) -> bool {
        self.planes[self.position(attribute, x, y)] >> (attribute % 8) & 1 == 1
    }

    /// Calls `each` with every attribute whose mask contains the grid's pixel (x, y), in order.
    ///
    /// # Panics
    /// When there is no such pixel.
    pub fn for_each_at(&self, x: u32, y: u32, mut each: impl FnMut(usize)) {
        assert!(
            x < self.width && y < self.height,
            "pixel ({x}, {y}) of {} x {}",
            self.width,
            self.height
        );
        let plane = self.width as usize * self.height as usize;
        let mut position = y as usize * self.width as usize + x as usize;
        for first in (0..self.attributes).step_by(8) {
            let mut rest = self.planes[position];
            while rest != 0 {
                each(first + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
            position += plane;
        }
    }

    /// Adds the grid's pixel (x, y) to the mask of `attribute`.
    ///
    /// # Panics
    /// When there is no such attribute or pixel.
    pub fn insert(&mut self, attribute: usize, x: u32, y: u32) {
        let position = self.position(attribute, x, y);
        self.planes[position] |= 1 << (attribute % 8);
    }

    /// Number of pixels in the mask of `attribute`.
    ///
    /// # Panics
    /// When there is no such attribute.
    pub fn area(&self, attribute: usize) -> usize {
        let start = self.position(attribute, 0, 0);
        let plane = &self.planes[start..start + self.width as usize * self.height as usize];
        plane.iter().filter(|&byte| byte >> (attribute % 8) & 1 == 1).count()
    }

    fn position(&self, attribute: usize, x: u32, y: u32) -> usize {
        assert!(
            attribute < self.attributes,
            "attribute {attribute} of {}",
            self.attributes
        );
        assert!(
            x < self.width && y < self.height,
            "pixel ({x}, {y}) of {} x {}",
            self.width,
            self.height
        );
        ((attribute / 8) * self.height as usize + y as usize) * self.width as usize + x as usize
    }

    /// The masks as the bytes of a PNG file; `path` is for the error message.
    ///
    /// # Errors
    /// [`Error::Encode`] when the grid or the number of attributes is zero or too large for a PNG.
    pub fn to_png(&self, path: &Path) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(4096);
        let rows = self.height * self.attributes.div_ceil(8) as u32;
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Up)
            .write_image(&self.planes, self.width, rows, ExtendedColorType::L8)
            .map_err(|source| Error::Encode {
                path: path.to_owned(),
                source,
            })?;
        Ok(bytes)
    }

    /// Masks of `attributes` attributes from the bytes of a PNG file; `path` is for the error message.
    ///
    /// # Errors
    /// [`Error::Decode`] when the bytes are not a PNG, [`Error::File`] when it is not grey or its height does not divide
    /// into the planes of so many attributes.
    pub fn from_png(bytes: &[u8], attributes: usize, path: &Path) -> Result<Self> {
        let decoded = decode_channels(bytes).map_err(of(path))?;
        let wrong = |found: String, expected: String| Error::File {
            file: path.display().to_string(),
            found,
            expected,
        };
        let image = match decoded {
            image::DynamicImage::ImageLuma8(image) if bytes.starts_with(b"\x89PNG") => image,
            other => {
                let colours = if other.color().has_color() { "coloured" } else { "grey" };
                let bits = other.color().bits_per_pixel() / u16::from(other.color().channel_count());
                return Err(wrong(
                    format!("a {colours} picture of {bits} bits a value"),
                    "an 8-bit grey PNG without alpha, a bit for each attribute".to_owned(),
                ));
            }
        };
        let planes = attributes.div_ceil(8) as u32;
        if planes == 0 || image.height() % planes != 0 {
            return Err(wrong(
                format!("{} rows", image.height()),
                format!("a multiple of {planes}, the planes of {attributes} attributes"),
            ));
        }
        Ok(Self {
            width: image.width(),
            height: image.height() / planes,
            attributes,
            planes: image.into_raw(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkered(attributes: usize) -> AttributeMasks {
        let mut masks = AttributeMasks::new(7, 5, attributes);
        for attribute in 0..attributes {
            for (x, y) in (0..7).flat_map(|x| (0..5).map(move |y| (x, y))) {
                if (attribute + 3 * x as usize + 5 * y as usize).is_multiple_of(4) {
                    masks.insert(attribute, x, y);
                }
            }
        }
        masks
    }

    #[test]
    fn png_round_trip_for_any_number_of_attributes() {
        for attributes in [1, 8, 9, 40, 41] {
            let masks = checkered(attributes);
            let png = masks.to_png("m.png".as_ref()).unwrap();
            assert_eq!(
                AttributeMasks::from_png(&png, attributes, "m.png".as_ref()).unwrap(),
                masks
            );
        }
    }

    #[test]
    fn area_counts_what_contains_says() {
        let masks = checkered(11);
        for attribute in 0..11 {
            let counted = (0..7).flat_map(|x| (0..5).map(move |y| (x, y)));
            let mut listed = 0;
            for (x, y) in counted.clone() {
                masks.for_each_at(x, y, |found| listed += usize::from(found == attribute));
            }
            let counted = counted.filter(|&(x, y)| masks.contains(attribute, x, y)).count();
            assert_eq!(listed, counted);
            assert_eq!(masks.area(attribute), counted);
            assert!(counted > 0);
        }
    }

    #[test]
    fn foreign_files_are_refused() {
        let png = checkered(8).to_png("m.png".as_ref()).unwrap();
        let message = AttributeMasks::from_png(&png, 24, "m.png".as_ref())
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "m.png: 5 rows, expected a multiple of 3, the planes of 24 attributes"
        );
        assert!(matches!(
            AttributeMasks::from_png(b"no", 8, "m.png".as_ref()),
            Err(Error::Decode { .. })
        ));
    }
}
