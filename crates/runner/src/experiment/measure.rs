//! Section `measure`, with its defaults.

use std::fmt;
use std::path::PathBuf;

use cam::Method;
use metrics::Fill;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Section `measure`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MeasureSettings {
    /// `celeba` for the paper's regions, a file like it, `masks` for the data set's own masks image by image, or `none` for the
    /// whole image. `null` is `celeba` for faces; for a table `masks` if it has them, else `none`.
    pub regions: Option<RegionSource>,
    /// Resamples of the bootstrap behind each 95 % confidence interval.
    pub resamples: usize,
    /// Compare with the paper's published numbers, attribute by attribute; `null` does so where the data is CelebA.
    pub published: Option<bool>,
    /// How many groups are told of each classifier in which it errs most: the images of one class of an attribute and one of another;
    /// 0: none; `null`: all groups.
    pub subgroups: Option<usize>,
    /// What is hidden to see whether a decision hangs on it.
    pub occlusion: OcclusionSettings,
    /// Test images, drawn with the experiment's seed, whose scores are taken apart into the part of the input and that of all
    /// biases of the network; 0: none. An image costs a forward and a backward pass for each attribute.
    pub decomposed_images: usize,
    /// Whether the maps tell what the classifiers use.
    pub faithfulness: FaithfulnessSettings,
    /// What toggling an attribute in an image does to the scores, where the program draws the images.
    pub interventions: InterventionSettings,
    /// How much of what decides a cell of a map lies in the part of the image that the cell stands for.
    pub locality: LocalitySettings,
}

impl Default for MeasureSettings {
    fn default() -> Self {
        Self {
            regions: None,
            resamples: 1000,
            published: None,
            subgroups: Some(10),
            occlusion: OcclusionSettings::default(),
            decomposed_images: 16,
            faithfulness: FaithfulnessSettings::default(),
            interventions: InterventionSettings::default(),
            locality: LocalitySettings::default(),
        }
    }
}

/// Where the attributes' regions come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum RegionSource {
    /// `celeba`: the paper's.
    Celeba,
    /// `masks`: the data set's own, image by image.
    Masks,
    /// `none`: the whole image.
    Whole,
    /// A regions file.
    File(PathBuf),
}

impl From<String> for RegionSource {
    fn from(text: String) -> Self {
        match text.as_str() {
            "celeba" => Self::Celeba,
            "masks" => Self::Masks,
            "none" => Self::Whole,
            _ => Self::File(text.into()),
        }
    }
}

impl From<RegionSource> for String {
    fn from(source: RegionSource) -> Self {
        source.to_string()
    }
}

impl fmt::Display for RegionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Celeba => f.write_str("celeba"),
            Self::Masks => f.write_str("masks"),
            Self::Whole => f.write_str("none"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl MeasureSettings {
    /// Whether anything is hidden of images, or scores are taken apart.
    #[must_use]
    pub fn wants_occlusion(&self) -> bool {
        self.occlusion.images > 0 || self.decomposed_images > 0
    }
}

/// Section `measure.faithfulness`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FaithfulnessSettings {
    /// Scores, each of a test image and an attribute with a local region, on which methods are tried: drawn with the experiment's seed,
    /// every attribute and either predicted class in turn. 0: none.
    pub images: usize,
    /// How many of them, at most, also go through ROAD, whose imputations cost most of the time.
    pub road_images: usize,
    /// The methods beside `explain.method`, a random map, one that always shows the middle and the mean map.
    pub methods: Vec<Method>,
    /// The attribute with whose map each map is compared by Attention-IoU's heatmap score, where the data set has it.
    pub heatmap_attribute: String,
}

impl Default for FaithfulnessSettings {
    fn default() -> Self {
        Self {
            images: 80,
            road_images: 0,
            methods: vec![
                Method::GradCamPlusPlus,
                Method::LayerCam,
                Method::EigenCam,
                Method::CentredCam,
            ],
            heatmap_attribute: "Male".to_owned(),
        }
    }
}

impl FaithfulnessSettings {
    /// What is tried: the experiment's own method and the others, none twice.
    #[must_use]
    pub fn tried(&self, own: Method) -> Vec<Method> {
        let mut all: Vec<Method> = Vec::new();
        for &method in std::iter::once(&own).chain(&self.methods) {
            if !all.contains(&method) {
                all.push(method);
            }
        }
        all
    }
}

/// Section `measure.interventions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InterventionSettings {
    /// Test images of each class of each attribute, at most, in which it is toggled: drawn with the experiment's seed, the same for every
    /// classifier. 0: none. Only where the program draws the images (`data.source: procedural`, `data.table.shapes`).
    pub images: usize,
}

impl Default for InterventionSettings {
    fn default() -> Self {
        Self { images: 100 }
    }
}

/// Section `measure.locality`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LocalitySettings {
    /// Test images, drawn with the experiment's seed, on which it is found by gradients and by hiding squares; 0: none, and nothing of it.
    pub images: usize,
    /// How many of them also go through FAME, of the last layer: each costs `explain.fame.steps` forward and backward passes for every cell.
    pub fame_images: usize,
}

impl Default for LocalitySettings {
    fn default() -> Self {
        Self {
            images: 4,
            fame_images: 1,
        }
    }
}

/// Section `measure.occlusion`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OcclusionSettings {
    /// Test images, drawn with the experiment's seed: the same for every classifier. 0: none.
    pub images: usize,
    /// `region`: the attributes' regions, one pass for all attributes that share one. `exact_mask`: the masks that the data set
    /// has of every attribute in every image; a pass for each attribute.
    pub hide: Hide,
    /// What stands in the hole: `noisy_linear`, `blur` or `mean`.
    pub fill: Fill,
}

impl Default for OcclusionSettings {
    fn default() -> Self {
        Self {
            images: 600,
            hide: Hide::Region,
            fill: Fill::NoisyLinear,
        }
    }
}

/// Which part of an image is hidden for an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hide {
    /// Its region, the same in every image.
    Region,
    /// Its exact mask in the image.
    ExactMask,
}
