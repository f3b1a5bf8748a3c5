//! What the experiment's settings become in the crates that train.

use dataset::LoaderConfig;
use kernels::optimiser::Rule;
use model::{ClassWeights, LearningRate, OptimiserConfig, Scheme, TrainerConfig};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::experiment::{Classifier, Experiment, Optimiser, Training, WeightScheme};
use crate::stages::DataSet;

/// How a classifier is trained, in so many steps.
///
/// # Errors
/// As [`class_weights`], and when a setting is out of range.
pub fn trainer(
    context: &Context,
    data: &DataSet,
    name: &str,
    classifier: &Classifier,
    total_steps: u64,
) -> Result<TrainerConfig> {
    let settings = &context.experiment.training;
    Ok(TrainerConfig {
        loss: settings.loss,
        weights: class_weights(data, name, classifier)?,
        optimiser: optimiser(settings),
        learning_rate: LearningRate::new(settings.learning_rate, settings.schedule)?,
        total_steps,
        precision: settings.precision,
        deterministic: settings.deterministic,
    })
}

/// How the training images become batches, on so many threads.
pub fn loader(experiment: &Experiment, threads: usize) -> LoaderConfig {
    let settings = &experiment.training;
    LoaderConfig {
        seed: experiment.seed,
        augmentation: settings.augmentation,
        cache_bytes: experiment.data.cache_megabytes << 20,
        drop_last: true,
        shuffle: true,
        ..LoaderConfig::in_order(experiment.data.image_size, settings.batch_size, threads)
    }
}

/// The class weights of a classifier.
///
/// # Errors
/// When an attribute has only one class among the training images; the message names it.
pub fn class_weights(data: &DataSet, name: &str, classifier: &Classifier) -> Result<ClassWeights> {
    let scheme = match classifier.class_weights.unwrap_or(WeightScheme::None) {
        WeightScheme::None => Scheme::None,
        WeightScheme::DomainAdaptive => Scheme::DomainAdaptive,
        WeightScheme::InverseFrequency => Scheme::InverseFrequency,
        WeightScheme::EffectiveNumber => Scheme::EffectiveNumber { beta: classifier.beta },
    };
    ClassWeights::new(scheme, classifier.exponent, &data.class_counts()).map_err(|error| match error {
        model::Error::OneClass {
            attribute,
            positives,
            negatives,
        } => Error::Request(format!(
            "classifiers.{name}: {} has {positives} positives and {negatives} negatives among the training images; both classes \
             are needed: train on more images, or leave the attribute out of the label file",
            data.attributes()[attribute]
        )),
        other => other.into(),
    })
}

fn optimiser(settings: &Training) -> OptimiserConfig {
    let momentum = settings.momentum;
    let config = match settings.optimiser {
        Optimiser::Sgd => OptimiserConfig::sgd(momentum),
        Optimiser::RmsProp => OptimiserConfig {
            rule: Rule::RmsProp {
                alpha: 0.99,
                epsilon: 1e-8,
                momentum,
            },
            ..OptimiserConfig::rms_prop()
        },
        Optimiser::AdamW => OptimiserConfig::adam_w(),
    };
    config.with_weight_decay(settings.weight_decay)
}
