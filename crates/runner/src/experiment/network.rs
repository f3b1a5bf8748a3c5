//! Section `model`, with its defaults.

use std::fmt;

use model::Architecture;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// Section `model`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSettings {
    /// A preset's name (`resnet18`, `resnet34`, `resnet50`) or a network of one's own.
    pub architecture: ArchitectureChoice,
    /// Channels of the first stage; `null` is the architecture's own.
    pub width: Option<usize>,
    /// Weights that training starts from, all but the head's: a safetensors file with torchvision's or timm's names, or a
    /// repository of the hub (`timm/resnet50.tv_in1k`) that `biascam data fetch` has downloaded. `null` starts from
    /// random weights.
    pub pretrained: Option<String>,
    /// Subtracted from each colour channel before the network, in [0, 1]. `null` is ImageNet's with pretrained weights,
    /// 0 without.
    pub mean: Option<[f32; 3]>,
    /// What each colour channel is then divided by. `null` is ImageNet's with pretrained weights, 1 without.
    pub deviation: Option<[f32; 3]>,
}

/// The repository's own name in a `model.pretrained` that may be a repository of the hub, `owner/name`.
#[must_use]
pub fn repository_of(choice: &str) -> Option<&str> {
    let (owner, name) = choice.split_once('/')?;
    let is_file =
        owner.is_empty() || owner == "." || owner == ".." || name.contains('/') || choice.ends_with(".safetensors");
    (!is_file).then_some(name)
}

/// Means of ImageNet's colour channels, with which torchvision and timm trained their weights.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Deviations of ImageNet's colour channels.
pub const IMAGENET_DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

impl NetworkSettings {
    /// The settings that decide results: pretrained weights count by their contents, wherever they are.
    #[must_use]
    pub fn deciding(&self) -> Self {
        Self {
            pretrained: None,
            ..self.clone()
        }
    }

    /// What happens to the images before the network; `None` where they go in as they are.
    #[must_use]
    pub fn normalisation(&self) -> Option<model::InputNormalisation> {
        let (mean, deviation) = match self.pretrained {
            Some(_) => (IMAGENET_MEAN, IMAGENET_DEVIATION),
            None => ([0.0; 3], [1.0; 3]),
        };
        let normalisation = model::InputNormalisation {
            mean: self.mean.unwrap_or(mean),
            deviation: self.deviation.unwrap_or(deviation),
        };
        (normalisation.mean != [0.0; 3] || normalisation.deviation != [1.0; 3]).then_some(normalisation)
    }
}

impl Default for NetworkSettings {
    fn default() -> Self {
        Self {
            architecture: ArchitectureChoice::Preset("resnet18".to_owned()),
            width: None,
            pretrained: None,
            mean: None,
            deviation: None,
        }
    }
}

/// A network by name, or spelt out.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ArchitectureChoice {
    /// One of the presets.
    Preset(#[schemars(schema_with = "presets")] String),
    /// Blocks, strides, kernels and widths stage by stage.
    Custom(Architecture),
}

fn presets(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "enum": Architecture::PRESETS })
}

/// By hand, because serde's own for `untagged` says of a mistake no more than that no variant fits.
impl<'de> Deserialize<'de> for ArchitectureChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ArchitectureChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let presets = Architecture::PRESETS.join(", ");
                write!(
                    f,
                    "one of {presets}, or a network of one's own with the keys block, stem, stages"
                )
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<ArchitectureChoice, E> {
                if Architecture::PRESETS.contains(&name) {
                    return Ok(ArchitectureChoice::Preset(name.to_owned()));
                }
                Err(E::invalid_value(serde::de::Unexpected::Str(name), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ArchitectureChoice, A::Error> {
                Architecture::deserialize(MapAccessDeserializer::new(map)).map(ArchitectureChoice::Custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
