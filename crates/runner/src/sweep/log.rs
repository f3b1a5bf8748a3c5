//! What the runs of a sweep said: one file each in `logs/`, wherever they ran.
//!
//! Each attempt begins with a line `$ COMMAND`. A failed one ends with `biascam: REASON`, as on a terminal.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use disk::make_folder;

use crate::error::{Error, Result};

/// The folder of the logs, in a sweep's results folder.
pub const FOLDER: &str = "logs";

/// What a failure's line begins with.
const REASON: &str = "biascam: ";

/// How an interrupted run ends ([`Interrupted`](pipeline::Interrupted)).
const STOPPED: &str = "stopped;";

/// The log of a run.
pub fn path(sweep: &Path, run: &str) -> PathBuf {
    sweep.join(FOLDER).join(format!("{run}.log"))
}

/// Opens the log of a run, to write what comes next at its end.
///
/// # Errors
/// When the file cannot be opened.
pub fn open(sweep: &Path, run: &str) -> Result<File> {
    let folder = sweep.join(FOLDER);
    make_folder(&folder).map_err(Error::io(&folder, "making the folder"))?;
    if folder.is_symlink() {
        return Err(pipeline::Error::Link { path: folder }.into());
    }
    let path = path(sweep, run);
    disk::open_own(&path, OpenOptions::new().create(true).append(true)).map_err(Error::io(&path, "opening"))
}

/// How the last attempt ended, as far as it said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// There was none, or it said nothing.
    Unknown,
    /// It was asked to stop.
    Stopped,
    /// It failed, for this reason.
    Failed(String),
}

/// Reads how a run's last attempt ended.
pub fn end(sweep: &Path, run: &str) -> End {
    std::fs::read(path(sweep, run)).map_or(End::Unknown, |bytes| end_of(&String::from_utf8_lossy(&bytes)))
}

/// See [`end`].
pub fn end_of(log: &str) -> End {
    let lines: Vec<&str> = log.lines().collect();
    let start = lines.iter().rposition(|line| line.starts_with("$ ")).unwrap_or(0);
    // A reason may go on over several lines.
    let Some(found) = lines.iter().skip(start).position(|line| line.starts_with(REASON)) else {
        return End::Unknown;
    };
    let reason = lines[start + found..].join("\n");
    let reason = reason.trim_start_matches(REASON);
    if reason.starts_with(STOPPED) {
        End::Stopped
    } else {
        End::Failed(reason.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::Interrupted;

    #[test]
    fn the_last_attempt_counts() {
        let failed = |reason: &str| End::Failed(reason.to_owned());
        for (log, expected) in [
            ("", End::Unknown),
            ("$ biascam measure\ntrain/a: 3 %\n", End::Unknown),
            ("$ x\nbiascam: disk full\n", failed("disk full")),
            ("$ x\nbiascam: disk full\n$ x\ntrain\n", End::Unknown),
            ("$ x\nbiascam: needs:\n- a\n- b\n", failed("needs:\n- a\n- b")),
            (
                "$ x\nbiascam: stopped; the same command goes on from what is finished\n",
                End::Stopped,
            ),
        ] {
            assert_eq!(end_of(log), expected, "{log}");
        }
        assert_eq!(
            end_of(&format!("$ x\nbiascam: {}\n", Interrupted { signal: 15 })),
            End::Stopped
        );
    }
}
