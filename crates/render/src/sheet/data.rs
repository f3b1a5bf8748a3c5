//! A table, whatever it becomes.

/// A table that readers can sort by any column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Anchor in the page.
    pub id: String,
    /// Heading.
    pub title: String,
    /// Explanation below the heading; may be empty.
    pub note: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; short rows are filled with absent cells.
    pub rows: Vec<Vec<Cell>>,
    /// Whether a field searches the rows.
    pub searchable: bool,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Heading above several columns; neighbours with the same text share it. May be empty.
    pub group: String,
    /// Heading.
    pub title: String,
    /// Whether its numbers are shares in [0, 1], which a bar behind them shows.
    pub bar: bool,
    /// Whether its texts are long and may break into lines.
    pub wrap: bool,
}

impl Column {
    /// A column of texts, or of numbers that are no shares.
    #[must_use]
    pub fn new(group: &str, title: &str) -> Self {
        Self {
            group: group.to_owned(),
            title: title.to_owned(),
            ..Self::default()
        }
    }

    /// A column of shares.
    #[must_use]
    pub fn share(group: &str, title: &str) -> Self {
        Self {
            bar: true,
            ..Self::new(group, title)
        }
    }

    /// A column of long texts.
    #[must_use]
    pub fn long(title: &str) -> Self {
        Self {
            wrap: true,
            ..Self::new("", title)
        }
    }
}

/// One value of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A text that leads somewhere.
    Link {
        /// The text.
        text: String,
        /// Where to: relative to the page.
        href: String,
    },
    /// A number, shown with the given decimals.
    Number {
        /// The value.
        value: f64,
        /// Digits after the point.
        decimals: usize,
        /// Shown smaller behind it, such as a confidence interval or a number of samples; may be empty.
        note: String,
        /// Whether it is set in bold.
        strong: bool,
    },
    /// Nothing was measured.
    Absent,
}

impl Cell {
    /// A number with the given decimals; absent where there is none.
    #[must_use]
    pub fn number(value: Option<f64>, decimals: usize) -> Self {
        match value {
            Some(value) if value.is_finite() => Self::Number {
                value,
                decimals,
                note: String::new(),
                strong: false,
            },
            _ => Self::Absent,
        }
    }

    /// The same with a note behind it.
    #[must_use]
    pub fn with_note(mut self, text: impl Into<String>) -> Self {
        if let Self::Number { note, .. } = &mut self {
            *note = text.into();
        }
        self
    }

    /// The same in bold.
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
