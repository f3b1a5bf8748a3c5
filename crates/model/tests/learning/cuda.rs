//! Networks and trainings on a GPU against the CPU's. Without a GPU these tests say so and pass.

use candle_core::Device;
use kernels::ConvolutionAlgorithm::Direct;
use kernels::Precision;
use model::{Architecture, Mode, Network};

use super::{assert_learns_alike, losses, numbers};

fn gpu() -> Option<Device> {
    match kernels::gpu(0) {
        Ok(device) => Some(device),
        Err(error) => {
            eprintln!("skipped, no GPU: {error}");
            None
        }
    }
}

/// Threads that evaluate one network at the same time, each with handles and plans of its own on the one stream.
#[test]
fn threads_share_a_network() {
    let Some(gpu) = gpu() else { return };
    let architecture = Architecture::preset("resnet18").unwrap().with_width(8);
    let network = Network::new(&architecture, 3, 1, &gpu).unwrap();
    let logits = |seed: u64| {
        let images = numbers(&[4, 3, 64, 64], seed).to_device(&gpu).unwrap();
        let logits = network.forward(&images, Mode::Eval).unwrap().logits;
        logits.to_vec2::<f32>().unwrap()
    };
    let expected: Vec<_> = (0..4).map(logits).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|seed| scope.spawn(move || (0..8).map(|_| logits(seed)).collect::<Vec<_>>()))
            .collect();
        for (thread, expected) in threads.into_iter().zip(&expected) {
            assert!(thread.join().unwrap().iter().all(|found| found == expected));
        }
    });
}

/// Every layer, the loss and the optimiser together: the same losses for ten steps.
#[test]
fn training_is_the_cpus() {
    let Some(gpu) = gpu() else { return };
    let losses = |device: &Device| losses(device, (Precision::Float32, Direct, false), 10, 8, 1, 1e-3);
    let (expected, found) = (losses(&Device::Cpu).unwrap(), losses(&gpu).unwrap());
    for (step, (found, expected)) in found.iter().zip(&expected).enumerate() {
        // Rounding grows from step to step; a wrong gradient is off by far more.
        approx::assert_relative_eq!(*found, *expected, max_relative = 1e-3);
        println!("step {step}: {found} on the GPU, {expected} on the CPU");
    }
}

/// 200 steps in TF32 and in bfloat16 learn as in float32. The bounds are guesses from the formats' 11 and 8 significant bits: they have not been measured.
#[test]
fn coarser_precisions_learn_as_float32_does() {
    let Some(gpu) = gpu() else { return };
    let curve = |precision| losses(&gpu, (precision, Direct, false), 200, 16, 8, 3e-3).unwrap();
    let exact = curve(Precision::Float32);
    for (precision, of_first_step, of_means) in [(Precision::Tf32, 1e-2, 0.05), (Precision::Bf16, 5e-2, 0.1)] {
        let name = precision.to_string();
        assert_learns_alike(&name, &curve(precision), &exact, of_first_step, of_means);
    }
}

/// Twice the same bytes in every precision, where that is asked for.
#[test]
fn a_deterministic_training_repeats_itself() {
    let Some(gpu) = gpu() else { return };
    for precision in [Precision::Float32, Precision::Tf32, Precision::Bf16] {
        let curve = || losses(&gpu, (precision, Direct, true), 50, 16, 8, 3e-3).unwrap();
        assert_eq!(curve(), curve(), "{precision}");
    }
}
