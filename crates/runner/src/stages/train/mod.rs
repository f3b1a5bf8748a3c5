//! The training stage: one classifier, from random weights to a checkpoint.
//!
//! | file | |
//! |---|---|
//! | `recipe.rs` | what the experiment's settings become |
//! | `job.rs` | a classifier that is to be trained |
//! | `feed.rs` | batches, on their way to the device |
//! | `course.rs` | a training from its start, or from where it was stopped, to its end |
//! | `unfinished.rs` | what is saved to go on from |
//! | `history.rs`, `log.rs` | what is told of it: a row an epoch when it is done, and lines while it runs |

mod course;
mod feed;
pub mod history;
mod job;
mod log;
mod recipe;
mod unfinished;

use dataset::Loader;

use self::course::Course;
use self::job::Job;
pub use self::job::stage;
pub use self::recipe::class_weights;
use super::{DataSet, Inputs};
use crate::artefacts;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::weights::WeightsFile;
use pipeline::{ConcurrentStep, Declaration};

/// Bumped when a training would end in other bytes from the same inputs.
const VERSION: u32 = 1;

/// Runs the stage for all classifiers: on a CPU some at a time (`training.at_once`), which share decoded images and divide the threads.
/// Small networks have loops too short to divide well: two trainings on a thread each take four fifths of the time of one after the
/// other on two threads.
///
/// # Errors
/// Those of loading images, of an attribute with one class only, of a loss that is not finite, and of writing;
/// [`Interrupted`](pipeline::Interrupted) after the states have been saved.
pub fn run(context: &Context, inputs: &Inputs<'_>, data: &DataSet, names: &[String]) -> Result<()> {
    let mut waiting = Vec::new();
    for name in names {
        let Some(classifier) = context.experiment.classifiers.get(name).cloned() else {
            return Err(Error::Request(format!("the experiment has no classifier `{name}`")));
        };
        let declaration = declaration(inputs, name);
        if let Some(path) = &classifier.weights {
            context.workspace.step(&declaration, || {
                let file = WeightsFile::read(path)?;
                adopt(context, data, name, &file)
            })?;
        } else if !context.workspace.is_unchanged(&declaration)? {
            waiting.push(Job::new(context, name, classifier, declaration)?);
        }
    }
    let threads = rayon::current_num_threads();
    let at_once = at_once(context)?.min(threads);
    while !waiting.is_empty() {
        let together: Vec<Job> = waiting.drain(..at_once.min(waiting.len())).collect();
        let (share, rest) = (threads / together.len(), threads % together.len());
        let loader: &Loader = &data.loader(&data.training, recipe::loader(&context.experiment, share))?;
        let stages = together.into_iter().enumerate().map(|(position, job)| ConcurrentStep {
            declaration: job.declaration.clone(),
            threads: share + usize::from(position < rest),
            work: Box::new(move || Course::begin(context, data, &job, loader)?.run()),
        });
        context.workspace.side_by_side(stages.collect())?;
    }
    // Only now: what is recorded needs no state to go on from.
    for name in names {
        context.results().remove(&artefacts::unfinished(name))?;
    }
    Ok(())
}

/// What the stage reads for a classifier: of the data set the training and validation images, and neither what is scored nor masks.
pub fn declaration(inputs: &Inputs<'_>, name: &str) -> Declaration {
    let experiment = inputs.experiment;
    // The checkpoint says how its images are scaled, and how large they are.
    let declaration = inputs
        .attributes(inputs.declaration(stage(name), VERSION))
        .settings("model", &experiment.model.deciding())
        .settings("model.normalisation", &experiment.model.normalisation())
        .settings("data.image_size", &experiment.data.image_size);
    let declaration = inputs.weights(declaration, name);
    match experiment.classifiers.get(name) {
        Some(classifier) if classifier.weights.is_none() => inputs
            .training(declaration)
            .settings("seed", &experiment.seed)
            .settings("training", &experiment.training.deciding())
            .settings(&format!("classifiers.{name}"), &classifier.deciding()),
        _ => declaration,
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

/// Makes a checkpoint of a classifier that was trained elsewhere.
fn adopt(context: &Context, data: &DataSet, name: &str, file: &WeightsFile) -> Result<Vec<String>> {
    let settings = &context.experiment.model;
    let architecture = settings
        .architecture()
        .map_err(|problem| Error::Request(problem.to_string()))?;
    let normalisation = settings.normalisation();
    let network = file.classifier(&architecture, data.attributes(), normalisation, &context.device)?;
    unfinished::save_trained(context, data, name, &network)?;
    Ok(vec![artefacts::checkpoint(name)])
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
