//! The sections of an experiment file, with their defaults.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::table::Table;

/// Which kind of data the experiment is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Procedural faces, written on first use (`data.procedural`).
    Procedural,
    /// CelebA in `data.folder`: the official files, or the Parquet files that `biascam data fetch celeba` brings.
    Celeba,
    /// Any table of binary attributes with a folder of images (`data.table`).
    Table,
}

/// Section `data`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Procedural faces, CelebA, or a table.
    pub source: Source,
    /// The data set's folder, below `--data`. Default: `celeba`, a name made from the settings of what is generated, or, with a
    /// table of one's own, `--data` itself.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// What is generated when the source is procedural.
    #[serde(default)]
    pub procedural: Procedural,
    /// The table, when it is the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Table>,
    /// What to do about an image that is missing, cut off, of a wrong size or no image: `fail`, or `skip` it in all stages.
    #[serde(default)]
    pub on_bad_image: OnBadImage,
    /// With `skip`: the largest number of bad images; with more the run is refused.
    #[serde(default = "Data::bad_images_limit")]
    pub bad_images_limit: usize,
    /// Side of the aligned square the network sees, in pixels.
    #[serde(default = "Data::image_size")]
    pub image_size: usize,
    /// Scores and explanations are on images whose nose is at most this far off the middle line (paper: 0.1); `null` takes all.
    #[serde(default = "Data::frontal_threshold")]
    pub frontal_threshold: Option<f32>,
    /// Part of the training images that is used, the first in the file's order: 0 < fraction <= 1.
    #[serde(default = "Data::all")]
    pub training_fraction: f64,
    /// Megabytes of decoded images kept in memory, so that later epochs need not decode them again.
    #[serde(default = "Data::cache_megabytes")]
    pub cache_megabytes: usize,
    /// Keep decoded images in a file below `--data` (`packed/`), so that neither this run nor a later one decodes them again:
    /// 116 KB an image of CelebA at `image_size: 224`, 29 KB at 112.
    #[serde(default)]
    pub packed_cache: bool,
}

impl Data {
    /// The settings that decide results: without those that only decide speed.
    #[must_use]
    pub fn deciding(&self) -> Self {
        Self {
            cache_megabytes: 0,
            packed_cache: false,
            // Which images are left out decides, and is part of every key; not what was allowed.
            on_bad_image: OnBadImage::Fail,
            bad_images_limit: 0,
            ..self.clone()
        }
    }

    fn image_size() -> usize {
        112
    }
    #[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
    fn frontal_threshold() -> Option<f32> {
        Some(0.1)
    }
    fn all() -> f64 {
        1.0
    }
    fn bad_images_limit() -> usize {
        20
    }
    fn cache_megabytes() -> usize {
        1500
    }
}

/// What to do about an image that cannot be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBadImage {
    /// The run ends and names it.
    #[default]
    Fail,
    /// All images are read once before the first stage; bad ones are listed and left out of everything.
    Skip,
}

/// Section `data.procedural`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Procedural {
    /// Number of training images.
    pub train: usize,
    /// Number of validation images.
    pub validation: usize,
    /// Number of test images, before the frontal filter.
    pub test: usize,
    /// Seed of the faces and their labels.
    pub seed: u64,
}

impl Default for Procedural {
    fn default() -> Self {
        Self {
            train: 12_000,
            validation: 1_000,
            test: 4_000,
            seed: 1,
        }
    }
}

/// Section `model`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
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

/// Means of ImageNet's colour channels, with which torchvision and timm trained their weights.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Deviations of ImageNet's colour channels.
pub const IMAGENET_DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

impl Network {
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
    pub fn normalisation(&self) -> Option<model::Normalisation> {
        let (mean, deviation) = match self.pretrained {
            Some(_) => (IMAGENET_MEAN, IMAGENET_DEVIATION),
            None => ([0.0; 3], [1.0; 3]),
        };
        let normalisation = model::Normalisation {
            mean: self.mean.unwrap_or(mean),
            deviation: self.deviation.unwrap_or(deviation),
        };
        (normalisation.mean != [0.0; 3] || normalisation.deviation != [1.0; 3]).then_some(normalisation)
    }
}

