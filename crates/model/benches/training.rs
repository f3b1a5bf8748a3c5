//! One training step, its parts, and inference, of a width-16 ResNet-18 on batches of 32 images of 112 x 112 pixels.

use std::hint::black_box;

use candle_core::{DType, Device, Tensor};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kernels::Precision;
use model::{
    Architecture, ClassWeights, LearningRate, Loss, Mode, Network, Optimiser, OptimiserConfig, Schedule, Trainer,
    TrainerConfig,
};

const BATCH: usize = 32;
const ATTRIBUTES: usize = 40;

fn network() -> Network {
    let architecture = Architecture::preset("resnet18").expect("a preset").with_width(16);
    Network::new(&architecture, ATTRIBUTES, 1, &Device::Cpu).expect("a valid network")
}

/// Images as a view of channels-last memory, as the loader delivers them, and labels.
fn batch() -> candle_core::Result<(Tensor, Tensor)> {
    let images = Tensor::rand(0_f32, 1.0, (BATCH, 112, 112, 3), &Device::Cpu)?.permute((0, 3, 1, 2))?;
    let labels = Tensor::rand(0_f32, 1.0, (BATCH, ATTRIBUTES), &Device::Cpu)?
        .round()?
        .affine(2.0, -1.0)?;
    Ok((images, labels))
}

fn benches(criterion: &mut Criterion) {
    let (images, labels) = batch().expect("tensors");
    let weights = ClassWeights::uniform(ATTRIBUTES);
    let mut group = criterion.benchmark_group("resnet18_w16/b32_112/cpu");
    group.sample_size(10).throughput(Throughput::Elements(BATCH as u64));

    let config = TrainerConfig {
        loss: Loss::Euclidean,
        weights: weights.clone(),
        optimiser: OptimiserConfig::adam_w().with_weight_decay(1e-4),
        learning_rate: LearningRate::new(1e-4, Schedule::Constant).expect("a learning rate"),
        total_steps: 1,
        precision: Precision::Float32,
        convolution: kernels::ConvolutionAlgorithm::Direct,
        deterministic: true,
    };
    let mut trainer = Trainer::new(network(), config).expect("a trainer");
    group.bench_function("step", |bencher| {
        bencher.iter(|| {
            trainer
                .step(&images, &labels)
                .and_then(|loss| loss.value())
                .expect("a step")
        });
    });

    let network = network();
    group.bench_function("forward_eval", |bencher| {
        bencher.iter(|| black_box(network.forward(&images, Mode::Eval).expect("a forward pass")));
    });
    group.bench_function("forward_train", |bencher| {
        bencher.iter(|| black_box(network.forward(&images, Mode::Train).expect("a forward pass")));
    });

    let logits = Tensor::randn(0_f32, 1.0, (BATCH, ATTRIBUTES), &Device::Cpu).expect("logits");
    group.bench_function("cross_entropy", |bencher| {
        bencher.iter(|| Loss::CrossEntropy.forward(&logits, &labels, &weights).expect("a loss"));
    });

    let parameters = network.named_parameters();
    let mut gradients = network
        .forward(&images, Mode::Train)
        .and_then(|output| Ok(output.logits.sqr()?.sum_all()?.backward()?))
        .expect("gradients");
    for (_, var) in parameters {
        let ones = Tensor::ones(var.shape(), DType::F32, &Device::Cpu).expect("a tensor");
        gradients.insert(var, ones);
    }
    let mut optimiser = Optimiser::new(OptimiserConfig::adam_w(), parameters).expect("an optimiser");
    group.bench_function("adam_w", |bencher| {
        bencher.iter(|| optimiser.step(&gradients, 1e-9).expect("a step"));
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
