//! The backward pass of a training step.
//!
//! Candle's `backward` would do, and gives the same gradients; but it adds every gradient to a tensor of zeros, which for
//! the large ones of a network's first layers costs three more passes over memory and its own thread pool beside
//! rayon's: more than half of a step. A tape keeps the operations in order and hands each gradient on as it is.

use std::cell::RefCell;
use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{CustomOp1, CustomOp2, Result, Tensor, TensorId};

use crate::gradients::Probe;
use crate::kernels::{self, AveragePool, BatchNorm, BatchStatistics, Convolution, Dims, InstructionSet, MaxPool};
use crate::{Mode, Precision};

/// How a forward pass computes.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub(crate) mode: Mode,
    /// Records the operations.
    pub(crate) tape: Option<&'a Tape>,
    /// Makes the gradients at all batch norms known; in evaluation only.
    pub(crate) probe: Option<&'a Probe>,
    /// Other than float32 on a tape only.
    pub(crate) precision: Precision,
    /// Whether the same pass must give the same bytes each time, on a GPU too, where that takes longer.
    pub(crate) deterministic: bool,
}

impl From<Mode> for Pass<'_> {
    fn from(mode: Mode) -> Self {
        Self {
            mode,
            tape: None,
            probe: None,
            precision: Precision::Float32,
            deterministic: true,
        }
    }
}

impl Pass<'_> {
    pub(crate) fn conv2d(self, x: &Tensor, weight: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
        match self.tape {
            Some(tape) => tape.conv2d(x, weight, stride, padding, self),
            None => kernels::conv2d(x, weight, stride, padding),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "those of the kernel")]
    pub(crate) fn batch_norm(
        self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        statistics: &BatchStatistics,
        epsilon: f64,
        residual: Option<&Tensor>,
        relu: bool,
    ) -> Result<Tensor> {
        match self.tape {
            Some(tape) => tape.batch_norm(x, gamma, beta, statistics, epsilon, residual, relu),
            None => kernels::batch_norm(x, gamma, beta, statistics, epsilon, residual, relu),
        }
    }

    pub(crate) fn max_pool2d(self, x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
        match self.tape {
            Some(tape) => tape.max_pool2d(x, kernel, stride, padding),
            None => kernels::max_pool2d(x, kernel, stride, padding),
        }
    }

    pub(crate) fn global_average_pool(self, x: &Tensor) -> Result<Tensor> {
        match self.tape {
            Some(tape) => tape.global_average_pool(x),
            None => kernels::global_average_pool(x),
        }
    }
}

/// The gradients of an operation's arguments, from those of its result: one for each use of it, which count together.
type Backward = Box<dyn FnOnce(Vec<Tensor>) -> Result<Vec<(Tensor, Option<Tensor>)>>>;

/// The operations of one forward pass, in order.
#[derive(Default)]
pub(crate) struct Tape {
    steps: RefCell<Vec<(TensorId, Backward)>>,
}

impl Tape {
    fn record<F>(&self, result: &Tensor, backward: F)
    where
        F: FnOnce(Vec<Tensor>) -> Result<Vec<(Tensor, Option<Tensor>)>> + 'static,
    {
        self.steps.borrow_mut().push((result.id(), Box::new(backward)));
    }

    /// [`kernels::conv2d`], as a pass computes.
    pub(crate) fn conv2d(
        &self,
        x: &Tensor,
        weight: &Tensor,
        stride: usize,
        padding: usize,
        pass: Pass<'_>,
    ) -> Result<Tensor> {
        let op = Convolution::new(x, weight, stride, padding, InstructionSet::detect())?
            .within(pass.precision, !pass.deterministic);
        let y = op.apply(x, weight)?;
        let (x, weight, result) = (x.clone(), weight.clone(), y.clone());
        self.record(&y, move |gradients| {
            let (of_x, of_weight) = op.bwd(&x, &weight, &result, &kernels::sum(&gradients)?)?;
            Ok(vec![(x, of_x), (weight, of_weight)])
        });
        Ok(y)
    }

