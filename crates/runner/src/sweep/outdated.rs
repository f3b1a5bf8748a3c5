//! A comparison of runs that are no more what it was made of: their labels, images or settings have changed, or their files are gone. Its numbers would be
//! taken for those of the sweep until all is made again, so it is set aside first.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::state::State;
use super::{COMPARISON, Plan};
use crate::error::{Error, Result};
use pipeline::{Progress, ReadTable, ResultsFolder};

/// Its table of runs.
const RUNS: &str = "tables/runs.csv";

/// Gives the comparison in a sweep's folder another name, if one of its runs is not finished now, and says so.
///
/// # Errors
/// When another process is at it, or it cannot be renamed.
pub fn set_aside(plan: &Plan, states: &[State], sweep: &Path, progress: &Progress) -> Result<()> {
    let folder = sweep.join(COMPARISON);
    let compared = compared(&folder);
    // A run that the sweep no longer has is as it was.
    let mut unfinished = plan.runs.iter().zip(states).filter(|(_, state)| !state.is_finished());
    let Some((changed, _)) = unfinished.find(|(run, _)| compared.contains(&run.name)) else {
        return Ok(());
    };
    // Nobody writes it meanwhile.
    let held = ResultsFolder::open(&folder)?;
    let aside = free_place(sweep);
    std::fs::rename(&folder, &aside).map_err(Error::io(&folder, "setting aside"))?;
    drop(held);
    progress.say(&format!(
        "{}: made of {} as it no longer is, moved to {}",
        folder.display(),
        changed.name,
        aside.display()
    ));
    Ok(())
}

/// The runs of a comparison; none where there is no comparison, or none that can be read.
fn compared(folder: &Path) -> BTreeSet<String> {
    let table = ReadTable::csv(&folder.join(RUNS));
    let names = table.and_then(|table| table.texts("run"));
    names.unwrap_or_default().into_iter().collect()
}

/// A name that nothing has: of a run none can be, for a run's has no blank.
fn free_place(sweep: &Path) -> PathBuf {
    let mut place = sweep.join(format!("earlier {COMPARISON}"));
    let mut number = 1;
    while place.symlink_metadata().is_ok() {
        number += 1;
        place = sweep.join(format!("earlier {COMPARISON} {number}"));
    }
    place
}
