//! Section `training`, with its defaults.

use dataset::Augmentation;
use model::{OptimiserKind, Schedule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Section `training`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingSettings {
    /// `euclidean` (the paper's) or `cross_entropy`.
    pub loss: model::Loss,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// The (peak) learning rate.
    pub learning_rate: f64,
    /// `constant`: always `learning_rate`; `step`: a tenth after each third of the training; `cosine`: half a cosine from `learning_rate`
    /// to 0; `one_cycle`: PyTorch's `OneCycleLR` with its defaults.
    #[serde(with = "schedule")]
    #[schemars(schema_with = "schedule::json_schema")]
    pub schedule: Schedule,
    /// `sgd`, `rmsprop` or `adamw`.
    pub optimiser: OptimiserKind,
    /// Momentum of SGD and RMSprop.
    pub momentum: f64,
    /// Decay of the weights (decoupled with AdamW, added to the gradient otherwise).
    pub weight_decay: f64,
    /// `float32`, on a GPU `tf32` or `bf16`, or on a CPU with AVX512-BF16 or AMX `bf16`: how exactly a training step computes. All else is float32.
    pub precision: kernels::Precision,
    /// `direct`, or on a CPU `fast`: how a training step's convolutions are computed. `fast` takes less time for wide networks, and
    /// ends in other bytes.
    pub convolution: kernels::ConvolutionAlgorithm,
    /// Whether a training on a GPU ends in the same bytes each time, and one that was interrupted in those of one that was not. It takes
    /// longer there; on a CPU it is always so.
    pub deterministic: bool,
    /// Random changes of the training images, by their deviations: AFFACT's.
    pub augmentation: Augmentation,
    /// Seconds between two checkpoints of an unfinished training: at most this much work is lost.
    pub checkpoint_seconds: u64,
    /// Whether the training can be followed with TensorBoard, in `NAME/training.tfevents`.
    pub tensorboard: bool,
    /// Classifiers that are trained at a time on a CPU, each with its share of the threads: faster than one after the other, in the
    /// memory of as many, and to the same bytes. `null` is 2 for small networks and 1 for large ones, which gain little and need much.
    pub at_once: Option<usize>,
}

impl TrainingSettings {
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

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            loss: model::Loss::Euclidean,
            epochs: 8,
            batch_size: 32,
            learning_rate: 6e-3,
            schedule: Schedule::ONE_CYCLE,
            optimiser: OptimiserKind::AdamW,
            momentum: 0.9,
            weight_decay: 1e-4,
            precision: kernels::Precision::Float32,
            convolution: kernels::ConvolutionAlgorithm::Direct,
            deterministic: false,
            augmentation: Augmentation::affact(),
            checkpoint_seconds: 60,
            tensorboard: true,
            at_once: None,
        }
    }
}

/// The schedules of the learning rate by name: each with its constants, for which there are no keys.
mod schedule {
    use model::Schedule;
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::{Error as _, Serializer};

    const NAMES: [&str; 4] = ["constant", "step", "cosine", "one_cycle"];
    const SCHEDULES: [Schedule; 4] = [
        Schedule::Constant,
        Schedule::STEP,
        Schedule::Cosine,
        Schedule::ONE_CYCLE,
    ];

    pub fn serialize<S: Serializer>(schedule: &Schedule, serializer: S) -> Result<S::Ok, S::Error> {
        let position = SCHEDULES.iter().position(|known| known == schedule);
        let position = position.ok_or_else(|| S::Error::custom("a schedule without a name"))?;
        serializer.serialize_str(NAMES[position])
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Schedule, D::Error> {
        let name = String::deserialize(deserializer)?;
        let position = NAMES.iter().position(|known| *known == name);
        position
            .map(|position| SCHEDULES[position])
            .ok_or_else(|| D::Error::unknown_variant(&name, &NAMES))
    }

    pub fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": NAMES })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;
    use pipeline::Declaration;

    #[test]
    fn precision_is_float32_unless_told_otherwise_and_another_makes_another_training() {
        let parsed = |text: &str| yaml::parse::<TrainingSettings>(text, "training");
        let [default, tf32, bf16] = [
            "epochs: 1",
            "{epochs: 1, precision: tf32}",
            "{epochs: 1, precision: bf16}",
        ]
        .map(|text| parsed(text).expect("parses"));
        assert_eq!(default.precision, kernels::Precision::Float32);
        assert_eq!(parsed("{epochs: 1, precision: float32}").expect("parses"), default);
        let key = |training: &TrainingSettings| {
            let declaration = Declaration::of("train", 1).settings("training", &training.deciding());
            declaration.reads(&std::collections::BTreeMap::new())
        };
        assert_ne!(key(&default), key(&tf32));
        assert_ne!(key(&default), key(&bf16));
        assert_ne!(key(&tf32), key(&bf16));
        let message = parsed("precision: float16").expect_err("no such precision")[0].to_string();
        assert!(message.contains("float32") && message.contains("bf16"), "{message}");
    }
}
