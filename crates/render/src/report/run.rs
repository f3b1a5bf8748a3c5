//! `report.html`: everything a run found.

use super::data::{FileLink, ReportData, ReportKind};
use super::page::Page;
use super::{browser, claims, figures};
use crate::html::escape;
use crate::sheet::html as table;

/// One finding as an item of a list: its first sentence stands out.
fn item(finding: &str) -> String {
    let end = [". ", "? "].iter().filter_map(|end| finding.find(end)).min();
    let (first, rest) = finding.split_at(end.map_or(finding.len(), |end| end + 1));
    format!("<li><strong>{}</strong>{}</li>\n", escape(first), escape(rest))
}

/// The report as one HTML document.
#[must_use]
pub fn run(data: &ReportData) -> String {
    let (kind, of_what) = match data.kind {
        ReportKind::Run => ("biascam · report of a run", "The run"),
        ReportKind::Sweep => ("biascam · report of a sweep", "The sweep"),
    };
    let mut page = Page::new(kind, &data.title, &data.summary);
    // The word is explained where it is first read.
    let mut energy = Some(ENERGY);
    if !data.verdicts.is_empty() {
        let items: String = data.verdicts.iter().map(|finding| item(finding)).collect();
        let table = data.decomposition.as_ref().map(table::render).unwrap_or_default();
        let (short, title) = match data.decomposition {
            Some(_) => (
                "Threshold, head or features",
                "Threshold, head or features: what class weights changed in this run",
            ),
            None => ("Findings", "What the runs say together"),
        };
        let body = format!("<ul class=\"sentences\">\n{items}</ul>\n{table}");
        page.add("decomposition", short, title, &explained(body, &mut energy));
    }
    if !data.findings.is_empty() {
        let title = "Claims about the classifiers, as measured in this run";
        let body = explained(claims::render(&data.findings), &mut energy);
        page.add("claims", "Claims", title, &body);
    }
    for table in &data.overview {
        page.add(
            &table.id,
            &table.title,
            &table.title,
            &explained(table::render(table), &mut energy),
        );
    }
    page.add(
        "figures",
        "Figures",
        "Figures",
        &figures::render(&data.figures, &data.formats, &data.unfiled, page.len()),
    );
    for table in &data.tables {
        page.add(&table.id, &table.title, &table.title, &table::render(table));
    }
    if let Some(examples) = &data.examples {
        page.add("examples", "Examples", "Examples", &browser::render(examples));
    }
    page.add("run", of_what, of_what, &facts(data));
    page.add("files", "Files", "Files", &files(&data.files));
    if !data.citation.is_empty() {
        let body = format!("<pre tabindex=\"0\">{}</pre>\n", escape(&data.citation));
        page.add("cite", "Citing", "Citing", &body);
    }
    page.finish()
}

/// What `energy` means.
const ENERGY: &str = "Energy: the share of a map’s activation that lies inside the attribute’s region, from 0 (none of it) to 1 (all). A map that \
                      knows nothing has the region’s share of the image.";

/// A part's body, after the explanation of the word if it is the first that has it.
fn explained(body: String, energy: &mut Option<&str>) -> String {
    if !body.to_lowercase().contains("energ") {
        return body;
    }
    let note = energy
        .take()
        .map_or_else(String::new, |text| format!("<p class=\"note\">{text}</p>\n"));
    note + &body
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

#[cfg(test)]
mod tests {
    use super::item;

    #[test]
    fn the_first_sentence_of_a_finding_stands_out() {
        let expected = "<li><strong>Does it?</strong> By 0.1 [a, b]. Yes.</li>\n";
        assert_eq!(item("Does it? By 0.1 [a, b]. Yes."), expected);
        assert_eq!(
            item("It rises by 0.1. A & B"),
            "<li><strong>It rises by 0.1.</strong> A &amp; B</li>\n"
        );
        assert_eq!(item("One only."), "<li><strong>One only.</strong></li>\n");
        assert_eq!(item(""), "<li><strong></strong></li>\n");
    }
}
