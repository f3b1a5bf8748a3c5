//! Parity with PyTorch on two thin networks: `crates/testing/parity` has the values and says how they were made.
//!
//! Tolerances are multiples of the difference between PyTorch's own float32 and float64 runs. Another order of summation is another
//! float32 run; a few such differences is what it may deviate.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use kernels::Precision;
use kernels::optimiser::Rule;
use model::{
    Architecture, ClassWeights, LearningRate, Loss, Mode, Network, OptimiserConfig, Schedule, Scheme, Trainer,
    TrainerConfig,
};
use serde_json::Value;
use testing::{largest_difference, parity};

const NETWORKS: [&str; 2] = ["basic", "bottleneck"];
const SIDE: usize = 100;
const STEPS: u64 = 3;
/// At most so many values of a parameter are stored.
const SAMPLES: usize = 16;

fn load(file: &str) -> HashMap<String, Tensor> {
    model::tensors_from_bytes(&parity(file)).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap();
    tensor.to_vec1().unwrap()
}

/// What PyTorch has of a network.
struct Reference {
    name: &'static str,
    numbers: Value,
    tensors: HashMap<String, Tensor>,
}

impl Reference {
    fn of(name: &'static str) -> Self {
        Self {
            name,
            numbers: serde_json::from_slice(&parity(&format!("{name}.json"))).unwrap(),
            tensors: load(&format!("{name}.network.safetensors")),
        }
    }

    fn network(&self) -> Network {
        let architecture: Architecture = serde_json::from_value(self.numbers["architecture"].clone()).unwrap();
        let stored = load(&format!("{}.weights.safetensors", self.name));
        let outputs = stored["fc.bias"].elem_count();
        let weights = stored
            .into_iter()
            .map(|(name, tensor)| (name, tensor.to_dtype(DType::F32).unwrap()));
        Network::from_tensors(&architecture, outputs, weights.collect(), &Device::Cpu).unwrap()
    }
}

/// The batch's images, each stored cell enlarged to a square of pixels.
fn images(batch: &HashMap<String, Tensor>) -> Tensor {
    let cells = (batch["cells"].to_dtype(DType::F32).unwrap() / 255.0).unwrap();
    cells.upsample_nearest2d(SIDE, SIDE).unwrap()
}

#[test]
fn logits_and_features_are_pytorchs() {
    let images = images(&load("batch.safetensors"));
    for name in NETWORKS {
        let reference = Reference::of(name);
        let network = reference.network();
        let output = network.forward(&images, Mode::Eval).unwrap();
        let features = output.features.narrow(0, 0, 2).unwrap();
        for (what, found) in [("logits", &output.logits), ("features", &features)] {
            let expected = &reference.tensors[what];
            assert_eq!(found.dims(), expected.dims());
            let off = largest_difference(&values(found), &values(expected));
            let own = reference.numbers["deviations"][what].as_f64().unwrap();
            println!("{name} {what}: {:.1} of PyTorch's own deviation", off / own);
            assert!(
                off <= 3.0 * own,
                "{name} {what}: {off:.3e} off, PyTorch's own {own:.3e}"
            );
        }

        // The same in parts, and from channels-last memory.
        let channels_last = images.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap();
        let images = channels_last.permute((0, 3, 1, 2)).unwrap();
        let middle = network.activations(&images, "layer2", Mode::Eval).unwrap();
        let parts = network.forward_from("layer2", &middle, Mode::Eval).unwrap();
        assert_eq!(values(&parts.logits), values(&output.logits));
        let last = network.activations(&images, "layer4", Mode::Eval).unwrap();
        assert_eq!(values(&last), values(&output.features));
        let missing = network.activations(&images, "layer5", Mode::Eval).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "`layer5` is not a layer; known: stage1, stage2, stage3, stage4"
        );
    }
}

/// Names in the order of the alphabet, and at most [`SAMPLES`] evenly spread values of each tensor.
fn sampled(tensors: HashMap<String, Tensor>) -> Vec<(String, Vec<f64>)> {
    let of = |tensor: &Tensor| {
        let values = values(tensor);
        let count = values.len().min(SAMPLES);
        (0..count).map(|k| values[k * values.len() / count]).collect()
    };
    let mut sampled: Vec<_> = tensors
        .iter()
        .map(|(name, tensor)| (name.clone(), of(tensor)))
        .collect();
    sampled.sort_by(|(a, _), (b, _)| a.cmp(b));
    sampled
}

/// One of the reference's trainings.
struct Run<'a> {
    name: String,
    numbers: &'a Value,
    tensors: &'a HashMap<String, Tensor>,
}

