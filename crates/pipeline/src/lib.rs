//! One results folder: steps that declare what they read, the lock, the manifest that says who made each file of what, and tables on
//! disk. Knows nothing of what the steps compute.
//!
//! A step says what it reads ([`Declaration`]): settings, files by their content ([`Contents`]), other steps' artefacts, and the version
//! of its own code. From that and from what is recorded ([`StepRecord`]) one function decides whether it runs and why ([`Reason`]); a
//! run ([`Workspace`]), a look at what a run would do ([`forecast`]) and a sweep that looks which of its runs are finished all ask it.

mod content;
mod declaration;
mod error;
mod failures;
mod folder;
mod host;
mod interrupt;
mod json;
mod judgement;
mod leftovers;
mod manifest;
#[cfg(test)]
mod own_process;
mod progress;
mod reads;
mod reason;
mod record;
mod sandbox;
mod settings;
mod shell;
mod standard_error;
mod tables;
mod workspace;

pub use content::{Belief, ContentHash, Contents, ListHash};
pub use declaration::{Declaration, Piece};
pub use error::{Error, Result, StepError, describe};
pub use folder::{MANIFEST, ResultsFolder, holder};
pub use host::host;
pub use interrupt::{Held, Interrupt, Interrupted, ListenError};
pub use json::json_fault;
pub use judgement::{Forecast, changed, finds_its_artefacts, forecast, why};
pub use manifest::Manifest;
pub use progress::{INTERVAL_VARIABLE, Progress, Work, duration, last_words};
pub use reads::Reads;
pub use reason::{Change, Reason};
pub use record::{Provenance, StepRecord};
pub use sandbox::Sandbox;
pub use shell::quoted;
pub use standard_error::to_stderr;
pub use tables::{LongWriter, ParquetFile, ReadTable, RowKeys};
pub use workspace::{ConcurrentStep, Workspace};
