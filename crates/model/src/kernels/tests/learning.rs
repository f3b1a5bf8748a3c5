//! A short training with a known way to learn, which is run in several precisions.

use super::numbers;
use crate::{
    Architecture, ClassWeights, LearningRate, Loss, Network, OptimiserConfig, Precision, Schedule, Trainer,
    TrainerConfig,
};
use candle_core::{Device, Result, Tensor};

/// Losses of a small ResNet-18 that goes through `batches` batches in turn; whether a channel is bright decides an attribute.
pub(super) fn losses(
    device: &Device,
    (precision, deterministic): (Precision, bool),
    steps: u64,
    width: usize,
    batches: u64,
    learning_rate: f64,
) -> crate::Result<Vec<f32>> {
    let architecture = Architecture::preset("resnet18")?.with_width(width);
    let config = TrainerConfig {
        loss: Loss::Euclidean,
        weights: ClassWeights::uniform(3),
        optimiser: OptimiserConfig::sgd(0.9).with_weight_decay(1e-4),
        learning_rate: LearningRate::new(learning_rate, Schedule::Constant)?,
        total_steps: steps,
        precision,
        deterministic,
    };
    let mut trainer = Trainer::new(Network::new(&architecture, 3, 1, device)?, config)?;
    let batch = |seed: u64| -> Result<(Tensor, Tensor)> {
        // Noise, and a brightness of each channel that is the label.
        let labels = numbers(&[16, 3], 2 * seed + 2).sign()?;
        let images = numbers(&[16, 3, 64, 64], 2 * seed + 1).broadcast_add(&(labels.reshape((16, 3, 1, 1))? * 0.2)?)?;
        Ok((images.to_device(device)?, labels.to_device(device)?))
    };
    let batches = (0..batches).map(batch).collect::<Result<Vec<_>>>()?;
    let turns = batches.iter().cycle().take(steps as usize);
    turns
        .map(|(images, labels)| trainer.step(images, labels)?.value())
        .collect()
}

/// What curves are compared of on a GPU does learn.
#[test]
fn the_compared_training_learns() {
    let losses = losses(&Device::Cpu, (Precision::Float32, true), 40, 8, 8, 3e-3).unwrap();
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&losses[..8]), mean(&losses[32..]));
    println!("{first} to {last}");
    assert!(last < 0.8 * first, "{first} to {last}");
}
