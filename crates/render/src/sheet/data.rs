//! A table, whatever it becomes.

use crate::text::{number, readable, signed};

/// A table: what is in it, and how its numbers are written. Each form of it ([terminal](Self::terminal), [Markdown](Self::markdown),
/// [CSV](Self::csv), [Parquet](Self::parquet), a part of a [report](crate::report)) shows of it what has a place there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// Anchor in a page.
    pub id: String,
    /// Heading.
    pub title: String,
    /// Explanation below the heading; may be empty.
    pub note: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; short rows are filled with absent cells.
    pub rows: Vec<Vec<Cell>>,
    /// Whether a field of a page searches the rows.
    pub searchable: bool,
}

/// What a column holds, and how its numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// Words.
    #[default]
    Text,
    /// Words that may break into lines.
    LongText,
    /// Whole numbers.
    Count,
    /// Parts of a whole, in [0, 1], with three decimals; a page shows them as bars too.
    Share,
    /// Numbers with so many decimals.
    Number(usize),
    /// The same, with a plus sign where they are positive.
    Signed(usize),
}

impl Unit {
    /// Decimals of its numbers, and whether they have a plus sign.
    pub(super) fn format(self) -> (usize, bool) {
        match self {
            Self::Text | Self::LongText | Self::Count => (0, false),
            Self::Share => (3, false),
            Self::Number(decimals) => (decimals, false),
            Self::Signed(decimals) => (decimals, true),
        }
    }

    /// One of its numbers as print has it, with a true minus sign.
    pub(super) fn printed(self, value: f64) -> String {
        match self.format() {
            (decimals, true) => signed(value, decimals),
            (decimals, false) => number(value, decimals),
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Heading; in files the name.
    pub title: String,
    /// Heading above several columns; neighbours with the same text share it. May be empty.
    pub group: String,
    /// Whether the group comes after the title where both stand on one line: `minority error`.
    pub group_last: bool,
    /// What it holds.
    pub unit: Unit,
}

impl Column {
    /// A column.
    #[must_use]
    pub fn new(title: impl Into<String>, unit: Unit) -> Self {
        Self {
            title: title.into(),
            unit,
            ..Self::default()
        }
    }

    /// The same as one of a group, such as a classifier: `balanced FNR`.
    #[must_use]
    pub fn under(self, group: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            ..self
        }
    }

    /// The same as one of a kind, which comes after the title: `minority error`.
    #[must_use]
    pub fn of(self, kind: impl Into<String>) -> Self {
        Self {
            group_last: true,
            ..self.under(kind)
        }
    }

    /// Group and title.
    pub(super) fn heading(&self, between: &str) -> String {
        match (self.group.as_str(), self.group_last) {
            ("", _) => self.title.clone(),
            (group, false) => format!("{group}{between}{}", self.title),
            (group, true) => format!("{}{between}{group}", self.title),
        }
    }
}

/// One value of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// What programs and readers call differently, such as an attribute.
    Name {
        /// For programs, and on a terminal.
        name: String,
        /// For readers.
        title: String,
    },
    /// A text that leads somewhere.
    Link {
        /// The text.
        text: String,
        /// Where to: relative to the page.
        href: String,
    },
    /// A whole number.
    Count(i64),
    /// A number, shown as its column's unit says.
    Number {
        /// The value.
        value: f64,
        /// Shown behind it, such as a confidence interval or a number of samples; may be empty.
        note: String,
        /// Whether it is marked.
        strong: bool,
    },
    /// Nothing was measured.
    Absent,
}

impl Cell {
    /// The name of an attribute or a classifier.
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self::Name {
            name: name.to_owned(),
            title: readable(name),
        }
    }

    /// A number; absent where there is none.
    #[must_use]
    pub fn number(value: Option<f64>) -> Self {
        match value {
            Some(value) if value.is_finite() => Self::Number {
                value,
                note: String::new(),
                strong: false,
            },
            _ => Self::Absent,
        }
    }

    /// A number of things.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Count(count as i64)
    }

    /// The same with a note behind it.
    #[must_use]
    pub fn with_note(mut self, text: impl Into<String>) -> Self {
        if let Self::Number { note, .. } = &mut self {
            *note = text.into();
        }
        self
    }

    /// The same, marked.
    #[must_use]
    pub fn emphasised(mut self) -> Self {
        if let Self::Number { strong, .. } = &mut self {
            *strong = true;
        }
        self
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Sheets that are made column by column.
impl Sheet {
    /// Adds a column of texts.
    #[must_use]
    pub fn texts<S: AsRef<str>>(self, title: &str, values: &[S]) -> Self {
        self.with(title, Unit::Text, values.iter().map(|value| Cell::from(value.as_ref())))
    }

    /// Adds a column of whole numbers.
    #[must_use]
    pub fn counts(self, title: &str, values: &[i64]) -> Self {
        self.with(title, Unit::Count, values.iter().map(|&value| Cell::Count(value)))
    }

    /// Adds a column of numbers.
    #[must_use]
    pub fn numbers(self, title: &str, values: &[Option<f64>]) -> Self {
        let cell = |value: &Option<f64>| match *value {
            Some(value) => Cell::Number {
                value,
                note: String::new(),
                strong: false,
            },
            None => Cell::Absent,
        };
        self.with(title, Unit::Number(3), values.iter().map(cell))
    }

    fn with(mut self, title: &str, unit: Unit, cells: impl Iterator<Item = Cell>) -> Self {
        for (row, cell) in cells.enumerate() {
            if row == self.rows.len() {
                self.rows.push(Vec::new());
            }
            self.rows[row].resize(self.columns.len(), Cell::Absent);
            self.rows[row].push(cell);
        }
        self.columns.push(Column::new(title, unit));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_stands_before_the_title_and_a_kind_after_it() {
        let column = Column::new("FNR", Unit::Share).under("balanced");
        assert_eq!(column.heading(" "), "balanced FNR");
        assert_eq!(
            Column::new("minority", Unit::Share).of("error").heading("\n"),
            "minority\nerror"
        );
        assert_eq!(Column::new("positive", Unit::Share).heading(" "), "positive");
    }

    #[test]
    fn columns_stand_side_by_side() {
        let sheet = Sheet::default()
            .texts("a", &["x", "y"])
            .counts("b", &[1, 2])
            .numbers("c", &[None, Some(0.5)]);
        assert_eq!(sheet.rows[0], [Cell::from("x"), Cell::Count(1), Cell::Absent]);
        assert_eq!(
            sheet.rows[1],
            [Cell::from("y"), Cell::Count(2), Cell::number(Some(0.5))]
        );
    }
}
