//! A training, from its start or from where it was stopped to its end.

use std::time::{Duration, Instant};

use candle_core::Device;
use dataset::Loader;
use metrics::{Class, error_rates_by_attribute};
use model::{Mode, StepLoss, Trainer};

use super::diverged::Place;
use super::feed::Feed;
use super::history::{self, Epoch};
use super::log::{Event, LINES_AN_EPOCH, Line, TrainingLog, now};
use super::recipe;
use super::step::Train;
use super::unfinished::{self, Memory};
use crate::artefacts;
use crate::error::{Error, Result, describe};
use crate::steps::pass::{self, Pass};
use crate::steps::step::write_table;
use crate::weights::FromFile;
use pipeline::{Held, Sandbox, StepError, Work};
use render::text::counted;

/// On a GPU, which is waited for when a loss is read.
const LOSSES_READ_TOGETHER: usize = 20;

/// A training under way.
pub struct Course<'a> {
    step: &'a Train<'a>,
    folder: &'a Sandbox<'a>,
    device: &'a Device,
    loader: &'a Loader,
    trainer: Trainer,
    memory: Memory,
    /// Losses that are still on the device.
    unread: Vec<StepLoss>,
    /// Absent since it could not be written: it is told of once, and ends no training.
    log: Option<TrainingLog>,
    pace: Pace,
    saved: Instant,
    /// Whether it was told that the state cannot be saved: once is enough.
    told: bool,
    /// Until the state is saved that a stop would lose.
    held: Option<Held>,
}

impl<'a> Course<'a> {
    /// Starts a training, or takes up the one that was stopped.
    ///
    /// # Errors
    /// When a setting is out of range, an attribute has one class only, or files cannot be read or written.
    pub fn begin(step: &'a Train<'a>, loader: &'a Loader, folder: &'a Sandbox<'a>, device: &'a Device) -> Result<Self> {
        let settings = &step.training;
        let total = (loader.batches_per_epoch() * settings.epochs) as u64;
        let config = recipe::trainer(step, total)?;
        let (trainer, memory) = match unfinished::read(folder, step.name)? {
            Some((checkpoint, memory)) => {
                let (epochs, steps) = (memory.history.len(), memory.steps);
                folder.progress().say(&format!(
                    "{:24} going on after epoch {epochs} and {}",
                    folder.step(),
                    counted(steps, "step")
                ));
                (Trainer::resume(&checkpoint, config, device)?, memory)
            }
            None => {
                let FromFile { network, said } = step.untrained(device)?;
                for line in said {
                    folder.progress().say(&format!("{:24} {line}", folder.step()));
                }
                (Trainer::new(network, config)?, Memory::new(folder.key()))
            }
        };
        let files = folder.scratch(step.name);
        let log = TrainingLog::open(&files, memory.history.len(), trainer.steps(), step.conduct.tensorboard);
        let log = log.map_err(|error| without_log(folder, &error)).ok();
        Ok(Self {
            pace: Pace::new(trainer.steps(), settings.batch_size),
            step,
            folder,
            device,
            loader,
            trainer,
            memory,
            unread: Vec::new(),
            log,
            saved: Instant::now(),
            told: false,
            held: Some(folder.interrupt().hold()),
        })
    }

    /// Goes to the end.
    ///
    /// # Errors
    /// Those of loading, of a loss that is not finite, and of writing; [`Interrupted`](pipeline::Interrupted) after the state has been saved.
    pub fn run(mut self) -> Result<()> {
        self.go().map_err(|error| self.place().explained(error))
    }

