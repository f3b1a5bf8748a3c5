//! Several runs side by side.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::data::Table;
use super::figures::{INLINE_LIMIT, title};
use super::html::escape;
use super::page::Page;
use super::table;

/// What a comparison shows.
#[derive(Debug, Clone, Default)]
pub struct ComparisonData {
    /// Its title.
    pub title: String,
    /// One or two sentences: what is compared.
    pub summary: String,
    /// What could not be compared, and why.
    pub left_out: Vec<String>,
    /// The tables, in the order of the page.
    pub tables: Vec<Table>,
    /// The drawings that the runs have.
    pub figures: Vec<ComparedFigure>,
}

/// One drawing as the runs have it.
#[derive(Debug, Clone)]
pub struct ComparedFigure {
    /// The file name without extension.
    pub name: String,
    /// Each run that has it: the run's name, its SVG, and the path of its PNG relative to the page.
    pub runs: Vec<(String, String, String)>,
}

/// The comparison as one HTML document.
#[must_use]
pub fn render(data: &ComparisonData) -> String {
    let mut page = Page::new("biascam · comparison of runs", &data.title, &data.summary);
    if !data.left_out.is_empty() {
        let items: String = data
            .left_out
            .iter()
            .map(|why| format!("<li>{}</li>\n", escape(why)))
            .collect();
        page.add("left-out", "Left out", "Left out", &format!("<ul>\n{items}</ul>\n"));
    }
    for table in &data.tables {
        let body = if table.rows.is_empty() {
            format!("<p>{}</p>\n", escape(&table.note))
        } else {
            table::render(table)
        };
        page.add(&table.id, &table.title, &table.title, &body);
    }
    let mut figures = String::new();
    for figure in &data.figures {
        let title = title(&figure.name);
        figures.push_str(&format!("<h3>{}</h3>\n<div class=\"pair\">\n", escape(&title)));
        for (run, svg, png) in &figure.runs {
            // As pictures: the same drawing of two runs has the same identifiers.
            let source = if page.len() + figures.len() + svg.len() * 4 / 3 <= INLINE_LIMIT {
                format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg))
            } else {
                escape(png)
            };
            figures.push_str(&format!(
                "<figure>\n<div class=\"drawing\"><img src=\"{source}\" alt=\"{title} of {run}\"></div>\n<figcaption>{run}</figcaption>\n\
                 </figure>\n",
                title = escape(&title),
                run = escape(run),
            ));
        }
        figures.push_str("</div>\n");
    }
    page.add("figures", "Figures", "Figures", &figures);
    page.finish()
}
