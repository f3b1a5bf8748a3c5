//! Section `training`, with its defaults.

use serde::{Deserialize, Serialize};

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
    /// Whether a training on a GPU ends in the same bytes each time, and one that was interrupted in those of one that was not. It takes
    /// longer there; on a CPU it is always so.
    pub deterministic: bool,
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
            deterministic: false,
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

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::Declaration;

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
        let key = |training: &Training| {
            let declaration = Declaration::of("train", 1).settings("training", &training.deciding());
            declaration.reads(&std::collections::BTreeMap::new())
        };
        assert_ne!(key(&default), key(&tf32));
        assert_ne!(key(&default), key(&bf16));
        assert_ne!(key(&tf32), key(&bf16));
        let message = parsed("precision: float16").expect_err("no such precision").to_string();
        assert!(message.contains("float32") && message.contains("bf16"), "{message}");
    }
}
