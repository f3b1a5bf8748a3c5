//! One training step after the other.

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Device, Storage, Tensor, Var};
use kernels::{ConvolutionAlgorithm, Precision, Tape};
use rayon::prelude::*;

use crate::checkpoint::{Checkpoint, Progress};
use crate::optimiser::{Optimiser, OptimiserConfig};
use crate::{ClassWeights, Error, LearningRate, Loss, Network, Result};

/// What a training does with a batch.
#[derive(Debug, Clone)]
pub struct TrainerConfig {
    /// The loss.
    pub loss: Loss,
    /// Its class weights.
    pub weights: ClassWeights,
    /// The optimiser.
    pub optimiser: OptimiserConfig,
    /// The learning rate of every step.
    pub learning_rate: LearningRate,
    /// Number of steps of the whole training, which the learning rate's schedule refers to.
    pub total_steps: u64,
    /// How exactly a step computes; anything but float32 needs a device that can.
    pub precision: Precision,
    /// How convolutions are computed on a CPU.
    pub convolution: ConvolutionAlgorithm,
    /// Whether the same training ends in the same bytes each time. On a CPU it does whatever is said here. On a GPU it takes longer: the
    /// fastest convolution is another one from run to run, and may sum in any order.
    pub deterministic: bool,
}

/// A network in training.
#[derive(Debug)]
pub struct Trainer {
    network: Network,
    config: TrainerConfig,
    optimiser: Optimiser,
}

impl Trainer {
    /// A training of `network` from its start.
    ///
    /// # Errors
    /// [`Error::Setting`] when a setting is out of range, there are not as many class weights as outputs, or the network's device
    /// does not compute in the precision or by the algorithm.
    pub fn new(network: Network, config: TrainerConfig) -> Result<Self> {
        let precision = config.precision;
        let refused = |expected| Error::setting("precision", precision, expected);
        precision.check(network.device()).map_err(refused)?;
        let refused = |expected| Error::setting("convolution", config.convolution, expected);
        config.convolution.check(precision, network.device()).map_err(refused)?;
        if config.weights.len() != network.outputs() {
            let expected = format!("{}, one pair per output", network.outputs());
            return Err(Error::setting("class weights", config.weights.len(), expected));
        }
        let optimiser = Optimiser::new(config.optimiser, network.variables())?;
        Ok(Self {
            network,
            config,
            optimiser,
        })
    }

    /// Goes on with a training where its checkpoint was made. On the CPU it ends in exactly the state of one that was not
    /// interrupted.
    ///
    /// # Errors
    /// [`Error::Tensors`] when the checkpoint is not one of such a training; [`Error::NotACheckpoint`] when it has no
    /// optimiser state.
    pub fn resume(checkpoint: &Checkpoint, config: TrainerConfig, device: &Device) -> Result<Self> {
        let state = checkpoint.optimiser.as_ref().ok_or_else(|| {
            Error::NotACheckpoint("it has no optimiser state, the training that wrote it is complete".to_owned())
        })?;
        let mut trainer = Self::new(checkpoint.network(device)?, config)?;
        trainer.optimiser.restore(state)?;
        Ok(trainer)
    }

    /// Learns from one batch.
    ///
    /// - `images`: `[N, 3, S, S]` float32, as for [`Network::forward`]
    /// - `labels`: `[N, A]` float32, -1, 0 or +1
    ///
    /// # Errors
    /// [`Error::NonFiniteLoss`] or [`Error::NonFiniteGradient`] when the training has diverged. On the CPU the parameters
    /// are then still those before the step, though the running statistics have seen the batch. On other devices, where
    /// looking at the loss means to wait, only the loss is looked at, and only when [`StepLoss::value`] is asked for.
    pub fn step(&mut self, images: &Tensor, labels: &Tensor) -> Result<StepLoss> {
        if !self.network.device().is_cpu() {
            return self.step_here(images, labels);
        }
        // A kernel called from outside the pool hands its work over, 12 µs each time; a step calls some 200.
        rayon::scope(|_| self.step_here(images, labels))
    }

    fn step_here(&mut self, images: &Tensor, labels: &Tensor) -> Result<StepLoss> {
        let step = self.steps();
        let learning_rate = self.learning_rate();
        let on_cpu = self.network.device().is_cpu();
        // Candle differentiates the loss and the head alone; see [`Tape`] for the rest.
        let tape = Tape::new(self.config.precision, self.config.deterministic).by(self.config.convolution);
        let pooled = Var::from_tensor(&self.network.pooled(images, &tape)?.detach())?;
        let logits = self.network.logits_of_pooled(&pooled)?;
        let loss = self.config.loss.forward(&logits, labels, &self.config.weights)?;
        let result = StepLoss {
            loss: loss.detach(),
            step,
            learning_rate,
        };
        if on_cpu {
            result.value()?;
        }
        let mut gradients = loss.backward()?;
        if let Some(gradient) = gradients.remove(&pooled) {
            tape.backward(gradient, &mut gradients)?;
        }
        if on_cpu {
            self.check_finite(&gradients)?;
        }
        self.optimiser.step(&gradients, learning_rate)?;
        self.network.note_change();
        Ok(result)
    }

