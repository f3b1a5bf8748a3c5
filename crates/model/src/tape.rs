//! The backward pass of a training step.
//!
//! Candle's `backward` would do, and gives the same gradients; but it adds every gradient to a tensor of zeros, which for
//! the large ones of a network's first layers costs three more passes over memory and its own thread pool beside
//! rayon's: more than half of a step. A tape keeps the operations in order and hands each gradient on as it is.

use std::cell::RefCell;
use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, TensorId};
use rayon::prelude::*;

use crate::gradients::Probe;
use crate::kernels::{self, AveragePool, Convolution, Dims, InstructionSet, MaxPool, Normaliser, Statistics};
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
}

impl From<Mode> for Pass<'_> {
    fn from(mode: Mode) -> Self {
        Self {
            mode,
            tape: None,
            probe: None,
            precision: Precision::Float32,
        }
    }
}

impl Pass<'_> {
    pub(crate) fn conv2d(self, x: &Tensor, weight: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
        match self.tape {
            Some(tape) => tape.conv2d(x, weight, stride, padding, self.precision),
            None => kernels::conv2d(x, weight, stride, padding),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "those of the kernel")]
    pub(crate) fn batch_norm(
        self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        statistics: &Statistics,
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

/// The gradients of an operation's arguments, from that of its result.
type Backward = Box<dyn FnOnce(&Tensor) -> Result<Vec<(Tensor, Option<Tensor>)>>>;

/// The operations of one forward pass, in order.
#[derive(Default)]
pub(crate) struct Tape {
    steps: RefCell<Vec<(TensorId, Backward)>>,
}

impl Tape {
    fn record<F>(&self, result: &Tensor, backward: F)
    where
        F: FnOnce(&Tensor) -> Result<Vec<(Tensor, Option<Tensor>)>> + 'static,
    {
        self.steps.borrow_mut().push((result.id(), Box::new(backward)));
    }

    /// [`kernels::conv2d`], in some precision.
    pub(crate) fn conv2d(
        &self,
        x: &Tensor,
        weight: &Tensor,
        stride: usize,
        padding: usize,
        precision: Precision,
    ) -> Result<Tensor> {
        let op = Convolution::new(x, weight, stride, padding, InstructionSet::detect())?.within(precision);
        let y = op.apply(x, weight)?;
        let (x, weight, result) = (x.clone(), weight.clone(), y.clone());
        self.record(&y, move |gradient| {
            let (of_x, of_weight) = op.bwd(&x, &weight, &result, gradient)?;
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
        statistics: &Statistics,
        epsilon: f64,
        residual: Option<&Tensor>,
        relu: bool,
    ) -> Result<Tensor> {
        let dims = Dims::of(x, "batch_norm")?;
        let op = Normaliser::by_batch(x, dims, statistics, epsilon, relu)?;
        let y = op.clone().apply(x, gamma, beta, residual)?;
        let (x, gamma, beta, result) = (x.clone(), gamma.clone(), beta.clone(), y.clone());
        let residual = residual.cloned();
        self.record(&y, move |gradient| {
            let parameters = Tensor::stack(&[&gamma, &beta], 0)?;
            let (of_x, of_parameters, of_residual) =
                op.differentiate(&x, &parameters, residual.as_ref(), &result, gradient)?;
            let row = |row| of_parameters.as_ref().map(|rows| rows.get(row)).transpose();
            let mut gradients = vec![(x, of_x), (gamma, row(0)?), (beta, row(1)?)];
            gradients.extend(residual.map(|residual| (residual, of_residual)));
            Ok(gradients)
        });
        Ok(y)
    }

    /// [`kernels::max_pool2d`].
    pub(crate) fn max_pool2d(&self, x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
        let op = MaxPool::new(x, kernel, stride, padding, InstructionSet::detect())?;
        let y = op.apply(x)?;
        let (x, result) = (x.clone(), y.clone());
        self.record(&y, move |gradient| {
            let of_x = op.bwd(&x, &result, gradient)?;
            Ok(vec![(x, of_x)])
        });
        Ok(y)
    }

    /// [`kernels::global_average_pool`].
    pub(crate) fn global_average_pool(&self, x: &Tensor) -> Result<Tensor> {
        let op = AveragePool::new(x)?;
        let y = op.apply(x)?;
        let (x, result) = (x.clone(), y.clone());
        self.record(&y, move |gradient| {
            let of_x = op.bwd(&x, &result, gradient)?;
            Ok(vec![(x, of_x)])
        });
        Ok(y)
    }

    /// Puts the gradients of all variables into `gradients`, from that of the tape's last result.
    pub(crate) fn backward(self, gradient: Tensor, gradients: &mut GradStore) -> Result<()> {
        let mut steps = self.steps.into_inner();
        let mut waiting = HashMap::new();
        if let Some((last, _)) = steps.last() {
            waiting.insert(*last, gradient);
        }
        while let Some((result, backward)) = steps.pop() {
            // A result that nothing depends on has no gradient.
            let Some(gradient) = waiting.remove(&result) else {
                continue;
            };
            for (argument, gradient) in backward(&gradient)? {
                let Some(gradient) = gradient else { continue };
                let earlier = match argument.is_variable() {
                    true => gradients.remove(&argument),
                    false => waiting.remove(&argument.id()),
                };
                let sum = match earlier {
                    Some(earlier) if earlier.device().is_cpu() => earlier.apply_op2_no_bwd(&gradient, &Sum)?,
                    Some(earlier) => (earlier + gradient)?,
                    None => gradient,
                };
                match argument.is_variable() {
                    true => gradients.insert(&argument, sum),
                    false => waiting.insert(argument.id(), sum),
                };
            }
        }
        Ok(())
    }
}

/// The sum of two tensors of one shape, on rayon's threads.
struct Sum;

impl CustomOp2 for Sum {
    fn name(&self) -> &'static str {
        "sum of gradients"
    }

    fn cpu_fwd(
        &self,
        first: &CpuStorage,
        first_layout: &Layout,
        second: &CpuStorage,
        second_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        const CHUNK: usize = 1 << 14;
        let (CpuStorage::F32(first), CpuStorage::F32(second)) = (first, second) else {
            candle_core::bail!("gradients must be float32");
        };
        let ranges = (first_layout.contiguous_offsets(), second_layout.contiguous_offsets());
        let (Some((start, end)), Some((second_start, second_end))) = ranges else {
            candle_core::bail!("gradients must be contiguous");
        };
        let (first, second) = (&first[start..end], &second[second_start..second_end]);
        let chunks = first.par_chunks(CHUNK).zip(second.par_chunks(CHUNK));
        let mut sums = vec![0.0; first.len()];
        sums.par_chunks_mut(CHUNK)
            .zip(chunks)
            .for_each(|(sums, (first, second))| {
                for ((sum, a), b) in sums.iter_mut().zip(first).zip(second) {
                    *sum = a + b;
                }
            });
        Ok((CpuStorage::F32(sums), first_layout.shape().clone()))
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
