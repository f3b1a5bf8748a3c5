//! The layers of a residual network on channels-last tensors `[N, H, W, C]`.

use candle_core::{Tensor, Var};
use kernels::{FusedConvolution, InputGradient};

use super::parameters::{Initial, Parameters};
use super::pass::{Mode, Pass};
use crate::Result;

/// Added to the variance before the root, as in PyTorch.
const EPSILON: f64 = 1e-5;
/// Share of the batch in the running statistics, as in PyTorch.
const MOMENTUM: f64 = 0.1;

/// Square convolution without bias; `padding` keeps the size at stride 1.
#[derive(Debug)]
pub(crate) struct Convolution {
    weight: Var,
    stride: usize,
    padding: usize,
}

impl Convolution {
    pub(crate) fn new(
        parameters: &mut Parameters,
        name: &str,
        [inputs, outputs]: [usize; 2],
        kernel: usize,
        stride: usize,
    ) -> Result<Self> {
        let initial = Initial::KaimingNormal {
            fan: outputs * kernel * kernel,
        };
        let weight = parameters.trained(format!("{name}.weight"), &[outputs, inputs, kernel, kernel], initial)?;
        Ok(Self {
            weight,
            stride,
            padding: kernel / 2,
        })
    }

    pub(crate) fn forward(&self, x: &Tensor, pass: Pass<'_>) -> Result<Tensor> {
        Ok(pass.conv2d(x, &pass.mode.weight(&self.weight), self.stride, self.padding)?)
    }

    /// Together with what follows it in evaluation.
    pub(crate) fn fused_with(&self, scale: &Tensor, shift: &Tensor) -> Result<FusedConvolution> {
        let weight = self.weight.as_detached_tensor();
        Ok(FusedConvolution::new(&weight, scale, shift, self.stride, self.padding)?)
    }

    /// The way back through it and the scale that follows it in evaluation.
    pub(crate) fn transposed_with(&self, scale: &Tensor) -> Result<InputGradient> {
        let weight = self.weight.as_detached_tensor();
        Ok(InputGradient::new(&weight, scale, self.stride, self.padding)?)
    }
}

/// Batch norm (Ioffe & Szegedy 2015), with the addition of a residual and the ReLU that may follow it.
#[derive(Debug)]
pub(crate) struct BatchNorm {
    weight: Var,
    bias: Var,
    running_mean: Var,
    running_variance: Var,
}

impl BatchNorm {
    pub(crate) fn new(parameters: &mut Parameters, name: &str, channels: usize) -> Result<Self> {
        let shape = &[channels];
        Ok(Self {
            weight: parameters.trained(format!("{name}.weight"), shape, Initial::Constant(1.0))?,
            bias: parameters.trained(format!("{name}.bias"), shape, Initial::Constant(0.0))?,
            running_mean: parameters.statistic(format!("{name}.running_mean"), shape, Initial::Constant(0.0))?,
            running_variance: parameters.statistic(format!("{name}.running_var"), shape, Initial::Constant(1.0))?,
        })
    }

    /// relu(norm(x) + residual), the last two as asked for.
    ///
    /// [`Mode::Train`] normalises with the batch's statistics and moves the running ones towards them, with PyTorch's
    /// momentum 0.1 and the unbiased variance; [`Mode::Eval`] normalises with the running ones.
    pub(crate) fn forward(&self, x: &Tensor, residual: Option<&Tensor>, relu: bool, pass: Pass<'_>) -> Result<Tensor> {
        match pass.mode {
            Mode::Train => {
                let (weight, bias) = (pass.mode.weight(&self.weight), pass.mode.weight(&self.bias));
                let running = [&self.running_mean, &self.running_variance];
                let statistics = kernels::moving_statistics(x, running, MOMENTUM)?;
                Ok(pass.batch_norm(x, &weight, &bias, &statistics, EPSILON, residual, relu)?)
            }
            Mode::Eval => {
                let (scale, shift) = self.scale_and_shift()?;
                Ok(kernels::affine(x, &scale, &shift, residual, relu)?)
            }
        }
    }

