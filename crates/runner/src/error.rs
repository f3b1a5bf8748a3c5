//! What can go wrong in a run, each with the words a user needs to mend it.

use std::path::{Path, PathBuf};

use crate::hub::HubError;
use crate::interrupt::{Interrupted, ListenError};

/// A failure of the program. `Display` is one sentence; [`std::error::Error::source`] leads to the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An experiment file, or a `--set`, that does not say what it should.
    #[error("{place}: {message}")]
    Experiment {
        /// The file, or the `--set` as it was typed.
        place: String,
        /// What was found and what is allowed.
        message: String,
    },
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
    /// A results folder that another run is writing.
    #[error(
        "{}: held by another run ({holder}); wait for it, or choose another folder with --results",
        folder.display()
    )]
    Held {
        /// The results folder.
        folder: PathBuf,
        /// Process, machine and start of the run that holds it.
        holder: String,
    },
    /// A file of a results folder that is damaged, of another version or of another experiment.
    #[error("{}: {message}; `--fresh` makes it anew", path.display())]
    Artefact {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        message: String,
    },
    /// Something in the request that cannot be done, with a way out.
    #[error("{0}")]
    Request(String),
    /// The run was asked to stop (SIGINT, SIGTERM) and has saved its state.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// Stopping on request is not to be had.
    #[error(transparent)]
    Signals(#[from] ListenError),
    /// A file of the Hugging Face hub could not be had.
    #[error(transparent)]
    Hub(HubError),
    /// Reading data failed.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// A data set could not be made.
    #[error(transparent)]
    Synthetic(#[from] synthetic::Error),
    /// The network, its training or its checkpoint failed.
    #[error(transparent)]
    Model(#[from] model::Error),
    /// An explanation failed.
    #[error(transparent)]
    Cam(#[from] cam::Error),
    /// A measurement failed.
    #[error(transparent)]
    Metrics(#[from] metrics::Error),
    /// A tensor operation failed.
    #[error("tensor operation failed")]
    Tensor(#[from] candle_core::Error),
    /// A table could not be read or written.
    #[error("{}: not a readable table", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// The reader's reason.
        source: polars::error::PolarsError,
    },
    /// A figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] crate::figures::FigureError),
}

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An [`Error::Io`] made from a system error, for `map_err`.
    pub fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, doing, source }
    }

    /// An [`Error::Artefact`] for a file of a results folder.
    pub fn artefact(path: &Path, message: impl Into<String>) -> Self {
        Self::Artefact {
            path: path.to_owned(),
            message: message.into(),
        }
    }

    /// The exit status this failure ends the program with.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Interrupted(Interrupted { signal }) => u8::try_from(128 + signal).unwrap_or(1),
            _ => 1,
        }
    }
}

impl From<HubError> for Error {
    /// Who asked to stop wants no advice about the hub.
    fn from(error: HubError) -> Self {
        match error {
            HubError::Interrupted(interrupted) => interrupted.into(),
            other => Self::Hub(other),
        }
    }
}

/// The whole chain of reasons in one paragraph, each said once.
pub fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(reason) = cause {
        let reason_text = reason.to_string();
        if !text.contains(&reason_text) {
            text.push_str(": ");
            text.push_str(&reason_text);
        }
        cause = reason.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_one_paragraph() {
        let error = Error::io(Path::new("results/x"), "writing")(std::io::Error::other("disk full"));
        assert_eq!(describe(&error), "results/x: writing failed: disk full");
    }

    #[test]
    fn interruption_has_the_shell_s_status() {
        let status = |signal| Error::from(Interrupted { signal }).exit_status();
        assert_eq!((status(2), status(15)), (130, 143));
    }
}
