//! `biascam inspect`: what a results folder or a checkpoint holds.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::Args;
use model::Checkpoint;

use crate::citation;
use crate::error::{Error, Result};
use crate::output::print;
use crate::picture;
use crate::prepared::{self, Known};
use crate::weights::normalisation_in_words;
use pipeline::{MANIFEST, Manifest};

/// What to look into.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A results folder or a checkpoint
    #[arg(value_name = "RESULTS_OR_CHECKPOINT")]
    pub path: PathBuf,
}

/// Prints what is there.
///
/// # Errors
/// When it is neither, or damaged.
pub fn run(arguments: &Arguments) -> Result<()> {
    let path = &arguments.path;
    if path.is_dir() {
        return folder(path);
    }
    if let Some(message) = picture::instead_of(path, "a results folder or a checkpoint") {
        return Err(Error::Request(message));
    }
    checkpoint(path)
}

fn folder(path: &Path) -> Result<()> {
    if !path.join(MANIFEST).is_file() {
        return Err(Error::Request(format!(
            "{}: no results folder, for it has no {MANIFEST}; expected a folder such as results/embedded, or a checkpoint",
            path.display()
        )));
    }
    let manifest = Manifest::read(path)?;
    print(format_args!("results of biascam {}", manifest.version))?;
    if let Some(revision) = &manifest.revision {
        print(format_args!("revision  {revision}"))?;
    }
    print(format_args!("command   {}", manifest.command_line()))?;
    print(format_args!("seed      {}", manifest.seed))?;
    print(format_args!("device    {}", manifest.devices()))?;
    print(format_args!("data      {}", manifest.data))?;
    for (name, stage) in &manifest.stages {
        print(format_args!("\n{name} ({:.1} s)", stage.seconds))?;
        let made = stage.provenance.line();
        if !made.is_empty() {
            print(format_args!("  begun {made}"))?;
        }
        files(path, &stage.artefacts)?;
    }
    if !manifest.inputs.is_empty() {
        print("\nkept of what the run used")?;
        files(path, &manifest.inputs)?;
    }
    cite(&manifest.version, manifest.revision.as_deref())
}

/// Says of each file whether it is as it was written.
fn files(folder: &Path, hashes: &BTreeMap<String, String>) -> Result<()> {
    for (file, hash) in hashes {
        let state = match std::fs::read(folder.join(file)) {
            Err(_) => "missing".to_owned(),
            Ok(bytes) if disk::hash_of(&bytes) == *hash => format!("{} bytes", bytes.len()),
            Ok(bytes) => format!("{} bytes, changed since it was written", bytes.len()),
        };
        let hash: String = hash.chars().take(12).collect();
        print(format_args!("  {file}  {state}  sha256 {hash}"))?;
    }
    Ok(())
}

fn cite(version: &str, revision: Option<&str>) -> Result<()> {
    print(format_args!("\nTo cite the paper and this program:\n"))?;
    print(citation::bibtex(version, revision))
}

fn checkpoint(path: &Path) -> Result<()> {
    let bytes = std::fs::read(path).map_err(Error::io(path, "reading"))?;
    if let Ok(checkpoint) = Checkpoint::from_bytes(&bytes) {
        let parameters: usize = checkpoint.tensors.values().map(candle_core::Tensor::elem_count).sum();
        print(format_args!("checkpoint of biascam"))?;
        print(format_args!("architecture  {}", checkpoint.architecture))?;
        print(format_args!(
            "tensors       {}, {parameters} values",
            checkpoint.tensors.len()
        ))?;
        print(format_args!(
            "attributes    {}: {}",
            checkpoint.attributes.len(),
            checkpoint.attributes.join(", ")
        ))?;
        let images = match prepared::recorded(&checkpoint) {
            Ok(Known::All(preparation)) => prepared::in_words(&preparation),
            Ok(Known::Size(size)) => format!("{size} x {size} pixels; how they became squares is not recorded"),
            Ok(Known::Nothing) => "not recorded".to_owned(),
            Err(why) => why,
        };
        print(format_args!("images        {images}"))?;
        print(format_args!(
            "normalisation {}",
            normalisation_in_words(checkpoint.normalisation)
        ))?;
        if let Some(state) = &checkpoint.optimiser {
            let progress = checkpoint.progress;
            print(format_args!(
                "unfinished    after epoch {} and batch {}, optimiser step {}",
                progress.epoch, progress.batch, state.steps
            ))?;
        }
        for (key, value) in checkpoint.metadata.iter().filter(|(key, _)| !prepared::is_entry(key)) {
            print(format_args!("{key:13} {value:.200}"))?;
        }
        return cite(env!("CARGO_PKG_VERSION"), None);
    }
    let is_yaml = path
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    if is_yaml && std::str::from_utf8(&bytes).is_ok() {
        return Err(Error::Request(format!(
            "{0}: a YAML file, expected a results folder or a file of weights; `biascam check {0}` says what an experiment would do",
            path.display()
        )));
    }
    let no_safetensors = |error: &dyn Display| {
        Error::Request(format!(
            "{}: neither a results folder nor safetensors: {error}",
            path.display()
        ))
    };
    model::check_header(&bytes).map_err(|error| no_safetensors(&error))?;
    let tensors = safetensors::SafeTensors::deserialize(&bytes).map_err(|error| no_safetensors(&error))?;
    print(format_args!(
        "safetensors without biascam's metadata: {} tensors",
        tensors.len()
    ))?;
    let mut names = tensors.names();
    names.sort_unstable();
    for name in names {
        let tensor = tensors
            .tensor(name)
            .map_err(|error| Error::Request(error.to_string()))?;
        print(format_args!("  {name} {:?} {:?}", tensor.dtype(), tensor.shape()))?;
    }
    Ok(())
}
