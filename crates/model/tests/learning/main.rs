//! A short training with a known way to learn, which is run in several precisions.

#[cfg(feature = "cuda")]
mod cuda;

use candle_core::{Device, Result, Tensor};
use kernels::Precision;
use model::{
    Architecture, ClassWeights, LearningRate, Loss, Network, OptimiserConfig, Schedule, Trainer, TrainerConfig,
};

/// Numbers between -1 and 1 that depend on `seed` alone.
fn numbers(shape: &[usize], seed: u64) -> Tensor {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let values: Vec<f32> = std::iter::repeat_with(next).take(shape.iter().product()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Losses of a small ResNet-18 that goes through `batches` batches in turn; whether a channel is bright decides an attribute.
fn losses(
    device: &Device,
    (precision, deterministic): (Precision, bool),
    steps: u64,
    width: usize,
    batches: u64,
    learning_rate: f64,
) -> model::Result<Vec<f32>> {
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