    /// [`kernels::batch_norm`].
    #[expect(clippy::too_many_arguments, reason = "those of the kernel")]
    pub(crate) fn batch_norm(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        statistics: &BatchStatistics,
        epsilon: f64,
        residual: Option<&Tensor>,
        relu: bool,
    ) -> Result<Tensor> {
        let dims = Dims::of(x, "batch_norm")?;
        let layer = BatchNorm::by_batch(dims, statistics, epsilon, relu);
        let y = kernels::apply_on_tape(&layer, x, [gamma, beta], residual)?;
        let (x, gamma, beta, result) = (x.clone(), gamma.clone(), beta.clone(), y.clone());
        let residual = residual.cloned();
        self.record(&y, move |gradients| {
            let of = kernels::differentiate(&layer, &x, [&gamma, &beta], residual.as_ref(), &result, &gradients)?;
            let mut gradients = vec![(x, of.x), (gamma, of.scale), (beta, of.shift)];
            gradients.extend(residual.map(|residual| (residual, of.residual)));
            Ok(gradients)
        });
        Ok(y)
    }

    /// [`kernels::max_pool2d`].
    pub(crate) fn max_pool2d(&self, x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
        let op = MaxPool::new(x, kernel, stride, padding, InstructionSet::detect())?;
        let y = op.apply(x)?;
        let (x, result) = (x.clone(), y.clone());
        self.record(&y, move |gradients| {
            let of_x = op.bwd(&x, &result, &kernels::sum(&gradients)?)?;
            Ok(vec![(x, of_x)])
        });
        Ok(y)
    }

    /// [`kernels::global_average_pool`].
    pub(crate) fn global_average_pool(&self, x: &Tensor) -> Result<Tensor> {
        let op = AveragePool::new(x)?;
        let y = op.apply(x)?;
        let (x, result) = (x.clone(), y.clone());
        self.record(&y, move |gradients| {
            let of_x = op.bwd(&x, &result, &kernels::sum(&gradients)?)?;
            Ok(vec![(x, of_x)])
        });
        Ok(y)
    }

    /// Puts the gradients of all variables into `gradients`, from that of the tape's last result.
    pub(crate) fn backward(self, gradient: Tensor, gradients: &mut GradStore) -> Result<()> {
        let mut steps = self.steps.into_inner();
        let mut waiting: HashMap<TensorId, Vec<Tensor>> = HashMap::new();
        if let Some((last, _)) = steps.last() {
            waiting.insert(*last, vec![gradient]);
        }
        while let Some((result, backward)) = steps.pop() {
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
                    Some(earlier) => kernels::sum(&[earlier, gradient])?,
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
    use candle_core::{Device, Var};

    /// A small network with everything that a residual network has: the tape's gradients are candle's.
    #[test]
    fn gradients_are_candles() {
        let random = |shape: &[usize]| Var::randn(0.0_f32, 1.0, shape, &Device::Cpu).unwrap();
        let images = random(&[2, 9, 8, 3]).into_inner().detach();
        let vars = [&[4, 3, 3, 3][..], &[4], &[4], &[4, 4, 3, 3], &[4], &[4]].map(random);
        let forward = |pass: Pass<'_>| {
            let norm = |x: &Tensor, gamma: &Var, beta: &Var, residual: Option<&Tensor>| {
                let statistics = kernels::batch_statistics(x).unwrap();
                pass.batch_norm(x, gamma, beta, &statistics, 1e-5, residual, true)
                    .unwrap()
            };
            let x = norm(&pass.conv2d(&images, &vars[0], 2, 1).unwrap(), &vars[1], &vars[2], None);
            let x = pass.max_pool2d(&x, 3, 2, 1).unwrap();
            let y = norm(&pass.conv2d(&x, &vars[3], 1, 1).unwrap(), &vars[4], &vars[5], Some(&x));
            pass.global_average_pool(&y).unwrap()
        };
        let expected = forward(Mode::Train.into())
            .sqr()
            .unwrap()
            .sum_all()
            .unwrap()
            .backward()
            .unwrap();

        let tape = Tape::default();
        let pooled = forward(Pass {
            mode: Mode::Train,
            tape: Some(&tape),
            probe: None,
            precision: Precision::Float32,
            deterministic: true,
        });
        let mut gradients = Tensor::zeros((), candle_core::DType::F32, &Device::Cpu)
            .unwrap()
            .backward()
            .unwrap();
        tape.backward((pooled.detach() * 2.0).unwrap(), &mut gradients).unwrap();
        for var in &vars {
            let values = |store: &GradStore| store.get(var).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(values(&gradients), values(&expected), "{:?}", var.shape());
        }
    }
}
