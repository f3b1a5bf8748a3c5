use std::path::Path;

use image::{DynamicImage, ImageBuffer, Pixel};

use super::palette;
use super::values::{Ambiguous, Areas, threshold};
use crate::decode::{decode_channels, dimensions, is_upright, of};
use crate::{Error, Result};

/// Which pixels of a picture are inside, where the picture is a mask.
///
/// A mask has two kinds of pixels. By what it looks like, the bright ones are inside and the dark ones, which are black or 0, outside;
/// by its numbers, 1 is inside and 0 outside. So it may hold
///
/// - grey values of 1 to 16 bits, whatever their scale: 0 and 1, 0 and 255, 0 and 65,535. Soft edges are cut at half of the largest;
/// - one colour on black;
/// - a palette of which two colours are used: index 0 is outside, whatever its colour, unless the other is darker;
/// - a shape in the alpha channel, in one colour; or black and another colour on transparent ground.
///
/// Everything else is refused rather than guessed at: several labels in one picture, and two colours of which neither is clearly the
/// ground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskPicture {
    width: u32,
    height: u32,
    inside: Vec<bool>,
    value: Option<u8>,
}

impl MaskPicture {
    /// The mask in the bytes of a picture; `path` is for the error message. Turned as its EXIF orientation says.
    ///
    /// # Errors
    /// [`Error::Decode`] as [`decode`](crate::decode()); [`Error::File`] when it is not clear what is inside.
    pub fn read(bytes: &[u8], path: &Path) -> Result<Self> {
        let refused = |Ambiguous(found)| {
            Error::File {
            file: path.display().to_string(),
            found,
            expected: "a mask of two kinds of pixels; a file for each attribute with 255 inside and 0 outside, in 8-bit grey, is always \
                       understood"
                .to_owned(),
        }
        };
        let stored = dimensions(bytes, path)?;
        if is_upright(bytes)
            && let Some(indices) = palette::read(bytes, path)?
        {
            return Ok(Self {
                width: stored.0,
                height: stored.1,
                inside: indices.inside().map_err(refused)?,
                value: None,
            });
        }
        let picture = decode_channels(bytes).map_err(of(path))?;
        let inside = match &picture {
            DynamicImage::ImageLuma8(picture) => inside(picture),
            DynamicImage::ImageLumaA8(picture) => inside(picture),
            DynamicImage::ImageRgb8(picture) => inside(picture),
            DynamicImage::ImageRgba8(picture) => inside(picture),
            DynamicImage::ImageLuma16(picture) => inside(picture),
            DynamicImage::ImageLumaA16(picture) => inside(picture),
            DynamicImage::ImageRgb16(picture) => inside(picture),
            DynamicImage::ImageRgba16(picture) => inside(picture),
            _ => Err(Ambiguous("a picture of fractions".to_owned())),
        };
        Ok(Self {
            width: picture.width(),
            height: picture.height(),
            inside: inside.map_err(refused)?,
            value: only_value(&picture),
        })
    }

    /// Width and height.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The value of what is inside an 8-bit grey mask of 0 and one other value.
    pub(crate) fn value(&self) -> Option<u8> {
        self.value
    }

    /// Whether pixel (x, y) is inside; none beyond the border is.
    pub fn contains(&self, x: u32, y: u32) -> bool {
        let at = y as usize * self.width as usize + x as usize;
        x < self.width && self.inside.get(at) == Some(&true)
    }

    /// The pixels (x, y) that are inside.
    pub fn inside(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let width = self.width.max(1) as usize;
        let inside = self.inside.iter().enumerate().filter(|(_, inside)| **inside);
        inside.map(move |(at, _)| ((at % width) as u32, (at / width) as u32))
    }
}

