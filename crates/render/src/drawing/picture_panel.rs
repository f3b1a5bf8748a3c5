//! Parts that the sheets of pictures share: panels, a colour scale.

use super::outline::Outline;
use super::style::{BAND, GREY, INK, Style, capital, text_width};
use super::svg::{Anchor, Svg};
use crate::error::Result;

use crate::colour::ColourMap;
use image::RgbImage;
use plotters::style::RGBColor;

/// A square picture with a region's outline; without a picture a grey panel that says so.
pub(crate) fn panel(
    svg: &mut Svg,
    style: &Style,
    place: [f64; 2],
    side: f64,
    picture: Option<&RgbImage>,
    outline: Option<&Outline>,
) -> Result<()> {
    if let Some(picture) = picture {
        svg.image(place, side, &super::raster::data_uri(picture, side)?);
        if let Some(outline) = outline {
            svg.outline(place, side, outline);
        }
    } else {
        svg.rectangle(place, [side, side], BAND);
        let points = style.tick();
        let place = [place[0] + side / 2.0, place[1] + (side + capital(points)) / 2.0];
        let words = ["no sample", "none"]
            .into_iter()
            .find(|words| text_width(words, points) + 1.0 <= side);
        svg.text(place, words.unwrap_or("–"), points, GREY, Anchor::Middle);
    }
    Ok(())
}

/// The colours of activations from 0 to 1, right-aligned at `[right, middle]`. Returns its width in mm, with what is written
/// beside it.
pub(crate) fn colour_scale(svg: &mut Svg, style: &Style, place: [f64; 2], colours: ColourMap) -> f64 {
    colour_scale_of("activation", svg, style, place, colours)
}

/// The same of something else than activations.
pub(crate) fn colour_scale_of(
    what: &str,
    svg: &mut Svg,
    style: &Style,
    [right, middle]: [f64; 2],
    colours: ColourMap,
) -> f64 {
    const STEPS: usize = 48;
    const WIDTH: f64 = 22.0;
    let points = style.tick();
    let baseline = middle + capital(points) / 2.0;
    let one = text_width("1", points) + 1.0;
    let left = right - WIDTH - one;
    let words = format!("{what}  0");
    svg.text([left - 1.0, baseline], &words, points, INK, Anchor::End);
    for step in 0..STEPS {
        let [r, g, b] = colours.colour(step as f32 / (STEPS - 1) as f32);
        let x = left + WIDTH * step as f64 / STEPS as f64;
        // Each step lies over the end of all earlier ones, so that no viewer shows seams.
        svg.rectangle([x, middle - 1.0], [left + WIDTH - x, 2.0], RGBColor(r, g, b));
    }
    svg.text([right, baseline], "1", points, INK, Anchor::End);
    WIDTH + one + 1.0 + text_width(&words, points)
}