impl Default for Network {
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ArchitectureChoice {
    /// One of the presets.
    Preset(String),
    /// Blocks, strides, kernels and widths stage by stage.
    Custom(model::Architecture),
}

/// Section `training`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// `euclidean` (the paper's) or `cross_entropy`.
    pub loss: model::Loss,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// The (peak) learning rate.
    pub learning_rate: f64,
    /// `constant`, `step`, `cosine` or `one_cycle`.
    pub schedule: Schedule,
    /// `sgd`, `rmsprop` or `adamw`.
    pub optimiser: Optimiser,
    /// Momentum of SGD and RMSprop.
    pub momentum: f64,
    /// Decay of the weights (decoupled with AdamW, added to the gradient otherwise).
    pub weight_decay: f64,
    /// `float32`, or on a GPU `tf32` or `bf16`: how exactly a training step computes. All else is float32.
    pub precision: model::Precision,
    /// Random changes of the training images.
    pub augmentation: Augment,
    /// Seconds between two checkpoints of an unfinished training: at most this much work is lost.
    pub checkpoint_seconds: u64,
    /// Whether the training can be followed with TensorBoard, in `NAME/training.tfevents`.
    pub tensorboard: bool,
    /// Classifiers that are trained at a time on a CPU, each with its share of the threads: faster than one after the other, in the
    /// memory of as many, and to the same bytes. `null` is 2 for small networks and 1 for large ones, which gain little and need much.
    pub at_once: Option<usize>,
}

impl Training {
    /// The settings that decide results: how often a state is saved, what is written to follow the training and what runs beside it
    /// do not.
    #[must_use]
    pub fn deciding(&self) -> Self {
        Self {
            checkpoint_seconds: 0,
            tensorboard: false,
            at_once: None,
            ..self.clone()
        }
    }
}

impl Default for Training {
    fn default() -> Self {
        Self {
            loss: model::Loss::Euclidean,
            epochs: 8,
            batch_size: 32,
            learning_rate: 6e-3,
            schedule: Schedule::OneCycle,
            optimiser: Optimiser::AdamW,
            momentum: 0.9,
            weight_decay: 1e-4,
            precision: model::Precision::Float32,
            augmentation: Augment::default(),
            checkpoint_seconds: 60,
            tensorboard: true,
            at_once: None,
        }
    }
}

/// How the learning rate changes over a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Always `learning_rate`.
    Constant,
    /// A tenth after each third of the training.
    Step,
    /// Half a cosine from `learning_rate` to 0.
    Cosine,
    /// PyTorch's `OneCycleLR` with its defaults.
    OneCycle,
}

/// The optimisers, with PyTorch's definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimiser {
    /// Stochastic gradient descent with momentum.
    Sgd,
    /// RMSprop.
    #[serde(rename = "rmsprop")]
    RmsProp,
    /// Adam with decoupled weight decay.
    #[serde(rename = "adamw")]
    AdamW,
}

/// Section `training.augmentation`: AFFACT's random changes, by their deviations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Deviation of the scale around 1 (AFFACT: 0.1).
    pub scale: f32,
    /// Deviation of the rotation in degrees (AFFACT: 20).
    pub rotation: f32,
    /// Deviation of the shift as a fraction of the side (AFFACT: 0.05).
    pub shift: f32,
    /// Deviation of the Gaussian blur's sigma, in pixels of a 224-pixel square (AFFACT: 3).
    pub blur: f32,
    /// Probability of a mirrored image (AFFACT: 0.5).
    pub mirror: f32,
    /// Deviation of a value added to all pixels, which are in [0, 1] (AFFACT: 0).
    pub brightness: f32,
    /// Deviation of the contrast around 1 (AFFACT: 0).
    pub contrast: f32,
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            scale: 0.1,
            rotation: 20.0,
            shift: 0.05,
            blur: 3.0,
            mirror: 0.5,
            brightness: 0.0,
            contrast: 0.0,
        }
    }
}

/// One of the compared classifiers: either its class weights in training, or the file that has it trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classifier {
    /// How the two classes of an attribute are weighted in the loss.
    #[serde(default)]
    pub class_weights: Option<WeightScheme>,
    /// A trained classifier, to be scored and explained instead of training one: a checkpoint of this program, or a
    /// safetensors file with torchvision's names and one output an attribute.
    #[serde(default)]
    pub weights: Option<PathBuf>,
    /// 0 is no weighting, 1 the scheme; between, the scheme's weights to this power.
    #[serde(default = "Classifier::whole")]
    pub exponent: f64,
    /// The beta of `effective_number`.
    #[serde(default = "Classifier::beta")]
    pub beta: f64,
}

