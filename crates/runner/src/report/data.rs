//! What a report is made of.

use metrics::Finding;

use super::examples::Examples;
use crate::figures::Figure;

/// Everything that a report shows.
#[derive(Debug, Clone, Default)]
pub struct ReportData {
    /// Name of the experiment.
    pub title: String,
    /// One or two sentences: what was run on what, and what came out.
    pub summary: String,
    /// The claims and their verdicts.
    pub findings: Vec<Finding>,
    /// Small tables before the figures, such as means over all attributes.
    pub overview: Vec<Table>,
    /// The drawings, in the order of the report.
    pub figures: Vec<Figure>,
    /// The kinds of files they are also written as (`svg`).
    pub formats: Vec<&'static str>,
    /// Tables after the figures, such as all attributes.
    pub tables: Vec<Table>,
    /// Faces to browse; may be absent.
    pub examples: Option<Examples>,
    /// Facts about the run: version, revision, seed, device, data, durations.
    pub facts: Vec<Fact>,
    /// The resolved experiment file.
    pub experiment: String,
    /// How long each part of the run took.
    pub durations: Option<Table>,
    /// Files of the run, relative to the report.
    pub files: Vec<FileLink>,
    /// How to cite the run, in BibTeX.
    pub citation: String,
}

/// A named fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A file next to the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLink {
    /// Path relative to the report, with `/`.
    pub path: String,
    /// What is in it.
    pub description: String,
}

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
