//! The words of a table's cells.

use crate::sources::lines::{line_error, quote};
use crate::{Result, Split};

/// Words for "not known", in lower case.
const MISSING: [&str; 10] = ["", "na", "n/a", "#n/a", "nan", "null", "none", "<na>", "unknown", "?"];

/// Words for yes and for no, in lower case.
const YES: [&str; 6] = ["true", "yes", "y", "t", "positive", "present"];
const NO: [&str; 6] = ["false", "no", "n", "f", "negative", "absent"];

/// The spellings of "no", which one column must not mix: 0 may mean "no" or, beside -1, "not known".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum No {
    Zero,
    Minus,
}

/// Reads the labels of one column.
#[derive(Clone, Debug)]
pub(crate) struct LabelColumn {
    name: String,
    /// The first "no", and its line.
    no: Option<(No, usize)>,
}

impl LabelColumn {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            no: None,
        }
    }

    /// 1, -1, or 0 where the label is not known.
    pub(crate) fn label(&mut self, file: &str, line: usize, text: &str) -> Result<i8> {
        let word = text.trim().to_ascii_lowercase();
        let word = word.as_str();
        // A decimal comma, as spreadsheets write in most of Europe.
        let number = word.replacen(',', ".", 1).parse::<f64>();
        let no = match number {
            Ok(1.0) => return Ok(1),
            Ok(0.0) => No::Zero,
            Ok(-1.0) => No::Minus,
            _ if is_missing(word) => return Ok(0),
            _ if YES.contains(&word) => return Ok(1),
            _ if NO.contains(&word) => No::Zero,
            _ => {
                return Err(line_error(
                    file,
                    line,
                    format!("{} is {}", self.name, quote(text)),
                    "1, yes or true; 0, -1, no or false; or an empty cell where the label is not known (is this column an attribute? `attributes` chooses)"
                        .to_owned(),
                ));
            }
        };
        match self.no {
            None => self.no = Some((no, line)),
            Some((first, first_line)) if first != no => {
                return Err(line_error(
                    file,
                    line,
                    format!(
                        "{} is {}, after another word for no in line {first_line}",
                        self.name,
                        text.trim()
                    ),
                    "either 0 or -1 for no in a column; an empty cell where the label is not known".to_owned(),
                ));
            }
            Some(_) => {}
        }
        Ok(-1)
    }
}

/// Whether a cell says that something is not known.
pub(crate) fn is_missing(text: &str) -> bool {
    MISSING.contains(&text.trim().to_ascii_lowercase().as_str())
}

/// The split that a cell names.
pub(crate) fn split(file: &str, line: usize, text: &str) -> Result<Split> {
    match text.trim().to_ascii_lowercase().as_str() {
        "train" | "training" | "0" | "0.0" => Ok(Split::Train),
        "validation" | "valid" | "val" | "dev" | "1" | "1.0" => Ok(Split::Validation),
        "test" | "testing" | "2" | "2.0" => Ok(Split::Test),
        _ => Err(line_error(
            file,
            line,
            format!("split {}", quote(text)),
            "train, validation or test (or 0, 1, 2)".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(cells: &[&str]) -> Result<Vec<i8>> {
        let mut column = LabelColumn::new("crack");
        (2..)
            .zip(cells)
            .map(|(line, cell)| column.label("t.csv", line, cell))
            .collect()
    }

    #[test]
    fn every_convention_is_read() {
        assert_eq!(
            labels(&["1", "0", "", "1.0", "0.0", "NaN"]).unwrap(),
            [1, -1, 0, 1, -1, 0]
        );
        assert_eq!(labels(&["1", "-1", "NA", " 1 "]).unwrap(), [1, -1, 0, 1]);
        assert_eq!(labels(&["True", "FALSE", "null", "<NA>"]).unwrap(), [1, -1, 0, 0]);
        assert_eq!(labels(&["YES", "no", "Yes", "#N/A", "N"]).unwrap(), [1, -1, 1, 0, -1]);
        assert_eq!(labels(&["1,0", "0,0", "1.000", "+1", "-0"]).unwrap(), [1, -1, 1, 1, -1]);
    }

    #[test]
    fn what_is_not_binary_is_refused() {
        let message = |cells: &[&str]| labels(cells).unwrap_err().to_string();
        assert!(
            message(&["1", "2"]).starts_with("t.csv:3: crack is \"2\", expected 1, yes or true"),
            "{}",
            message(&["1", "2"])
        );
        assert_eq!(
            message(&["-1", "1", "0"]),
            "t.csv:4: crack is 0, after another word for no in line 2, expected either 0 or -1 for no in a column; an empty cell \
             where the label is not known"
        );
        for text in ["0.5", "maybe", "1;0", "1,5", "0,1,0", "inf", "yesno"] {
            assert!(message(&[text]).contains(text), "{text}");
        }
    }

    #[test]
    fn splits_have_words_and_codes() {
        for (words, expected) in [
            (["train", "Training", "0"], Split::Train),
            (["val", "VALIDATION", "1"], Split::Validation),
            (["test", "testing", "2"], Split::Test),
        ] {
            for word in words {
                assert_eq!(split("t.csv", 2, word).unwrap(), expected);
            }
        }
        assert_eq!(
            split("t.csv", 2, "holdout").unwrap_err().to_string(),
            "t.csv:2: split \"holdout\", expected train, validation or test (or 0, 1, 2)"
        );
    }
}
