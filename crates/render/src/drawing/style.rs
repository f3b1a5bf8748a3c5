//! How the figures of a run look: sizes on paper, font, colours. All lengths are in millimetres, font sizes in points.

use std::ops::Range;
use std::sync::OnceLock;

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, IntoFont, RGBColor, TextStyle, register_font};
use serde::{Deserialize, Serialize};

use super::palette::Palette;

/// The font family that plotters knows and the program carries: of the fonts that crates carry the one whose widths are
/// nearest to Helvetica's and Arial's.
pub(crate) const FAMILY: &str = "DejaVu Sans Condensed";

/// What the SVG asks for, and what a viewer without that font takes: Arial and Helvetica have nearly the same widths.
pub(crate) const FAMILY_WITH_FALLBACK: &str = "DejaVu Sans Condensed, Arial, Helvetica, sans-serif";

/// Drawing units per millimetre. Plotters places everything on whole units, so this is its precision: 0.01 mm.
pub(crate) const UNITS_PER_MM: f64 = 100.0;

/// Millimetres of a point, 1/72 inch.
const MM_PER_POINT: f64 = 25.4 / 72.0;

/// Nothing is set smaller than this, unless the style's font itself is.
const SMALLEST: f64 = 7.0;

pub(crate) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub(crate) const GREY: RGBColor = RGBColor(0x66, 0x66, 0x66);
pub(crate) const GRID: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);
pub(crate) const BAND: RGBColor = RGBColor(0xF0, 0xF0, 0xF0);

/// Which of a page's widths a figure takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// One column of a page with two.
    Single,
    /// Both columns.
    Double,
}

/// What all figures of a run share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Width of one column in mm.
    pub single_column: f64,
    /// Width of both columns in mm.
    pub double_column: f64,
    /// Size of titles and legends in points; ticks, names and numbers are one point smaller, but at least 7.
    pub font_size: f64,
    /// Colours of the classifiers.
    pub palette: Palette,
    /// Which width the figure takes; `None` leaves it to the figure.
    pub column: Option<Column>,
}

impl Default for Style {
    /// Nature's columns (89 and 183 mm are its limits, 88 and 180 fit IEEE and Springer too), text of 8 and 7 points.
    fn default() -> Self {
        Self {
            single_column: 88.0,
            double_column: 180.0,
            font_size: 8.0,
            palette: Palette::default(),
            column: None,
        }
    }
}

impl Style {
    /// Points of titles and legends.
    pub(crate) fn label(&self) -> f64 {
        self.font_size
    }

    /// Points of tick labels, names of attributes, and numbers below small panels.
    pub(crate) fn tick(&self) -> f64 {
        (self.font_size - 1.0).max(SMALLEST.min(self.font_size))
    }

    /// Width in mm of a figure that by itself would take `column`.
    pub(crate) fn width(&self, column: Column) -> f64 {
        match self.column.unwrap_or(column) {
            Column::Single => self.single_column,
            Column::Double => self.double_column,
        }
    }

    /// The colour of a classifier, by its position.
    pub(crate) fn colour(&self, classifier: usize) -> RGBColor {
        self.palette.colour(classifier)
    }
}

/// Height in mm from the top of a capital to its baseline.
pub(crate) fn capital(points: f64) -> f64 {
    0.73 * points * MM_PER_POINT
}

/// Distance in mm of two lines of text.
pub(crate) fn line_height(points: f64) -> f64 {
    1.2 * points * MM_PER_POINT
}

/// `#rrggbb`.
pub(crate) fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Millimetres in drawing units.
pub(crate) fn mm(millimetres: f64) -> f64 {
    millimetres * UNITS_PER_MM
}

/// Points in drawing units.
pub(crate) fn pt(points: f64) -> f64 {
    mm(points * MM_PER_POINT)
}

/// Makes the font known to plotters; it has no other.
fn register() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        // A failure would mean a broken font inside the program; drawing then reports that no font is available.
        let _ = register_font(FAMILY, FontStyle::Normal, font());
    });
}

/// The one face that figures are set in.
pub(crate) fn font() -> &'static [u8] {
    dejavu::sans_condensed::regular()
}

/// Plotters writes `font-size = size / 1.24`.
const PLOTTERS_SCALE: f64 = 1.24;

/// A text style for plotters.
pub(crate) fn text(points: f64, colour: RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    register();
    let font = (FAMILY, pt(points) * PLOTTERS_SCALE).into_font();
    TextStyle {
        font,
        color: colour.to_backend_color(),
        pos: Pos::new(h, v),
    }
}

