//! Texts as editors and spreadsheets on any system save them.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What a file of text says, in UTF-8 and without a byte order mark: one of UTF-8 is dropped, and UTF-16 ("Unicode text" of
/// spreadsheets), with a mark or beginning with three letters of ASCII, is turned into UTF-8. Bytes that are neither stay as they are, for their reader to refuse.
pub fn unmarked(bytes: &[u8]) -> Cow<'_, [u8]> {
    let (rest, little_endian) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => return Cow::Borrowed(rest),
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        // Without a mark every second byte of what is in no other script than ours is 0.
        [first, 0, second, 0, third, 0, ..] if ![*first, *second, *third].contains(&0) => (bytes, true),
        [0, first, 0, second, 0, third, ..] if ![*first, *second, *third].contains(&0) => (bytes, false),
        _ => return Cow::Borrowed(bytes),
    };
    let (pairs, odd) = rest.as_chunks::<2>();
    let unit = |&pair: &[u8; 2]| {
        if little_endian {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        }
    };
    let units: Vec<u16> = pairs.iter().map(unit).collect();
    match String::from_utf16(&units) {
        Ok(text) if odd.is_empty() => Cow::Owned(text.into_bytes()),
        _ => Cow::Borrowed(bytes),
    }
}

/// Whether a character changes how others are shown, and is not shown itself: controls (a terminal obeys them), ends of lines, and those that turn
/// the direction of writing. What joins letters (Persian, Hindi, emoji) is none of them.
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// A text as a terminal may have it: what nobody sees is written as Rust does (`\u{1b}`), but for tabs and ends of lines.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_hidden = |character: char| is_unseen(character) && !matches!(character, '\n' | '\t');
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match is_hidden(character) {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// Bytes of the longest text that is read: a list of two million names. What is longer was named by mistake, or has no end.
const LONGEST: u64 = 1 << 25;

/// Reads a file of text, [`unmarked`].
///
/// # Errors
/// When it cannot be read, has more than 32 MB, or is not UTF-8; the message then names the line.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        let message = format!("more than {} MB, expected a text", LONGEST >> 20);
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    String::from_utf8(unmarked(&bytes).into_owned()).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        let message = format!("line {line} has bytes that are no UTF-8: save the file as UTF-8 text");
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_no_part_of_the_text() {
        let text = "image,Größe\r\n";
        let wide = |mark: u16, order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            std::iter::once(mark)
                .chain(text.encode_utf16())
                .flat_map(order)
                .collect()
        };
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            wide(0xfeff, u16::to_le_bytes),
            wide(0xfeff, u16::to_be_bytes),
            wide(0xfeff, u16::to_le_bytes)[2..].to_vec(),
            wide(0xfeff, u16::to_be_bytes)[2..].to_vec(),
        ] {
            assert_eq!(unmarked(&bytes), text.as_bytes());
        }
        for other in [b"".as_slice(), b"\xff\xfe\x00", b"\xff\xfe\x00\xd8", b"\xff\xd8\xff"] {
            assert_eq!(unmarked(other), other);
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(
            visible("a\u{1b}]0;x\u{7}\tb\u{202e}c\u{9b}\r\n"),
            "a\\u{1b}]0;x\\u{7}\tb\\u{202e}c\\u{9b}\\u{d}\n"
        );
        assert!(matches!(visible("Größe |\u{200d}x\n"), Cow::Borrowed(_)));
    }

    #[cfg(unix)]
    #[test]
    fn a_text_has_an_end() {
        let message = read_text(Path::new("/dev/zero")).expect_err("no end").to_string();
        assert_eq!(message, "more than 32 MB, expected a text");
    }

    #[test]
    fn bytes_that_are_no_text_name_their_line() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), b"a\nb\xe4\n").expect("written");
        let message = read_text(file.path()).expect_err("not UTF-8").to_string();
        assert!(message.starts_with("line 2 has bytes that are no UTF-8"), "{message}");
        std::fs::write(file.path(), b"\xef\xbb\xbfseed: 1").expect("written");
        assert_eq!(read_text(file.path()).expect("text"), "seed: 1");
    }
}
