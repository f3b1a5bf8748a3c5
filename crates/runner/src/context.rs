//! What every stage of a run works with.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use candle_core::Device;

use crate::artefacts;
use crate::device::device_name;
use crate::error::{Error, Result, describe};
use crate::experiment::{Experiment, Loaded, to_yaml};
use crate::interrupt::Interrupt;
use crate::manifest::{Key, Manifest, Stage, hash_of_file};
use crate::progress::Progress;
use crate::request::Run;
use crate::results::ResultsFolder;

/// Bumped when a stage's code changes what it would write from the same inputs, so that old results are made anew.
const RESULTS_VERSION: u32 = 5;

/// A run: an experiment, its results folder, and the means to work on them.
#[derive(Debug)]
pub struct Context {
    /// The experiment's name.
    pub name: String,
    /// What is to be done.
    pub experiment: Experiment,
    /// Where data sets are.
    pub data_root: PathBuf,
    /// The folder the run writes.
    pub results: ResultsFolder,
    /// The record of that folder.
    pub manifest: Manifest,
    /// What computes.
    pub device: Device,
    /// Where progress is shown.
    pub progress: Progress,
    /// Whether the run should stop.
    pub interrupt: Interrupt,
}

impl Context {
    /// Takes the results folder. With `fresh`, forgets what earlier runs did.
    ///
    /// # Errors
    /// When the folder is held, cannot be written, or has a damaged manifest.
    pub fn open(
        loaded: Loaded,
        results_root: &Path,
        data_root: &Path,
        device: Device,
        fresh: bool,
        interrupt: Interrupt,
    ) -> Result<Self> {
        let results = ResultsFolder::open(&results_root.join(&loaded.name))?;
        let manifest = if fresh {
            Manifest::default()
        } else {
            Manifest::read(results.path())?
        };
        if fresh {
            for classifier in loaded.experiment.classifiers.keys() {
                results.remove(&artefacts::unfinished(classifier))?;
            }
        }
        Ok(Self {
            name: loaded.name,
            experiment: loaded.experiment,
            data_root: data_root.to_owned(),
            results,
            manifest,
            device,
            progress: Progress::new(),
            interrupt,
        })
    }

    /// Writes the resolved experiment and the manifest's head to the results folder: from here on it is this run's. Comes
    /// after everything that can be wrong with the request, so that a refused run leaves an earlier one's folder as it was.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn begin(&mut self, data: String, request: &Run) -> Result<()> {
        self.manifest.version = env!("CARGO_PKG_VERSION").to_owned();
        self.manifest.revision = option_env!("BIASCAM_REVISION").map(str::to_owned);
        self.manifest.command = request.command(&self.device);
        self.manifest.seed = self.experiment.seed;
        self.manifest.device = device_name(&self.device);
        self.manifest.data = data;
        self.results
            .write(artefacts::EXPERIMENT, to_yaml(&self.experiment)?.as_bytes())?;
        self.manifest.write(&self.results)
    }

    /// Runs a stage unless its files are already there and its inputs, whose key is given, are unchanged.
    ///
    /// `work` writes the stage's files and returns their paths in the results folder.
    ///
    /// # Errors
    /// Those of `work`, and of writing the manifest.
    pub fn stage(&mut self, stage: &str, key: Key, work: impl FnOnce(&Self) -> Result<Vec<String>>) -> Result<()> {
        if self.is_unchanged(stage, &key) {
            return Ok(());
        }
        self.interrupt.check()?;
        let started = Instant::now();
        let written = work(self)?;
        let record = record(&self.results, stage, key, started.elapsed(), written)?;
        self.manifest.stages.insert(stage.to_owned(), record);
        self.manifest.write(&self.results)
    }

    /// Whether a stage's files are already there and its inputs unchanged.
    pub fn is_current(&self, stage: &str, key: &Key) -> bool {
        let key = stage_key(stage, key.clone());
        self.manifest.is_current(&self.results, stage, &key)
    }

    /// The same, and says so.
    pub fn is_unchanged(&self, stage: &str, key: &Key) -> bool {
        let unchanged = self.is_current(stage, key);
        if unchanged {
            self.progress.say(&format!("{stage:24} unchanged"));
        }
        unchanged
    }

    /// Runs stages beside each other, whether or not they have run before. Each is recorded when it is finished; one that fails does
    /// not stop the others.
    ///
    /// # Errors
    /// The first of the stages' own, once all have ended; and those of writing the manifest.
    pub fn stages_side_by_side(&mut self, stages: Vec<SideBySide<'_>>) -> Result<()> {
        self.interrupt.check()?;
        let context = &*self;
        let mut manifest = context.manifest.clone();
        let mut first_error = None;
        let mut running = stages.len();
        let (sender, finished) = mpsc::channel();
        thread::scope(|scope| -> Result<()> {
            for one in stages {
                let SideBySide {
                    stage,
                    key,
                    threads,
                    work,
                } = one;
                let sender = sender.clone();
                scope.spawn(move || {
                    let started = Instant::now();
                    let written = on_threads(threads, || work(context)).flatten();
                    let record =
                        written.and_then(|written| record(&context.results, &stage, key, started.elapsed(), written));
                    // The other end waits for every stage.
                    let _ = sender.send((stage, record));
                });
            }
            drop(sender);
            for (stage, record) in finished {
                running -= 1;
                match record {
                    Ok(record) => {
                        manifest.stages.insert(stage, record);
                        manifest.write(&context.results)?;
                    }
                    Err(error) => {
                        // The others may take hours; the run ends with the first error.
                        if running > 0 && !matches!(error, Error::Interrupted(_)) {
                            let why = describe(&error);
                            context
                                .progress
                                .say(&format!("{stage:24} failed, the others go on: {why}"));
                        }
                        first_error.get_or_insert(error);
                    }
                }
            }
            Ok(())
        })?;
        self.manifest = manifest;
        first_error.map_or(Ok(()), Err)
    }
}

/// A stage that can run beside others ([`Context::stages_side_by_side`]).
pub struct SideBySide<'a> {
    /// Its name.
    pub stage: String,
    /// That of its inputs.
    pub key: Key,
    /// Threads of its own for its parallel loops.
    pub threads: usize,
    /// What it does.
    pub work: Work<'a>,
}

/// Writes a stage's files and returns their paths in the results folder.
pub type Work<'a> = Box<dyn FnOnce(&Context) -> Result<Vec<String>> + Send + 'a>;

/// Runs `work` where parallel loops have so many threads of their own.
fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::Request(format!("no thread can be started: {error}")))?;
    Ok(pool.install(work))
}

/// The record of a stage that wrote these files, as they are on disk.
fn record(results: &ResultsFolder, stage: &str, key: Key, time: Duration, written: Vec<String>) -> Result<Stage> {
    let hashed = written.into_iter().map(|relative| {
        let path = results.join(&relative);
        let hash = hash_of_file(&path).map_err(Error::io(&path, "reading back"))?;
        Ok((relative, hash))
    });
    Ok(Stage {
        key: stage_key(stage, key),
        seconds: time.as_secs_f64(),
        artefacts: hashed.collect::<Result<_>>()?,
    })
}

/// The key under which a stage is recorded, from that of its inputs.
pub fn stage_key(stage: &str, inputs: Key) -> String {
    inputs.settings(&RESULTS_VERSION).text(stage).finish()
}