/// The same, reading upwards.
pub(crate) fn vertical(points: f64, colour: RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    let style = text(points, colour, h, v);
    style.transform(FontTransform::Rotate270)
}

/// Width of a line of text in mm.
pub(crate) fn text_width(content: &str, points: f64) -> f64 {
    register();
    // Plotters measures a font of the given *height*; DejaVu's is 1.164 em. Measured large, since it rounds to whole units.
    const SIZE: f64 = 1000.0;
    const HEIGHT_PER_EM: f64 = 1.164;
    let width = (FAMILY, SIZE).into_font().layout_box(content).map_or_else(
        |_| content.chars().count() as f64 * 0.6 * SIZE / HEIGHT_PER_EM,
        |((left, _), (right, _))| f64::from(right - left),
    );
    width * HEIGHT_PER_EM / SIZE * points * MM_PER_POINT
}

/// Width of the widest of some lines in mm; 0 without any.
pub(crate) fn widest<S: AsRef<str>>(lines: impl IntoIterator<Item = S>, points: f64) -> f64 {
    lines
        .into_iter()
        .map(|line| text_width(line.as_ref(), points))
        .fold(0.0, f64::max)
}

/// The largest font size of a range at which a text is at most `width` mm wide; its smallest if none is.
pub(crate) fn points_to_fit(content: &str, sizes: Range<f64>, width: f64) -> f64 {
    let needed = text_width(content, sizes.end);
    if needed <= width {
        sizes.end
    } else {
        (sizes.end * width / needed).max(sizes.start)
    }
}

/// Shortens a text with an ellipsis until it is at most `width` mm wide.
pub(crate) fn fit(content: &str, points: f64, width: f64) -> String {
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

/// A text in one line, or in two where it is wider than `width` and has a space; lines that are still too wide are shortened.
pub(crate) fn wrapped(content: &str, points: f64, width: f64) -> Vec<String> {
    let break_at = content
        .match_indices(' ')
        .map(|(at, _)| [&content[..at], &content[at + 1..]])
        .min_by(|a, b| widest(a, points).total_cmp(&widest(b, points)))
        .filter(|_| text_width(content, points) > width);
    let lines = break_at.map_or_else(|| vec![content], |lines| lines.to_vec());
    lines.into_iter().map(|line| fit(line, points, width)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // DejaVu Sans Condensed: advance of `0` is 1173 of 2048 units per em.
        let expected = 10.0 * 1173.0 / 2048.0 * 7.0 * MM_PER_POINT;
        assert!((text_width("0000000000", 7.0) - expected).abs() < 0.01 * expected);
    }

    #[test]
    fn fonts_shrink_to_fit() {
        assert_eq!(points_to_fit("Bald", 5.0..7.0, 30.0), 7.0);
        assert_eq!(points_to_fit("Bald", 5.0..7.0, 0.1), 5.0);
        let points = points_to_fit("unbalanced", 5.0..7.0, 11.0);
        assert!(points > 5.0 && points < 7.0 && text_width("unbalanced", points) <= 11.0 + 1e-9);
    }

    #[test]
    fn long_names_are_shortened_to_fit() {
        let long = "a very long name of an attribute".repeat(10);
        let fitted = fit(&long, 7.0, 30.0);
        assert!(fitted.ends_with('…') && text_width(&fitted, 7.0) <= 30.0 && text_width(&fitted, 7.0) > 25.0);
        assert_eq!(fit("Bald", 7.0, 30.0), "Bald");
        assert_eq!(fit("Bald", 7.0, 0.0), "");
    }

    #[test]
    fn long_texts_take_two_lines() {
        assert_eq!(wrapped("balanced", 7.0, 30.0), ["balanced"]);
        assert_eq!(wrapped("inverse frequency", 7.0, 30.0), ["inverse frequency"]);
        assert_eq!(wrapped("inverse frequency", 7.0, 15.0), ["inverse", "frequency"]);
        assert_eq!(wrapped("a b inverse", 7.0, 10.0), ["a b", "inverse"]);
        assert!(wrapped("unbalanced", 7.0, 8.0)[0].ends_with('…'));
    }

    #[test]
    fn text_is_of_seven_to_nine_points() {
        let style = |font_size| Style {
            font_size,
            ..Style::default()
        };
        assert_eq!((style(8.0).label(), style(8.0).tick()), (8.0, 7.0));
        assert_eq!((style(9.0).label(), style(9.0).tick()), (9.0, 8.0));
        assert_eq!((style(7.0).label(), style(7.0).tick()), (7.0, 7.0));
        assert_eq!((style(6.0).label(), style(6.0).tick()), (6.0, 6.0));
    }
}
