//! The training stage: one classifier, from random weights to a checkpoint.
//!
//! A training that is interrupted leaves `NAME/unfinished.safetensors`: the checkpoint with the optimiser's state, the place in the
//! epoch, and the history so far. The same command goes on from there.

use std::time::{Duration, Instant};

use dataset::{Augmentation, Loader, LoaderConfig};
use metrics::{Class, error_rates_by_attribute};
use model::{
    Checkpoint, ClassWeights, LearningRate, Network, OptimiserConfig, Rule, Scheme, StepLoss, Trainer, TrainerConfig,
};
use serde::{Deserialize, Serialize};

use super::feed::Feed;
use super::history::{self, Epoch};
use super::training_log::{Event, LINES_AN_EPOCH, Line, TrainingLog, now};
use super::{DataSet, bad_images, evaluate};
use crate::context::{Context, SideBySide};
use crate::error::{Error, Result};
use crate::experiment::{Classifier, Optimiser, Schedule, Training, WeightScheme};
use crate::manifest::Key;
use crate::results::unfinished_path;
use crate::weights::{WeightsFile, find_pretrained};

/// What an unfinished training remembers beside the network and the optimiser.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Memory {
    /// Hash of everything the training depends on: a memory of another training is not gone on with.
    key: String,
    /// Finished epochs.
    history: Vec<Epoch>,
    /// Finished steps of the epoch in hand, and the sum of their losses.
    steps: usize,
    loss_sum: f64,
    /// `steps` and `loss_sum` at the log's last line in this epoch.
    #[serde(default)]
    logged: (usize, f64),
    /// Of the last step.
    learning_rate: f64,
}

const MEMORY: &str = "training";

/// On a GPU, which is waited for when a loss is read.
const LOSSES_READ_TOGETHER: usize = 20;

impl Memory {
    /// Adds up the losses of steps already counted.
    fn read(&mut self, losses: &mut Vec<StepLoss>) -> Result<()> {
        for loss in losses.drain(..) {
            self.loss_sum += f64::from(loss.value()?);
        }
        Ok(())
    }

    /// Mean loss of the epoch's steps since this was last asked for.
    fn mean_since_logged(&mut self) -> f64 {
        let (steps, sum) = std::mem::replace(&mut self.logged, (self.steps, self.loss_sum));
        (self.loss_sum - sum) / (self.steps - steps).max(1) as f64
    }
}

/// Runs the stage for all classifiers: on a CPU some at a time (`training.at_once`), which share decoded images and divide the threads.
/// Small networks have loops too short to divide well: two trainings on a thread each take four fifths of the time of one after the
/// other on two threads.
///
/// # Errors
/// Those of loading images, of an attribute with one class only, of a loss that is not finite, and of writing;
/// [`Error::Interrupted`] after the states have been saved.
pub fn run(context: &mut Context, data: &DataSet, names: &[String]) -> Result<()> {
    let mut waiting = Vec::new();
    for name in names {
        let Some(classifier) = context.experiment.classifiers.get(name).cloned() else {
            return Err(Error::Request(format!("the experiment has no classifier `{name}`")));
        };
        if let Some(path) = &classifier.weights {
            let file = WeightsFile::read(path)?;
            let key = Key::default()
                .settings(&context.experiment.model.deciding())
                .settings(&data.attributes())
                .text(&file.hash());
            context.stage(&stage(name), key, |context| adopt(context, data, name, &file))?;
            continue;
        }
        let job = Job::new(context, data, name, classifier)?;
        if !context.is_unchanged(&stage(name), &job.key) {
            waiting.push(job);
        }
    }
    let threads = rayon::current_num_threads();
    let at_once = at_once(context)?.min(threads);
    while !waiting.is_empty() {
        let together: Vec<Job> = waiting.drain(..at_once.min(waiting.len())).collect();
        let (share, rest) = (threads / together.len(), threads % together.len());
        let loader = &loader(context, data, share)?;
        let stages = together.into_iter().enumerate().map(|(position, job)| SideBySide {
            stage: stage(&job.name),
            key: job.key.clone(),
            threads: share + usize::from(position < rest),
            work: Box::new(move |context| train(context, data, &job, loader)),
        });
        context.stages_side_by_side(stages.collect())?;
    }
    Ok(())
}

