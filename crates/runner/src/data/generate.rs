//! Data sets that the program draws itself, written where they are not there yet.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use disk::PartFolder;
use synthetic::{WriteOutcome, faces, shapes};

use crate::error::Result;
use pipeline::{Interrupt, Progress};

/// Writes procedural faces unless they are there already, and shows how it goes.
///
/// # Errors
/// Those of the generator; [`Interrupted`](pipeline::Interrupted).
pub fn write_procedural(
    folder: &Path,
    config: &faces::Config,
    form: faces::Form,
    progress: &Progress,
    interrupt: &Interrupt,
) -> Result<()> {
    let pictures = config.images * (1 + form.counterfactuals.map_or(0, faces::Toggled::count));
    let what = match form.counterfactuals {
        Some(_) => format!("{} faces and their counterfactuals", config.images),
        None => format!("{} images", config.images),
    };
    shown(
        "procedural faces",
        (pictures, &what),
        folder,
        progress,
        interrupt,
        |show| faces::write_in(folder, config, form, show),
    )
}

/// Writes the example table of shapes, with or without its counterfactuals, unless it is there already, and shows how it goes.
///
/// # Errors
/// Those of the generator; [`Interrupted`](pipeline::Interrupted).
pub fn write_shapes(
    folder: &Path,
    config: shapes::Config,
    counterfactuals: bool,
    progress: &Progress,
    interrupt: &Interrupt,
) -> Result<()> {
    let (pictures, what) = match counterfactuals {
        true => (
            config.images * (1 + shapes::ATTRIBUTES.len()),
            format!("{} images and their counterfactuals", config.images),
        ),
        false => (config.images, format!("{} images", config.images)),
    };
    shown("shapes", (pictures, &what), folder, progress, interrupt, |show| {
        shapes::write(folder, config, counterfactuals, show)
    })
}

/// Runs a generator of so many images at most, and shows how it goes and what it has made.
fn shown(
    title: &str,
    (images, what): (usize, &str),
    folder: &Path,
    progress: &Progress,
    interrupt: &Interrupt,
    write: impl FnOnce(&synthetic::Progress<'_>) -> synthetic::Result<WriteOutcome>,
) -> Result<()> {
    wait_for_others(title, folder, progress, interrupt)?;
    let work = std::sync::Mutex::new(progress.work(title, images as u64));
    let show = |done: usize| {
        // A poisoned lock only means that showing progress failed once.
        if let Ok(mut work) = work.lock() {
            work.at(done as u64, "");
        }
        if interrupt.is_asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let outcome = write(&show);
    let work = work.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    match outcome {
        Ok(WriteOutcome::Written) => work.done(&format!("{what} in {}", folder.display())),
        Ok(WriteOutcome::AlreadyThere) => work.abandon(),
        Err(error) => {
            work.abandon();
            interrupt.check()?;
            return Err(error.into());
        }
    }
    Ok(())
}

/// How often it is looked whether another process is done.
const LOOKED_AGAIN: Duration = Duration::from_millis(200);

/// Waits while another process writes this data set: to draw it twice would take both of them twice as long.
fn wait_for_others(title: &str, folder: &Path, progress: &Progress, interrupt: &Interrupt) -> Result<()> {
    if PartFolder::is_begun(folder) {
        progress.say(&format!(
            "{title:24} waiting for another process, which writes {}",
            folder.display()
        ));
    }
    while PartFolder::is_begun(folder) {
        interrupt.check()?;
        std::thread::sleep(LOOKED_AGAIN);
    }
    Ok(())
}
