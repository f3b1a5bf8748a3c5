//! The network that explains, from a checkpoint of ours or any file with torchvision's tensor names.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use model::{Architecture, Checkpoint, Network};

use super::arguments::Arguments;
use crate::error::{Error, Result};

/// Outputs of torchvision's networks as they come: ImageNet's classes.
const IMAGENET: usize = 1000;

/// A network with what is known about it.
pub struct Loaded {
    /// The network.
    pub network: Network,
    /// One name an output.
    pub names: Vec<String>,
    /// The image size it was trained at, where that is known.
    pub size: Option<usize>,
}

/// Reads `--weights`.
///
/// # Errors
/// When the file cannot be read, is no safetensors file, or is not of the network that is asked for.
pub fn load(arguments: &Arguments, device: &Device) -> Result<Loaded> {
    let path = &arguments.weights;
    let bytes = std::fs::read(path).map_err(Error::io(path, "reading the weights"))?;
    let fault = |error: &dyn std::fmt::Display| Error::Request(format!("{}: {error}", path.display()));
    let wanted = arguments
        .architecture
        .as_deref()
        .map(Architecture::preset)
        .transpose()?;
    let of_width = |architecture: Architecture| match arguments.width {
        Some(width) => architecture.with_width(width),
        None => architecture,
    };
    if let Ok(checkpoint) = Checkpoint::from_bytes(&bytes) {
        if of_width(wanted.unwrap_or_else(|| checkpoint.architecture.clone())) != checkpoint.architecture {
            return Err(fault(&format!(
                "it holds {}, not what --architecture and --width say; leave them out",
                checkpoint.architecture
            )));
        }
        let size = checkpoint.metadata.get("image_size").and_then(|size| size.parse().ok());
        let network = checkpoint.network(device).map_err(|error| fault(&error))?;
        return Ok(Loaded {
            network,
            names: checkpoint.attributes,
            size,
        });
    }
    let tensors: HashMap<String, Tensor> = candle_core::safetensors::load_buffer(&bytes, device)
        .map_err(|error| fault(&format!("not a safetensors file ({error})")))?;
    let architecture = of_width(wanted.ok_or_else(|| {
        fault(&"no checkpoint of biascam, so --architecture is needed (and --width where it is not 64)")
    })?);
    let outputs = tensors
        .get("fc.bias")
        .map(Tensor::elem_count)
        .ok_or_else(|| fault(&"no tensor `fc.bias`"))?;
    let network = Network::from_tensors(&architecture, outputs, tensors, device).map_err(|error| fault(&error))?;
    Ok(Loaded {
        network,
        names: names(outputs),
        size: None,
    })
}

/// Names of the outputs of weights that do not say them: as many as CelebA has attributes are, most likely, CelebA's.
fn names(outputs: usize) -> Vec<String> {
    let celeba = dataset::Attributes::celeba();
    let kind = if outputs == IMAGENET { "class" } else { "attribute" };
    if outputs == celeba.len() {
        celeba.names().to_vec()
    } else {
        (0..outputs).map(|index| format!("{kind}_{index}")).collect()
    }
}

/// The positions of `--attributes`: names or numbers separated by commas, or `all`.
///
/// # Errors
/// When one is unknown or named twice.
pub fn choose(list: &str, names: &[String]) -> Result<Vec<usize>> {
    if list == "all" {
        return Ok((0..names.len()).collect());
    }
    let mut chosen = Vec::new();
    for wanted in list.split(',') {
        let by_name = names.iter().position(|name| name == wanted);
        let by_number = || wanted.parse().ok().filter(|&index: &usize| index < names.len());
        let index = by_name.or_else(by_number).ok_or_else(|| {
            Error::Request(format!(
                "--attributes: `{wanted}` is unknown; known: {}",
                names.join(", ")
            ))
        })?;
        if chosen.contains(&index) {
            return Err(Error::Request(format!("--attributes: {} is named twice", names[index])));
        }
        chosen.push(index);
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_chosen_by_name_or_number() {
        let known: Vec<String> = ["Bald", "Young"].map(str::to_owned).to_vec();
        assert_eq!(choose("all", &known).unwrap(), [0, 1]);
        assert_eq!(choose("Young,0", &known).unwrap(), [1, 0]);
        for (list, expected) in [
            ("Bold", "known: Bald, Young"),
            ("2", "`2`"),
            ("Bald,0", "twice"),
            ("", "``"),
        ] {
            let message = choose(list, &known).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn outputs_without_names_get_some() {
        assert_eq!(names(1000)[999], "class_999");
        assert_eq!(names(2), ["attribute_0", "attribute_1"]);
        assert_eq!(names(40)[4], "Bald");
    }
}
