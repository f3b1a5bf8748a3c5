//! Sizes, colours and fonts that all figures share.

use std::ops::Range;
use std::sync::OnceLock;

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, IntoFont, RGBColor, TextStyle, register_font};

/// The font family that the drawings name and the program carries.
pub(super) const FAMILY: &str = "DejaVu Sans";

/// What a browser may take instead: Verdana has nearly the same widths.
pub(super) const FAMILY_WITH_FALLBACK: &str = "DejaVu Sans, Verdana, sans-serif";

/// Drawing units per millimetre. Plotters places everything on whole units, so this is its precision: 0.05 mm.
pub(super) const UNITS_PER_MM: f64 = 20.0;

/// Width of a figure across both columns of a page, in mm.
pub(super) const DOUBLE_COLUMN: f64 = 178.0;

/// Font sizes in points: axis titles and legends.
pub(super) const LABEL: f64 = 7.5;
/// Tick labels and names of attributes.
pub(super) const TICK: f64 = 7.0;
/// Numbers below small panels.
pub(super) const NOTE: f64 = 5.5;

pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub(super) const GREY: RGBColor = RGBColor(0x77, 0x77, 0x77);
pub(super) const GRID: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);
pub(super) const BAND: RGBColor = RGBColor(0xF1, 0xF1, 0xF1);

/// Okabe and Ito's colours, told apart by readers with any colour vision; the first two also differ in lightness.
const PALETTE: [RGBColor; 7] = [
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0xF0, 0xE4, 0x42),
];

/// The colour of a classifier, by its position.
pub(super) fn colour(classifier: usize) -> RGBColor {
    PALETTE[classifier % PALETTE.len()]
}

/// `#rrggbb`.
pub(super) fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Millimetres in drawing units.
pub(super) fn mm(millimetres: f64) -> f64 {
    millimetres * UNITS_PER_MM
}

/// Points (1/72 inch) in drawing units.
pub(super) fn pt(points: f64) -> f64 {
    mm(points * 25.4 / 72.0)
}

/// A name as people write it: without underscores.
pub(super) fn readable(name: &str) -> String {
    name.replace('_', " ")
}

/// Makes the font known to plotters; it has no other.
fn register() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        // A failure would mean a broken font inside the program; drawing then reports that no font is available.
        let _ = register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular());
    });
}

/// Plotters writes `font-size = size / 1.24`.
const PLOTTERS_SCALE: f64 = 1.24;

/// A text style for plotters.
pub(super) fn text(points: f64, colour: RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    register();
    let font = (FAMILY, pt(points) * PLOTTERS_SCALE).into_font();
    TextStyle {
        font,
        color: colour.to_backend_color(),
        pos: Pos::new(h, v),
    }
}

/// The same, reading upwards.
pub(super) fn vertical(points: f64, colour: RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    let style = text(points, colour, h, v);
    style.transform(FontTransform::Rotate270)
}

/// Width of a line of text in mm.
pub(super) fn text_width(content: &str, points: f64) -> f64 {
    register();
    // Plotters measures a font of the given *height*; DejaVu's is 1.164 em. Measured large, since it rounds to whole units.
    const SIZE: f64 = 1000.0;
    const HEIGHT_PER_EM: f64 = 1.164;
    let width = (FAMILY, SIZE).into_font().layout_box(content).map_or_else(
        |_| content.chars().count() as f64 * 0.6 * SIZE / HEIGHT_PER_EM,
        |((left, _), (right, _))| f64::from(right - left),
    );
    width * HEIGHT_PER_EM / SIZE * points * 25.4 / 72.0
}

/// The largest font size of a range at which a text is at most `width` mm wide; its smallest if none is.
pub(super) fn points_to_fit(content: &str, sizes: Range<f64>, width: f64) -> f64 {
    let needed = text_width(content, sizes.end);
    if needed <= width {
        sizes.end
    } else {
        (sizes.end * width / needed).max(sizes.start)
    }
}

/// Shortens a text with an ellipsis until it is at most `width` mm wide.
pub(super) fn fit(content: &str, points: f64, width: f64) -> String {
    if text_width(content, points) <= width {
        return content.to_owned();
    }
    let mut shortened: Vec<char> = content.chars().collect();
    while shortened.pop().is_some() {
        let candidate = format!("{}…", shortened.iter().collect::<String>().trim_end());
        if text_width(&candidate, points) <= width {
            return candidate;
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // DejaVu Sans: advance of `0` is 1303 of 2048 units per em.
        let expected = 10.0 * 1303.0 / 2048.0 * 7.0 * 25.4 / 72.0;
        assert!((text_width("0000000000", 7.0) - expected).abs() < 0.01 * expected);
    }

    #[test]
    fn fonts_shrink_to_fit() {
        assert_eq!(points_to_fit("Bald", 5.0..7.0, 30.0), 7.0);
        assert_eq!(points_to_fit("Bald", 5.0..7.0, 0.1), 5.0);
        let points = points_to_fit("unbalanced", 5.0..7.0, 12.0);
        assert!(points > 5.0 && points < 7.0 && text_width("unbalanced", points) <= 12.0 + 1e-9);
    }

    #[test]
    fn long_names_are_shortened_to_fit() {
        let long = "a very long name of an attribute".repeat(10);
        let fitted = fit(&long, 7.0, 30.0);
        assert!(fitted.ends_with('…') && text_width(&fitted, 7.0) <= 30.0 && text_width(&fitted, 7.0) > 25.0);
        assert_eq!(fit("Bald", 7.0, 30.0), "Bald");
        assert_eq!(fit("Bald", 7.0, 0.0), "");
    }
}
