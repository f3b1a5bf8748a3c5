//! What is kept of a step that ran: what it read, what it made, and who made it.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::reads::Reads;

/// The record of one step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Hash over everything that it read.
    pub key: String,
    /// The version of its code. 0 in a record of a program that did not say what steps read.
    #[serde(default)]
    pub version: u32,
    /// What it read.
    #[serde(default)]
    pub reads: Reads,
    /// How long it took, in seconds, interruptions left out.
    pub seconds: f64,
    /// Who made it, where and when.
    #[serde(default)]
    pub provenance: Provenance,
    /// SHA-256 of each file that it wrote, by its path in the folder.
    pub artefacts: BTreeMap<String, String>,
}

/// Who ran a step, where and when. It is the step's own: a later command, perhaps on another machine, leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The program's version.
    pub program: String,
    /// The revision that it was built from, if it was built in a checkout.
    pub revision: Option<String>,
    /// The device that computed.
    pub device: String,
    /// Threads of parallel loops.
    pub threads: usize,
    /// The machine's name.
    pub host: String,
    /// When the step began, in UTC: `2026-11-28 01:02:03`.
    pub started: String,
}

impl Provenance {
    /// The program's version, and its revision where that is known: `0.1.0 (9bf168a)`.
    #[must_use]
    pub fn program_and_revision(&self) -> String {
        match &self.revision {
            Some(revision) => format!("{} ({revision})", self.program),
            None => self.program.clone(),
        }
    }

    /// The same with as much of the revision as tells it from others.
    #[must_use]
    pub fn program_in_short(&self) -> String {
        const TELLING: usize = 10;
        let revision = self.revision.as_ref();
        Self {
            revision: revision.map(|revision| revision.chars().take(TELLING).collect()),
            ..self.clone()
        }
        .program_and_revision()
    }

    /// All of it in one line; nothing where an older program did not say.
    #[must_use]
    pub fn line(&self) -> String {
        if self.started.is_empty() {
            return String::new();
        }
        let Self {
            device,
            threads,
            host,
            started,
            ..
        } = self;
        let threads = match threads {
            1 => "1 thread".to_owned(),
            several => format!("{several} threads"),
        };
        let program = self.program_and_revision();
        format!("{started} UTC by version {program} on {host}, {device}, {threads}")
    }
}

/// A time in UTC, to the second.
pub(crate) fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    // Days are counted in eras of 400 years that begin in March, so that a leap day is the last of its year.
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{}-{month:02}-{of_month:02} {hour:02}:{minute:02}:{:02}",
        era * 400 + year + later,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let said = |seconds| utc(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(said(0), "1970-01-01 00:00:00");
        assert_eq!(said(951_782_399), "2000-02-28 23:59:59");
        assert_eq!(said(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(said(1_709_251_200), "2024-03-01 00:00:00");
        assert_eq!(said(1_798_761_599), "2026-12-31 23:59:59");
    }
}
