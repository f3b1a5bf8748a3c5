//! How a forward pass computes.

use candle_core::{Result, Tensor, Var};

use kernels::{BatchStatistics, Tape};

/// Whether batch norm takes the batch's statistics or the running ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Statistics of the batch, which also move the running ones; gradients reach the parameters.
    Train,
    /// Running statistics; the parameters are constants, so that nothing is kept for a backward pass. Gradients still
    /// reach the input when it is a [`Var`].
    Eval,
}

impl Mode {
    /// The parameter as a variable, or as a constant.
    pub(crate) fn weight(self, var: &Var) -> Tensor {
        match self {
            Self::Train => var.as_tensor().clone(),
            Self::Eval => var.as_detached_tensor(),
        }
    }
}

/// How a forward pass computes.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub(crate) mode: Mode,
    /// Records the operations, and says how exactly they are computed: in float32 without.
    pub(crate) tape: Option<&'a Tape>,
}

impl From<Mode> for Pass<'_> {
    fn from(mode: Mode) -> Self {
        Self { mode, tape: None }
    }
}

impl Pass<'_> {
    /// Images as the first layer takes them.
    pub(crate) fn images(self, x: Tensor) -> Result<Tensor> {
        match self.tape {
            Some(tape) => tape.images(x),
            None => Ok(x),
        }
    }

    pub(crate) fn conv2d(self, x: &Tensor, weight: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
        match self.tape {
            Some(tape) => tape.conv2d(x, weight, stride, padding),
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

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::backprop::GradStore;
    use candle_core::{DType, Device};
    use kernels::Precision;

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

        let tape = Tape::new(Precision::Float32, true);
        let pooled = forward(Pass {
            mode: Mode::Train,
            tape: Some(&tape),
        });
        let mut gradients = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap().backward().unwrap();
        tape.backward((pooled.detach() * 2.0).unwrap(), &mut gradients).unwrap();
        for var in &vars {
            let values = |store: &GradStore| store.get(var).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(values(&gradients), values(&expected), "{:?}", var.shape());
        }
    }
}
