//! What every stage of a run works with.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use candle_core::Device;

use crate::cli::Run;
use crate::error::{Error, Result, describe};
use crate::experiment::{Experiment, Loaded, to_yaml};
use crate::interrupt::Interrupt;
use crate::manifest::{Key, Manifest, Stage, hash_of_file};
use crate::progress::Progress;
use crate::results::{ResultsFolder, unfinished_path};

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
                results.remove(&unfinished_path(classifier))?;
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
        self.results.write(
            "experiment.yaml",
            to_yaml(&self.experiment, self.results.path())?.as_bytes(),
        )?;
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
                        if running > 0 && !matches!(error, Error::Interrupted { .. }) {
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

/// A device, and why it is not a GPU where one might have been expected.
#[derive(Debug)]
pub struct Chosen {
    /// What computes.
    pub device: Device,
    /// Why `auto` did not take a GPU.
    pub why_no_gpu: Option<String>,
}

/// Chooses the device: `auto` (the first GPU where there is one that works, else the CPU), `cpu`, `cuda` or `cuda:N`.
///
/// # Errors
/// When the name is unknown, or the device is not there or not built in.
pub fn choose_device(name: &str) -> Result<Chosen> {
    let taken = |device| Chosen {
        device,
        why_no_gpu: None,
    };
    let asked_for = |ordinal: usize| {
        let fault = |why: String| Error::Request(format!("--device {name}: {why}; `--device cpu` does without"));
        gpu(ordinal).map(taken).map_err(fault)
    };
    match name {
        "cpu" => Ok(taken(Device::Cpu)),
        "auto" => Ok(gpu(0).map_or_else(
            |why| Chosen {
                device: Device::Cpu,
                why_no_gpu: Some(why),
            },
            taken,
        )),
        "cuda" => asked_for(0),
        _ => match name.strip_prefix("cuda:").map(str::parse) {
            Some(Ok(ordinal)) => asked_for(ordinal),
            _ => Err(Error::Request(format!(
                "--device {name}: expected auto, cpu, cuda or cuda:N"
            ))),
        },
    }
}

/// The GPU of this number, or why it cannot be used.
fn gpu(ordinal: usize) -> std::result::Result<Device, String> {
    if !candle_core::utils::cuda_is_available() {
        return Err("this program was built without CUDA, which `just cuda` builds in".to_owned());
    }
    model::gpu(ordinal).map_err(|error| format!("GPU {ordinal} cannot be used ({error})"))
}

/// The device as `--device` takes it.
pub fn device_argument(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => "cpu".to_owned(),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

/// The device in words.
pub fn device_name(device: &Device) -> String {
    if device.is_cpu() {
        return format!("cpu, {} threads", rayon::current_num_threads());
    }
    device_argument(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_of_a_device_is_explained() {
        assert!(choose_device("cpu").unwrap().why_no_gpu.is_none());
        let auto = choose_device("auto").unwrap();
        assert_eq!(auto.device.is_cpu(), auto.why_no_gpu.is_some());
        for unknown in ["gpu", "cuda:x", "cuda:-1", ""] {
            let message = choose_device(unknown).unwrap_err().to_string();
            assert!(message.ends_with("expected auto, cpu, cuda or cuda:N"), "{message}");
        }
        if !candle_core::utils::cuda_is_available() {
            let message = choose_device("cuda:1").unwrap_err().to_string();
            assert_eq!(
                message,
                "--device cuda:1: this program was built without CUDA, which `just cuda` builds in; `--device cpu` does without"
            );
        }
    }
}
