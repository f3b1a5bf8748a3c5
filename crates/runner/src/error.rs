//! What can go wrong in a run, each with the words a user needs to mend it.

use std::fmt;
use std::path::Path;

use crate::hub::HubError;
pub use pipeline::describe;
use pipeline::{self, Interrupted, ListenError, StepError};

/// A failure of the program. `Display` is one sentence; [`std::error::Error::source`] leads to the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An experiment file, another YAML file or a `--set` that does not say what it should: at least one fault.
    #[error("{}", listed(.0))]
    Experiment(Vec<Fault>),
    /// The results folder or its files, with what a run can do about it; or the run was asked to stop.
    #[error("{0}{way_out}", way_out = way_out(.0))]
    Pipeline(#[from] pipeline::Error),
    /// Something in the request that cannot be done, with a way out.
    #[error("{0}")]
    Request(String),
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
    /// A figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] render::Error),
}

/// The exit status where another run holds the results folder: `EX_TEMPFAIL` of sysexits.h, which a sweep tells from a failure.
pub const HELD: u8 = 75;

/// What whoever started the run can do about a failure of its results folder.
fn way_out(error: &pipeline::Error) -> &'static str {
    match error {
        pipeline::Error::Artefact { .. } => "; `--fresh` makes it anew",
        pipeline::Error::Unwritable { .. } => "; make it writable, or choose another with --results",
        pipeline::Error::Foreign { .. } => "; choose another with --results or --name",
        pipeline::Error::Threads(_) => {
            "; raise the limit (`ulimit -u`, `ulimit -v`), or ask for fewer with RAYON_NUM_THREADS=1"
        }
        pipeline::Error::Held { .. } => "; wait for it, or choose another folder with --results",
        _ => "",
    }
}

/// Something in a YAML file or a `--set` that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file and line, or the `--set` as it was typed.
    pub place: String,
    /// The key, what was found there and what is allowed.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

fn listed(faults: &[Fault]) -> String {
    match faults {
        [one] => one.to_string(),
        several => {
            let lines: Vec<String> = several.iter().map(|fault| format!("\n- {fault}")).collect();
            format!("{} faults:{}", several.len(), lines.concat())
        }
    }
}

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An [`Error::Experiment`] of one fault.
    pub fn experiment(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Experiment(vec![Fault {
            place: place.into(),
            message: message.into(),
        }])
    }

    /// A file or folder that could not be read or written, for `map_err`.
    pub fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let error = pipeline::Error::io(path, doing);
        move |source| error(source).into()
    }

    /// A file of a results folder that is not what it should be.
    pub fn artefact(path: &Path, message: impl Into<String>) -> Self {
        pipeline::Error::artefact(path, message).into()
    }

    /// A table that could not be written, for `map_err`.
    pub fn table(path: &Path) -> impl FnOnce(disk::TableError) -> Self {
        let error = pipeline::Error::table(path);
        move |source| error(source).into()
    }

    /// The same without what a run can do about it, for commands that do not have its options.
    pub fn without_way_out(&self) -> &(dyn std::error::Error + 'static) {
        match self {
            Self::Pipeline(error) => error,
            other => other,
        }
    }

    /// The exit status this failure ends the program with.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Pipeline(pipeline::Error::Interrupted(Interrupted { signal })) => {
                u8::try_from(128 + signal).unwrap_or(1)
            }
            Self::Pipeline(pipeline::Error::Held { .. }) => HELD,
            _ => 1,
        }
    }
}

impl StepError for Error {
    fn is_interruption(&self) -> bool {
        matches!(self, Self::Pipeline(error) if error.is_interruption())
    }
}

impl From<Interrupted> for Error {
    fn from(interrupted: Interrupted) -> Self {
        Self::Pipeline(interrupted.into())
    }
}

impl From<ListenError> for Error {
    fn from(error: ListenError) -> Self {
        Self::Pipeline(error.into())
    }
}

impl From<disk::Error> for Error {
    fn from(error: disk::Error) -> Self {
        Self::Pipeline(error.into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interruption_has_the_shell_s_status() {
        let status = |signal| Error::from(Interrupted { signal }).exit_status();
        assert_eq!((status(2), status(15)), (130, 143));
    }

    #[test]
    fn a_run_is_told_of_its_options_and_nobody_else() {
        let folder = || "results/a".into();
        let readonly = || std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem);
        for (error, way_out) in [
            (
                pipeline::Error::artefact(Path::new("a.csv"), "is damaged"),
                "; `--fresh` makes it anew",
            ),
            (
                pipeline::Error::Unwritable {
                    folder: folder(),
                    source: readonly(),
                },
                "; make it writable, or choose another with --results",
            ),
            (
                pipeline::Error::Held {
                    folder: folder(),
                    holder: "process 1".to_owned(),
                },
                "; wait for it, or choose another folder with --results",
            ),
            (pipeline::Error::io(Path::new("a.csv"), "reading")(readonly()), ""),
        ] {
            let alone = describe(&error);
            let error = Error::from(error);
            assert_eq!(describe(error.without_way_out()), alone);
            assert_eq!(describe(&error), format!("{alone}{way_out}"));
        }
        let request = Error::Request("no".to_owned());
        assert_eq!(describe(request.without_way_out()), "no");
    }
}
