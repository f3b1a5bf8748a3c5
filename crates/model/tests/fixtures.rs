//! Parity with PyTorch on a larger network and more steps than `parity.rs` has: values in `../shared/fixtures`, whose README and NOTES
//! say how they were made. Without that folder these tests say so and pass.
//!
//! Tolerances are absolute, as multiples of the difference between PyTorch's own float32 and float64 runs where the
//! fixtures have it. Another order of summation is another float32 run; a few such differences is what it may deviate.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use kernels::Precision;
use kernels::optimiser::Rule;
use model::{
    Architecture, ClassWeights, LearningRate, Loss, Mode, Network, OptimiserConfig, Schedule, Scheme, Trainer,
    TrainerConfig,
};
use serde_json::Value;
use testing::{largest_difference, shared};

fn load(folder: &Path, name: &str) -> HashMap<String, Tensor> {
    model::tensors_from_bytes(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

fn thin18(folder: &Path) -> Network {
    let architecture = Architecture::preset("resnet18").unwrap().with_width(16);
    Network::from_tensors(&architecture, 40, load(folder, "weights.safetensors"), &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor
        .to_dtype(DType::F64)
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap()
}

/// Largest absolute difference.
fn difference(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.dims(), expected.dims());
    largest_difference(&values(found), &values(expected))
}

fn assert_close(what: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    let difference = difference(found, expected);
    assert!(
        difference <= tolerance,
        "{what}: {difference:.3e} off, {tolerance:.3e} allowed"
    );
}

#[test]
fn logits_and_features_are_pytorchs() {
    let Some(folder) = shared("fixtures") else { return };
    let images = &load(&folder, "inputs.safetensors")["images"];
    let expected = load(&folder, "expected_cam.safetensors");
    let network = thin18(&folder);
    let output = network.forward(images, Mode::Eval).unwrap();
    // PyTorch's float32 is 2.7e-6 and 8.6e-6 from its float64.
    assert_close("logits", &output.logits, &expected["logits"], 1e-5);
    assert_close("features", &output.features, &expected["features"], 3e-5);
}

#[test]
fn five_steps_are_pytorchs() {
    let Some(folder) = shared("fixtures") else { return };
    let expected = load(&folder, "expected_training.safetensors");
    let training: Value = serde_json::from_slice(&std::fs::read(folder.join("training.json")).unwrap()).unwrap();
    let images = (expected["images_u8"].to_dtype(DType::F32).unwrap() / 255.0).unwrap();
    let labels = &expected["labels"];
    let weights = domain_adaptive(&expected);

    let sgd = OptimiserConfig::sgd(0.9);
    let adam = OptimiserConfig {
        rule: Rule::Adam {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            decoupled: false,
        },
        ..OptimiserConfig::adam_w()
    };
    for (name, loss, weights, optimiser) in [
        ("sgd_mse", Loss::Euclidean, ClassWeights::uniform(40), sgd),
        ("sgd_mse_weighted", Loss::Euclidean, weights.clone(), sgd),
        ("adam_bce_weighted", Loss::CrossEntropy, weights, adam),
    ] {
        let run = &training["runs"][name];
        // What PyTorch's float32 run deviates from float64, and the largest value itself.
        let own = |tensor: &str, what: &str| run[what][tensor].as_f64().unwrap();
        let check = |tensor: &str, found: &Tensor, factor: f64| {
            let rounding = 1e-6 * own(tensor, "max_abs_value");
            let tolerance = factor * own(tensor, "max_abs_f32_minus_f64").max(rounding);
            assert_close(
                &format!("{name}/{tensor}"),
                found,
                &expected[&format!("{name}/{tensor}")],
                tolerance,
            );
        };

        let network = thin18(&folder);
        let logits = network.forward(&images, Mode::Train).unwrap().logits;
        check("step0/logits_train", &logits, 3.0);
        for tensor in [
            "bn1.running_mean",
            "bn1.running_var",
            "layer4.1.bn2.running_mean",
            "layer4.1.bn2.running_var",
        ] {
            check(&format!("step1/{tensor}"), &network.named_tensors()[tensor], 3.0);
        }
        let gradients = loss.forward(&logits, labels, &weights).unwrap().backward().unwrap();
        for (parameter, var) in network.named_parameters() {
            if let "conv1.weight" | "fc.weight" = parameter.as_str() {
                // A ReLU on the other side of 0 moves the first layer's gradient by up to 1e-3 of its maximum.
                let tensor = format!("step0/grad.{parameter}");
                let tolerance = if parameter == "conv1.weight" { 1e-3 } else { 1e-5 } * own(&tensor, "max_abs_value");
                let gradient = gradients.get(var).unwrap();
                assert_close(&tensor, gradient, &expected[&format!("{name}/{tensor}")], tolerance);
            }
        }

        let config = TrainerConfig {
            loss,
            weights,
            optimiser,
            learning_rate: LearningRate::new(run["lr"].as_f64().unwrap(), Schedule::Constant).unwrap(),
            total_steps: 5,
            precision: Precision::Float32,
            convolution: kernels::ConvolutionAlgorithm::Direct,
            deterministic: true,
        };
        let mut trainer = Trainer::new(thin18(&folder), config).unwrap();
        for step in 0..5 {
            let found = f64::from(trainer.step(&images, labels).unwrap().value().unwrap());
            let expected = run["loss_before_step_f64run"][step].as_f64().unwrap();
            // PyTorch's float32 losses are up to 2e-7 off; ours add the deviation of the weights so far.
            assert!(
                (found - expected).abs() <= 2e-6 * expected,
                "{name} step {step}: {found}, expected {expected}"
            );
            if step == 0 {
                let logits = trainer.network().forward(&images, Mode::Eval).unwrap().logits;
                // Adam's first step is the sign of the gradient: full steps where a tiny gradient's sign differs.
                let factor = if optimiser == sgd { 3.0 } else { 15.0 };
                check("step1/logits_eval", &logits, factor);
            }
        }
        let network = trainer.network();
        let tensors = network.named_tensors();
        for tensor in [
            "conv1.weight",
            "fc.weight",
            "fc.bias",
            "bn1.running_mean",
            "bn1.running_var",
        ] {
            check(&format!("after/{tensor}"), &tensors[tensor], 3.0);
        }
        let logits = network.forward(&images, Mode::Eval).unwrap().logits;
        check("after/logits_eval", &logits, 3.0);
    }
}

/// The fixtures' weights from their class counts, compared with theirs on the way.
fn domain_adaptive(expected: &HashMap<String, Tensor>) -> ClassWeights {
    let counts = expected["class_counts"].to_vec2::<i64>().unwrap();
    let counts: Vec<(usize, usize)> = counts.iter().map(|row| (row[0] as usize, row[1] as usize)).collect();
    let weights = ClassWeights::new(Scheme::DomainAdaptive, &counts).unwrap();
    for (attribute, row) in expected["class_weights"]
        .to_vec2::<f32>()
        .unwrap()
        .into_iter()
        .enumerate()
    {
        assert_eq!(
            row,
            [weights.positive[attribute], weights.negative[attribute]],
            "attribute {attribute}"
        );
    }
    weights
}