    /// The loss alone does not tell of every divergence: gradients overflow before it does.
    fn check_finite(&self, gradients: &GradStore) -> Result<()> {
        let is_finite = |var: &Var| -> Result<bool> {
            let Some(gradient) = gradients.get(var) else {
                return Ok(true);
            };
            let gradient = gradient.contiguous()?;
            let (storage, layout) = gradient.storage_and_layout();
            let (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) = (&*storage, layout.contiguous_offsets())
            else {
                return Ok(true);
            };
            // A sum of squares is not finite if one of them is not, and it needs no branch per value.
            let square: f32 = values[start..end].iter().map(|v| v * v).sum();
            Ok(square.is_finite() || values[start..end].iter().all(|v| v.is_finite()))
        };
        let fault = self
            .network
            .variables()
            .par_iter()
            .find_map_first(|(parameter, var)| match is_finite(var) {
                Ok(true) => None,
                Ok(false) => Some(Error::NonFiniteGradient {
                    parameter: parameter.clone(),
                    step: self.steps(),
                    learning_rate: self.learning_rate(),
                }),
                Err(error) => Some(error),
            });
        fault.map_or(Ok(()), Err)
    }

    /// Number of steps made.
    pub fn steps(&self) -> u64 {
        self.optimiser.steps()
    }

    /// Learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.config.learning_rate.at(self.steps(), self.config.total_steps)
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Everything that [`Trainer::resume`] needs, after `batch` batches of epoch `epoch`.
    ///
    /// # Errors
    /// Like [`Checkpoint::of`].
    pub fn checkpoint(&self, attributes: &[String], epoch: u64, batch: u64) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint::of(&self.network, attributes)?;
        checkpoint.progress = Progress {
            epoch,
            batch,
            step: self.steps(),
        };
        checkpoint.optimiser = Some(self.optimiser.state()?);
        Ok(checkpoint)
    }
}

/// The loss of a step, on the network's device until it is read.
#[derive(Debug, Clone)]
pub struct StepLoss {
    loss: Tensor,
    step: u64,
    learning_rate: f64,
}

impl StepLoss {
    /// The loss before the step's update, >= 0.
    ///
    /// # Errors
    /// [`Error::NonFiniteLoss`] when it is infinite or not a number.
    pub fn value(&self) -> Result<f32> {
        let loss = self.loss.to_scalar::<f32>()?;
        if loss.is_finite() {
            Ok(loss)
        } else {
            Err(Error::NonFiniteLoss {
                loss,
                step: self.step,
                learning_rate: self.learning_rate,
            })
        }
    }

    /// Number of steps that were made before this one.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Learning rate of the step.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Architecture, Schedule};
    use candle_core::DType;

    fn network() -> Network {
        let mut architecture = Architecture::preset("resnet18").unwrap().with_width(4);
        architecture.stages.truncate(2);
        Network::new(&architecture, 2, 1, &Device::Cpu).unwrap()
    }

    fn config(peak: f64) -> TrainerConfig {
        TrainerConfig {
            loss: Loss::Euclidean,
            weights: ClassWeights::uniform(2),
            optimiser: OptimiserConfig::adam_w().with_weight_decay(1e-4),
            learning_rate: LearningRate::new(peak, Schedule::ONE_CYCLE).unwrap(),
            total_steps: 12,
            precision: Precision::Float32,
            convolution: ConvolutionAlgorithm::Direct,
            deterministic: true,
        }
    }

    /// Four images whose brightness is the first label; the second one is not annotated in half of them.
    fn batch() -> (Tensor, Tensor) {
        let shade = Tensor::new(&[[[[0.1_f32]]], [[[0.9]]], [[[0.2]]], [[[0.8]]]], &Device::Cpu).unwrap();
        let ramp = Tensor::arange(0.0_f32, 256.0, &Device::Cpu)
            .unwrap()
            .reshape((1, 1, 16, 16))
            .unwrap();
        let images = shade
            .broadcast_mul(&(ramp / 256.0).unwrap())
            .unwrap()
            .repeat((1, 3, 1, 1))
            .unwrap();
        let labels = Tensor::new(&[[-1.0_f32, 1.0], [1.0, 0.0], [-1.0, 1.0], [1.0, 0.0]], &Device::Cpu).unwrap();
        (images, labels)
    }

