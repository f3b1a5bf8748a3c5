//! The step that makes a classifier: trained from random weights to a checkpoint, read from a file, or derived from another one.
//!
//! | file | |
//! |---|---|
//! | `recipe.rs`, `class_weights.rs` | what the experiment's settings become |
//! | `step.rs`, `blueprint.rs` | what is read for a classifier, and its network before it has weights |
//! | `checkpoint.rs` | where the step leaves it |
//! | `derive.rs` | a classifier with the network of another one, but for its thresholds or its head |
//! | `features.rs` | what heads are fitted to and thresholds chosen on: pooled features of a trained network |
//! | `feed.rs` | batches, on their way to the device |
//! | `course.rs` | a training from its start, or from where it was stopped, to its end |
//! | `diverged.rs` | what is said of one whose numbers are none any more |
//! | `unfinished.rs` | what is saved to go on from |
//! | `history.rs`, `log.rs` | what is told of it: a row an epoch when it is done, and lines while it runs |

mod blueprint;
mod checkpoint;
mod class_weights;
mod course;
mod derive;
mod diverged;
mod features;
mod feed;
pub mod history;
mod log;
mod recipe;
mod step;
mod tfevents;
mod unfinished;

use candle_core::Device;

pub use self::checkpoint::{checkpoint, step_name};
pub use self::class_weights::class_weights;
use self::course::Course;
pub use self::features::Features;
use self::step::Source;

use super::step as steps;
use crate::artefacts;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::inputs::{Inputs, Split};
use pipeline::{ConcurrentStep, Declaration};

/// Runs the step for all classifiers: on a CPU some at a time (`training.at_once`), which share decoded images and divide the threads.
/// Small networks have loops too short to divide well: two trainings on a thread each take four fifths of the time of one after the
/// other on two threads.
///
/// # Errors
/// Those of loading images, of an attribute with one class only, of a loss that is not finite, and of writing;
/// [`Interrupted`](pipeline::Interrupted) after the states have been saved.
pub fn run(context: &Context, inputs: &Inputs<'_>, names: &[String]) -> Result<()> {
    let mut waiting = Vec::new();
    let mut derived = Vec::new();
    for name in names {
        match Source::of(inputs, name)? {
            Source::Elsewhere(adopt) => steps::run(context, &adopt)?,
            Source::Derived(derive) => derived.push(derive),
            Source::Here(train) => {
                let declaration = train.declaration();
                if !context.workspace.is_unchanged(&declaration)? {
                    waiting.push((train, declaration));
                }
            }
        }
    }
    let threads = rayon::current_num_threads();
    let at_once = at_once(context)?.min(threads);
    while !waiting.is_empty() {
        let together: Vec<_> = waiting.drain(..at_once.min(waiting.len())).collect();
        let (share, rest) = (threads / together.len(), threads % together.len());
        // All of them read the same images in the same order.
        let Some((first, _)) = together.first() else { break };
        let loader = &first
            .images
            .loader(first.images.training(), recipe::loader(first, share))?;
        let stages = together
            .iter()
            .enumerate()
            .map(|(position, (train, declaration))| ConcurrentStep {
                declaration: declaration.clone(),
                threads: share + usize::from(position < rest),
                work: Box::new(move |folder| Course::begin(train, loader, folder, &context.device)?.run()),
            });
        context.workspace.side_by_side(stages.collect())?;
    }
    // Only now: what is recorded needs no state to go on from.
    for name in names {
        context.results().remove(&artefacts::unfinished(name))?;
    }
    for split in [Split::Training, Split::Validation] {
        steps::run_together(context, &Features::all(inputs, split))?;
    }
    // Each comes behind the one that it is derived from.
    derived.iter().try_for_each(|derive| steps::run(context, derive))
}

/// What the step reads for a classifier.
///
/// # Errors
/// When the experiment has no such classifier.
pub fn declaration(inputs: &Inputs<'_>, name: &str) -> Result<Declaration> {
    Ok(Source::of(inputs, name)?.declaration())
}

/// Whether the step of a classifier could begin.
///
/// # Errors
/// Those of [`run`] that are known before the first image.
pub fn check(inputs: &Inputs<'_>, name: &str) -> Result<()> {
    match Source::of(inputs, name)? {
        Source::Elsewhere(adopt) => adopt.network(&Device::Cpu).map(drop),
        Source::Derived(derive) => derive.check(),
        Source::Here(train) => {
            train
                .images
                .loader(train.images.training(), recipe::loader(&train, 1))?;
            recipe::trainer(&train, 1)?;
            train.untrained(&Device::Cpu).map(drop)
        }
    }
}

/// How many classifiers are trained at a time.
fn at_once(context: &Context) -> Result<usize> {
    let experiment = &context.experiment;
    if !context.device.is_cpu() {
        // Trainings on one GPU would wait for each other.
        return Ok(1);
    }
    if let Some(at_once) = experiment.training.at_once {
        return Ok(at_once);
    }
    let architecture = experiment
        .model
        .architecture()
        .map_err(|problem| Error::Request(problem.to_string()))?;
    let width = architecture.stages.first().map_or(0, |stage| stage.width);
    Ok(at_once_of(
        experiment.training.batch_size,
        experiment.data.image_size,
        width,
    ))
}

/// The same for batches of square images, and a network with so many channels in its first stage: two for small networks. A ResNet-50 at
/// 224 pixels needs 13 GB instead of 7 for two trainings at a time, and a fifteenth less time.
fn at_once_of(batch_size: usize, image_size: usize, width: usize) -> usize {
    /// Numbers in a batch of the first stage's images, if those had the size of the network's input.
    const SMALL: usize = 50 << 20;
    let numbers = [image_size, image_size, width]
        .iter()
        .fold(batch_size, |all, &one| all.saturating_mul(one));
    if numbers <= SMALL { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_networks_are_trained_two_at_a_time() {
        // The embedded experiment's, a ResNet-18 of its own width, and the paper's.
        assert_eq!(at_once_of(32, 112, 16), 2);
        assert_eq!(at_once_of(32, 112, 64), 2);
        assert_eq!(at_once_of(64, 224, 64), 1);
        assert_eq!(at_once_of(usize::MAX, 224, 64), 1);
    }
}
