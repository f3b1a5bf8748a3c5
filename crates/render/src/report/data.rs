//! What a report is made of.

use metrics::Finding;

use super::browser::ExamplesBrowser;
use crate::drawing::export::Figure;
use crate::sheet::Sheet;

/// Everything that a report shows.
#[derive(Debug, Clone, Default)]
pub struct ReportData {
    /// Name of the experiment.
    pub title: String,
    /// One or two sentences: what was run on what, and what came out.
    pub summary: String,
    /// What sets the two classifiers apart, in sentences: what the report says first; may be none.
    pub verdicts: Vec<String>,
    /// The numbers behind them.
    pub decomposition: Option<Sheet>,
    /// What it is of.
    pub kind: ReportKind,
    /// The claims and their verdicts.
    pub findings: Vec<Finding>,
    /// Small tables before the figures, such as means over all attributes.
    pub overview: Vec<Sheet>,
    /// The drawings, in the order of the report.
    pub figures: Vec<Figure>,
    /// The kinds of files they are also written as (`svg`).
    pub formats: Vec<&'static str>,
    /// The names of those that are in the report alone.
    pub unfiled: Vec<&'static str>,
    /// Tables after the figures, such as all attributes.
    pub tables: Vec<Sheet>,
    /// Faces to browse; may be absent.
    pub examples: Option<ExamplesBrowser>,
    /// Facts about the run: version, revision, seed, device, data, durations.
    pub facts: Vec<Fact>,
    /// The resolved experiment file.
    pub experiment: String,
    /// How long each part of the run took.
    pub durations: Option<Sheet>,
    /// Files of the run, relative to the report.
    pub files: Vec<FileLink>,
    /// How to cite the run, in BibTeX.
    pub citation: String,
}

/// What a report is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReportKind {
    /// One run.
    #[default]
    Run,
    /// Many runs that are compared.
    Sweep,
}

/// A named fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A file next to the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLink {
    /// Path relative to the report, with `/`.
    pub path: String,
    /// What is in it.
    pub description: String,
}
