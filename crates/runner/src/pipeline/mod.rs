//! One results folder: its steps with their keys, the lock, the manifest that says what made each file, and tables on disk.
//!
//! A step writes files and is recorded with the key of its inputs; while key and files are unchanged it is not run again. What
//! the steps do, this module does not know.

mod error;
mod folder;
mod interrupt;
mod key;
mod manifest;
mod progress;
mod shell;
mod tables;
mod workspace;

pub use error::{Error, Result, StepError, describe};
pub use folder::{ResultsFolder, holder};
pub use interrupt::{Interrupt, Interrupted, ListenError};
pub use key::Key;
pub use manifest::{MANIFEST, Manifest, StepRecord};
pub use progress::{INTERVAL_VARIABLE, Progress, Work, duration};
pub use shell::quoted;
pub use tables::{Columns, LongWriter, ParquetFile, ReadTable, RowKeys};
pub use workspace::{ConcurrentStep, Workspace};
