//! What is kept of a step that ran: what it read, what it made, and who made it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::declaration::Reads;

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
