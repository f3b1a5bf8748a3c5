//! A step of a run: a value that holds what it reads.

use candle_core::Device;
use disk::Columns;
use pipeline::{Declaration, Sandbox};

use crate::context::Context;
use crate::error::{Error, Result};

/// A step holds the pieces that it reads and nothing else. It declares all of them, and works from them alone: what it does not declare
/// it does not have.
pub trait Step {
    /// What it reads.
    fn declaration(&self) -> Declaration;

    /// Makes its files.
    ///
    /// # Errors
    /// Those of reading what it reads, of the work, and of writing.
    fn work(&self, folder: &Sandbox<'_>, device: &Device) -> Result<()>;
}

/// A step that classifiers with the same features have, each its own: what they have in common is done once for those that have to run.
pub trait SharedStep: Sized {
    /// What it reads.
    fn declaration(&self) -> Declaration;

    /// Makes the files of some of these steps, at least one, each in its own sandbox. They differ in their classifier alone.
    ///
    /// # Errors
    /// Those of reading what they read, of the work, and of writing.
    fn work(steps: &[(&Self, &Sandbox<'_>)], device: &Device) -> Result<()>;
}

/// Runs those of some steps whose files are not there, or whose inputs have changed, in one go.
///
/// # Errors
/// Those of the steps.
pub fn run_together<S: SharedStep>(context: &Context, steps: &[S]) -> Result<()> {
    let declarations: Vec<Declaration> = steps.iter().map(SharedStep::declaration).collect();
    context.workspace.together(&declarations, |stale| {
        let stale: Vec<_> = stale
            .iter()
            .map(|(position, folder)| (&steps[*position], folder))
            .collect();
        S::work(&stale, &context.device)
    })
}

/// Runs a step, unless its files are there and what it reads is unchanged.
///
/// # Errors
/// Those of the step.
pub fn run(context: &Context, step: &impl Step) -> Result<()> {
    let work = |folder: &Sandbox<'_>| step.work(folder, &context.device);
    context.workspace.step(&step.declaration(), work)
}

/// Writes a table as Parquet, which becomes an artefact of the step at work.
///
/// # Errors
/// When it cannot be written.
pub fn write_table(folder: &Sandbox<'_>, path: &str, table: Columns) -> Result<()> {
    let bytes = table.to_parquet().map_err(Error::table(&folder.scratch(path)))?;
    Ok(folder.write(path, &bytes)?)
}
