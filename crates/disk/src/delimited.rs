//! Tables as text, as spreadsheets of any language save them.

use std::borrow::Cow;

use super::text::unmarked;

/// What may stand between cells, the likeliest first where nothing else decides: a semicolon goes with decimal commas, so that as many
/// commas say nothing.
const DELIMITERS: [u8; 3] = [b'\t', b';', b','];
/// Records that are looked at.
const LOOKED_AT: usize = 20;

/// The text of a table, and what stands between its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimited<'a> {
    /// The text in UTF-8 without a byte order mark. A first line `sep=;`, which Excel writes and reads, is emptied: all others
    /// keep their number.
    pub text: Cow<'a, [u8]>,
    /// A comma, a semicolon or a tab; what a line `sep=` says otherwise.
    pub delimiter: u8,
}

impl<'a> Delimited<'a> {
    /// Finds out what stands between cells: that of comma, semicolon and tab which is as often outside quotation marks in the first
    /// records as in the header; of several, or of none, the one that is most often in the header.
    pub fn of(bytes: &'a [u8]) -> Self {
        let text = unmarked(bytes);
        let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        if let Some(delimiter) = said(first) {
            let rest = text.get(first.len()..).unwrap_or_default().to_vec();
            return Self {
                text: Cow::Owned(rest),
                delimiter,
            };
        }
        let delimiter = found(&text);
        Self { text, delimiter }
    }

    /// Whether a decimal comma is told from what stands between cells.
    pub fn allows_decimal_commas(&self) -> bool {
        self.delimiter != b','
    }
}

/// What a line `sep=;` says.
fn said(line: &[u8]) -> Option<u8> {
    let line = line.trim_ascii_end();
    let line = line
        .strip_prefix(b"\"")
        .map_or(line, |rest| rest.strip_suffix(b"\"").unwrap_or(rest));
    let (name, value) = line.split_at_checked(4)?;
    match value {
        // A tab at the end was trimmed with the line's end.
        [] => name.eq_ignore_ascii_case(b"sep=").then_some(b'\t'),
        [delimiter] => name.eq_ignore_ascii_case(b"sep=").then_some(*delimiter),
        _ => None,
    }
}

fn found(text: &[u8]) -> u8 {
    let records = counts(text);
    let Some(header) = records.first() else {
        return b',';
    };
    let most = |agree: bool| {
        let mut best: Option<(usize, u8)> = None;
        for (&count, delimiter) in header.iter().zip(DELIMITERS) {
            let place = DELIMITERS.iter().position(|&known| known == delimiter).unwrap_or(0);
            let agrees = || records.iter().all(|record| record[place] == count);
            if count > 0 && (!agree || agrees()) && best.is_none_or(|(most, _)| count > most) {
                best = Some((count, delimiter));
            }
        }
        best.map(|(_, delimiter)| delimiter)
    };
    most(true).or_else(|| most(false)).unwrap_or(b',')
}

/// Where in a cell a reader is.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Start,
    Plain,
    Quoted,
    /// After a quotation mark that ends the quotation, or is the first of two that stand for one.
    Closed,
}

/// How often each delimiter is outside quotation marks in the first records that are not empty.
fn counts(text: &[u8]) -> Vec<[usize; 3]> {
    let mut records = Vec::new();
    let (mut count, mut empty, mut at) = ([0; 3], true, At::Start);
    for &byte in text {
        let delimiter = DELIMITERS.iter().position(|&known| known == byte);
        at = match (at, byte, delimiter) {
            (At::Quoted, b'"', _) => At::Closed,
            (At::Quoted, ..) | (At::Start | At::Closed, b'"', _) => At::Quoted,
            (_, b'\n', _) => {
                if !std::mem::replace(&mut empty, true) {
                    records.push(std::mem::take(&mut count));
                }
                if records.len() == LOOKED_AT {
                    return records;
                }
                At::Start
            }
            (_, _, Some(place)) => {
                count[place] += 1;
                At::Start
            }
            _ => At::Plain,
        };
        empty = empty && byte.is_ascii_whitespace() && byte != b'\t';
    }
    if !empty {
        records.push(count);
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_outside_quotation_marks_decides() {
        for (text, expected) in [
            ("a,b;c,d\n1;;;;", b','),
            ("a;b", b';'),
            ("a\tb,c\td", b'\t'),
            ("a", b','),
            ("", b','),
            ("image;\"wet,dry,mixed,other\";split\n0.png;1;train\n", b';'),
            ("image,\"a;b;c;d\"\n0.png,1\n", b','),
            ("\"say \"\"a,b,c,d\"\" twice\";b\n1;2\n", b';'),
            ("\"over\n,,,,two lines\";b\n1;2\n", b';'),
            // What the rows say, where a header without quotation marks has more of another.
            ("image;weight, kg, all\n0.png;1\n1.png;0\n", b';'),
            ("image,kind; or; so; on\n0.png,1\n", b','),
            // Decimal commas, with and without a header.
            ("image;Bald;Young\n0.jpg;2,5;-1,25\n", b';'),
            ("0.jpg;2,5;-1,25\n1.jpg;0,5;1,5\n", b';'),
            ("\n\r\nimage;a\n1.png;0\n", b';'),
            ("5\" pipe;a,b\n1;0\n", b';'),
        ] {
            let found = Delimited::of(text.as_bytes());
            assert_eq!(char::from(found.delimiter), char::from(expected), "{text}");
            assert_eq!(&*found.text, text.as_bytes());
        }
    }

    #[test]
    fn what_excel_says_decides_and_is_no_row() {
        for (text, delimiter) in [
            ("sep=;\r\na;b,c,d\r\n", b';'),
            ("\u{feff}SEP=,\na,b\n", b','),
            ("sep=\t\na\tb\n", b'\t'),
            ("\"sep=|\"\na|b\n", b'|'),
        ] {
            let found = Delimited::of(text.as_bytes());
            assert_eq!(found.delimiter, delimiter, "{text}");
            assert!(
                found.text.starts_with(b"\n") || found.text.starts_with(b"\r\n"),
                "{text}"
            );
        }
        assert_eq!(Delimited::of(b"sep=,of,a\n1,2,3\n").text.first(), Some(&b's'));
    }
}
