//! `report.html`: everything a run found, in one file that opens anywhere; and the page that puts several runs side by side.
//!
//! Styles, scripts, drawings and examples are inside; nothing is loaded from elsewhere. A page reads in light and dark, on paper
//! and on a phone, with eyes or ears. [`render`] and [`render_comparison`] are pure functions: the same data gives the same bytes.

mod claims;
mod comparison;
mod data;
mod examples;
mod figures;
mod html;
mod page;
mod table;

pub use comparison::{ComparedFigure, ComparisonData, render as render_comparison};
pub use data::{Cell, Column, Fact, FileLink, ReportData, Table};
pub use examples::{AttributeExamples, Example, ExampleImage, Examples, Outcome, RegionCells};

use html::escape;
use page::Page;

/// The report as one HTML document.
#[must_use]
pub fn render(data: &ReportData) -> String {
    let mut page = Page::new("biascam · report of a run", &data.title, &data.summary);
    if !data.findings.is_empty() {
        let title = "Claims about the classifiers, as measured in this run";
        page.add("claims", "Claims", title, &claims::render(&data.findings));
    }
    for table in &data.overview {
        page.add(&table.id, &table.title, &table.title, &table::render(table));
    }
    page.add(
        "figures",
        "Figures",
        "Figures",
        &figures::render(&data.figures, &data.formats, page.len()),
    );
    for table in &data.tables {
        page.add(&table.id, &table.title, &table.title, &table::render(table));
    }
    if let Some(examples) = &data.examples {
        page.add("examples", "Examples", "Examples", &examples::render(examples));
    }
    page.add("run", "The run", "The run", &run(data));
    page.add("files", "Files", "Files", &files(&data.files));
    if !data.citation.is_empty() {
        let body = format!("<pre tabindex=\"0\">{}</pre>\n", escape(&data.citation));
        page.add("cite", "Citing", "Citing", &body);
    }
    page.finish()
}

/// What was run, with which settings, and for how long.
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
    if let Some(durations) = &data.durations {
        body.push_str(&format!(
            "<h3>{}</h3>\n{}",
            escape(&durations.title),
            table::render(durations)
        ));
    }
    if !data.experiment.is_empty() {
        body.push_str(&format!(
            "<details><summary>The experiment, with every default written out</summary>\n<pre tabindex=\"0\">{}</pre>\n</details>\n",
            escape(&data.experiment)
        ));
    }
    body
}

fn files(files: &[FileLink]) -> String {
    if files.is_empty() {
        return String::new();
    }
    let mut body = String::from("<ul class=\"files\">\n");
    for file in files {
        let path = escape(&file.path);
        body.push_str(&format!(
            "<li><a href=\"{path}\">{path}</a> {}</li>\n",
            escape(&file.description)
        ));
    }
    body + "</ul>\n"
}

#[cfg(test)]
mod tests;