/// The only value of an 8-bit grey picture beside 0.
fn only_value(picture: &DynamicImage) -> Option<u8> {
    let mut values = picture.as_luma8()?.as_raw().iter().copied().filter(|&value| value > 0);
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

type Channels = [u32; 4];

/// Which pixels of a picture of grey values or colours are inside.
fn inside<P>(picture: &ImageBuffer<P, Vec<P::Subpixel>>) -> Result<Vec<bool>, Ambiguous>
where
    P: Pixel,
    P::Subpixel: Into<u32>,
{
    let (width, height) = picture.dimensions();
    let at = |x: u32, y: u32| -> Channels {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).to_rgba().0;
        [red.into(), green.into(), blue.into(), alpha.into()]
    };
    let every = || (0..height).flat_map(move |y| (0..width).map(move |x| (x, y)));
    let alpha = |x, y| at(x, y)[3];
    let (least, most) = every().fold((u32::MAX, 0), |(least, most), (x, y)| {
        (least.min(alpha(x, y)), most.max(alpha(x, y)))
    });
    let first = at(0, 0);
    if least < most || most == 0 {
        if most == 0 && every().any(|(x, y)| at(x, y) != first) {
            return Err(Ambiguous(
                "a picture that is wholly transparent, with colours beneath".to_owned(),
            ));
        }
        // The shape is what is seen, or what is bright of it.
        let seen = threshold(width, height, alpha)?;
        let colour = |x, y| match at(x, y) {
            [red, green, blue, alpha] if alpha >= seen => Some([red, green, blue]),
            _ => None,
        };
        let brightest = brightest(every().filter_map(|(x, y)| colour(x, y)));
        let colours = areas_of(width, height, colour, |_| true, brightest);
        let dark = |colour: &[u32; 3]| value(*colour) <= brightest / 8;
        let inside = |(x, y)| colour(x, y).is_some();
        return match colours.as_slice() {
            [] | [_] => Ok(every().map(inside).collect()),
            [one, other] if dark(one) != dark(other) => {
                let bright = |(x, y)| colour(x, y).is_some_and(|colour| 2 * value(colour) >= brightest);
                Ok(every().map(bright).collect())
            }
            _ => Err(Ambiguous::labels(&named(&colours, brightest))),
        };
    }
    let grey = every().all(|(x, y)| matches!(at(x, y), [red, green, blue, _] if red == green && green == blue));
    if grey {
        let threshold = threshold(width, height, |x, y| at(x, y)[0])?;
        return Ok(every().map(|(x, y)| at(x, y)[0] >= threshold).collect());
    }
    let colour = |x, y| {
        let [red, green, blue, _] = at(x, y);
        [red, green, blue]
    };
    let brightest = brightest(every().map(|(x, y)| colour(x, y)));
    let bright = |colour: [u32; 3]| value(colour) > brightest / 8;
    let mut colours = areas_of(width, height, |x, y| Some(colour(x, y)), bright, brightest);
    if colours.len() == 1 && 8 * value(colours[0]) < 7 * brightest {
        // What is brighter has no areas, and is no shade of this colour: a border whose label nobody knows.
        colours.extend(
            every()
                .map(|(x, y)| colour(x, y))
                .find(|&colour| value(colour) == brightest),
        );
    }
    let first = colour(0, 0);
    let uniform = colours.len() == 1 && every().all(|(x, y)| near(colour(x, y), first, brightest));
    let has_ground = every().any(|(x, y)| !bright(colour(x, y)));
    if colours.len() > 1 {
        return Err(Ambiguous::labels(&named(&colours, brightest)));
    }
    if !has_ground && !uniform {
        let other = every()
            .map(|(x, y)| colour(x, y))
            .find(|other| !near(*other, first, brightest));
        let named = named(&[first, other.unwrap_or(first)], brightest);
        return Err(Ambiguous::no_background(&named[0], &named[1]));
    }
    Ok(every().map(|(x, y)| 2 * value(colour(x, y)) >= brightest).collect())
}

/// How bright a colour is: that of its brightest channel, so that full red, green and blue are alike.
fn value([red, green, blue]: [u32; 3]) -> u32 {
    red.max(green).max(blue)
}

fn brightest(colours: impl Iterator<Item = [u32; 3]>) -> u32 {
    colours.map(value).max().unwrap_or(0)
}

/// Whether two colours are the same but for what a lossy format makes of them.
fn near(one: [u32; 3], other: [u32; 3], brightest: u32) -> bool {
    let mut pairs = one.iter().zip(&other);
    pairs.all(|(one, other)| one.abs_diff(*other) <= brightest / 8)
}

