//! A table of lines and letters: what terminal and Markdown share.

use comfy_table::{CellAlignment, Table, TableStyle};

use super::data::{Cell, Sheet};

/// What stands for a value that was not measured.
pub(super) const ABSENT: &str = "–";

/// The table in a style, its columns after the first to the right; `between` stands between a group and a title, and `write` writes
/// a cell of a column.
pub(super) fn styled(
    sheet: &Sheet,
    style: TableStyle,
    between: &str,
    write: impl Fn(&Cell, usize) -> String,
) -> String {
    let mut table = Table::new();
    let heads = sheet.columns.iter().map(|column| column.heading(between));
    table.load_style(style).set_header(heads);
    for row in &sheet.rows {
        let cell = |column| write(row.get(column).unwrap_or(&Cell::Absent), column);
        table.add_row((0..sheet.columns.len()).map(cell));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// A number as programs write it, with a hyphen for a minus.
pub(super) fn plain(value: f64, (decimals, plus): (usize, bool)) -> String {
    if plus {
        format!("{value:+.decimals$}")
    } else {
        format!("{value:.decimals$}")
    }
}

/// A number and the note behind it.
pub(super) fn noted(number: String, note: &str) -> String {
    if note.is_empty() {
        number
    } else {
        format!("{number} {note}")
    }
}
