//! What the experiment's settings become in the crates that train.

use dataset::LoaderConfig;
use model::{LearningRate, OptimiserConfig, TrainerConfig};

use super::class_weights::class_weights;
use super::step::Train;
use crate::error::Result;

/// How a classifier is trained, in so many steps.
///
/// # Errors
/// As [`class_weights`], and when a setting is out of range.
pub fn trainer(step: &Train<'_>, total_steps: u64) -> Result<TrainerConfig> {
    let settings = &*step.training;
    let (counts, names) = (step.images.class_counts(), step.blueprint.attributes.names());
    Ok(TrainerConfig {
        loss: settings.loss,
        weights: class_weights(step.name, step.classifier.weighting(), &counts, names)?,
        optimiser: OptimiserConfig::of(settings.optimiser, settings.momentum).with_weight_decay(settings.weight_decay),
        learning_rate: LearningRate::new(settings.learning_rate, settings.schedule)?,
        total_steps,
        precision: settings.precision,
        convolution: settings.convolution,
        deterministic: settings.deterministic,
    })
}

/// How the training images become batches, on so many threads.
pub fn loader(step: &Train<'_>, threads: usize) -> LoaderConfig {
    let settings = &*step.training;
    LoaderConfig {
        seed: *step.seed,
        augmentation: settings.augmentation,
        cache_bytes: step.conduct.cache_bytes,
        drop_last: true,
        shuffle: true,
        ..LoaderConfig::in_order(step.images.size(), settings.batch_size, threads)
    }
}