    #[test]
    fn the_loss_goes_down() {
        let (images, labels) = batch();
        let mut trainer = Trainer::new(network(), config(0.02)).unwrap();
        let losses: Vec<f32> = (0..12)
            .map(|_| trainer.step(&images, &labels).unwrap().value().unwrap())
            .collect();
        assert!(losses[11] < 0.2 * losses[0], "{losses:?}");
        assert_eq!(trainer.steps(), 12);
    }

    #[test]
    fn resumed_equals_uninterrupted() {
        let (images, labels) = batch();
        let names = ["A".to_owned(), "B".to_owned()];
        let mut whole = Trainer::new(network(), config(0.02)).unwrap();
        let mut bytes = Vec::new();
        for step in 0..6 {
            if step == 3 {
                bytes = whole.checkpoint(&names, 0, 3).unwrap().to_bytes().unwrap();
            }
            whole.step(&images, &labels).unwrap();
        }
        let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
        assert_eq!(
            checkpoint.progress,
            Progress {
                epoch: 0,
                batch: 3,
                step: 3
            }
        );
        let mut resumed = Trainer::resume(&checkpoint, config(0.02), &Device::Cpu).unwrap();
        for _ in 3..6 {
            resumed.step(&images, &labels).unwrap();
        }
        let end = |trainer: &Trainer| trainer.checkpoint(&names, 0, 6).unwrap().to_bytes().unwrap();
        assert!(end(&whole) == end(&resumed));
    }

    #[test]
    fn a_divergence_stops_before_the_update() {
        let (images, labels) = batch();
        let mut trainer = Trainer::new(network(), config(0.02)).unwrap();
        trainer.step(&images, &labels).unwrap();
        let weights = |trainer: &Trainer| {
            let (_, var) = &trainer.network().named_parameters()[0];
            var.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let before = weights(&trainer);
        let broken = (&images * f64::NAN).unwrap();
        let error = trainer.step(&broken, &labels).unwrap_err();
        assert!(matches!(error, Error::NonFiniteLoss { step: 1, .. }), "{error}");
        assert_eq!(weights(&trainer), before);

        let (_, bias) = trainer.network().named_parameters().last().unwrap();
        bias.set(&Tensor::new(&[f32::NAN, 0.0], &Device::Cpu).unwrap()).unwrap();
        let message = trainer.step(&images, &labels).unwrap_err().to_string();
        let start = "the loss is NaN at step 1 with learning rate 6.996e-3: ";
        assert!(message.starts_with(start), "{message}");
        assert_eq!(weights(&trainer), before);
    }

    #[test]
    fn gradients_that_are_not_finite_are_named() {
        let trainer = Trainer::new(network(), config(0.02)).unwrap();
        let (name, var) = &trainer.network().named_parameters()[4];
        let mut gradients = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap().backward().unwrap();
        let shape = var.shape();
        gradients.insert(var, Tensor::full(1e30_f32, shape, &Device::Cpu).unwrap());
        trainer.check_finite(&gradients).unwrap();
        gradients.insert(var, Tensor::full(f32::INFINITY, shape, &Device::Cpu).unwrap());
        let error = trainer.check_finite(&gradients).unwrap_err();
        assert!(
            matches!(&error, Error::NonFiniteGradient { parameter, step: 0, .. } if parameter == name),
            "{error}"
        );
    }

    #[test]
    fn settings_that_do_not_fit_the_network_are_refused() {
        let wrong = TrainerConfig {
            weights: ClassWeights::uniform(3),
            ..config(0.02)
        };
        let message = Trainer::new(network(), wrong).unwrap_err().to_string();
        assert_eq!(message, "class weights: 3, expected 2, one pair per output");
        let coarse = TrainerConfig {
            precision: Precision::Tf32,
            deterministic: true,
            ..config(0.02)
        };
        let message = Trainer::new(network(), coarse).unwrap_err().to_string();
        assert!(message.starts_with("precision: tf32, expected float32"), "{message}");
        if Precision::Bf16.check(&Device::Cpu).is_ok() {
            let both = TrainerConfig {
                precision: Precision::Bf16,
                convolution: ConvolutionAlgorithm::Fast,
                ..config(0.02)
            };
            let message = Trainer::new(network(), both).unwrap_err().to_string();
            assert!(message.starts_with("convolution: fast, expected direct"), "{message}");
        }
        let complete = Checkpoint::of(&network(), &["A".to_owned(), "B".to_owned()]).unwrap();
        assert!(Trainer::resume(&complete, config(0.02), &Device::Cpu).is_err());
        let labels = Tensor::ones((3, 2), DType::F32, &Device::Cpu).unwrap();
        let mut trainer = Trainer::new(network(), config(0.02)).unwrap();
        assert!(matches!(
            trainer.step(&batch().0, &labels),
            Err(Error::Shape { what: "labels", .. })
        ));
    }
}
