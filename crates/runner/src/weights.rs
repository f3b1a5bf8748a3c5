//! Weights that other programs or earlier runs left: found, read, and named in every message about them.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use disk::hash_of;
use hf_hub::Cache;
use model::{Architecture, Checkpoint, Network, Normalisation};

use crate::error::{Error, Result};
use crate::hub::Environment;

/// A file of weights in memory.
#[derive(Debug)]
pub struct WeightsFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// Where `model.pretrained` is: the file of that name, or the hub's repository of that name as `biascam data fetch`
/// placed it below `data_root`, or as any tool left it in the hub's cache.
///
/// # Errors
/// When it is nowhere; the message says how to get it.
pub fn find_pretrained(choice: &str, data_root: &Path) -> Result<PathBuf> {
    let file = Path::new(choice);
    if file.is_file() {
        return Ok(file.to_owned());
    }
    let repository = match choice.split_once('/') {
        Some((owner, name)) if !owner.is_empty() && !name.contains('/') && !choice.ends_with(".safetensors") => name,
        _ => {
            return Err(Error::Request(format!(
                "model.pretrained: {choice} is neither a file nor a repository of the hub such as timm/resnet50.tv_in1k"
            )));
        }
    };
    let placed = data_root.join("weights").join(format!("{repository}.safetensors"));
    if placed.is_file() {
        return Ok(placed);
    }
    let cached = Environment::of_process().ok().and_then(|environment| {
        Cache::new(environment.cache)
            .model(choice.to_owned())
            .get("model.safetensors")
    });
    cached.ok_or_else(|| {
        let fetch = match repository {
            "resnet50.tv_in1k" => "`biascam data fetch resnet50` downloads it (102 MB)".to_owned(),
            "resnet18.tv_in1k" => "`biascam data fetch resnet18` downloads it (47 MB)".to_owned(),
            _ => format!("get model.safetensors of huggingface.co/{choice} and save it there"),
        };
        Error::Request(format!(
            "model.pretrained: {choice} is not in {} nor in the hub's cache; {fetch}, `--set model.pretrained=null` starts from \
             random weights",
            placed.display()
        ))
    })
}

impl WeightsFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io(path, "reading the weights"))?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
        })
    }

    /// SHA-256 of its contents.
    pub fn hash(&self) -> String {
        hash_of(&self.bytes)
    }

    fn fault(&self, error: impl std::fmt::Display) -> Error {
        Error::Request(format!("{}: {error}", self.path.display()))
    }

    /// A network with these weights and a fresh head for `outputs` attributes.
    ///
    /// # Errors
    /// When the file is not safetensors, or lacks or has other tensors than the architecture's; the message lists them.
    pub fn backbone(&self, architecture: &Architecture, outputs: usize, seed: u64, device: &Device) -> Result<Network> {
        Network::from_backbone(architecture, outputs, self.tensors()?, seed, device).map_err(|error| self.fault(error))
    }

    /// The trained classifier in the file: a checkpoint of this program, which says its normalisation itself, or plain
    /// weights.
    ///
    /// # Errors
    /// As [`backbone`](Self::backbone); also when a checkpoint is of another architecture or of other attributes.
    pub fn classifier(
        &self,
        architecture: &Architecture,
        attributes: &[String],
        normalisation: Option<Normalisation>,
        device: &Device,
    ) -> Result<Network> {
        if let Ok(checkpoint) = Checkpoint::from_bytes(&self.bytes) {
            return checkpoint
                .require(architecture, attributes)
                .and_then(|()| checkpoint.network(device))
                .map_err(|error| self.fault(error));
        }
        let network = Network::from_tensors(architecture, attributes.len(), self.tensors()?, device);
        Ok(network
            .map_err(|error| self.fault(error))?
            .with_normalisation(normalisation))
    }

    fn tensors(&self) -> Result<std::collections::HashMap<String, Tensor>> {
        model::tensors_from_bytes(&self.bytes).map_err(|error| self.fault(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretrained_weights_are_found_by_path_and_by_repository() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let message = |choice: &str| find_pretrained(choice, folder.path()).expect_err(choice).to_string();
        for part in ["data fetch resnet50", "102 MB", "model.pretrained"] {
            assert!(message("timm/resnet50.tv_in1k").contains(part));
        }
        assert!(message("owner/other").contains("huggingface.co/owner/other"));
        for neither in ["here.safetensors", "folder/here.safetensors", "resnet50"] {
            assert!(
                message(neither).contains("neither a file nor a repository"),
                "{neither}"
            );
        }
        let placed = folder.path().join("weights").join("resnet50.tv_in1k.safetensors");
        std::fs::create_dir(folder.path().join("weights")).expect("made");
        std::fs::write(&placed, b"weights").expect("written");
        assert_eq!(
            find_pretrained("timm/resnet50.tv_in1k", folder.path()).expect("there"),
            placed
        );
        let by_path = placed.to_str().expect("a readable path");
        assert_eq!(find_pretrained(by_path, Path::new("elsewhere")).expect("there"), placed);
    }
}
