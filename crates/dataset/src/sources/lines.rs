use std::collections::HashMap;
use std::str::{self, SplitAsciiWhitespace};

use crate::{Error, Result};

/// Numbered lines of a text; blank lines at its end are dropped.
pub(crate) struct Lines<'a> {
    pub(crate) file: &'a str,
    lines: std::iter::Enumerate<str::Lines<'a>>,
}

pub(crate) struct Line<'a> {
    file: &'a str,
    pub(crate) number: usize,
    pub(crate) fields: SplitAsciiWhitespace<'a>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(file: &'a str, bytes: &'a [u8]) -> Result<Self> {
        let text = str::from_utf8(bytes).map_err(|error| {
            let line = 1 + bytes[..error.valid_up_to()]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count();
            line_error(
                file,
                line,
                "bytes that are no text".to_owned(),
                "a plain text file".to_owned(),
            )
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_ascii_end();
        Ok(Self {
            file,
            lines: text.lines().enumerate(),
        })
    }

    pub(crate) fn next(&mut self) -> Option<Line<'a>> {
        let (index, line) = self.lines.next()?;
        Some(Line {
            file: self.file,
            number: index + 1,
            fields: line.split_ascii_whitespace(),
        })
    }

    /// The number of images, alone on the first line.
    pub(crate) fn count(&mut self) -> Result<usize> {
        let line = self.lines.next().map_or("", |(_, line)| line.trim_ascii());
        line.parse().map_err(|_| {
            let expected = "the number of images alone on the first line, as in the official file";
            let found = if line.is_empty() {
                "nothing".to_owned()
            } else {
                quote(line)
            };
            line_error(self.file, 1, found, expected.to_owned())
        })
    }
}

impl<'a> Line<'a> {
    /// The row's first field, a plain file name not `seen` in an earlier line.
    pub(crate) fn name(&mut self, seen: &mut HashMap<&'a str, usize>) -> Result<&'a str> {
        let Some(name) = self.fields.next() else {
            return Err(self.error("a blank line".to_owned(), "an image name and its values".to_owned()));
        };
        if !is_plain_file_name(name) {
            let expected = "a plain file name such as 000001.jpg, without folders";
            return Err(self.error(format!("image name {}", quote(name)), expected.to_owned()));
        }
        match seen.insert(name, self.number) {
            None => Ok(name),
            Some(first) => Err(self.error(
                format!("{name} again, after line {first}"),
                "each image once".to_owned(),
            )),
        }
    }

    pub(crate) fn error(&self, found: String, expected: String) -> Error {
        line_error(self.file, self.number, found, expected)
    }
}

/// Whether `name` is a file name that cannot lead out of its folder on any system.
pub(crate) fn is_plain_file_name(name: &str) -> bool {
    !name.is_empty() && name != "." && !name.contains("..") && !name.contains(['/', '\\', ':', '\0'])
}

pub(crate) fn line_error(file: &str, line: usize, found: String, expected: String) -> Error {
    Error::Line {
        file: file.to_owned(),
        line,
        found,
        expected,
    }
}

/// The text in quotation marks, cut to a length that fits a message.
pub(crate) fn quote(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_file_names_pass() {
        for name in ["000001.jpg", "a b.png", "é"] {
            assert!(is_plain_file_name(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "../a.jpg",
            "a/../b",
            "/etc/passwd",
            "a\\b",
            "C:a.jpg",
            "a\0b",
        ] {
            assert!(!is_plain_file_name(name), "{name}");
        }
    }
}
