//! What a run is asked for: which experiment, where and how it runs, and how far.

use std::path::{Path, PathBuf};

use candle_core::Device;
use clap::Args;

use crate::device::device_argument;
use crate::included;

/// An experiment, and where it is run.
#[derive(Debug, Args)]
pub struct Run {
    /// The experiment: a file, or the name of one of the program's own (`biascam experiments` lists them)
    #[arg(value_name = "EXPERIMENT", default_value = "experiments/embedded.yaml")]
    pub experiment: PathBuf,
    /// Name of this run's folder of results, in place of the experiment's
    #[arg(long, value_name = "NAME", value_parser = folder_name)]
    pub name: Option<String>,
    /// Replace finished results that were made with other settings, without asking
    #[arg(long)]
    pub replace: bool,
    /// Print what would run, why, and how long it took the last time, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Read every file of the data set again, instead of believing that those are the same whose size, times and inode are
    #[arg(long)]
    pub verify: bool,
    /// Where and how it runs.
    #[command(flatten)]
    pub options: RunOptions,
    /// The folder that figures alone are drawn into; of [`Draw`].
    #[arg(skip)]
    pub out: Option<PathBuf>,
}

/// What is drawn, and where.
#[derive(Debug, Args)]
pub struct Draw {
    /// The experiment, or a results folder.
    #[command(flatten)]
    pub run: Run,
    /// Draw the figures alone into a folder of their own, for a paper; results folder and report stay as they are
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl Draw {
    /// The run that draws.
    #[must_use]
    pub fn run(self) -> Run {
        Run {
            out: self.out,
            ..self.run
        }
    }
}

/// How much of what earlier runs left counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Again {
    /// Nothing: everything is done again.
    pub fresh: bool,
    /// All of it, but every file is read again to see whether it is the same.
    pub verify: bool,
}

/// What an experiment and a sweep of experiments are both told.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// Folder of all results; these are in the folder there that has the name of the experiment or the sweep
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
    /// Folder of all data sets
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// What computes: auto, cpu, cuda or cuda:N; for a sweep also several with commas, which then take turns
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// Change a key of the experiment (of all runs of a sweep), e.g. --set training.epochs=2 (may be repeated)
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    pub settings: Vec<String>,
    /// Do everything again, whatever earlier runs left
    #[arg(long)]
    pub fresh: bool,
}

/// A name that stays in the folder of all results.
///
/// # Errors
/// Says what is expected.
pub fn folder_name(name: &str) -> Result<String, String> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\']) {
        return Err("expected a folder's name, without / or \\".to_owned());
    }
    Ok(name.to_owned())
}

impl Run {
    /// How much of what earlier runs left counts.
    #[must_use]
    pub fn again(&self) -> Again {
        Again {
            fresh: self.options.fresh,
            verify: self.verify,
        }
    }

    /// The command that makes the whole results folder with this program, on the device that was found: whatever step was asked
    /// for, it is a part of that run.
    #[must_use]
    pub fn command(&self, device: &Device) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let mut command = vec![
            "biascam".to_owned(),
            "reproduce".to_owned(),
            path(&included::located(&self.experiment)),
        ];
        for setting in &self.options.settings {
            command.extend(["--set".to_owned(), setting.clone()]);
        }
        command.extend(["--data".to_owned(), path(&self.options.data)]);
        command.extend(["--results".to_owned(), path(&self.options.results)]);
        if let Some(name) = &self.name {
            command.extend(["--name".to_owned(), name.clone()]);
        }
        command.extend(["--device".to_owned(), device_argument(device)]);
        command
    }
}

/// The last kind of step of a run. Earlier ones run first where they must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Last {
    /// Training.
    Train,
    /// Scores of the test images.
    Predict,
    /// Maps and their energies.
    Explain,
    /// Tables and verdicts.
    Measure,
    /// Figures and the report; of a results folder in place of an experiment, from its files alone.
    Draw,
    /// The same of an experiment, from the first step.
    Report,
}
