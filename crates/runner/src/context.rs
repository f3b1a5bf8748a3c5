//! What every stage of a run works with.

use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_core::Device;

use crate::error::{Error, Result};
use crate::experiment::{Experiment, Loaded, to_yaml};
use crate::interrupt::Interrupt;
use crate::manifest::{Manifest, Stage, hash_of};
use crate::progress::Progress;
use crate::results::{ResultsFolder, unfinished_path};

/// Bumped when a stage's code changes what it would write from the same inputs, so that old results are made anew.
const RESULTS_VERSION: u32 = 1;

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
    pub fn begin(&mut self, data: String) -> Result<()> {
        self.manifest.version = env!("CARGO_PKG_VERSION").to_owned();
        self.manifest.revision = option_env!("BIASCAM_REVISION").map(str::to_owned);
        self.manifest.command = std::env::args().collect();
        self.manifest.seed = self.experiment.seed;
        self.manifest.device = device_name(&self.device);
        self.manifest.data = data;
        self.results
            .write("experiment.yaml", to_yaml(&self.experiment)?.as_bytes())?;
        self.manifest.write(&self.results)
    }

    /// Runs a stage unless its files are already there and its inputs, whose key is given, are unchanged.
    ///
    /// `work` writes the stage's files and returns their paths in the results folder.
    ///
    /// # Errors
    /// Those of `work`, and of writing the manifest.
    pub fn stage(
        &mut self,
        stage: &str,
        key: crate::manifest::Key,
        work: impl FnOnce(&Self) -> Result<Vec<String>>,
    ) -> Result<()> {
        let key = key.settings(&RESULTS_VERSION).text(stage).finish();
        if self.manifest.is_current(&self.results, stage, &key) {
            self.progress.say(&format!("{stage:24} unchanged"));
            return Ok(());
        }
        self.interrupt.check()?;
        let started = Instant::now();
        let mut record = Stage {
            key,
            ..Stage::default()
        };
        for relative in work(self)? {
            let path = self.results.join(&relative);
            let bytes = std::fs::read(&path).map_err(Error::io(&path, "reading back"))?;
            record.artefacts.insert(relative, hash_of(&bytes));
        }
        record.seconds = started.elapsed().as_secs_f64();
        self.manifest.stages.insert(stage.to_owned(), record);
        self.manifest.write(&self.results)
    }
}

/// Chooses the device: `auto`, `cpu`, `cuda` or `cuda:N`.
///
/// # Errors
/// When the name is unknown, or the device is not there or not built in.
pub fn choose_device(name: &str) -> Result<Device> {
    let cuda = |ordinal: usize| {
        if !candle_core::utils::cuda_is_available() {
            return Err(Error::Request(format!(
                "--device {name}: this program was built without CUDA; `just cuda` builds it in, `--device cpu` does without"
            )));
        }
        Device::new_cuda(ordinal).map_err(|error| {
            Error::Request(format!(
                "--device {name}: no such GPU ({error}); `--device cpu` does without"
            ))
        })
    };
    match name {
        "cpu" => Ok(Device::Cpu),
        "auto" if candle_core::utils::cuda_is_available() => Ok(Device::new_cuda(0).unwrap_or(Device::Cpu)),
        "auto" => Ok(Device::Cpu),
        "cuda" => cuda(0),
        _ => match name.strip_prefix("cuda:").map(str::parse) {
            Some(Ok(ordinal)) => cuda(ordinal),
            _ => Err(Error::Request(format!(
                "--device {name}: expected auto, cpu, cuda or cuda:N"
            ))),
        },
    }
}

/// The device in words.
pub fn device_name(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => format!("cpu, {} threads", rayon::current_num_threads()),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}
