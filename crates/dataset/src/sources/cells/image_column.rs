//! The column that says what the images of a table are.

use super::Table;

/// Where a table has its images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sources) enum ImageColumn {
    /// By their names, in the column at this position.
    Names(usize),
    /// By their names, in the part `path` of the column of this name, whose part `bytes` is empty.
    Paths(String),
    /// The pictures themselves, in the column of this name: bytes, or the parts `bytes` and `path`.
    Pictures(String),
}

impl ImageColumn {
    /// The position of the names, where they are a column.
    pub(in crate::sources) fn names(&self) -> Option<usize> {
        match self {
            Self::Names(position) => Some(*position),
            Self::Paths(_) | Self::Pictures(_) => None,
        }
    }

    /// Whether a column of the table is this one or a part of it, and no attribute.
    pub(in crate::sources) fn has(&self, table: &Table, column: usize) -> bool {
        match self {
            Self::Names(position) => *position == column,
            Self::Paths(whole) | Self::Pictures(whole) => {
                let name = table.header.get(column).map_or("", String::as_str);
                let rest = name.strip_prefix(whole.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
        }
    }
}
