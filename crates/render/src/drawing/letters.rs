//! Letters that the font of figures does not have: a PDF and a PNG show a box for each.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use ttf_parser::Face;

use super::style::font;

/// The letters of an SVG document's text that the font has no picture of, in the order of their numbers.
pub(crate) fn without_picture(svg: &str) -> BTreeSet<char> {
    // Whatever is not between `<` and `>` is text: Svg and plotters escape both.
    let text = svg
        .split('<')
        .filter_map(|part| part.split_once('>'))
        .map(|(_, text)| text);
    text.flat_map(str::chars)
        .filter(|&letter| !letter.is_ascii() && !is_drawn(letter))
        .collect()
}

fn is_drawn(letter: char) -> bool {
    static FACE: OnceLock<Option<Face<'static>>> = OnceLock::new();
    let face = FACE.get_or_init(|| Face::parse(font(), 0).ok());
    shows_nothing(letter) || face.as_ref().is_none_or(|face| face.glyph_index(letter).is_some())
}

/// Whether a letter has no picture in any font: spaces, and what only says how its neighbours are to be drawn.
fn shows_nothing(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(text: &str) -> String {
        without_picture(&format!("<svg title=\"鏡\"><text x=\"1\">{text}</text>\n</svg>"))
            .into_iter()
            .collect()
    }

    #[test]
    fn letters_of_other_scripts_are_named_once_each() {
        assert_eq!(missing("微笑 and 微笑"), "微笑");
        assert_eq!(missing("眼镜, smile 😃\u{fe0f}"), "眼镜");
        assert_eq!(missing("안경"), "경안");
    }

    #[test]
    fn what_the_font_has_and_what_shows_nothing_is_not_missing() {
        assert_eq!(missing("Lächeln, усмешка, χαμόγελο, e\u{301}té, − … ′ &lt;"), "");
        assert_eq!(missing("a\u{a0}b\u{200d}c\u{3000}d\u{feff}"), "");
    }
}
