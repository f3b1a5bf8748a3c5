//! The network that explains, from a checkpoint of ours or the weights of another program.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use model::{Architecture, InputNormalisation, Network};

use super::arguments::Arguments;
use crate::artefacts;
use crate::error::{Error, Result};
use crate::experiment::{IMAGENET_DEVIATION, IMAGENET_MEAN};
use crate::picture;
use crate::prepared::{self, Known};
use crate::weights::{WeightsFile, normalisation_in_words};

/// Outputs of torchvision's networks as they come: ImageNet's classes.
const IMAGENET: usize = 1000;

/// A network with what is known about it.
pub struct Loaded {
    /// The network.
    pub network: Network,
    /// One name an output.
    pub names: Vec<String>,
    /// How the images were made that it was trained on.
    pub images: Known,
    /// Whether it is a checkpoint of this program.
    pub is_ours: bool,
    /// What is to be said of how it was read, a line each.
    pub said: Vec<String>,
}

/// Reads `--weights`.
///
/// # Errors
/// When the file cannot be read, is of no known format, or is not of the network that is asked for.
pub fn load(arguments: &Arguments, device: &Device) -> Result<Loaded> {
    let (path, chosen) = checkpoint_of(&arguments.weights)?;
    let file = WeightsFile::read(&path)?;
    let wanted = arguments
        .architecture
        .as_deref()
        .map(Architecture::preset)
        .transpose()?;
    let normalisation = arguments.normalisation.as_deref().map(normalisation).transpose()?;
    let mut loaded = match file.checkpoint()? {
        Some(checkpoint) => {
            let own = checkpoint.architecture.clone();
            let asked = wanted.unwrap_or_else(|| own.clone());
            let asked = match arguments.width {
                Some(width) => asked.with_width(width),
                None => asked,
            };
            if asked != own {
                return Err(file.fault(format_args!(
                    "it holds {own}, not what --architecture and --width say; leave them out"
                )));
            }
            Loaded {
                network: checkpoint.network(device).map_err(|error| file.fault(error))?,
                images: prepared::recorded(&checkpoint).map_err(|why| file.fault(why))?,
                names: checkpoint.attributes,
                is_ours: true,
                said: Vec::new(),
            }
        }
        None => foreign(&file, wanted, arguments.width, device)?,
    };
    loaded.said.extend(chosen);
    let own = loaded.network.normalisation();
    if let Some(asked) = normalisation {
        if loaded.is_ours && asked != own {
            loaded.said.push(format!(
                "--normalisation: {}, though of the images that the network was trained on it holds: {}",
                normalisation_in_words(asked),
                normalisation_in_words(own)
            ));
        }
        loaded.network = loaded.network.with_normalisation(asked);
    } else if !loaded.is_ours {
        loaded.said.push(format!(
            "{}; weights that were trained with torchvision or timm need --normalisation imagenet",
            normalisation_in_words(None)
        ));
    }
    Ok(loaded)
}

/// The checkpoint that `--weights` names, of a classifier's folder the one inside, and what is to be said of that.
fn checkpoint_of(weights: &Path) -> Result<(PathBuf, Option<String>)> {
    if let Some(message) = picture::instead_of(weights, "a checkpoint after --weights") {
        return Err(Error::Request(message));
    }
    if !weights.is_dir() {
        return Ok((weights.to_owned(), None));
    }
    let inside = weights.join(artefacts::checkpoint("").trim_start_matches('/'));
    if inside.is_file() {
        let said = format!("a folder; its checkpoint is {}", inside.display());
        return Ok((inside, Some(said)));
    }
    let mut below: Vec<String> = std::fs::read_dir(weights)
        .map_err(Error::io(weights, "listing"))?
        .flatten()
        .map(|entry| weights.join(artefacts::checkpoint(&entry.file_name().to_string_lossy())))
        .filter(|file| file.is_file())
        .map(|file| file.display().to_string())
        .collect();
    below.sort();
    Err(Error::Request(match below.as_slice() {
        [] => format!(
            "--weights {}: a folder without a checkpoint, expected a file such as results/NAME/balanced/checkpoint.safetensors",
            weights.display()
        ),
        some => format!(
            "--weights {}: a folder, expected one of {}",
            weights.display(),
            some.join(", ")
        ),
    }))
}

