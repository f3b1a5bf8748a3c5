//! Residual networks for binary attributes on candle: architecture, training, checkpoints.
//!
//! A network maps images `[N, 3, S, S]` to features `[N, C, h, w]`, averages them over the positions, and maps the average
//! linearly to one logit per attribute, `[N, A]`: positive means that the attribute is there.
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use model::{Architecture, ClassWeights, LearningRate, Loss, Mode, Network, OptimiserConfig, Schedule, Scheme};
//! use kernels::Precision;
//! use model::{Trainer, TrainerConfig};
//!
//! let architecture = Architecture::preset("resnet18")?.with_width(4);
//! let network = Network::new(&architecture, 2, 1, &Device::Cpu)?;
//!
//! // Two attributes: 30 of 100 training images have the first, 90 the second.
//! let weights = ClassWeights::new(Scheme::DomainAdaptive, &[(30, 70), (90, 10)])?;
//! let mut trainer = Trainer::new(network, TrainerConfig {
//!     loss: Loss::Euclidean,
//!     weights,
//!     optimiser: OptimiserConfig::adam_w().with_weight_decay(1e-4),
//!     learning_rate: LearningRate::new(1e-3, Schedule::ONE_CYCLE)?,
//!     total_steps: 100,
//!     precision: Precision::Float32,
//!     convolution: kernels::ConvolutionAlgorithm::Direct,
//!     deterministic: true,
//! })?;
//! let images = Tensor::rand(0_f32, 1.0, (4, 3, 32, 32), &Device::Cpu)?;
//! let labels = Tensor::new(&[[1_f32, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, 1.0]], &Device::Cpu)?;
//! let loss = trainer.step(&images, &labels)?;
//! assert!(loss.value()? > 0.0);
//!
//! let output = trainer.network().forward(&images, Mode::Eval)?;
//! assert_eq!(output.logits.dims(), [4, 2]);
//! assert_eq!(output.features.dims(), [4, 32, 1, 1]);
//! # Ok::<(), model::Error>(())
//! ```
//!
//! The crate knows no files: [`Checkpoint`] turns a network, or a training in progress, into bytes and back.

mod architecture;
mod checkpoint;
mod class_weights;
mod derived;
mod error;
mod foreign;
mod loss;
mod network;
mod optimiser;
mod schedule;
mod trainer;

pub use architecture::{Architecture, Block, Stage, Stem};
pub use checkpoint::{Checkpoint, Progress, check_header, tensors_from_bytes};
pub use class_weights::{ClassWeights, Scheme, Weighting};
pub use derived::{
    FrozenFeatures, GRADIENT_NORM, Refitted, ThresholdRule, prior_thresholds, refit_head, validation_thresholds,
    with_thresholds,
};
pub use error::{Error, Result, TensorMismatch};
pub use foreign::{Foreign, Guess, architecture_of};
pub use loss::Loss;
pub use network::{BiasGradient, Decomposition, Head, InputGradients, InputNormalisation, Mode, Network, Output};
pub use optimiser::{Optimiser, OptimiserConfig, OptimiserKind, OptimiserState};
pub use schedule::{LearningRate, Schedule};
pub use trainer::{StepLoss, Trainer, TrainerConfig};