impl Classifier {
    /// A classifier with the whole of a scheme.
    pub fn new(class_weights: WeightScheme) -> Self {
        Self {
            class_weights: Some(class_weights),
            weights: None,
            exponent: Self::whole(),
            beta: Self::beta(),
        }
    }
    fn whole() -> f64 {
        1.0
    }
    fn beta() -> f64 {
        0.9999
    }
}

/// The schemes of class weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightScheme {
    /// 1 for both classes.
    None,
    /// The paper's: 1 for the minority class, n_minority / n_majority for the majority class.
    DomainAdaptive,
    /// n / (2 n_class).
    InverseFrequency,
    /// Cui et al. 2019.
    EffectiveNumber,
}

/// Section `explain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Explain {
    /// The method, `hires_cam` in the paper's table; `docs/methods.md` lists them with what they cost.
    pub method: String,
    /// `predicted` explains |z|, the decision that was made (the paper's); `positive` explains +z, `negative` -z, `label` z times the
    /// label.
    pub target: String,
    /// How a map is brought to the image's size: `half_pixel` (the paper's) or `cell_centred`.
    pub resize: String,
    /// The stage whose activations are mapped, `stage1` for the first; `null` is the last (the paper's).
    pub layer: Option<String>,
    /// Number of test images that are explained, drawn with the experiment's seed; `null` explains all. For methods of many passes.
    pub images: Option<usize>,
    /// Keeps the raw maps of every explained image and attribute in `NAME/raw_maps.safetensors`.
    pub keep_maps: bool,
    /// How Score-CAM enlarges a channel to a mask: `corner_aligned` (its authors') or `half_pixel`.
    pub upsampling: String,
    /// RISE's random masks.
    pub rise: Rise,
}

impl Default for Explain {
    fn default() -> Self {
        Self {
            method: "hires_cam".to_owned(),
            target: "predicted".to_owned(),
            resize: "half_pixel".to_owned(),
            layer: None,
            images: None,
            keep_maps: false,
            upsampling: "corner_aligned".to_owned(),
            rise: Rise::default(),
        }
    }
}

impl Explain {
    /// The settings as `cam` takes them, without the reference of the centred CAM.
    ///
    /// # Errors
    /// A message that names the key and what it can be.
    pub fn config(&self) -> Result<cam::ExplainerConfig, String> {
        fn parsed<T: std::str::FromStr<Err = cam::Error>>(key: &str, value: &str) -> Result<T, String> {
            value.parse().map_err(|error| format!("explain.{key}: {error}"))
        }
        Ok(cam::ExplainerConfig {
            method: parsed("method", &self.method)?,
            target: parsed("target", &self.target)?,
            layer: self.layer.clone(),
            resize: parsed("resize", &self.resize)?,
            upsampling: parsed("upsampling", &self.upsampling)?,
            rise: cam::RiseConfig {
                masks: self.rise.masks,
                grid: self.rise.grid,
                probability: self.rise.probability,
                seed: self.rise.seed,
                density: parsed("rise.density", &self.rise.density)?,
            },
            reference: None,
        })
    }
}

/// Section `explain.rise`: see [`cam::RiseConfig`], whose defaults these are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rise {
    /// Masks, and so forward passes, an image.
    pub masks: usize,
    /// Cells of a mask along a side.
    pub grid: usize,
    /// Probability that a cell is seen, above 0 and below 1.
    pub probability: f64,
    /// Seed of the masks.
    pub seed: u64,
    /// What a pixel's sum of scores is divided by: `observed`, the sum of its masks, or `expected`, what that should be (the paper's
    /// formula).
    pub density: String,
}

impl Default for Rise {
    fn default() -> Self {
        let cam::RiseConfig {
            masks,
            grid,
            probability,
            seed,
            density,
        } = cam::RiseConfig::default();
        Self {
            masks,
            grid,
            probability,
            seed,
            density: density.to_string(),
        }
    }
}

