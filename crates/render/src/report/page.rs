//! The frame of every page: head, contents, sections, and what they need of style and script.

use std::fmt::Write;

use crate::html::escape;

/// A page under construction.
pub(super) struct Page {
    /// Above the title: what kind of page it is.
    pub kind: &'static str,
    /// The title.
    pub title: String,
    /// What it is about, in a sentence or two.
    pub lede: String,
    sections: String,
    contents: String,
}

impl Page {
    pub(super) fn new(kind: &'static str, title: &str, lede: &str) -> Self {
        Self {
            kind,
            title: title.to_owned(),
            lede: lede.to_owned(),
            sections: String::new(),
            contents: String::new(),
        }
    }

    /// Adds a section, if there is anything in it; `short` is its title in the contents.
    pub(super) fn add(&mut self, id: &str, short: &str, title: &str, body: &str) {
        if body.is_empty() {
            return;
        }
        let (id, short, title) = (escape(id), escape(short), escape(title));
        // Writing to a string cannot fail.
        let _ = writeln!(self.contents, "<li><a href=\"#{id}\">{short}</a></li>");
        let _ = writeln!(
            self.sections,
            "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n{body}</section>"
        );
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.sections.len()
    }

    /// The document.
    pub(super) fn finish(self) -> String {
        let Self {
            kind,
            title,
            lede,
            sections,
            contents,
        } = self;
        let contents = if contents.is_empty() {
            contents
        } else {
            format!("<nav class=\"contents\" aria-label=\"Contents\">\n<ol>\n{contents}</ol>\n</nav>\n")
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title} · biascam</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{style}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">Skip to the results</a>\n\
             <header class=\"top\">\n<p class=\"eyebrow\">{kind}</p>\n<h1>{title}</h1>\n<p class=\"lede\">{lede}</p>\n\
             <p class=\"theme\"><label>Colours <select id=\"theme\"><option value=\"\">as the system</option>\
             <option value=\"light\">light</option><option value=\"dark\">dark</option></select></label></p>\n</header>\n\
             {contents}<main id=\"main\" tabindex=\"-1\">\n{sections}</main>\n\
             <footer><p>Made by biascam {version}. One file, which loads nothing: it can be kept, mailed and printed.</p></footer>\n\
             <script>\n{theme}{table}{examples}</script>\n</body>\n</html>\n",
            title = escape(&title),
            lede = escape(&lede),
            style = include_str!("page.css"),
            version = env!("CARGO_PKG_VERSION"),
            theme = include_str!("theme.js"),
            table = include_str!("table.js"),
            examples = include_str!("examples.js"),
        )
    }
}
