//! A short training with a known way to learn, which is run in several precisions.

#[cfg(feature = "cuda")]
mod cuda;

use candle_core::{Device, Result, Tensor};
use kernels::ConvolutionAlgorithm::{self, Direct, Fast};
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
    (precision, convolution, deterministic): (Precision, ConvolutionAlgorithm, bool),
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
        convolution,
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
    let losses = losses(&Device::Cpu, (Precision::Float32, Direct, true), 40, 8, 8, 3e-3).unwrap();
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&losses[..8]), mean(&losses[32..]));
    println!("{first} to {last}");
    assert!(last < 0.8 * first, "{first} to {last}");
}

/// Asserts that losses of 200 steps are as in float32 by the definition. Single steps drift apart, so means over 20 are compared, in
/// units of the first steps' loss.
fn assert_learns_alike(name: &str, found: &[f32], exact: &[f32], of_first_step: f32, of_means: f32) {
    const WINDOW: usize = 20;
    let means = |losses: &[f32]| -> Vec<f32> {
        let windows = losses.chunks(WINDOW);
        windows
            .map(|window| window.iter().sum::<f32>() / window.len() as f32)
            .collect()
    };
    let expected = means(exact);
    assert!(expected[expected.len() - 1] < 0.8 * expected[0], "float32 learns");
    assert_ne!(found[0].to_bits(), exact[0].to_bits(), "{name} reaches the layers");
    approx::assert_relative_eq!(found[0], exact[0], max_relative = of_first_step);
    let means = means(found);
    println!("float32: {expected:.4?}\n{name}: {means:.4?}");
    for (found, expected_mean) in means.iter().zip(&expected) {
        let difference = (found - expected_mean).abs() / expected[0];
        assert!(
            difference < of_means,
            "{name}: {found} where float32 has {expected_mean}"
        );
    }
}

/// 200 steps in bfloat16, and by Winograd's products, learn as in float32 by the definition. The bounds are some times what is printed.
#[test]
fn what_is_faster_learns_as_float32_does() {
    let curve =
        |precision, convolution| losses(&Device::Cpu, (precision, convolution, true), 200, 32, 8, 5e-4).unwrap();
    let exact = curve(Precision::Float32, Direct);
    assert_learns_alike("fast", &curve(Precision::Float32, Fast), &exact, 1e-4, 0.05);
    match Precision::Bf16.check(&Device::Cpu) {
        Ok(()) => assert_learns_alike("bf16", &curve(Precision::Bf16, Direct), &exact, 5e-2, 0.1),
        Err(why) => eprintln!("bf16 skipped: {why}"),
    }
}
