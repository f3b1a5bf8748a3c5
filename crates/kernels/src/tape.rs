//! The backward pass of a training step.
//!
//! Candle's `backward` would do, and gives the same gradients; but it adds every gradient to a tensor of zeros, which for
//! the large ones of a network's first layers costs three more passes over memory and its own thread pool beside
//! rayon's: more than half of a step. A tape keeps the operations in order and hands each gradient on as it is.

use std::cell::RefCell;
use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{CustomOp1, CustomOp2, DType, Result, Shape, Tensor, TensorId, bail};

use crate::algorithm::ConvolutionAlgorithm;
use crate::batch_norm::{self, BatchStatistics};
use crate::convolution::Convolution;
use crate::pooling::{AveragePool, MaxPool};
use crate::precision::Precision;
use crate::simd::InstructionSet;
use crate::sum::sum;

/// The gradients of an operation's arguments, from those of its result: one for each use of it, which count together.
type Backward = Box<dyn FnOnce(Vec<Tensor>) -> Result<Vec<(Tensor, Option<Tensor>)>>>;

/// The operations of one forward pass, in order, and how exactly they are computed.
///
/// What comes behind the last of them is candle's to differentiate: by a variable of that result's values.
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use kernels::optimiser::{self, Memory, Rule, Slot, Update};
/// use kernels::{Precision, Tape};
///
/// # fn main() -> candle_core::Result<()> {
/// let images = Tensor::randn(0f32, 1.0, (2, 8, 8, 3), &Device::Cpu)?;
/// let weight = Var::randn(0f32, 0.1, (16, 3, 3, 3), &Device::Cpu)?;
/// let rule = Rule::Sgd { momentum: 0.9 };
/// let mut memory = Memory::zeros(rule, &weight)?;
///
/// let tape = Tape::new(Precision::Float32, true);
/// let features = tape.global_average_pool(&tape.conv2d(&images, &weight, 2, 1)?)?;
/// let features = Var::from_tensor(&features.detach())?;
/// let mut gradients = features.sqr()?.sum_all()?.backward()?;
/// if let Some(gradient) = gradients.remove(&features) {
///     tape.backward(gradient, &mut gradients)?;
/// }
/// let slots = gradients.get(&weight).map(|gradient| Slot {
///     update: Update::new(rule, 0.1, 1e-4, 1),
///     values: &weight,
///     gradient,
///     memory: &mut memory,
/// });
/// optimiser::step(slots)?;
/// # Ok(())
/// # }
/// ```
pub struct Tape {
    precision: Precision,
    deterministic: bool,
    convolution: ConvolutionAlgorithm,
    steps: RefCell<Vec<Step>>,
}

struct Step {
    result: TensorId,
    shape: Shape,
    backward: Backward,
}

impl Tape {
    /// An empty tape. `deterministic`: the same pass gives the same bytes each time, on a GPU too, where that takes longer.
    pub fn new(precision: Precision, deterministic: bool) -> Self {
        Self {
            precision,
            deterministic,
            convolution: ConvolutionAlgorithm::Direct,
            steps: RefCell::default(),
        }
    }

    /// The same with convolutions computed in this way.
    #[must_use]
    pub fn by(mut self, convolution: ConvolutionAlgorithm) -> Self {
        self.convolution = convolution;
        self
    }

    /// Images as the first layer takes them; what comes behind has their type. On a CPU that is float32 whatever the precision is: factors
    /// of products are rounded where they are multiplied.
    ///
    /// # Errors
    /// When they cannot be converted.
    pub fn images(&self, x: Tensor) -> Result<Tensor> {
        match self.precision {
            Precision::Float32 | Precision::Tf32 => Ok(x),
            Precision::Bf16 if x.device().is_cpu() => Ok(x),
            Precision::Bf16 => x.to_dtype(DType::BF16),
        }
    }

    fn record<F>(&self, result: &Tensor, backward: F)
    where
        F: FnOnce(Vec<Tensor>) -> Result<Vec<(Tensor, Option<Tensor>)>> + 'static,
    {
        self.steps.borrow_mut().push(Step {
            result: result.id(),
            shape: result.shape().clone(),
            backward: Box::new(backward),
        });
    }

