//! A head refitted to the features of a trained network, against the head that the training ended with.

use candle_core::{Device, Tensor};
use model::{
    Architecture, Checkpoint, ClassWeights, FrozenFeatures, LearningRate, Loss, Mode, Network, OptimiserConfig, Scheme,
    Trainer, TrainerConfig, prior_thresholds, refit_head, with_thresholds,
};

const IMAGES: usize = 48;

/// Images whose first attribute is a bright left half, of a quarter of them, and whose second is a red tint.
fn sample() -> (Tensor, Vec<i8>) {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for image in 0..IMAGES {
        let (bright, red) = (image % 4 == 0, image % 3 == 0);
        labels.extend([if bright { 1_i8 } else { -1 }, if red { 1 } else { -1 }]);
        for channel in 0..3 {
            for place in 0..32 * 32 {
                let noise = ((image * 31 + place * 17 + channel * 7) % 23) as f32 / 60.0;
                let left = if bright && place % 32 < 16 { 0.3 } else { 0.0 };
                let tint = if red && channel == 0 { 0.25 } else { 0.0 };
                pixels.push(0.2 + noise + left + tint);
            }
        }
    }
    (
        Tensor::from_vec(pixels, (IMAGES, 3, 32, 32), &Device::Cpu).unwrap(),
        labels,
    )
}

/// On the images it was trained on and with the weights it was trained with, a refitted head has a smaller loss than the trained one.
#[test]
fn a_refitted_head_has_a_smaller_loss_than_the_trained_one() {
    let device = Device::Cpu;
    let (images, labels) = sample();
    let as_numbers: Vec<f32> = labels.iter().map(|label| f32::from(*label)).collect();
    let targets = Tensor::from_vec(as_numbers, (IMAGES, 2), &device).unwrap();
    let weights = ClassWeights::new(
        Scheme::DomainAdaptive,
        &[(IMAGES / 4, IMAGES - IMAGES / 4), (IMAGES / 3, IMAGES - IMAGES / 3)],
    )
    .unwrap();
    let architecture = Architecture::preset("resnet18").unwrap().with_width(4);
    for loss in [Loss::Euclidean, Loss::CrossEntropy] {
        let mut trainer = Trainer::new(
            Network::new(&architecture, 2, 1, &device).unwrap(),
            TrainerConfig {
                loss,
                weights: weights.clone(),
                optimiser: OptimiserConfig::adam_w(),
                learning_rate: LearningRate::new(1e-3, model::Schedule::Constant).unwrap(),
                total_steps: 12,
                precision: kernels::Precision::Float32,
                convolution: kernels::ConvolutionAlgorithm::Direct,
                deterministic: true,
            },
        )
        .unwrap();
        for _ in 0..12 {
            trainer.step(&images, &targets).unwrap();
        }
        let network = trainer.network();
        let output = network.forward(&images, Mode::Eval).unwrap();
        let channels = output.features.dim(1).unwrap();
        let pooled = output.features.mean((2, 3)).unwrap();
        let features = pooled.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let data = FrozenFeatures::new(&features, &labels, channels, 2).unwrap();
        let refitted = refit_head(loss, &data, &weights).unwrap();
        let names = ["bright", "red"].map(str::to_owned);
        let derived = Checkpoint::of(network, &names)
            .unwrap()
            .with_head(&refitted.head)
            .unwrap();
        let derived = derived.network(&device).unwrap().forward(&images, Mode::Eval).unwrap();
        let value = |logits: &Tensor| {
            loss.forward(logits, &targets, &weights)
                .unwrap()
                .to_scalar::<f32>()
                .unwrap()
        };
        let (before, after) = (value(&output.logits), value(&derived.logits));
        assert!(after < before, "{loss:?}: {after} after {before}");
        let same = (derived.features - output.features)
            .unwrap()
            .abs()
            .unwrap()
            .max_all()
            .unwrap();
        assert_eq!(same.to_scalar::<f32>().unwrap(), 0.0, "the features are the same");
    }
}

/// Where both classes are as frequent, no threshold moves: the derived head is its source, to the bit.
#[test]
fn with_equal_classes_the_threshold_stays() {
    let network = Network::new(
        &Architecture::preset("resnet18").unwrap().with_width(4),
        2,
        1,
        &Device::Cpu,
    )
    .unwrap();
    let of = |scheme| ClassWeights::new(scheme, &[(50, 50), (7, 7)]).unwrap();
    let head = network.head();
    for loss in [Loss::Euclidean, Loss::CrossEntropy] {
        let moved = prior_thresholds(loss, &of(Scheme::None), &of(Scheme::DomainAdaptive));
        let bias = with_thresholds(&head, &moved).unwrap().bias;
        assert_eq!(bias.to_vec1::<f32>().unwrap(), head.bias.to_vec1::<f32>().unwrap());
    }
}

#[test]
fn a_head_of_another_network_is_refused() {
    let architecture = Architecture::preset("resnet18").unwrap().with_width(4);
    let [two, three] = [2, 3].map(|outputs| Network::new(&architecture, outputs, 1, &Device::Cpu).unwrap());
    let names = ["a", "b"].map(str::to_owned);
    let error = Checkpoint::of(&two, &names)
        .unwrap()
        .with_head(&three.head())
        .unwrap_err();
    assert!(error.to_string().contains("fc.weight"), "{error}");
}