/// The network of another program's weights.
fn foreign(file: &WeightsFile, wanted: Option<Architecture>, width: Option<usize>, device: &Device) -> Result<Loaded> {
    let weights = file.foreign()?;
    let mut said = weights.said.clone();
    let guess = model::architecture_of(&weights.tensors);
    let architecture = match (wanted, &guess) {
        (Some(wanted), Ok(guess)) if width.is_none() => {
            let width = guess.architecture.stages.first().map_or(0, |stage| stage.width);
            match wanted.clone().with_width(width) == guess.architecture {
                true => guess.architecture.clone(),
                false => wanted,
            }
        }
        (Some(wanted), _) => match width {
            Some(width) => wanted.with_width(width),
            None => wanted,
        },
        (None, Ok(guess)) => {
            said.push(format!("taken as a {guess}, as its tensors have the shapes of one"));
            guess.architecture.clone()
        }
        (None, Err(why)) => {
            return Err(file.fault(format_args!(
                "no checkpoint of biascam, and no standard ResNet, as {why}; --architecture (and --width where it is not 64) names one of {}",
                Architecture::PRESETS.join(", ")
            )));
        }
    };
    let outputs = weights.tensors.get("fc.bias").map(Tensor::elem_count).ok_or_else(|| {
        let others = weights.others();
        let there = match others.as_slice() {
            [] => "no tensor is left for it".to_owned(),
            some => format!(
                "what is left for it is {}{}",
                some.iter().take(4).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
                if some.len() > 4 { ", ..." } else { "" }
            ),
        };
        file.fault(format_args!(
            "no last linear layer (`fc.weight` and `fc.bias`), whose scores are what is explained: {there}; weights of features alone can \
             start a training (model.pretrained in an experiment)"
        ))
    })?;
    let names = names(outputs);
    let network = file.network(weights, &architecture, outputs, device)?;
    Ok(Loaded {
        network,
        names,
        images: Known::Nothing,
        is_ours: false,
        said,
    })
}

/// What `--normalisation` says; `None` where images go in as they are.
///
/// # Errors
/// When it says neither a name nor six numbers, or a deviation is not positive.
fn normalisation(text: &str) -> Result<Option<InputNormalisation>> {
    let fault = || {
        Error::Request(format!(
            "--normalisation: `{text}`, expected imagenet, none, or the means and deviations of red, green and blue, such as \
             0.485,0.456,0.406/0.229,0.224,0.225"
        ))
    };
    let three = |text: &str| -> Option<[f32; 3]> {
        let all: Vec<f32> = text
            .split(',')
            .map(|one| one.trim().parse().ok())
            .collect::<Option<_>>()?;
        let all: [f32; 3] = all.try_into().ok()?;
        all.iter().all(|one| one.is_finite()).then_some(all)
    };
    match text.to_lowercase().as_str() {
        "none" => Ok(None),
        "imagenet" => Ok(Some(InputNormalisation {
            mean: IMAGENET_MEAN,
            deviation: IMAGENET_DEVIATION,
        })),
        numbers => {
            let (mean, deviation) = numbers.split_once('/').ok_or_else(fault)?;
            let (mean, deviation) = three(mean).zip(three(deviation)).ok_or_else(fault)?;
            if deviation.iter().any(|one| *one <= 0.0) {
                return Err(fault());
            }
            if let Some(large) = mean.iter().chain(&deviation).find(|one| one.abs() > 1.0) {
                return Err(Error::Request(format!(
                    "--normalisation: a mean or deviation of {large}, expected means and deviations of colours from 0 to 1; of colours from 0 to 255 they \
                     are to be divided by 255"
                )));
            }
            Ok(Some(InputNormalisation { mean, deviation }))
        }
    }
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
    let pieces: Vec<String> = list.split(',').map(str::to_owned).collect();
    for wanted in dataset::whole_names(&pieces, names) {
        let by_name = names.iter().position(|name| *name == wanted);
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
        let with_comma: Vec<String> = ["Bald", "yes, no"].map(str::to_owned).to_vec();
        assert_eq!(choose("yes, no,Bald", &with_comma).unwrap(), [1, 0]);
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
    fn normalisations_are_named_or_spelt_out() {
        assert_eq!(normalisation("none").unwrap(), None);
        let imagenet = normalisation("ImageNet").unwrap();
        assert_eq!(normalisation("0.485, 0.456,0.406/0.229,0.224,0.225").unwrap(), imagenet);
        for wrong in [
            "",
            "celeba",
            "1,1,1",
            "0,0/1,1",
            "0,0,0/1,0,1",
            "0,0,nan/1,1,1",
            "0,0,0/1,1,1,1",
        ] {
            let message = normalisation(wrong).unwrap_err().to_string();
            assert!(message.contains("expected imagenet, none"), "{message}");
        }
    }

    #[test]
    fn means_of_colours_to_255_are_refused() {
        for large in ["123.7,116.3,103.5/58.4,57.1,57.4", "0,0,0/255,255,255"] {
            let message = normalisation(large).unwrap_err().to_string();
            assert!(message.contains("divided by 255"), "{message}");
        }
    }

    #[test]
    fn outputs_without_names_get_some() {
        assert_eq!(names(1000)[999], "class_999");
        assert_eq!(names(2), ["attribute_0", "attribute_1"]);
        assert_eq!(names(40)[4], "Bald");
    }
}
