//! A convolution and its batch norm, which evaluation computes as one kernel.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::Tensor;
use kernels::{FusedConvolution, InputGradient};

use super::layers::{BatchNorm, Convolution};
use super::parameters::{Changes, Parameters};
use super::pass::{Mode, Pass};
use crate::Result;

/// A convolution followed by batch norm.
///
/// On the CPU evaluation takes both, the residual's addition and the ReLU as one kernel, with a copy of the weights in the kernel's
/// order that is made once and kept until the network changes. What has to be differentiated goes through the layers one by
/// one, with the same results to the bit.
#[derive(Debug)]
pub(crate) struct Unit {
    convolution: Convolution,
    norm: BatchNorm,
    changes: Arc<Changes>,
    fused: Kept<FusedConvolution>,
    transposed: Kept<InputGradient>,
}

/// What is told of a unit on the way back: the gradients `[R, h, w, C]` by its batch norm's result.
pub(crate) type Visit<'a> = dyn FnMut(&Unit, &Tensor) -> Result<()> + 'a;

/// What is made of a network's tensors once and kept until they change.
#[derive(Debug)]
struct Kept<T>(Mutex<Option<(u64, Arc<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Kept<T> {
    fn get(&self, changes: &Changes, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let version = changes.version();
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((made_of, value)) = kept
            && Some(made_of) == version
        {
            return Ok(value);
        }
        // Not under the lock: the work is shared with threads that may come here themselves.
        let value = Arc::new(make()?);
        let kept = version.map(|version| (version, Arc::clone(&value)));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(value)
    }

    fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Unit {
    pub(crate) fn new(
        parameters: &mut Parameters,
        [convolution, norm]: [&str; 2],
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
    ) -> Result<Self> {
        Ok(Self {
            convolution: Convolution::new(parameters, convolution, channels, kernel, stride)?,
            norm: BatchNorm::new(parameters, norm, channels[1])?,
            changes: Arc::clone(&parameters.changes),
            fused: Kept::default(),
            transposed: Kept::default(),
        })
    }

    /// relu(norm(convolution(x)) + residual), the last two as asked for; statistics as [`BatchNorm::forward`] says.
    pub(crate) fn forward(&self, x: &Tensor, residual: Option<&Tensor>, relu: bool, pass: Pass<'_>) -> Result<Tensor> {
        let differentiable = x.track_op() || residual.is_some_and(Tensor::track_op);
        if pass.mode == Mode::Eval && x.device().is_cpu() && !differentiable {
            return Ok(self.fused()?.forward(x, residual, relu)?);
        }
        let y = self
            .norm
            .forward(&self.convolution.forward(x, pass)?, residual, relu, pass)?;
        if pass.mode == Mode::Train {
            // The running statistics have moved, and a training step has no use for the copy.
            self.changes.note();
            self.fused.forget();
            self.transposed.forget();
        }
        Ok(y)
    }

    fn fused(&self) -> Result<Arc<FusedConvolution>> {
        self.fused.get(&self.changes, || {
            let (scale, shift) = self.norm.scale_and_shift()?;
            self.convolution.fused_with(&scale, &shift)
        })
    }

    /// In evaluation, the gradient by the input `[N, H, W, C]` from gradients `[R, h, w, C']` by the batch norm's result, before
    /// residual and ReLU: `[R, H, W, C]`.
    pub(crate) fn input_gradient(&self, gradient: &Tensor, input: &Tensor) -> Result<Tensor> {
        let (_, height, width, _) = input.dims4()?;
        let transposed = self.transposed.get(&self.changes, || {
            let (scale, _) = self.norm.scale_and_shift()?;
            self.convolution.transposed_with(&scale)
        })?;
        Ok(transposed.apply(gradient, [height, width])?)
    }

    /// In evaluation, what the batch norm adds to its scaled input, `[C]`.
    pub(crate) fn shift(&self) -> Result<Tensor> {
        Ok(self.norm.scale_and_shift()?.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Architecture, Network, Trainer, TrainerConfig};
    use crate::{ClassWeights, LearningRate, Loss, OptimiserConfig, Schedule};
    use candle_core::{Device, Var};
    use kernels::Precision;

    fn images() -> Tensor {
        let ramp = Tensor::arange(0.0_f32, (2 * 3 * 40 * 40) as f32, &Device::Cpu).unwrap();
        let wave = (ramp * 0.37).unwrap().sin().unwrap().affine(0.5, 0.5).unwrap();
        wave.reshape((2, 40, 40, 3)).unwrap().permute((0, 3, 1, 2)).unwrap()
    }

    fn bits(tensor: &Tensor) -> Vec<u32> {
        let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        values.into_iter().map(f32::to_bits).collect()
    }

    /// Layer by layer: what a variable as the input asks for.
    fn unfused(network: &Network) -> Vec<u32> {
        let input = Var::from_tensor(&images()).unwrap();
        let output = network.forward(&input, Mode::Eval).unwrap();
        assert!(output.logits.track_op());
        [bits(&output.features), bits(&output.logits)].concat()
    }

    fn fused(network: &Network) -> Vec<u32> {
        let output = network.forward(&images(), Mode::Eval).unwrap();
        [bits(&output.features), bits(&output.logits)].concat()
    }

    fn trainer(name: &str) -> Trainer {
        let architecture = Architecture::preset(name).unwrap().with_width(8);
        let network = Network::new(&architecture, 3, 1, &Device::Cpu).unwrap();
        let config = TrainerConfig {
            loss: Loss::Euclidean,
            weights: ClassWeights::uniform(3),
            optimiser: OptimiserConfig::sgd(0.0),
            learning_rate: LearningRate::new(0.01, Schedule::Constant).unwrap(),
            total_steps: 3,
            precision: Precision::Float32,
            convolution: kernels::ConvolutionAlgorithm::Direct,
            deterministic: true,
        };
        Trainer::new(network, config).unwrap()
    }

    /// Evaluated before, between and after steps of training, which must not leave anything stale behind.
    #[test]
    fn fused_layers_give_the_bytes_of_single_ones() {
        for name in ["resnet18", "resnet50"] {
            let mut trainer = trainer(name);
            let labels = Tensor::new(&[[1.0_f32, -1.0, 1.0], [-1.0, 1.0, 1.0]], &Device::Cpu).unwrap();
            let mut last = Vec::new();
            for _ in 0..3 {
                let found = fused(trainer.network());
                assert!(found == unfused(trainer.network()), "{name}");
                assert!(found != last, "{name}: a step changes the output");
                assert!(found == fused(trainer.network()), "{name}: from the kept copy");
                last = found;
                trainer.step(&images(), &labels).unwrap();
            }
            trainer.network().forward(&images(), Mode::Train).unwrap();
            assert!(
                fused(trainer.network()) == unfused(trainer.network()),
                "{name}: statistics"
            );
        }
    }

    #[test]
    fn variables_that_others_set_are_seen() {
        let trainer = trainer("resnet18");
        let before = fused(trainer.network());
        let parameters = trainer.network().named_parameters();
        for (_, var) in parameters.iter().take(3) {
            let before = fused(trainer.network());
            var.set(&var.affine(1.5, 0.25).unwrap()).unwrap();
            let after = fused(trainer.network());
            assert!(after != before);
            assert!(after == unfused(trainer.network()));
        }
        assert!(fused(trainer.network()) != before);
    }
}
