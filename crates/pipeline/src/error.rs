//! What can go wrong with a results folder. What to do about it is for the program to say, which knows its own options.

use std::path::{Path, PathBuf};

use crate::interrupt::{Interrupted, ListenError};

/// A failure of a results folder or of its files. `Display` is one sentence; [`std::error::Error::source`] leads to the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder that could not be read or written.
    #[error("{}: {doing} failed", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done, as a noun: "reading", "writing".
        doing: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A results folder in which nothing can be written.
    #[error("{}: the results folder cannot be written ({source})", folder.display())]
    Unwritable {
        /// The results folder.
        folder: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A results folder that another run is writing.
    #[error("{}: held by another run ({holder})", folder.display())]
    Held {
        /// The results folder.
        folder: PathBuf,
        /// Process, machine and start of the run that holds it.
        holder: String,
    },
    /// A folder for results that holds something else.
    #[error("{}: holds `{found}` and no results, expected a new or empty folder, or one of results", folder.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// The first of its files.
        found: String,
    },
    /// A folder among results that is a link to somewhere else.
    #[error("{}: a link to another folder, in which nothing is written; put the folder itself in its place, or remove it", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// A pipe, a socket or a device among results.
    #[error("{}: neither a file nor a folder; remove it", path.display())]
    Special {
        /// What it is called.
        path: PathBuf,
    },
    /// A file that is damaged, of another version or of another experiment.
    #[error("{}: {message}", path.display())]
    Artefact {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        message: String,
    },
    /// A step that reads what it has not declared: a mistake in the program.
    #[error("{step} reads {path}, which it does not declare; this is a mistake in the program, please report it")]
    Undeclared {
        /// The step.
        step: String,
        /// The file in the results folder.
        path: String,
    },
    /// A table could not be written.
    #[error("{}: no table can be written", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: disk::TableError,
    },
    /// The run was asked to stop and has saved its state.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// Stopping on request is not to be had.
    #[error(transparent)]
    Signals(#[from] ListenError),
    /// The system has no thread for what runs beside other work.
    #[error("no thread can be started ({0})")]
    Threads(std::io::Error),
}

/// Shorthand for results of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a step may fail with: the folder's failures, and whatever else it meets.
pub trait StepError: std::error::Error + From<Error> + Send + 'static {
    /// Whether the step only did as it was asked and stopped.
    fn is_interruption(&self) -> bool;
}

impl StepError for Error {
    fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted(_))
    }
}

impl Error {
    /// An [`Error::Io`] made from a system error, for `map_err`.
    pub fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, doing, source }
    }

    /// An [`Error::Artefact`].
    pub fn artefact(path: &Path, message: impl Into<String>) -> Self {
        Self::Artefact {
            path: path.to_owned(),
            message: message.into(),
        }
    }

    /// An [`Error::Table`], for `map_err`.
    pub fn table(path: &Path) -> impl FnOnce(disk::TableError) -> Self {
        let path = path.to_owned();
        move |source| Self::Table { path, source }
    }
}

impl From<disk::Error> for Error {
    fn from(error: disk::Error) -> Self {
        let disk::Error { path, doing, source } = error;
        Self::Io { path, doing, source }
    }
}

/// The whole chain of reasons in one paragraph, each said once.
pub fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(reason) = cause {
        let reason_text = in_words(&reason.to_string());
        if !text.contains(&reason_text) {
            text.push_str(": ");
            text.push_str(&reason_text);
        }
        cause = reason.source();
    }
    text
}

/// A reason without the system's number and blank lines, and with what the system says of folders in the words of this program.
fn in_words(reason: &str) -> String {
    let lines = reason.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let text = lines.collect::<Vec<&str>>().join("\n");
    let said = match text.rsplit_once(" (os error ") {
        Some((said, number)) if number.trim_end_matches(')').parse::<i32>().is_ok() => said,
        _ => return text,
    };
    match said {
        "Is a directory" => "it is a folder, expected a file".to_owned(),
        "Not a directory" => "it, or a part of its path, is a file, expected a folder".to_owned(),
        "File exists" => "there is a file already, expected a folder or nothing".to_owned(),
        "No such file or directory" => "there is no such file or folder".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_reasons_are_in_words() {
        for (code, expected) in [
            (21, "a: reading failed: it is a folder, expected a file"),
            (
                20,
                "a: reading failed: it, or a part of its path, is a file, expected a folder",
            ),
            (13, "a: reading failed: Permission denied"),
        ] {
            let error = Error::io(Path::new("a"), "reading")(std::io::Error::from_raw_os_error(code));
            assert_eq!(describe(&error), expected);
        }
        let error = Error::io(Path::new("a"), "reading")(std::io::Error::other("not enough\n\nbytes\n\n"));
        assert_eq!(describe(&error), "a: reading failed: not enough\nbytes");
    }

    #[test]
    fn a_chain_is_one_paragraph() {
        let error = Error::io(Path::new("results/x"), "writing")(std::io::Error::other("disk full"));
        assert_eq!(describe(&error), "results/x: writing failed: disk full");
    }
}