/// The colours that have areas and are `wanted`, those of a lossy format that are near each other as one.
fn areas_of(
    width: u32,
    height: u32,
    colour: impl Fn(u32, u32) -> Option<[u32; 3]>,
    wanted: impl Fn([u32; 3]) -> bool,
    brightest: u32,
) -> Vec<[u32; 3]> {
    /// More than are ever one.
    const MANY: usize = 16;
    let areas = Areas::new(width, height);
    let mut found: Vec<([u32; 3], u64)> = Vec::new();
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        let Some(here) = colour(x, y).filter(|&here| wanted(here)) else {
            continue;
        };
        if !areas.is_within(x, y, &colour) {
            continue;
        }
        match found.iter().position(|(known, _)| near(*known, here, brightest)) {
            Some(known) => found[known].1 += 1,
            None if found.len() < MANY => found.push((here, 1)),
            None => {}
        }
    }
    found.retain(|(_, count)| *count >= areas.least);
    found.into_iter().map(|(colour, _)| colour).collect()
}

/// Colours as people write them.
fn named(colours: &[[u32; 3]], brightest: u32) -> Vec<String> {
    let scale = if brightest > 255 { 257 } else { 1 };
    let name = |[red, green, blue]: &[u32; 3]| format!("#{:02x}{:02x}{:02x}", red / scale, green / scale, blue / scale);
    colours.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, GrayAlphaImage, GrayImage, ImageEncoder, ImageFormat, Luma, RgbImage, RgbaImage};

    use super::*;

    const SIDE: u32 = 24;
    const PATH: &str = "m.png";

    /// Whether a pixel is in the shape, 8 x 12 pixels.
    fn shape(x: u32, y: u32) -> bool {
        (4..12).contains(&x) && (6..18).contains(&y)
    }

    fn pick<T: Copy>(x: u32, y: u32, [outside, inside]: [T; 2]) -> T {
        if shape(x, y) { inside } else { outside }
    }

    fn png(picture: &DynamicImage) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn grey(value: impl Fn(u32, u32) -> u8) -> Vec<u8> {
        png(&GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([value(x, y)])).into())
    }

    fn wide(values: [u16; 2]) -> Vec<u8> {
        let picture = ImageBuffer::<Luma<u16>, _>::from_fn(SIDE, SIDE, |x, y| Luma([pick(x, y, values)]));
        png(&DynamicImage::ImageLuma16(picture))
    }

    fn coloured(colours: [[u8; 3]; 2]) -> Vec<u8> {
        png(&RgbImage::from_fn(SIDE, SIDE, |x, y| image::Rgb(pick(x, y, colours))).into())
    }

    fn see_through(colours: impl Fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
        png(&RgbaImage::from_fn(SIDE, SIDE, |x, y| image::Rgba(colours(x, y))).into())
    }

    /// A PNG of indices of 1, 2, 4 or 8 bits.
    fn indexed(index: impl Fn(u32, u32) -> u8, palette: &[[u8; 3]], depth: png::BitDepth) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(depth);
        encoder.set_palette(palette.concat());
        let bits = depth as u32;
        let mut packed = vec![0_u8; (SIDE * SIDE * bits / 8) as usize];
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            let bit = (y * SIDE + x) * bits;
            packed[(bit / 8) as usize] |= index(x, y) << (8 - bits - bit % 8);
        }
        encoder.write_header().unwrap().write_image_data(&packed).unwrap();
        bytes
    }

    fn means_the_shape(bytes: &[u8], what: &str) {
        let mask = MaskPicture::read(bytes, PATH.as_ref()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(mask.size(), (SIDE, SIDE));
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            assert_eq!(mask.contains(x, y), shape(x, y), "{what}: ({x}, {y})");
        }
        assert_eq!(mask.inside().count(), 8 * 12);
        assert!(mask.inside().all(|(x, y)| shape(x, y)) && !mask.contains(SIDE, 0) && !mask.contains(0, SIDE));
    }

    fn refusal(bytes: &[u8]) -> String {
        let message = MaskPicture::read(bytes, PATH.as_ref()).unwrap_err().to_string();
        assert!(
            message.starts_with("m.png: ") && message.contains("255 inside and 0 outside"),
            "{message}"
        );
        message
    }

    #[test]
    fn grey_values_are_masks_whatever_their_scale() {
        for values in [[0, 1], [0, 255], [0, 128], [30, 200]] {
            means_the_shape(&grey(|x, y| pick(x, y, values)), &format!("{values:?}"));
        }
        for values in [[0, 1], [0, 255], [0, 65_535], [0, 1000]] {
            means_the_shape(&wide(values), &format!("{values:?} of 16 bits"));
        }
        // Single bits.
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
        encoder.set_depth(png::BitDepth::One);
        let mut packed = [0_u8; (SIDE * SIDE / 8) as usize];
        for (x, y) in (0..SIDE)
            .flat_map(|y| (0..SIDE).map(move |x| (x, y)))
            .filter(|&(x, y)| shape(x, y))
        {
            packed[((y * SIDE + x) / 8) as usize] |= 128 >> (x % 8);
        }
        encoder.write_header().unwrap().write_image_data(&packed).unwrap();
        means_the_shape(&bytes, "single bits");
    }

    #[test]
    fn one_colour_on_black_is_a_mask() {
        for colour in [[128, 0, 0], [0, 0, 255], [255, 255, 0]] {
            means_the_shape(&coloured([[0; 3], colour]), &format!("{colour:?}"));
        }
        let mut bytes = std::io::Cursor::new(Vec::new());
        let red = RgbImage::from_fn(SIDE, SIDE, |x, y| image::Rgb(pick(x, y, [[0; 3], [250, 250, 250]])));
        red.write_to(&mut bytes, ImageFormat::Bmp).unwrap();
        means_the_shape(&bytes.into_inner(), "BMP");
    }

    #[test]
    fn a_palette_is_read_by_its_indices() {
        use png::BitDepth::{Eight, Four, One, Two};
        let (black, white, maroon, purple) = ([0; 3], [255; 3], [128, 0, 0], [68, 1, 84]);
        let by = |indices: [u8; 2]| move |x, y| pick(x, y, indices);
        for depth in [One, Two, Four, Eight] {
            means_the_shape(&indexed(by([0, 1]), &[black, maroon], depth), "black and maroon");
            means_the_shape(&indexed(by([0, 1]), &[purple, [253, 231, 37]], depth), "no black");
            means_the_shape(&indexed(by([1, 0]), &[white, black], depth), "values in a palette");
        }
        means_the_shape(
            &indexed(
                by([0, 9]),
                &[[0, 0, 90]; 1]
                    .repeat(4)
                    .into_iter()
                    .chain([maroon; 8])
                    .collect::<Vec<_>>(),
                Eight,
            ),
            "index 9",
        );
        means_the_shape(
            &indexed(by([2, 1]), &[white, maroon, black], Two),
            "black is the ground",
        );
        // Empty: index 0 alone.
        let none = MaskPicture::read(&indexed(|_, _| 0, &[purple, maroon], One), PATH.as_ref()).unwrap();
        assert_eq!(none.inside().count(), 0);

        let three = |x, y| if y < 3 { 2 } else { pick(x, y, [0, 1]) };
        let message = refusal(&indexed(three, &[black, maroon, [0, 128, 0]], Two));
        assert!(
            message.contains("several labels (index 0 #000000, index 1 #800000, index 2 #008000)"),
            "{message}"
        );
        // A border whose label nobody knows, one pixel wide, as Pascal VOC has it: neither by index nor in colours.
        let border = |x: u32, y: u32| {
            if x == 3 && (6..18).contains(&y) {
                2
            } else {
                pick(x, y, [0, 1])
            }
        };
        refusal(&indexed(border, &[black, [64, 0, 0], [224, 224, 192]], Two));
        let voc = |x, y| image::Rgb([black, [64, 0, 0], [224, 224, 192]][usize::from(border(x, y))]);
        let message = refusal(&png(&RgbImage::from_fn(SIDE, SIDE, voc).into()));
        assert!(message.contains("several labels (#400000, #e0e0c0)"), "{message}");
        let message = refusal(&indexed(by([0, 1]), &[white, maroon], One));
        assert!(
            message.contains("index 0 #ffffff and index 1 #800000, without black"),
            "{message}"
        );
        assert!(refusal(&indexed(by([0, 1]), &[black, black], One)).contains("all of the same colour"));
    }

    #[test]
    fn a_shape_in_the_alpha_channel_is_a_mask() {
        let alpha = |x, y| pick(x, y, [0, 255]);
        for colour in [0, 255, 90] {
            means_the_shape(&see_through(|x, y| [colour, colour, colour, alpha(x, y)]), "one colour");
            let picture = GrayAlphaImage::from_fn(SIDE, SIDE, |x, y| image::LumaA([colour, alpha(x, y)]));
            means_the_shape(&png(&picture.into()), "grey and alpha");
        }
        means_the_shape(
            &see_through(|x, y| pick(x, y, [[255, 255, 255, 0], [0, 0, 0, 255]])),
            "a hidden colour",
        );
        // Black and white on transparent ground: what is white is inside.
        let framed = |x: u32, y: u32| {
            if x == 0 {
                [255, 255, 255, 0]
            } else {
                pick(x, y, [[0, 0, 0, 255], [255; 4]])
            }
        };
        means_the_shape(&see_through(framed), "black and white");
        // Opaque: the alpha channel says nothing.
        means_the_shape(&see_through(|x, y| pick(x, y, [[0, 0, 0, 255], [255; 4]])), "opaque");

        let cut_out = |x: u32, y: u32| {
            [
                if x < 8 { 255 } else { 0 },
                90,
                if x < 8 { 0 } else { 200 },
                alpha(x, y),
            ]
        };
        assert!(refusal(&see_through(cut_out)).contains("several labels (#ff5a00, #005ac8)"));
        assert!(refusal(&see_through(|x, _| [x as u8, 0, 0, 0])).contains("wholly transparent"));
        let levels = |x, y| [0, 0, 0, pick(x, y, [150, 255])];
        assert!(refusal(&see_through(levels)).contains("without black or 0"));
    }

    #[test]
    fn what_may_mean_two_things_is_refused() {
        let third = |values: [u8; 3]| {
            grey(move |x, y| {
                if y < 3 {
                    values[2]
                } else {
                    pick(x, y, [values[0], values[1]])
                }
            })
        };
        assert!(refusal(&third([0, 1, 2])).contains("several labels (0, 1, 2)"));
        assert!(refusal(&third([0, 127, 255])).contains("several labels (0, 127, 255)"));
        assert!(refusal(&coloured([[255; 3], [255, 0, 0]])).contains("several labels (#ffffff, #ff0000)"));
        assert!(refusal(&grey(|x, y| pick(x, y, [1, 2]))).contains("a picture of 1 and 2, without black or 0"));
        let message = MaskPicture::read(b"no", PATH.as_ref()).unwrap_err().to_string();
        assert!(message.starts_with("m.png: cannot be read"), "{message}");
    }

    #[test]
    fn soft_edges_are_cut_at_half_and_lossy_formats_do_not_matter() {
        let soft = grey(|x, y| {
            if (x == 3 || x == 12) && (6..18).contains(&y) {
                100
            } else {
                pick(x, y, [0, 255])
            }
        });
        means_the_shape(&soft, "soft");
        let mut bytes = Vec::new();
        let values: Vec<u8> = (0..SIDE * SIDE)
            .map(|at| pick(at % SIDE, at / SIDE, [2, 250]))
            .collect();
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90);
        encoder.write_image(&values, SIDE, SIDE, ExtendedColorType::L8).unwrap();
        means_the_shape(&bytes, "JPEG");
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new(&mut bytes);
        encoder.write_image(&[0; 9], 3, 3, ExtendedColorType::L8).unwrap();
        assert_eq!(MaskPicture::read(&bytes, PATH.as_ref()).unwrap().inside().count(), 0);
    }
}
