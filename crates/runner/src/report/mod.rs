//! `report.html`: everything a run found, in one file that opens anywhere.
//!
//! Styles, script and drawings are inside; nothing is loaded from elsewhere. It reads in light and dark, on paper and on
//! a phone. [`render`] is a pure function: the same data gives the same bytes.

mod claims;
mod data;
mod html;
mod table;

pub use data::{Cell, Column, Fact, FileLink, ReportData, Table};

use super::figures::Figure;
use html::escape;

/// Drawings are put into the page until it has this many bytes; what follows is linked instead.
const INLINE_LIMIT: usize = 11_000_000;

/// The report as one HTML document.
#[must_use]
pub fn render(data: &ReportData) -> String {
    let mut page = String::new();
    page.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n");
    page.push_str(&format!("<title>{} · biascam</title>\n<style>\n", escape(&data.title)));
    page.push_str(include_str!("page.css"));
    page.push_str("</style>\n</head>\n<body>\n<header>\n");
    page.push_str(&format!(
        "<h1>{}</h1>\n<p>{}</p>\n</header>\n<main>\n",
        escape(&data.title),
        escape(&data.summary)
    ));
    if !data.findings.is_empty() {
        page.push_str(&claims::section(&data.findings));
    }
    for table in &data.overview {
        page.push_str(&section(&table.id, &table.title, &table::render(table)));
    }
    page.push_str(&figures(&data.figures, page.len()));
    for table in &data.tables {
        page.push_str(&section(&table.id, &table.title, &table::render(table)));
    }
    page.push_str(&run(data));
    page.push_str("</main>\n<script>\n");
    page.push_str(include_str!("table.js"));
    page.push_str("</script>\n</body>\n</html>\n");
    page
}

/// A titled part of the page.
fn section(id: &str, title: &str, body: &str) -> String {
    format!(
        "<section id=\"{}\">\n<h2>{}</h2>\n{body}</section>\n",
        escape(id),
        escape(title)
    )
}

/// The drawings with captions and links to their files; those beyond the size limit are linked only.
fn figures(figures: &[Figure], before: usize) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let mut body = String::new();
    for figure in figures {
        let name = escape(figure.name());
        let picture = if before + body.len() + figure.svg().len() <= INLINE_LIMIT {
            figure.svg().to_owned()
        } else {
            format!("<img src=\"figures/{name}.png\" alt=\"{name}\" loading=\"lazy\">")
        };
        let links = ["svg", "pdf", "png"]
            .map(|kind| format!("<a href=\"figures/{name}.{kind}\">{kind}</a>"))
            .join(" ");
        body.push_str(&format!(
            "<figure id=\"figure-{name}\">\n<div class=\"paper\" style=\"--width: {:.0}mm\">{picture}</div>\n\
             <figcaption>{} <span class=\"links\">{links}</span></figcaption>\n</figure>\n",
            figure.width(),
            escape(figure.caption())
        ));
    }
    section("figures", "Figures", &body)
}

/// What was run and what it left.
fn run(data: &ReportData) -> String {
    let mut body = String::new();
    if !data.facts.is_empty() {
        body.push_str("<dl>\n");
        for fact in &data.facts {
            body.push_str(&format!(
                "<dt>{}</dt><dd>{}</dd>\n",
                escape(&fact.name),
                escape(&fact.value)
            ));
        }
        body.push_str("</dl>\n");
    }
    if !data.experiment.is_empty() {
        body.push_str(&format!(
            "<details><summary>The experiment, with every default written out</summary>\n<pre>{}</pre>\n</details>\n",
            escape(&data.experiment)
        ));
    }
    if !data.files.is_empty() {
        body.push_str("<h3>Files</h3>\n<ul class=\"files\">\n");
        for file in &data.files {
            let path = escape(&file.path);
            body.push_str(&format!(
                "<li><a href=\"{path}\">{path}</a> {}</li>\n",
                escape(&file.description)
            ));
        }
        body.push_str("</ul>\n");
    }
    if body.is_empty() {
        body
    } else {
        section("run", "The run", &body)
    }
}

#[cfg(test)]
mod tests;
