//! A page of tables alone.

use super::page::Page;
use crate::html::escape;
use crate::sheet::Sheet;
use crate::sheet::html as table;

/// What such a page shows.
#[derive(Debug, Clone, Default)]
pub struct TablesPage {
    /// What kind of page it is, above the title.
    pub kind: &'static str,
    /// Its title.
    pub title: String,
    /// What was found, in sentences.
    pub summary: String,
    /// What a reader must know of the numbers; may be empty.
    pub notes: Vec<String>,
    /// The tables, in the order of the page.
    pub tables: Vec<Sheet>,
}

/// The tables as one HTML document.
#[must_use]
pub fn tables_page(data: &TablesPage) -> String {
    let mut page = Page::new(data.kind, &data.title, &data.summary);
    for table in &data.tables {
        page.add(&table.id, &table.title, &table.title, &table::render(table));
    }
    let notes: String = data
        .notes
        .iter()
        .map(|note| format!("<p>{}</p>\n", escape(note)))
        .collect();
    page.add("notes", "Notes", "Notes", &notes);
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_given_is_there_once() {
        let page = tables_page(&TablesPage {
            kind: "a kind",
            title: "a <title>".to_owned(),
            summary: "what was found".to_owned(),
            notes: vec!["a note & another".to_owned()],
            tables: vec![Sheet {
                id: "numbers".to_owned(),
                title: "Numbers".to_owned(),
                note: "of what".to_owned(),
                ..Sheet::default().numbers("a", &[Some(0.5)])
            }],
        });
        for part in [
            "<h1>a &lt;title&gt;</h1>",
            "what was found",
            "a note &amp; another",
            "<section id=\"numbers\"",
            "of what",
        ] {
            assert_eq!(page.matches(part).count(), 1, "{part}");
        }
        let without = tables_page(&TablesPage::default());
        assert!(!without.contains("<section"));
    }
}
