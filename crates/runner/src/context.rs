//! What a run works with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::Device;

use crate::artefacts;
use crate::device::device_argument;
use crate::error::Result;
use crate::experiment::{Experiment, Loaded, RegionSource, to_yaml};
use crate::recorded::Recorded;
use crate::regions::kept;
use crate::request::Again;
use pipeline::{
    Belief, ContentHash, Contents, Interrupt, Manifest, Progress, Provenance, ResultsFolder, Workspace, host,
};

/// Where hashes of files are kept, below the folder of all data sets.
const CONTENTS: &str = ".content-hashes";

/// A run: an experiment, its results folder, and the means to work on them.
#[derive(Debug)]
pub struct Context {
    /// What is to be done.
    pub experiment: Experiment,
    /// Where data sets are.
    pub data_root: PathBuf,
    /// What computes.
    pub device: Device,
    /// The folder the run writes, and its steps.
    pub workspace: Workspace,
    /// Whether nothing that earlier runs did counts.
    fresh: bool,
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
        again: Again,
        interrupt: Interrupt,
    ) -> Result<Self> {
        let Again { fresh, verify } = again;
        let folder = results_root.join(&loaded.name);
        let contents = contents(data_root, verify);
        let workspace = Workspace::open(&folder, contents, maker(&device), fresh, interrupt)?;
        Ok(Self {
            experiment: loaded.experiment,
            data_root: data_root.to_owned(),
            device,
            workspace,
            fresh,
        })
    }

    /// Writes the resolved experiment and the manifest's head to the results folder: from here on it is this run's. Comes
    /// after everything that can be wrong with the request, so that a refused run leaves an earlier one's folder as it was.
    /// `command` makes the whole folder.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn begin(&self, data: String, command: Vec<String>) -> Result<()> {
        if self.fresh {
            for classifier in self.experiment.classifiers.keys() {
                self.results().remove(&artefacts::unfinished(classifier))?;
                self.results().remove(&artefacts::unfinished_maps(classifier))?;
            }
        }
        self.workspace.amend(|manifest| {
            manifest.version = env!("CARGO_PKG_VERSION").to_owned();
            manifest.revision = option_env!("BIASCAM_REVISION").map(str::to_owned);
            manifest.command = command;
            manifest.seed = self.experiment.seed;
            manifest.data = data;
        });
        self.keep_inputs()?;
        self.write_experiment()?;
        Ok(self.workspace.save()?)
    }

    /// Copies the regions file into the folder, and what that names, for it may be moved or changed; takes away what an earlier run kept.
    fn keep_inputs(&self) -> Result<()> {
        let files = match self.experiment.regions() {
            RegionSource::File(path) => kept(path)?,
            _ => Vec::new(),
        };
        let mut inputs = BTreeMap::new();
        for (name, bytes) in files {
            let path = format!("{}/{name}", artefacts::INPUTS);
            self.results().write(&path, &bytes)?;
            inputs.insert(path, ContentHash::of(&bytes).to_string());
        }
        let earlier = self.manifest().inputs;
        for path in earlier.keys().filter(|path| !inputs.contains_key(*path)) {
            self.results().remove(path)?;
        }
        self.workspace.amend(|manifest| manifest.inputs = inputs);
        Ok(())
    }

    /// Writes the resolved experiment, which names the regions file that lies in the folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_experiment(&self) -> Result<()> {
        let mut experiment = self.experiment.clone();
        if let Some(RegionSource::File(path)) = &mut experiment.measure.regions
            && let Some(name) = path.file_name()
        {
            let kept = Path::new(artefacts::INPUTS).join(name);
            if self.manifest().inputs.contains_key(&*kept.to_string_lossy()) {
                *path = self.results().path().join(kept);
            }
        }
        let text = to_yaml(&experiment, self.results().path())?;
        Ok(self.results().write(artefacts::EXPERIMENT, text.as_bytes())?)
    }

    /// The folder the run writes.
    pub fn results(&self) -> &ResultsFolder {
        self.workspace.results()
    }

    /// The record of that folder, as it is now.
    pub fn manifest(&self) -> Manifest {
        self.workspace.manifest()
    }

    /// The experiment with that record.
    pub fn recorded<'a>(&'a self, manifest: &'a Manifest) -> Recorded<'a> {
        Recorded {
            experiment: &self.experiment,
            manifest,
            folder: self.results().path(),
        }
    }

    /// Where progress is shown.
    pub fn progress(&self) -> &Progress {
        self.workspace.progress()
    }

    /// Whether the run should stop.
    pub fn interrupt(&self) -> &Interrupt {
        self.workspace.interrupt()
    }
}

/// Hashes of files: kept where the data sets are, for the runs of all experiments on them. With `verify` none is believed.
pub fn contents(data_root: &Path, verify: bool) -> Contents {
    let belief = if verify { Belief::Nothing } else { Belief::Unchanged };
    let file = data_root.is_dir().then(|| data_root.join(CONTENTS));
    Contents::open(file.as_deref(), belief)
}

/// Who runs steps here.
fn maker(device: &Device) -> Provenance {
    Provenance {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        revision: option_env!("BIASCAM_REVISION").map(str::to_owned),
        device: device_argument(device),
        host: host(),
        ..Provenance::default()
    }
}
