//! Tables that sort by any column and can be searched; without script they are plain tables.

use std::fmt::Write;

use super::data::{self, Cell, Column, Sheet, Unit};
use crate::html::escape;

/// From so many columns on a table is set closer, to fit a page of 1,280 pixels.
const WIDE: usize = 9;

/// The table with its note.
pub(crate) fn render(table: &Sheet) -> String {
    let mut html = String::new();
    let id = escape(&table.id);
    if !table.note.is_empty() {
        let _ = writeln!(html, "<p class=\"note\">{}</p>", escape(&table.note));
    }
    if table.searchable {
        let rows = table.rows.len();
        let _ = writeln!(
            html,
            "<div class=\"tools\"><label for=\"{id}-search\">Search</label> <input type=\"search\" id=\"{id}-search\" \
             data-searches=\"{id}-table\" placeholder=\"part of a name\" autocomplete=\"off\"> \
             <span id=\"{id}-table-count\" role=\"status\">{rows} of {rows} rows</span></div>"
        );
    }
    let _ = writeln!(
        html,
        "<div class=\"scroll{long}{wide}\" tabindex=\"0\" role=\"group\" aria-label=\"{title}\">\n\
         <table class=\"sortable\" id=\"{id}-table\" aria-label=\"{title}\">\n<thead>",
        long = if table.searchable { " long" } else { "" },
        wide = if table.columns.len() >= WIDE { " wide" } else { "" },
        title = escape(&table.title)
    );
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
        for (index, column) in table.columns.iter().enumerate() {
            html.push_str(&cell(row.get(index).unwrap_or(&Cell::Absent), index == 0, column));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
    html
}

/// The rows above the headings, if any column has a group.
fn groups(columns: &[Column]) -> String {
    let mut rows = String::new();
    for row in (0..data::rows_of_groups(columns)).rev() {
        rows.push_str("<tr class=\"groups\">");
        for (group, columns) in data::groups(columns, row) {
            // A heading without words would be read as one.
            let _ = match group.map(escape) {
                None => write!(rows, "<td colspan=\"{columns}\"></td>"),
                Some(name) => write!(rows, "<th scope=\"colgroup\" colspan=\"{columns}\">{name}</th>"),
            };
        }
        rows.push_str("</tr>\n");
    }
    rows
}

/// Whether a column holds numbers, or would if anything had been measured.
fn numeric(table: &Sheet, column: usize) -> bool {
    let mut cells = table.rows.iter().filter_map(|row| row.get(column));
    cells.all(|cell| !matches!(cell, Cell::Text(_) | Cell::Name { .. } | Cell::Link { .. }))
}

fn cell(cell: &Cell, first: bool, column: &Column) -> String {
    let text = |html: &str| match (first, column.unit == Unit::LongText) {
        (true, _) => format!("<th scope=\"row\">{html}</th>"),
        (false, true) => format!("<td class=\"wrap\">{html}</td>"),
        (false, false) => format!("<td>{html}</td>"),
    };
    match cell {
        Cell::Text(content) | Cell::Name { title: content, .. } => text(&escape(content)),
        Cell::Link { text: content, href } => text(&format!("<a href=\"{}\">{}</a>", escape(href), escape(content))),
        Cell::Count(count) => format!("<td class=\"number\" data-value=\"{count}\">{count}</td>"),
        Cell::Number { value, note, strong } => {
            let shown = column.unit.printed(*value);
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
            let (class, style) = if column.unit == Unit::Share {
                let share = 100.0 * value.clamp(0.0, 1.0);
                ("number bar", format!(" style=\"--share: {share:.1}%\""))
            } else {
                ("number", String::new())
            };
            format!("<td class=\"{class}\" data-value=\"{value}\"{style}>{shown}{note}</td>")
        }
        Cell::Absent => "<td class=\"number absent\" title=\"no sample\">–</td>".to_owned(),
        Cell::Spanned => "<td></td>".to_owned(),
    }
}
