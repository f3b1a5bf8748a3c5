//! A table of lines and letters: what terminal and Markdown share.

use comfy_table::{CellAlignment, Table, TableStyle};

use super::data::{Cell, Column, Sheet, Unit};

/// What stands for a value that was not measured.
pub(super) const ABSENT: &str = "–";

/// The table in a style, its columns after the first to the right; `heading` writes a column's title with its group, and `write` a
/// cell of a column.
pub(super) fn styled(
    sheet: &Sheet,
    style: TableStyle,
    heading: impl Fn(&Column) -> String,
    write: impl Fn(&Cell, usize) -> String,
) -> String {
    let mut table = Table::new();
    table.load_style(style).set_header(sheet.columns.iter().map(heading));
    for row in &sheet.rows {
        let cell = |column| write(row.get(column).unwrap_or(&Cell::Absent), column);
        table.add_row((0..sheet.columns.len()).map(cell));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// A number of a column as programs write it, with a hyphen for a minus.
pub(super) fn plain(value: f64, unit: Unit) -> String {
    unit.printed(value).replace('−', "-")
}

/// A number and the note behind it.
pub(super) fn noted(number: String, note: &str) -> String {
    if note.is_empty() {
        number
    } else {
        format!("{number} {note}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounds_to_zero_has_no_sign_of_its_own() {
        assert_eq!(
            [-0.0004, -0.25].map(|value| plain(value, Unit::Share)),
            ["0.000", "-0.250"]
        );
        assert_eq!(
            [-0.0004, 0.0, -0.25, 0.25].map(|value| plain(value, Unit::Signed(3))),
            ["0.000", "0.000", "-0.250", "+0.250"]
        );
    }
}