/// Whether a classifier has been trained, as the experiment says and of this data. For before a run, when the manifest still has the data
/// of the one before.
pub fn is_done(context: &Context, data: &DataSet, name: &str) -> Result<bool> {
    let Some(classifier) = context.experiment.classifiers.get(name).cloned() else {
        return Ok(false);
    };
    let job = Job::new(context, data, name, classifier)?;
    Ok(context.manifest.data == data.source.fingerprint() && context.is_current(&stage(name), &job.key))
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
    let architecture = experiment.model.architecture().map_err(Error::Request)?;
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

fn stage(classifier: &str) -> String {
    format!("train/{classifier}")
}

/// A classifier that is to be trained.
struct Job {
    name: String,
    classifier: Classifier,
    /// The weights it starts from.
    pretrained: Option<WeightsFile>,
    key: Key,
}

impl Job {
    fn new(context: &Context, data: &DataSet, name: &str, classifier: Classifier) -> Result<Self> {
        let pretrained = match &context.experiment.model.pretrained {
            Some(choice) => Some(WeightsFile::read(&find_pretrained(choice, &context.data_root)?)?),
            None => None,
        };
        let key = Key::default()
            .settings(&context.experiment.seed)
            .settings(&context.experiment.data.deciding())
            .settings(&context.experiment.model.deciding())
            .settings(&context.experiment.training.deciding())
            .settings(&classifier)
            .settings(&bad_images::names(data))
            .text(&pretrained.as_ref().map_or_else(String::new, WeightsFile::hash))
            .text(&context.manifest.data);
        Ok(Self {
            name: name.to_owned(),
            classifier,
            pretrained,
            key,
        })
    }
}

/// Makes a checkpoint of a classifier that was trained elsewhere.
fn adopt(context: &Context, data: &DataSet, name: &str, file: &WeightsFile) -> Result<Vec<String>> {
    let settings = &context.experiment.model;
    let architecture = settings.architecture().map_err(Error::Request)?;
    let normalisation = settings.normalisation();
    let network = file.classifier(&architecture, data.attributes(), normalisation, &context.device)?;
    save(context, data, name, &network, None)?;
    Ok(vec![evaluate::checkpoint_path(name)])
}

fn train(context: &Context, data: &DataSet, job: &Job, loader: &Loader) -> Result<Vec<String>> {
    let (name, classifier) = (job.name.as_str(), &job.classifier);
    let key = job.key.clone().text("unfinished").finish();
    let settings = &context.experiment.training;
    let steps_an_epoch = loader.batches_per_epoch();
    let total = (steps_an_epoch * settings.epochs) as u64;
    let config = TrainerConfig {
        loss: settings.loss,
        weights: class_weights(data, name, classifier)?,
        optimiser: optimiser(settings),
        learning_rate: learning_rate(settings)?,
        total_steps: total,
        precision: settings.precision,
    };

    let (mut trainer, mut memory) = match unfinished(context, name, &key)? {
        Some((checkpoint, memory)) => {
            let (epochs, steps) = (memory.history.len(), memory.steps);
            context.progress.say(&format!(
                "{:24} going on after epoch {epochs} and {steps} steps",
                format!("train/{name}")
            ));
            (Trainer::resume(&checkpoint, config, &context.device)?, memory)
        }
        None => {
            let architecture = context.experiment.model.architecture().map_err(Error::Request)?;
            let seed = context.experiment.seed;
            let outputs = data.attributes().len();
            let network = match &job.pretrained {
                Some(file) => file.backbone(&architecture, outputs, seed, &context.device)?,
                None => Network::new(&architecture, outputs, seed, &context.device)?,
            };
            let memory = Memory {
                key,
                ..Memory::default()
            };
            (
                Trainer::new(
                    network.with_normalisation(context.experiment.model.normalisation()),
                    config,
                )?,
                memory,
            )
        }
    };

    let first_step = trainer.steps();
    let folder = context.results.join(name);
    let log = TrainingLog::open(&folder, memory.history.len(), first_step, settings.tensorboard)?;
    let mut work = context.progress.work(&format!("train/{name}"), total);
    let mut feed = Feed::new(context, loader)?;
    let mut saved = Instant::now();
    // Validation left out.
    let mut training_time = Duration::ZERO;
    let images_a_second = |steps: u64, time: Duration| {
        (steps - first_step) as f64 * settings.batch_size as f64 / time.as_secs_f64().max(1e-9)
    };
    while memory.history.len() < settings.epochs {
        let epoch = memory.history.len();
        let epoch_started = Instant::now();
        let mut unread = Vec::new();
        for batch in feed.epoch(epoch as u64, memory.steps) {
            if context.interrupt.is_asked() || saved.elapsed() >= Duration::from_secs(settings.checkpoint_seconds) {
                memory.read(&mut unread)?;
                save(context, data, name, trainer.network(), Some((&trainer, &memory)))?;
                saved = Instant::now();
                context.interrupt.check()?;
            }
            let (images, labels) = batch?;
            let learning_rate = trainer.learning_rate();
            unread.push(trainer.step(&images, &labels)?);
            memory.learning_rate = learning_rate;
            memory.steps += 1;
            if context.device.is_cpu() || unread.len() == LOSSES_READ_TOGETHER {
                memory.read(&mut unread)?;
            }
            let done = trainer.steps();
            let rate = images_a_second(done, training_time + epoch_started.elapsed());
            if memory.steps.is_multiple_of(steps_an_epoch.div_ceil(LINES_AN_EPOCH)) {
                memory.read(&mut unread)?;
                log.add(&Line {
                    event: Event::Step,
                    epoch: epoch + 1,
                    step: done,
                    loss: memory.mean_since_logged(),
                    learning_rate,
                    validation_minority_error: None,
                    validation_majority_error: None,
                    images_per_second: rate,
                    time: now(),
                })?;
            }
            let mean_loss = memory.loss_sum / (memory.steps - unread.len()).max(1) as f64;
            work.at(
                done,
                &history::status(&memory.history, settings.epochs, mean_loss, rate),
            );
        }
        training_time += epoch_started.elapsed();
        memory.read(&mut unread)?;
        let errors = match validation_errors(context, data, trainer.network()) {
            Err(stopped @ Error::Interrupted { .. }) => {
                save(context, data, name, trainer.network(), Some((&trainer, &memory)))?;
                return Err(stopped);
            }
            errors => errors?,
        };
        memory.history.push(Epoch {
            epoch: epoch + 1,
            learning_rate: memory.learning_rate,
            loss: memory.loss_sum / steps_an_epoch as f64,
            minority_error: errors.map(|errors| errors[0]),
            majority_error: errors.map(|errors| errors[1]),
        });
        memory.steps = 0;
        memory.loss_sum = 0.0;
        memory.logged = (0, 0.0);
        if let Some(last) = memory.history.last() {
            log.add(&Line {
                event: Event::Epoch,
                epoch: last.epoch,
                step: trainer.steps(),
                loss: last.loss,
                learning_rate: last.learning_rate,
                validation_minority_error: last.minority_error,
                validation_majority_error: last.majority_error,
                images_per_second: images_a_second(trainer.steps(), training_time),
                time: now(),
            })?;
        }
    }
    let rate = images_a_second(trainer.steps(), training_time);
    let last = memory.history.last().map_or(f64::NAN, |epoch| epoch.loss);
    work.done(&format!(
        "{} epochs, loss {last:.4}, {rate:.0} images/s",
        settings.epochs
    ));

    save(context, data, name, trainer.network(), None)?;
    let history = history::path(name);
    let bytes = history::table(&memory.history)
        .to_parquet()
        .map_err(|source| Error::Table {
            path: context.results.join(&history),
            source,
        })?;
    context.results.write(&history, &bytes)?;
    context.results.remove(&unfinished_path(name))?;
    Ok(vec![evaluate::checkpoint_path(name), history])
}

/// The batches of the training images, on so many threads.
fn loader(context: &Context, data: &DataSet, threads: usize) -> Result<Loader> {
    let settings = &context.experiment.training;
    let augment = &settings.augmentation;
    let config = LoaderConfig {
        seed: context.experiment.seed,
        augmentation: Augmentation {
            scale: augment.scale,
            rotation: augment.rotation,
            shift: augment.shift,
            blur: augment.blur,
            mirror: augment.mirror,
            brightness: augment.brightness,
            contrast: augment.contrast,
        },
        cache_bytes: context.experiment.data.cache_megabytes << 20,
        drop_last: true,
        shuffle: true,
        ..LoaderConfig::in_order(context.experiment.data.image_size, settings.batch_size, threads)
    };
    data.loader(&data.training, config)
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

fn learning_rate(settings: &Training) -> Result<LearningRate> {
    let schedule = match settings.schedule {
        Schedule::Constant => model::Schedule::Constant,
        Schedule::Step => model::Schedule::STEP,
        Schedule::Cosine => model::Schedule::Cosine,
        Schedule::OneCycle => model::Schedule::ONE_CYCLE,
    };
    Ok(LearningRate::new(settings.learning_rate, schedule)?)
}

/// Mean over attributes of the minority class's and the majority class's error on the frontal validation images.
fn validation_errors(context: &Context, data: &DataSet, network: &Network) -> Result<Option<[f64; 2]>> {
    if data.validation.is_empty() {
        return Ok(None);
    }
    let mut scores = Vec::new();
    let mut labels = Vec::new();
    evaluate::for_each_batch(
        context,
        data,
        network,
        &data.validation,
        "validation",
        |batch, output| {
            scores.extend(output.logits.flatten_all()?.to_vec1::<f32>()?);
            labels.extend_from_slice(&batch.labels);
            Ok(())
        },
    )?;
    let rates = error_rates_by_attribute(&scores, &labels, data.attributes().len())?;
    let minority = |(positives, negatives): (usize, usize)| Class::minority(positives, negatives);
    let counts = data.class_counts();
    let mean = |class: fn(Class) -> Class| {
        let all: Vec<f64> = rates
            .iter()
            .zip(&counts)
            .filter_map(|(rates, &counts)| rates.rate(class(minority(counts))))
            .collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    };
    Ok(mean(|class| class)
        .zip(mean(Class::opposite))
        .map(|(minority, majority)| [minority, majority]))
}

/// Saves a network: with the trainer and its memory to go on from, without as the finished classifier.
fn save(
    context: &Context,
    data: &DataSet,
    name: &str,
    network: &Network,
    training: Option<(&Trainer, &Memory)>,
) -> Result<()> {
    let mut checkpoint = match training {
        Some((trainer, memory)) => {
            trainer.checkpoint(data.attributes(), memory.history.len() as u64, memory.steps as u64)?
        }
        None => Checkpoint::of(network, data.attributes())?,
    };
    let size = context.experiment.data.image_size;
    checkpoint.metadata.insert("image_size".to_owned(), size.to_string());
    let path = match training {
        None => evaluate::checkpoint_path(name),
        Some((_, memory)) => {
            let memory = serde_json::to_string(memory)
                .map_err(|error| Error::Request(format!("the training's state cannot be written: {error}")))?;
            checkpoint.metadata.insert(MEMORY.to_owned(), memory);
            unfinished_path(name)
        }
    };
    context.results.write(&path, &checkpoint.to_bytes()?)
}

/// The state of an unfinished training with this key.
fn unfinished(context: &Context, name: &str, key: &str) -> Result<Option<(Checkpoint, Memory)>> {
    let path = context.results.join(&unfinished_path(name));
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(&path, "reading")(error)),
    };
    let fault = |error: String| {
        Error::Request(format!(
            "{}: {error}; delete the file to train {name} from the start",
            path.display()
        ))
    };
    let checkpoint = Checkpoint::from_bytes(&bytes).map_err(|error| fault(error.to_string()))?;
    let memory = checkpoint
        .metadata
        .get(MEMORY)
        .ok_or_else(|| fault("not an unfinished training".to_owned()))?;
    let memory: Memory = serde_json::from_str(memory).map_err(|error| fault(error.to_string()))?;
    Ok((memory.key == key).then_some((checkpoint, memory)))
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
