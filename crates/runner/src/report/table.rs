//! Tables that sort by any column; without script they are plain tables.

use std::fmt::Write;

use super::data::{Cell, Column, Table};
use super::html::{escape, number};

/// The table with its note.
pub(super) fn render(table: &Table) -> String {
    let mut html = String::new();
    if !table.note.is_empty() {
        let _ = writeln!(html, "<p class=\"note\">{}</p>", escape(&table.note));
    }
    html.push_str("<div class=\"scroll\">\n<table class=\"sortable\">\n<thead>\n");
    html.push_str(&groups(&table.columns));
    html.push_str("<tr>");
    for (index, column) in table.columns.iter().enumerate() {
        let class = if numeric(table, index) { " class=\"number\"" } else { "" };
        let _ = write!(
            html,
            "<th scope=\"col\"{class}><button type=\"button\">{}</button></th>",
            escape(&column.title)
        );
    }
    html.push_str("</tr>\n</thead>\n<tbody>\n");
    for row in &table.rows {
        html.push_str("<tr>");
        for index in 0..table.columns.len() {
            html.push_str(&cell(row.get(index).unwrap_or(&Cell::Absent), index == 0));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
    html
}

/// The row above the headings, if any column has a group.
fn groups(columns: &[Column]) -> String {
    if columns.iter().all(|column| column.group.is_empty()) {
        return String::new();
    }
    let mut row = String::from("<tr class=\"groups\">");
    for chunk in columns.chunk_by(|a, b| a.group == b.group) {
        let _ = write!(
            row,
            "<th scope=\"colgroup\" colspan=\"{}\">{}</th>",
            chunk.len(),
            escape(&chunk[0].group)
        );
    }
    row + "</tr>\n"
}

/// Whether a column holds numbers, or would if anything had been measured.
fn numeric(table: &Table, column: usize) -> bool {
    let mut cells = table.rows.iter().filter_map(|row| row.get(column));
    cells.all(|cell| !matches!(cell, Cell::Text(_)))
}

fn cell(cell: &Cell, first: bool) -> String {
    match cell {
        Cell::Text(text) if first => format!("<th scope=\"row\">{}</th>", escape(text)),
        Cell::Text(text) => format!("<td>{}</td>", escape(text)),
        Cell::Number {
            value,
            decimals,
            note,
            strong,
        } => {
            let shown = number(*value, *decimals, false);
            let shown = if *strong {
                format!("<strong>{shown}</strong>")
            } else {
                shown
            };
            let note = if note.is_empty() {
                String::new()
            } else {
                format!(" <small>{}</small>", escape(note))
            };
            format!("<td class=\"number\" data-value=\"{value}\">{shown}{note}</td>")
        }
        Cell::Absent => "<td class=\"number absent\" title=\"no sample\">–</td>".to_owned(),
    }
}
