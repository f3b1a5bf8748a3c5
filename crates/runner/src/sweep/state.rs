//! How far a run is, read from its results folder and its log.

use std::path::Path;
use std::time::Duration;

use super::log::{self, End};
use super::{Plan, PlannedRun};
use crate::artefacts;
use crate::recorded::Recorded;
use crate::run::Judge;
use pipeline::{Manifest, describe, holder};

/// How far a run is.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Everything it should make is there; computing took so long.
    Finished(Duration),
    /// A process that this machine can see is writing the folder.
    Running(String),
    /// It was begun, and goes on from where it is.
    Begun,
    /// Its last attempt failed.
    Failed(String),
    /// Nothing is there.
    Waiting,
}

impl State {
    /// Reads the state of a run.
    pub fn of(judge: &Judge, plan: &Plan, run: &PlannedRun, sweep: &Path) -> Self {
        let folder = sweep.join(&run.name);
        if let Some(holder) = holder(&folder) {
            return Self::Running(holder);
        }
        let manifest = Manifest::read(&folder);
        let is_finished = |manifest: &Manifest| {
            let recorded = Recorded {
                experiment: &run.experiment,
                manifest,
                folder: &folder,
            };
            judge.is_finished(&recorded, plan.until().last())
        };
        if let Ok(manifest) = &manifest
            && is_finished(manifest)
        {
            let seconds = manifest.stages.values().map(|stage| stage.seconds).sum();
            return Self::Finished(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        }
        match (log::end(sweep, &run.name), manifest) {
            (End::Failed(reason), _) => Self::Failed(reason),
            // It may be finished, which nobody can tell.
            (_, Err(error)) => Self::Failed(describe(&error)),
            _ if folder.join(artefacts::EXPERIMENT).exists() => Self::Begun,
            _ => Self::Waiting,
        }
    }

    /// Whether nothing is left to do.
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::Finished(_))
    }
}

/// The states of all runs.
pub fn states(judge: &Judge, plan: &Plan, sweep: &Path) -> Vec<State> {
    plan.runs.iter().map(|run| State::of(judge, plan, run, sweep)).collect()
}
