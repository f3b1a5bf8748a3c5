//! `report.html`: everything a run found.

use super::data::{FileLink, ReportData};
use super::page::Page;
use super::{browser, claims, figures};
use crate::html::escape;
use crate::sheet::html as table;

/// The report as one HTML document.
#[must_use]
pub fn run(data: &ReportData) -> String {
    let mut page = Page::new("biascam · report of a run", &data.title, &data.summary);
    if !data.verdicts.is_empty() {
        let items: String = data
            .verdicts
            .iter()
            .map(|sentence| format!("<li>{}</li>\n", escape(sentence)))
            .collect();
        let table = data.decomposition.as_ref().map(table::render).unwrap_or_default();
        let title = "Threshold, head or features: what class weights changed in this run";
        page.add(
            "decomposition",
            "Threshold, head or features",
            title,
            &format!("<ul class=\"sentences\">\n{items}</ul>\n{table}"),
        );
    }
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
        page.add("examples", "Examples", "Examples", &browser::render(examples));
    }
    page.add("run", "The run", "The run", &facts(data));
    page.add("files", "Files", "Files", &files(&data.files));
    if !data.citation.is_empty() {
        let body = format!("<pre tabindex=\"0\">{}</pre>\n", escape(&data.citation));
        page.add("cite", "Citing", "Citing", &body);
    }
    page.finish()
}

/// What was run, with which settings, and for how long.
fn facts(data: &ReportData) -> String {
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
