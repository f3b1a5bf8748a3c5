//! What a training saves: `NAME/checkpoint.safetensors` when it is done, and before that `NAME/unfinished.safetensors`, the checkpoint
//! with the optimiser's state, the place in the epoch, and the history so far, from which the same command goes on.

use dataset::Preparation;
use model::{Checkpoint, Network, StepLoss, Trainer};
use serde::{Deserialize, Serialize};

use super::blueprint::Blueprint;
use super::history::Epoch;
use crate::artefacts;
use crate::error::{Error, Result};
use crate::prepared;
use pipeline::Sandbox;

/// What an unfinished training remembers beside the network and the optimiser.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Hash of everything the training depends on: a memory of another training is not gone on with.
    key: String,
    /// Finished epochs.
    pub history: Vec<Epoch>,
    /// Finished steps of the epoch in hand.
    pub steps: usize,
    /// The sum of their losses.
    pub loss_sum: f64,
    /// `steps` and `loss_sum` at the log's last line in this epoch.
    #[serde(default)]
    logged: (usize, f64),
    /// Of the last step.
    pub learning_rate: f64,
}

/// Where it has the hash of the file without that.
const HASH: &str = "hash";
/// Where the checkpoint's metadata has it.
const MEMORY: &str = "training";

impl Memory {
    /// Of a training that has not begun.
    pub fn new(key: String) -> Self {
        Self { key, ..Self::default() }
    }

    /// Adds up the losses of steps already counted.
    pub fn read(&mut self, losses: &mut Vec<StepLoss>) -> Result<()> {
        for loss in losses.drain(..) {
            self.loss_sum += f64::from(loss.value()?);
        }
        Ok(())
    }

    /// Mean loss of the epoch's steps since this was last asked for.
    pub fn mean_since_logged(&mut self) -> f64 {
        let (steps, sum) = std::mem::replace(&mut self.logged, (self.steps, self.loss_sum));
        (self.loss_sum - sum) / (self.steps - steps).max(1) as f64
    }

    /// Writes an epoch down, and starts the next.
    pub fn end_epoch(&mut self, epoch: Epoch) {
        self.history.push(epoch);
        self.steps = 0;
        self.loss_sum = 0.0;
        self.logged = (0, 0.0);
    }
}

/// Saves a trained network as the classifier.
///
/// # Errors
/// When it cannot be written.
pub fn save_trained(
    folder: &Sandbox<'_>,
    blueprint: &Blueprint<'_>,
    preparation: &Preparation,
    name: &str,
    network: &Network,
) -> Result<()> {
    let mut checkpoint = Checkpoint::of(network, blueprint.attributes.names())?;
    prepared::record(&mut checkpoint, preparation)?;
    Ok(folder.write(&artefacts::checkpoint(name), &checkpoint.to_bytes()?)?)
}

/// Saves a training to go on from.
///
/// # Errors
/// When it cannot be written.
pub fn save(
    folder: &Sandbox<'_>,
    blueprint: &Blueprint<'_>,
    preparation: &Preparation,
    name: &str,
    trainer: &Trainer,
    memory: &Memory,
) -> Result<()> {
    let (epochs, steps) = (memory.history.len() as u64, memory.steps as u64);
    let mut checkpoint = trainer.checkpoint(blueprint.attributes.names(), epochs, steps)?;
    let memory = serde_json::to_string(memory)
        .map_err(|error| Error::Request(format!("the training's state cannot be written: {error}")))?;
    checkpoint.metadata.insert(MEMORY.to_owned(), memory);
    let path = folder.scratch(&artefacts::unfinished(name));
    prepared::record(&mut checkpoint, preparation)?;
    let hash = disk::hash_of(&checkpoint.to_bytes()?);
    checkpoint.metadata.insert(HASH.to_owned(), hash);
    Ok(disk::write_whole(&path, &checkpoint.to_bytes()?)?)
}

/// What was saved of this very training.
///
/// # Errors
/// When the file cannot be read, or is damaged.
pub fn read(folder: &Sandbox<'_>, name: &str) -> Result<Option<(Checkpoint, Memory)>> {
    let path = folder.scratch(&artefacts::unfinished(name));
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
    let mut checkpoint = Checkpoint::from_bytes(&bytes).map_err(|error| fault(error.to_string()))?;
    // A number that is not what it was would go into the trained network unnoticed.
    let hash = checkpoint.metadata.remove(HASH);
    if hash != Some(disk::hash_of(&checkpoint.to_bytes()?)) {
        return Err(fault("damaged, or of another version of the program".to_owned()));
    }
    let memory = checkpoint
        .metadata
        .get(MEMORY)
        .ok_or_else(|| fault("not an unfinished training".to_owned()))?;
    let memory: Memory = serde_json::from_str(memory).map_err(|error| fault(pipeline::json_fault(&error)))?;
    Ok((memory.key == folder.key()).then_some((checkpoint, memory)))
}
