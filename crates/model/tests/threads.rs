//! The same seed gives the same bytes, whatever the number of threads.

use candle_core::{Device, Tensor};
use kernels::Precision;
use model::{
    Architecture, Checkpoint, ClassWeights, LearningRate, Loss, Network, OptimiserConfig, Schedule, Trainer,
    TrainerConfig,
};

const ATTRIBUTES: usize = 5;

/// A checkpoint after three steps, made on a pool of that many threads.
fn train(threads: usize) -> Vec<u8> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let architecture = Architecture::preset("resnet18").unwrap().with_width(16);
        let network = Network::new(&architecture, ATTRIBUTES, 3, &Device::Cpu).unwrap();
        let config = TrainerConfig {
            loss: Loss::CrossEntropy,
            weights: ClassWeights::uniform(ATTRIBUTES),
            optimiser: OptimiserConfig::adam_w().with_weight_decay(1e-4),
            learning_rate: LearningRate::new(1e-3, Schedule::Constant).unwrap(),
            total_steps: 3,
            precision: Precision::Float32,
            convolution: kernels::ConvolutionAlgorithm::Direct,
            deterministic: true,
        };
        let mut trainer = Trainer::new(network, config).unwrap();
        for step in 0..3 {
            let wave = |count: usize, speed: f32| {
                let ramp = Tensor::arange(0.0_f32, count as f32, &Device::Cpu).unwrap();
                (ramp * f64::from(speed + step as f32)).unwrap().sin().unwrap()
            };
            let images = wave(6 * 3 * 64 * 64, 0.3)
                .affine(0.5, 0.5)
                .unwrap()
                .reshape((6, 64, 64, 3))
                .unwrap();
            let labels = wave(6 * ATTRIBUTES, 1.3)
                .sign()
                .unwrap()
                .reshape((6, ATTRIBUTES))
                .unwrap();
            trainer.step(&images.permute((0, 3, 1, 2)).unwrap(), &labels).unwrap();
        }
        let names: Vec<String> = (0..ATTRIBUTES).map(|i| i.to_string()).collect();
        trainer.checkpoint(&names, 1, 0).unwrap().to_bytes().unwrap()
    })
}

#[test]
fn training_does_not_depend_on_the_number_of_threads() {
    let one = train(1);
    for threads in [2, 3] {
        assert!(one == train(threads), "{threads} threads");
    }
    assert_eq!(Checkpoint::from_bytes(&one).unwrap().progress.step, 3);
}
