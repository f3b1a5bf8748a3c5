//! A comparison of runs that are no more what it was made of: their labels, images or settings have changed, or their files are gone. Its numbers would be
//! taken for those of the sweep until all is made again, so it goes first.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::state::State;
use super::{COMPARISON, Plan, REPORT, tables};
use crate::error::Result;
use pipeline::{Progress, ReadTable, ResultsFolder};
use render::figures::SWEEP_NAMES;

/// Removes the comparison in a sweep's folder, if one of its runs is not finished now, and says so. Files that a comparison does not make stay.
///
/// # Errors
/// When a file cannot be removed.
pub fn remove(plan: &Plan, states: &[State], sweep: &Path, progress: &Progress) -> Result<()> {
    let path = sweep.join(COMPARISON);
    let compared = compared(&path);
    // A run that the sweep no longer has is as it was.
    let goes_on = |state: &State| matches!(state, State::Finished(_) | State::Running(_));
    let mut unfinished = plan.runs.iter().zip(states).filter(|(_, state)| !goes_on(state));
    let Some((changed, _)) = unfinished.find(|(run, _)| compared.contains(&run.name)) else {
        return Ok(());
    };
    let folder = match ResultsFolder::open(&path) {
        // Whoever has it makes it anew.
        Err(pipeline::Error::Held { .. }) => return Ok(()),
        folder => folder?,
    };
    folder.remove(REPORT)?;
    // The last is of runs with arms.
    let figures = [&SWEEP_NAMES[..], &["decomposition"]].concat();
    for (part, names) in [("figures", &figures[..]), ("tables", &tables::NAMES)] {
        for entry in fs::read_dir(folder.join(part)).into_iter().flatten().flatten() {
            let file = entry.file_name();
            let Some(file) = file.to_str() else { continue };
            if names.contains(&file.split('.').next().unwrap_or_default()) {
                folder.remove(&format!("{part}/{file}"))?;
            }
        }
        // Where nobody has put anything else.
        fs::remove_dir(folder.join(part)).ok();
    }
    progress.say(&format!(
        "{}: removed, for {} is no longer known to be finished",
        path.display(),
        changed.name
    ));
    Ok(())
}

/// The runs of a comparison; none where there is no comparison, or none that can be read.
fn compared(folder: &Path) -> BTreeSet<String> {
    let table = ReadTable::csv(&folder.join("tables/runs.csv"));
    let names = table.and_then(|table| table.texts("run"));
    names.unwrap_or_default().into_iter().collect()
}
