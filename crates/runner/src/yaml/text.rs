//! The text of YAML. The only module that names serde_yaml.

use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::key::{KeyPath, Step};
use super::node::Node;

/// A text that is no YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Where, counted from 1, if that is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// Bytes of the longest text: an experiment has a few thousand, a sweep that lists its runs some ten thousand.
const LONGEST: usize = 1 << 20;
/// Brackets that may be open at one place. serde_yaml itself refuses more than 128 values in each other, but only after its parser has
/// seen all of them, which takes it the square of their number.
const DEEPEST: usize = 512;

/// Reads a text; an empty one is [`Node::Null`].
///
/// # Errors
/// [`Malformed`], also where a key stands twice in one place, and of a text that is too long or too deep.
pub fn read(text: &str) -> Result<Node, Malformed> {
    bounded(text)?;
    // Texts that come by other ways than `disk::read_text` may have one too.
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Ok(Node::Null);
    }
    serde_yaml::from_str(text).map_err(|error| {
        let (line, whole) = (error.location().map(|location| location.line()), error.to_string());
        // The place is told apart from the words.
        let message = whole.split(" at line ").next().unwrap_or(&whole);
        let message = message
            .replace("invalid type: sequence,", "a list,")
            .replace("invalid type: map,", "keys with values,")
            .replace("invalid type: ", "")
            .replace("recursion limit exceeded", TOO_DEEP)
            .replace("found a tab character that violates indentation", TAB);
        let place = error.location().map(|place| (place.line(), place.column()));
        let message = match message.contains(NO_TOKEN) {
            true => no_token(text, place).unwrap_or(message),
            false => message,
        };
        Malformed { line, message }
    })
}

/// What is said of values in values in values.
const TOO_DEEP: &str = "too many values in each other, expected at most 128";

/// Refuses what would take long or much memory to read.
fn bounded(text: &str) -> Result<(), Malformed> {
    if text.len() > LONGEST {
        return Err(Malformed {
            line: None,
            message: format!("more than {} MB of text, expected less", LONGEST >> 20),
        });
    }
    // Brackets in comments and quotation marks count too: to know them would take a parser, and nobody has so many.
    let (mut depth, mut line) = (0_usize, 1);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'\n' => line += 1,
            _ => {}
        }
        if depth > DEEPEST {
            return Err(Malformed {
                line: Some(line),
                message: TOO_DEEP.to_owned(),
            });
        }
    }
    Ok(())
}

/// What serde_yaml says of a character that nothing begins with.
const NO_TOKEN: &str = "found character that cannot start any token";

/// What is said of a tab.
const TAB: &str = "a tab, expected spaces: YAML does not allow tabs before a key or a value";

/// The same with the character, and what to do.
fn no_token(text: &str, place: Option<(usize, usize)>) -> Option<String> {
    let (line, column) = place?;
    let line = text.lines().nth(line.checked_sub(1)?)?;
    let character = line.chars().nth(column.checked_sub(1)?)?;
    Some(match character {
        '\t' => TAB.to_owned(),
        other => format!("`{other}`, which no value begins with, expected a text in quotation marks"),
    })
}

/// Writes a value in YAML's block style.
///
/// # Errors
/// serde_yaml's, of values that YAML has no form for.
pub fn write(value: &impl Serialize) -> Result<String, String> {
    serde_yaml::to_string(value).map_err(|error| error.to_string())
}

/// The line, counted from 1, where a text says what is at a place: that of the key, or of the item of a list.
///
/// serde_yaml tells lines in errors alone: the text is read once more, as far as the place, where reading is made to fail.
pub fn line_of(text: &str, path: &KeyPath) -> Option<usize> {
    let failed = Probe(path.steps())
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .err()?;
    let found = failed.to_string().contains(FOUND);
    failed.location().filter(|_| found).map(|location| location.line())
}

/// What a [`Probe`] fails with where it was to go.
const FOUND: &str = "the place that was looked for";

/// Goes along a path and fails at its end.
struct Probe<'a>(&'a [Step]);

impl<'de> DeserializeSeed<'de> for Probe<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Probe<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() {
            FOUND
        } else {
            "a value with values in it"
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), rest)) = self.0.split_first() else {
            return Err(A::Error::custom(FOUND));
        };
        let seed = || Name {
            wanted,
            is_last: rest.is_empty(),
        };
        while let Some(found) = map.next_key_seed(seed())? {
            if found {
                return map.next_value_seed(Probe(rest));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((Step::Item(wanted), rest)) = self.0.split_first() else {
            return Err(A::Error::custom(FOUND));
        };
        for _ in 0..*wanted {
            seq.next_element::<IgnoredAny>()?;
        }
        seq.next_element_seed(Probe(rest)).map(|_| ())
    }
}

/// Whether a key is the wanted one; fails there if the path ends with it.
struct Name<'a> {
    wanted: &'a str,
    is_last: bool,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        let found = name == self.wanted;
        if found && self.is_last {
            return Err(E::custom(FOUND));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_keys_and_items() {
        let text = "# a comment\nseed: 1\n\ntraining:\n  # another\n  epochs: 3\n  augmentation: {scale: 0,\n    blur: 1}\nlist:\n- 1\n- {a: 2,\n   b: 3}\n7:\n  x: y\nlast: >\n  folded\n";
        for (path, line) in [
            ("seed", Some(2)),
            ("training", Some(4)),
            ("training.epochs", Some(6)),
            ("training.augmentation", Some(7)),
            ("training.augmentation.scale", Some(7)),
            ("training.augmentation.blur", Some(8)),
            ("list", Some(9)),
            ("list[0]", Some(10)),
            ("list[1]", Some(11)),
            ("list[1].b", Some(12)),
            ("7.x", Some(14)),
            ("last", Some(15)),
            ("absent", None),
            ("training.absent", None),
            ("list[5]", None),
            ("seed.absent", None),
        ] {
            assert_eq!(line_of(text, &KeyPath::new(path)), line, "{path}");
        }
    }

    #[test]
    fn malformed_texts_name_their_line() {
        for (text, line, part) in [
            ("a: 1\n? [1, 2]\n: 3\n", 2, "a list, expected a name"),
            ("a: 1\nb: [1,\n", 3, "did not find expected"),
            ("a: 1\nb:\n  c: 1\n  d: 1\n  c: 2\n", 5, "`c` stands here twice"),
            ("a: !x 1\n", 1, "!x"),
            ("a: 1\nb:\n\tc: 1\n", 3, "a tab, expected spaces"),
            ("a: 1\n\tb: 1\n", 2, "a tab, expected spaces"),
            ("a: 1\nb: @x\n", 2, "`@`, which no value begins with"),
            ("a: 1\n? [1, 2]\n: 3\n", 2, "expected a name"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.message.contains(part), "{error:?}");
            assert!(error.line == Some(line), "{error:?}");
        }
        let deep = format!("a:\n{}", "- ".repeat(200));
        let brackets = format!("a:\n  {}", "[".repeat(100_000));
        for text in [deep, brackets] {
            let error = read(&text).expect_err("too deep");
            assert_eq!((error.line, error.message.as_str()), (Some(2), TOO_DEEP));
        }
        let long = format!("a: {}", "1".repeat(LONGEST));
        assert_eq!(
            read(&long).expect_err("too long").message,
            "more than 1 MB of text, expected less"
        );
        for empty in ["  \n", "# a comment\n"] {
            assert_eq!(read(empty), Ok(Node::Null));
        }
    }
}
