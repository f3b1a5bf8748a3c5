//! One table of a results folder, and the files that come of it.

use render::sheet::Sheet;

/// All of a table's numbers, for programs, and what of them readers are shown.
pub(crate) struct Table {
    /// Its files' name without extension.
    pub name: &'static str,
    /// The numbers.
    pub numbers: Sheet,
    /// Whether they are written as Parquet too, beside CSV.
    pub parquet: bool,
    /// For readers, in Markdown.
    pub markdown: Option<String>,
    /// For papers, in LaTeX.
    pub latex: Option<Sheet>,
}

impl Table {
    /// A table that is written as CSV alone.
    pub fn new(name: &'static str, numbers: Sheet) -> Self {
        Self {
            name,
            numbers,
            parquet: false,
            markdown: None,
            latex: None,
        }
    }

    /// Its files: names and contents.
    ///
    /// # Errors
    /// When two columns have one title.
    pub fn files(self) -> render::Result<Vec<(String, Vec<u8>)>> {
        let file = |extension: &str, bytes| (format!("{}.{extension}", self.name), bytes);
        let mut files = vec![file("csv", self.numbers.csv()?)];
        if self.parquet {
            files.push(file("parquet", self.numbers.parquet()?));
        }
        files.extend(self.markdown.map(|text| file("md", text.into_bytes())));
        files.extend(self.latex.map(|sheet| file("tex", sheet.latex().into_bytes())));
        Ok(files)
    }
}