/// Section `measure`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Measure {
    /// `celeba` for the paper's regions, a file like it, `masks` for the data set's own masks image by image, or `none` for the
    /// whole image. `null` is `celeba` for faces; for a table `masks` if it has them, else `none`.
    pub regions: Option<String>,
    /// Resamples of the bootstrap behind each 95 % confidence interval.
    pub resamples: usize,
    /// Compare with the paper's published numbers, attribute by attribute; `null` does so where the data is CelebA.
    pub published: Option<bool>,
    /// What is hidden to see whether a decision hangs on it.
    pub occlusion: Occlusion,
    /// Test images, drawn with the experiment's seed, whose scores are taken apart into the part of the input and that of all
    /// biases of the network; 0: none. An image costs a forward and a backward pass for each attribute.
    pub decomposed_images: usize,
    /// Whether the maps tell what the classifiers use.
    pub faithfulness: Faithfulness,
}

impl Default for Measure {
    fn default() -> Self {
        Self {
            regions: None,
            resamples: 1000,
            published: None,
            occlusion: Occlusion::default(),
            decomposed_images: 16,
            faithfulness: Faithfulness::default(),
        }
    }
}

/// Section `report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Report {
    /// Faces of each attribute, classifier and outcome that the report lets one browse: the first of a random order. Fewer are
    /// shown where there are no more, or where the report would become larger than is good for mail.
    pub examples: usize,
}

impl Default for Report {
    fn default() -> Self {
        Self { examples: 3 }
    }
}

/// Section `measure.faithfulness`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faithfulness {
    /// Scores, each of a test image and an attribute with a local region, on which methods are tried: drawn with the experiment's seed,
    /// every attribute and either predicted class in turn. 0: none.
    pub images: usize,
    /// How many of them, at most, also go through ROAD, whose imputations cost most of the time.
    pub road_images: usize,
    /// The methods beside `explain.method`, a random map and one that always shows the middle.
    pub methods: Vec<String>,
    /// The attribute with whose map each map is compared by Attention-IoU's heatmap score, where the data set has it.
    pub heatmap_attribute: String,
}

impl Default for Faithfulness {
    fn default() -> Self {
        Self {
            images: 80,
            road_images: 0,
            methods: ["grad_cam_plus_plus", "layer_cam", "eigen_cam", "centred_cam"]
                .map(str::to_owned)
                .to_vec(),
            heatmap_attribute: "Male".to_owned(),
        }
    }
}

/// Section `measure.occlusion`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Occlusion {
    /// Test images, drawn with the experiment's seed: the same for every classifier. 0: none.
    pub images: usize,
    /// `region`: the attributes' regions, one pass for all attributes that share one. `exact_mask`: the masks that the data set
    /// has of every attribute in every image; a pass for each attribute.
    pub hide: Hide,
    /// What stands in the hole: `noisy_linear`, `blur` or `mean`.
    pub fill: Fill,
}

impl Default for Occlusion {
    fn default() -> Self {
        Self {
            images: 600,
            hide: Hide::Region,
            fill: Fill::NoisyLinear,
        }
    }
}

/// Which part of an image is hidden for an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hide {
    /// Its region, the same in every image.
    Region,
    /// Its exact mask in the image.
    ExactMask,
}

/// What stands in the place of what is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// Each pixel the weighted mean of its neighbours, and noise (Rong et al. 2022): no border that a network could see, and
    /// nothing of what was there.
    NoisyLinear,
    /// The image itself, blurred: its colours stay.
    Blur,
    /// The mean of the images: an average face, whose attributes are the majority's.
    Mean,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Key;

    #[test]
    fn precision_is_float32_unless_told_otherwise_and_another_makes_another_training() {
        let parsed = |text: &str| serde_yaml::from_str::<Training>(text);
        let [default, tf32, bf16] = [
            "epochs: 1",
            "{epochs: 1, precision: tf32}",
            "{epochs: 1, precision: bf16}",
        ]
        .map(|text| parsed(text).expect("parses"));
        assert_eq!(default.precision, model::Precision::Float32);
        assert_eq!(parsed("{epochs: 1, precision: float32}").expect("parses"), default);
        let key = |training: &Training| Key::default().settings(&training.deciding()).finish();
        assert_ne!(key(&default), key(&tf32));
        assert_ne!(key(&default), key(&bf16));
        assert_ne!(key(&tf32), key(&bf16));
        let message = parsed("precision: float16").expect_err("no such precision").to_string();
        assert!(message.contains("float32") && message.contains("bf16"), "{message}");
    }
}
