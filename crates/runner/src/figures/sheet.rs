//! Parts that the sheets of pictures share: panels, a colour scale.

use super::data::Outline;
use super::error::Result;
use super::style::{BAND, GREY, INK, NOTE};
use super::svg::{Anchor, Svg};

use cam::ColourMap;
use image::RgbImage;
use plotters::style::RGBColor;

/// A square picture with a region's outline; without a picture a grey panel that says so.
pub(super) fn panel(
    svg: &mut Svg,
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
        let middle = [place[0] + side / 2.0, place[1] + side / 2.0];
        svg.text([middle[0], middle[1] - 0.2], "no", NOTE, GREY, Anchor::Middle);
        svg.text([middle[0], middle[1] + 2.0], "sample", NOTE, GREY, Anchor::Middle);
    }
    Ok(())
}

/// The colours of activations from 0 to 1, right-aligned at `[right, middle]`.
pub(super) fn colour_scale(svg: &mut Svg, place: [f64; 2]) {
    colour_scale_of(svg, place, ColourMap::default());
}

/// [`colour_scale`] in any colours. Returns its width in mm, with what is written beside it.
pub(super) fn colour_scale_of(svg: &mut Svg, [right, middle]: [f64; 2], colours: ColourMap) -> f64 {
    const STEPS: usize = 48;
    const WIDTH: f64 = 24.0;
    let left = right - WIDTH - 3.5;
    svg.text([left - 1.0, middle + 0.8], "activation  0", NOTE, INK, Anchor::End);
    for step in 0..STEPS {
        let [r, g, b] = colours.colour(step as f32 / (STEPS - 1) as f32);
        let x = left + WIDTH * step as f64 / STEPS as f64;
        // Each step lies over the end of all earlier ones, so that no viewer shows seams.
        svg.rectangle([x, middle - 1.0], [left + WIDTH - x, 2.0], RGBColor(r, g, b));
    }
    svg.text([left + WIDTH + 1.0, middle + 0.8], "1", NOTE, INK, Anchor::Start);
    WIDTH + 3.5 + 1.0 + super::style::text_width("activation  0", NOTE)
}

/// A count with thin groups of thousands: `12,345`.
pub(super) fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0, 999, 1000, 1_234_567].map(thousands).each_ref().map(String::as_str)
        );
    }
}