impl Run<'_> {
    /// Every tensor within `factor` of PyTorch's own deviation, or within `least` of its largest value.
    fn check(&self, run: &str, what: &str, found: &[(String, Vec<f64>)], factor: f64, least: f64) {
        let mut expected = values(&self.tensors[&format!("{run}/{what}")]);
        let deviations = self.numbers["deviations"][what].as_array().unwrap();
        assert_eq!(found.len(), deviations.len(), "{} {what}", self.name);
        let mut worst = [0.0_f64; 2];
        for ((tensor, found), deviation) in found.iter().zip(deviations) {
            let rest = expected.split_off(found.len());
            let off = largest_difference(found, &expected);
            let [own, largest] = [0, 1].map(|k| deviation[k].as_f64().unwrap());
            let tolerance = (factor * own).max(least * largest);
            assert!(
                off <= tolerance,
                "{} {what} {tensor}: {off:.3e} off, {tolerance:.3e} allowed",
                self.name
            );
            worst = [worst[0].max(off / own), worst[1].max(off / largest)];
            expected = rest;
        }
        assert!(expected.is_empty(), "{} {what}: not all compared", self.name);
        println!(
            "{} {what}: {:.1} of PyTorch's own deviation, {:.1e} of the largest",
            self.name, worst[0], worst[1]
        );
    }
}

#[test]
fn steps_are_pytorchs() {
    let batch = load("batch.safetensors");
    let (images, labels) = (images(&batch), &batch["labels"]);
    let weighted = domain_adaptive(&batch);
    let uniform = ClassWeights::uniform(labels.dims()[1]);
    let sgd = OptimiserConfig::sgd(0.9);
    let adam = OptimiserConfig {
        rule: Rule::Adam {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            decoupled: false,
        },
        ..OptimiserConfig::adam_w()
    };
    for name in NETWORKS {
        let reference = Reference::of(name);
        for (run, loss, weights, optimiser, rate) in [
            ("sgd_mse", Loss::Euclidean, &uniform, sgd, 0.01),
            ("sgd_mse_weighted", Loss::Euclidean, &weighted, sgd, 0.01),
            ("adam_bce_weighted", Loss::CrossEntropy, &weighted, adam, 0.001),
        ] {
            let this = Run {
                name: format!("{name} {run}"),
                numbers: &reference.numbers["runs"][run],
                tensors: &reference.tensors,
            };
            let whole = |tensor: &Tensor| [(String::new(), values(tensor))];

            let network = reference.network();
            let logits = network.forward(&images, Mode::Train).unwrap().logits;
            this.check(run, "logits", &whole(&logits), 3.0, 1e-6);
            let trained: Vec<String> = network
                .named_parameters()
                .iter()
                .map(|(name, _)| name.clone())
                .collect();
            let statistics = network.named_tensors().into_iter();
            let statistics = statistics.filter(|(name, _)| !trained.contains(name)).collect();
            this.check(run, "statistics", &sampled(statistics), 3.0, 1e-6);
            let gradients = loss.forward(&logits, labels, weights).unwrap().backward().unwrap();
            let parameters = network.named_parameters().iter();
            let gradients = parameters.map(|(name, var)| (name.clone(), gradients.get(var).unwrap().clone()));
            // A ReLU on the other side of 0 moves the gradients before it.
            this.check(run, "gradients", &sampled(gradients.collect()), 3.0, 1e-4);

            let config = TrainerConfig {
                loss,
                weights: weights.clone(),
                optimiser,
                learning_rate: LearningRate::new(rate, Schedule::Constant).unwrap(),
                total_steps: STEPS,
                precision: Precision::Float32,
                convolution: kernels::ConvolutionAlgorithm::Direct,
                deterministic: true,
            };
            let mut trainer = Trainer::new(reference.network(), config).unwrap();
            for step in 0..STEPS as usize {
                let found = f64::from(trainer.step(&images, labels).unwrap().value().unwrap());
                let expected = this.numbers["losses"][step].as_f64().unwrap();
                let off = largest_difference(&[found], &[expected]) / expected;
                println!("{name} {run} step {step}: loss {off:.1e} off");
                assert!(off <= 2e-6, "{name} {run} step {step}: {found}, expected {expected}");
            }
            let network = trainer.network();
            // Adam's first steps are as long for a tiny gradient as for a large one: full steps where its sign is rounding's.
            let factor = if optimiser == sgd { 3.0 } else { 15.0 };
            this.check(run, "after", &sampled(network.named_tensors()), factor, 1e-6);
            let logits = network.forward(&images, Mode::Eval).unwrap().logits;
            this.check(run, "logits_after", &whole(&logits), 3.0, 1e-6);
        }
    }
}

/// The reference's weights from its class counts, compared with its own on the way.
fn domain_adaptive(batch: &HashMap<String, Tensor>) -> ClassWeights {
    let counts = batch["class_counts"].to_vec2::<i64>().unwrap();
    let counts: Vec<(usize, usize)> = counts.iter().map(|row| (row[0] as usize, row[1] as usize)).collect();
    let weights = ClassWeights::new(Scheme::DomainAdaptive, &counts).unwrap();
    let found: Vec<_> = weights
        .positive
        .iter()
        .zip(&weights.negative)
        .map(|(p, n)| vec![*p, *n])
        .collect();
    assert_eq!(found, batch["class_weights"].to_vec2::<f32>().unwrap());
    weights
}