    /// The normalisation with the running statistics as y = scale x + shift.
    pub(crate) fn scale_and_shift(&self) -> Result<(Tensor, Tensor)> {
        let (weight, bias) = (self.weight.as_detached_tensor(), self.bias.as_detached_tensor());
        let scale = (weight / (self.running_variance.as_detached_tensor() + EPSILON)?.sqrt()?)?;
        let shift = (bias - (self.running_mean.as_detached_tensor() * &scale)?)?;
        Ok((scale, shift))
    }
}

/// Kernel, stride and padding of the max pooling behind the stem.
const STEM_POOL: [usize; 3] = [3, 2, 1];

/// 3 x 3 max pooling with stride 2 and padding 1.
pub(crate) fn stem_pool(x: &Tensor, pass: Pass<'_>) -> Result<Tensor> {
    let [kernel, stride, padding] = STEM_POOL;
    Ok(pass.max_pool2d(x, kernel, stride, padding)?)
}

/// The gradients of its input `[R, H, W, C]`, from those of its result; R is a multiple of the images.
pub(crate) fn stem_pool_gradient(x: &Tensor, result: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    Ok(kernels::max_pool2d_gradient(x, result, gradient, STEM_POOL)?)
}

/// `[N, H, W, C]` to `[N, C]`.
pub(crate) fn global_average_pool(x: &Tensor, pass: Pass<'_>) -> Result<Tensor> {
    Ok(pass.global_average_pool(x)?)
}

/// Linear layer on `[N, C]`.
#[derive(Debug)]
pub(crate) struct Linear {
    pub(crate) weight: Var,
    pub(crate) bias: Var,
}

impl Linear {
    pub(crate) fn new(parameters: &mut Parameters, name: &str, inputs: usize, outputs: usize) -> Result<Self> {
        let initial = Initial::LinearUniform { fan_in: inputs };
        Ok(Self {
            weight: parameters.trained(format!("{name}.weight"), &[outputs, inputs], initial)?,
            bias: parameters.trained(format!("{name}.bias"), &[outputs], initial)?,
        })
    }

    pub(crate) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let (weight, bias) = (mode.weight(&self.weight), mode.weight(&self.bias));
        Ok(x.matmul(&weight.t()?)?.broadcast_add(&bias)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use candle_core::Device;

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// ```python
    /// m = torch.nn.BatchNorm2d(1); m(torch.tensor([1., 2., 3., 6.]).reshape(1, 1, 2, 2)); m.running_mean, m.running_var
    /// ```
    /// is 0.3 and 1.3667: a tenth of the mean 3, and 0.9 + a tenth of the unbiased variance 14/3.
    #[test]
    fn running_statistics_are_pytorchs() {
        let mut parameters = Parameters::random(1, &Device::Cpu);
        let norm = BatchNorm::new(&mut parameters, "bn", 1).unwrap();
        let x = Tensor::new(&[[[[1.0_f32], [2.0]], [[3.0], [6.0]]]], &Device::Cpu).unwrap();
        let y = norm.forward(&x, None, false, Mode::Train.into()).unwrap();
        let deviation = 3.5_f32.sqrt();
        for (found, expected) in values(&y).iter().zip([-2.0, -1.0, 0.0, 3.0]) {
            assert_relative_eq!(*found, expected / deviation, epsilon = 1e-5);
        }
        let statistics: Vec<f32> = parameters.statistics.iter().flat_map(|(_, var)| values(var)).collect();
        assert_relative_eq!(statistics[0], 0.3, epsilon = 1e-6);
        assert_relative_eq!(statistics[1], 0.9 + 0.1 * 14.0 / 3.0, epsilon = 1e-6);
        let y = norm.forward(&x, None, false, Mode::Eval.into()).unwrap();
        assert_relative_eq!(
            values(&y)[3],
            (6.0 - 0.3) / (0.9_f32 + 1.4 / 3.0 + 1e-5).sqrt(),
            epsilon = 1e-5
        );
    }
}
