//! LaTeX, where the machine has it.

use std::path::Path;
use std::process::Command;

use crate::require::missing;

/// Compiles a document of a folder and returns what pdflatex said; `None`, with a message, where there is no pdflatex.
///
/// # Panics
/// When the document does not compile, and as [`missing`].
#[track_caller]
pub fn pdflatex(folder: &Path, document: &str) -> Option<String> {
    let Ok(output) = Command::new("pdflatex")
        .args(["-interaction=nonstopmode", "-halt-on-error", document])
        .current_dir(folder)
        .output()
    else {
        missing("latex", format_args!("no pdflatex, so {document} was not compiled"));
        return None;
    };
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{log}");
    Some(log)
}