    /// Where it is, for what is said of it if it diverges.
    fn place(&self) -> Place<'a> {
        Place {
            name: self.step.name,
            epoch: (self.memory.history.len() + 1).min(self.step.training.epochs),
            learning_rate: self.step.training.learning_rate,
        }
    }

    fn go(&mut self) -> Result<()> {
        let (step, folder) = (self.step, self.folder);
        let epochs = step.training.epochs;
        let steps = (self.loader.batches_per_epoch() * epochs) as u64;
        let mut work = folder.progress().work(folder.step(), steps);
        let mut feed = Feed::new(folder, self.device, step.images.on_bad_image(), self.loader)?;
        while self.memory.history.len() < epochs {
            self.epoch(&mut feed, &mut work)?;
        }
        // The scores of the validation images are looked at in each epoch; without any, those of some training images.
        self.place().check_weights(self.trainer.network())?;
        if step.images.validation().is_empty() {
            let some = step
                .images
                .training()
                .iter()
                .take(pass::BATCH)
                .copied()
                .collect::<Vec<_>>();
            if let Err(error) = self.scores(&some, "training") {
                if error.is_interruption() {
                    self.save()?;
                }
                return Err(error);
            }
        }
        // Nothing is learnt any more, and nothing that goes wrong with the files below is to cost the training.
        self.save_if_possible();
        let rate = self.pace.images_a_second(self.trainer.steps());
        let last = self.memory.history.last().map_or(f64::NAN, |epoch| epoch.loss);
        work.done(&format!(
            "{}, loss {last:.4}, {rate:.0} images/s",
            counted(epochs, "epoch")
        ));

        let preparation = step.images.preparation()?;
        unfinished::save_trained(folder, &step.blueprint, &preparation, step.name, self.trainer.network())?;
        let table = history::table(&self.memory.history);
        write_table(folder, &artefacts::history(step.name), table)
    }

    /// What is left of an epoch, and its validation.
    fn epoch(&mut self, feed: &mut Feed<'_>, work: &mut Work) -> Result<()> {
        let save_after = self.step.conduct.save_after;
        let steps = self.loader.batches_per_epoch();
        self.pace.begin_epoch();
        for batch in feed.epoch(self.memory.history.len() as u64, self.memory.steps) {
            if self.folder.interrupt().is_asked() {
                self.memory.read(&mut self.unread)?;
                self.save()?;
                self.folder.interrupt().check()?;
            } else if self.saved.elapsed() >= save_after {
                self.memory.read(&mut self.unread)?;
                self.save_if_possible();
            }
            let (images, labels) = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    // What cannot be read now may be read when the training goes on.
                    self.memory.read(&mut self.unread)?;
                    self.save_if_possible();
                    return Err(error);
                }
            };
            self.memory.learning_rate = self.trainer.learning_rate();
            self.unread.push(self.trainer.step(&images, &labels)?);
            self.memory.steps += 1;
            if self.device.is_cpu() || self.unread.len() == LOSSES_READ_TOGETHER {
                self.memory.read(&mut self.unread)?;
            }
            self.tell(steps, work)?;
        }
        self.pace.end_epoch();
        self.memory.read(&mut self.unread)?;
        let errors = match self.validation_errors() {
            Err(stopped) if stopped.is_interruption() => {
                self.save()?;
                return Err(stopped);
            }
            errors => errors?,
        };
        let epoch = Epoch {
            epoch: self.memory.history.len() + 1,
            learning_rate: self.memory.learning_rate,
            loss: self.memory.loss_sum / steps as f64,
            minority_error: errors.map(|errors| errors[0]),
            majority_error: errors.map(|errors| errors[1]),
        };
        self.memory.end_epoch(epoch);
        self.note(&Line {
            event: Event::Epoch,
            epoch: epoch.epoch,
            step: self.trainer.steps(),
            loss: epoch.loss,
            learning_rate: epoch.learning_rate,
            validation_minority_error: epoch.minority_error,
            validation_majority_error: epoch.majority_error,
            images_per_second: self.pace.images_a_second(self.trainer.steps()),
            time: now(),
        });
        Ok(())
    }

    /// Shows how far it is, and now and then adds a line to the log.
    fn tell(&mut self, steps_an_epoch: usize, work: &mut Work) -> Result<()> {
        let done = self.trainer.steps();
        let rate = self.pace.images_a_second(done);
        if self
            .memory
            .steps
            .is_multiple_of(steps_an_epoch.div_ceil(LINES_AN_EPOCH))
        {
            self.memory.read(&mut self.unread)?;
            let loss = self.memory.mean_since_logged();
            self.note(&Line {
                event: Event::Step,
                epoch: self.memory.history.len() + 1,
                step: done,
                loss,
                learning_rate: self.memory.learning_rate,
                validation_minority_error: None,
                validation_majority_error: None,
                images_per_second: rate,
                time: now(),
            });
        }
        let read = (self.memory.steps - self.unread.len()).max(1);
        let mean_loss = self.memory.loss_sum / read as f64;
        let epochs = self.step.training.epochs;
        work.at(done, &history::status(&self.memory.history, epochs, mean_loss, rate));
        Ok(())
    }

    /// Adds a line to the log, while that can be written.
    fn note(&mut self, line: &Line) {
        let added = self.log.as_ref().map_or(Ok(()), |log| log.add(line));
        if let Err(error) = added {
            without_log(self.folder, &error);
            self.log = None;
        }
    }

    /// Saves the state; a disk that is full now may have room when the training ends.
    fn save_if_possible(&mut self) {
        let Err(error) = self.save() else { return };
        self.saved = Instant::now();
        if !std::mem::replace(&mut self.told, true) {
            let (step, why) = (self.folder.step(), describe(&error));
            let line = format!("{step:24} goes on without having saved its state: {why}");
            self.folder.progress().say(&line);
        }
    }

    fn save(&mut self) -> Result<()> {
        let (step, folder) = (self.step, self.folder);
        let preparation = step.images.preparation()?;
        unfinished::save(
            folder,
            &step.blueprint,
            &preparation,
            step.name,
            &self.trainer,
            &self.memory,
        )?;
        self.saved = Instant::now();
        if folder.interrupt().is_asked() {
            self.held = None;
        }
        Ok(())
    }

    /// Scores and labels [N, A] of images, `of` one split.
    ///
    /// # Errors
    /// Those of loading, and of scores that are not finite.
    fn scores(&self, indices: &[usize], of: &str) -> Result<(Vec<f32>, Vec<f32>)> {
        let (mut scores, mut labels) = (Vec::new(), Vec::new());
        let pass = Pass {
            folder: self.folder,
            device: self.device,
            images: *self.step.images,
            title: of,
            together: pass::BATCH,
        };
        pass.over(indices, |batch, input| {
            let output = self.trainer.network().forward(input, Mode::Eval)?;
            scores.extend(output.logits.flatten_all()?.to_vec1::<f32>()?);
            labels.extend_from_slice(&batch.labels);
            Ok(())
        })?;
        self.place().check_scores(&scores, of)?;
        Ok((scores, labels))
    }

    /// Mean over attributes of the minority class's and the majority class's error on the validation images.
    fn validation_errors(&self) -> Result<Option<[f64; 2]>> {
        let images = self.step.images;
        if images.validation().is_empty() {
            return Ok(None);
        }
        let (scores, labels) = self.scores(images.validation(), "validation")?;
        let rates = error_rates_by_attribute(&scores, &labels, self.step.blueprint.attributes.count())?;
        let minority = |(positives, negatives): (usize, usize)| Class::minority(positives, negatives);
        let counts = images.class_counts();
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
}

/// Says that a training goes on without its log.
fn without_log(folder: &Sandbox<'_>, error: &Error) {
    let (step, why) = (folder.step(), describe(error));
    folder
        .progress()
        .say(&format!("{step:24} goes on without its log: {why}"));
}

/// How fast steps are taken, validation left out.
struct Pace {
    first_step: u64,
    batch_size: usize,
    /// Of the epochs that are over.
    time: Duration,
    epoch: Option<Instant>,
}

impl Pace {
    fn new(first_step: u64, batch_size: usize) -> Self {
        Self {
            first_step,
            batch_size,
            time: Duration::ZERO,
            epoch: None,
        }
    }

    fn begin_epoch(&mut self) {
        self.epoch = Some(Instant::now());
    }

    fn end_epoch(&mut self) {
        self.time += self.epoch.take().map_or(Duration::ZERO, |since| since.elapsed());
    }

    /// After so many steps of the whole training.
    fn images_a_second(&self, steps: u64) -> f64 {
        let time = self.time + self.epoch.map_or(Duration::ZERO, |since| since.elapsed());
        (steps - self.first_step) as f64 * self.batch_size as f64 / time.as_secs_f64().max(1e-9)
    }
}
