//! Tables on the terminal.

use comfy_table::{CellAlignment, LineStyle, Table as TextTable, TableStyle};

/// How tables look on the terminal: lines above, below the head, and at the end.
pub(super) const TERMINAL: TableStyle = TableStyle::new()
    .top_border(LineStyle::new('─', '─', '─', '─'))
    .header_separator(LineStyle::new('─', '─', '─', '─'))
    .bottom_border(LineStyle::new('─', '─', '─', '─'));

/// A table for the terminal, its columns after the first to the right.
pub fn terminal(head: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    styled(TERMINAL, head, rows)
}

/// A table in a style, its columns after the first to the right.
pub(crate) fn styled(style: TableStyle, head: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = TextTable::new();
    table.load_style(style).set_header(head).add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}
