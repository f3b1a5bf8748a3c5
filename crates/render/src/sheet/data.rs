//! A table, whatever it becomes.

use crate::text::{number, readable, signed};

/// A table: what is in it, and how its numbers are written. Each form of it ([terminal](Self::terminal), [Markdown](Self::markdown),
/// [LaTeX](Self::latex), [CSV](Self::csv), [Parquet](Self::parquet), a part of a [report](crate::report)) shows of it what has a place
/// there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// Anchor in a page.
    pub id: String,
    /// Heading; in LaTeX the caption.
    pub title: String,
    /// Explanation below the heading, in LaTeX a comment; may be empty.
    pub note: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; short rows are filled with absent cells.
    pub rows: Vec<Vec<Cell>>,
    /// Whether a field of a page searches the rows.
    pub searchable: bool,
    /// Whether the first column says to which section a row belongs: in LaTeX it stands above the section's rows instead.
    pub sections: bool,
    /// How many of the last rows sum up the others: in LaTeX a line stands above them.
    pub summary: usize,
    /// What is marked, in one word of letters: in LaTeX the command that marks it is called so, and a paper may define it. Without a word
    /// marks are bold.
    pub emphasis: &'static str,
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
    fn format(self) -> (usize, bool) {
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
    /// Headings above several columns, from the title upwards; neighbours under the same ones share them.
    pub groups: Vec<String>,
    /// Whether groups come after the title where all stand on one line: `minority error`.
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

    /// The same as one of a group, such as a classifier: `balanced FNR`. Another group goes above that.
    #[must_use]
    pub fn under(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// The same as one of a kind, which comes after the title: `minority error`.
    #[must_use]
    pub fn of(self, kind: impl Into<String>) -> Self {
        Self {
            group_last: true,
            ..self.under(kind)
        }
    }

    /// Groups and title.
    pub(super) fn heading(&self, between: &str) -> String {
        let upwards = std::iter::once(&self.title).chain(&self.groups);
        let mut parts: Vec<&str> = upwards.map(String::as_str).collect();
        if !self.group_last {
            parts.reverse();
        }
        parts.join(between)
    }

    /// Its groups from a row of them upwards; row 0 stands right above the titles.
    fn above(&self, row: usize) -> &[String] {
        self.groups.get(row..).unwrap_or_default()
    }
}

/// How many rows of groups stand above titles.
pub(super) fn rows_of_groups(columns: &[Column]) -> usize {
    columns.iter().map(|column| column.groups.len()).max().unwrap_or(0)
}

/// Such a row from left to right: each group, or none, and how many columns it is above.
pub(super) fn groups(columns: &[Column], row: usize) -> impl Iterator<Item = (Option<&str>, usize)> {
    columns
        .chunk_by(move |one, next| one.above(row) == next.above(row))
        .map(move |chunk| (chunk[0].groups.get(row).map(String::as_str), chunk.len()))
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
    /// The cell before it reaches over this place too.
    Spanned,
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

impl Sheet {
    /// The same with another title of the first column, which names the rows.
    #[must_use]
    pub fn rows_titled(mut self, title: &str) -> Self {
        if let Some(column) = self.columns.first_mut() {
            column.title = title.to_owned();
        }
        self
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
        let column = Column::new("ours", Unit::Share).under("FNR").under("balanced");
        assert_eq!(column.heading(" "), "balanced FNR ours");
    }

    #[test]
    fn neighbours_share_a_group_unless_what_is_above_it_differs() {
        let column = |title: &str, half: &str| Column::new(title, Unit::Share).under("balanced").under(half);
        let columns = [
            Column::new("positive", Unit::Share),
            column("FNR", "error"),
            column("FPR", "error"),
            column("+", "energy"),
        ];
        assert_eq!(rows_of_groups(&columns), 2);
        let row = |row| groups(&columns, row).collect::<Vec<_>>();
        assert_eq!(row(1), [(None, 1), (Some("error"), 2), (Some("energy"), 1)]);
        assert_eq!(row(0), [(None, 1), (Some("balanced"), 2), (Some("balanced"), 1)]);
        assert_eq!(rows_of_groups(&columns[..1]), 0);
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