    /// [`conv2d`](crate::conv2d).
    ///
    /// # Errors
    /// As there.
    pub fn conv2d(&self, x: &Tensor, weight: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
        let op = Convolution::new(x, weight, stride, padding, InstructionSet::detect())?
            .within(self.precision, !self.deterministic)
            .by(self.convolution);
        let y = op.apply(x, weight)?;
        let (x, weight, result) = (x.clone(), weight.clone(), y.clone());
        self.record(&y, move |gradients| {
            let (of_x, of_weight) = op.bwd(&x, &weight, &result, &sum(&gradients)?)?;
            Ok(vec![(x, of_x), (weight, of_weight)])
        });
        Ok(y)
    }

    /// [`batch_norm`](crate::batch_norm()).
    ///
    /// # Errors
    /// As there.
    #[expect(clippy::too_many_arguments, reason = "those of the kernel")]
    pub fn batch_norm(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        statistics: &BatchStatistics,
        epsilon: f64,
        residual: Option<&Tensor>,
        relu: bool,
    ) -> Result<Tensor> {
        let layer = batch_norm::by_batch(x, [gamma, beta], statistics, epsilon, residual, relu)?;
        let y = batch_norm::apply_on_tape(&layer, x, [gamma, beta], residual)?;
        let (x, gamma, beta, result) = (x.clone(), gamma.clone(), beta.clone(), y.clone());
        let residual = residual.cloned();
        self.record(&y, move |gradients| {
            let of = batch_norm::differentiate(&layer, &x, [&gamma, &beta], residual.as_ref(), &result, &gradients)?;
            let mut gradients = vec![(x, of.x), (gamma, of.scale), (beta, of.shift)];
            gradients.extend(residual.map(|residual| (residual, of.residual)));
            Ok(gradients)
        });
        Ok(y)
    }

    /// [`max_pool2d`](crate::max_pool2d).
    ///
    /// # Errors
    /// As there.
    pub fn max_pool2d(&self, x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
        let op = MaxPool::new(x, kernel, stride, padding, InstructionSet::detect())?;
        let y = op.apply(x)?;
        let (x, result) = (x.clone(), y.clone());
        self.record(&y, move |gradients| {
            let of_x = op.bwd(&x, &result, &sum(&gradients)?)?;
            Ok(vec![(x, of_x)])
        });
        Ok(y)
    }

    /// [`global_average_pool`](crate::global_average_pool).
    ///
    /// # Errors
    /// As there.
    pub fn global_average_pool(&self, x: &Tensor) -> Result<Tensor> {
        let op = AveragePool::new(x)?;
        let y = op.apply(x)?;
        let (x, result) = (x.clone(), y.clone());
        self.record(&y, move |gradients| {
            let of_x = op.bwd(&x, &result, &sum(&gradients)?)?;
            Ok(vec![(x, of_x)])
        });
        Ok(y)
    }

    /// Puts the gradients of all variables into `gradients`, from that of the tape's last result.
    ///
    /// # Errors
    /// A gradient that is not of that result's shape, and when a tensor operation fails.
    pub fn backward(self, gradient: Tensor, gradients: &mut GradStore) -> Result<()> {
        let mut steps = self.steps.into_inner();
        let mut waiting: HashMap<TensorId, Vec<Tensor>> = HashMap::new();
        if let Some(last) = steps.last() {
            if gradient.shape() != &last.shape {
                bail!(
                    "expected a gradient of the last result's shape {:?}, got {:?}",
                    last.shape.dims(),
                    gradient.dims()
                );
            }
            waiting.insert(last.result, vec![gradient]);
        }
        while let Some(Step { result, backward, .. }) = steps.pop() {
            // A result that nothing depends on has no gradient.
            let Some(of_result) = waiting.remove(&result) else {
                continue;
            };
            for (argument, gradient) in backward(of_result)? {
                let Some(gradient) = gradient else { continue };
                if !argument.is_variable() {
                    waiting.entry(argument.id()).or_default().push(gradient);
                    continue;
                }
                let gradient = match gradients.remove(&argument) {
                    Some(earlier) => sum(&[earlier, gradient])?,
                    None => gradient,
                };
                gradients.insert(&argument, gradient);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// On a CPU in any precision.
    #[test]
    fn images_on_a_cpu_stay_as_they_are() {
        let between = 1.0 + 1.0_f32 / 256.0;
        for precision in [Precision::Float32, Precision::Tf32, Precision::Bf16] {
            let x = Tensor::new(&[between, 0.5], &Device::Cpu).unwrap();
            let images = Tape::new(precision, true).images(x).unwrap();
            assert_eq!(images.to_vec1::<f32>().unwrap(), [between, 0.5]);
        }
    }
}
