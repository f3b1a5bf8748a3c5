//! Batch normalisation as a candle operation, on the CPU and on a GPU.

use super::cpu;
#[cfg(feature = "cuda")]
use super::cuda;
use super::layer::BatchNorm;
use super::moments::moments;
use super::statistics::BatchStatistics;
use crate::dims::{Dims, check_channels, check_residual};
#[cfg(feature = "cuda")]
use crate::gpu::Operand;
use crate::host::{floats, host_floats};
use crate::simd::InstructionSet;
use crate::sum::sum;
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, Var};

/// Batch normalisation with the batch's own statistics, PyTorch's `batch_norm` in training:
/// `relu((x - mean) / sqrt(variance + eps) * gamma + beta + residual)`, the residual and the ReLU being optional.
///
/// - `x`, `residual`: `[N, H, W, C]`; `gamma`, `beta`: `[C]`; all float32;
/// - `statistics`: those of this very `x`, from [`batch_statistics`].
///
/// Differentiable in `x` (through the statistics as well), `gamma`, `beta` and `residual`.
///
/// # Errors
/// Wrong ranks, types or channel counts.
pub fn batch_norm(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    statistics: &BatchStatistics,
    eps: f64,
    residual: Option<&Tensor>,
    relu: bool,
) -> Result<Tensor> {
    let layer = by_batch(x, [gamma, beta], statistics, eps, residual, relu)?;
    apply(layer, x, [gamma, beta], residual)
}

/// [`batch_norm`] to be applied to these tensors, which fit each other.
pub(crate) fn by_batch(
    x: &Tensor,
    [gamma, beta]: [&Tensor; 2],
    statistics: &BatchStatistics,
    eps: f64,
    residual: Option<&Tensor>,
    relu: bool,
) -> Result<BatchNorm> {
    const NAME: &str = "batch_norm (channels last)";
    let dims = check(x, gamma, beta, residual, NAME)?;
    statistics.check(dims.channels, NAME)?;
    Ok(BatchNorm::by_batch(dims, statistics, eps, relu))
}

/// `relu(x * scale + shift + residual)` per channel, the residual and the ReLU being optional: batch normalisation
/// in evaluation, its running statistics folded into `scale` and `shift`.
///
/// `x`, `residual`: `[N, H, W, C]`; `scale`, `shift`: `[C]`; all float32. Differentiable in all of them.
///
/// # Errors
/// Wrong ranks, types or channel counts.
pub fn affine(x: &Tensor, scale: &Tensor, shift: &Tensor, residual: Option<&Tensor>, relu: bool) -> Result<Tensor> {
    let dims = check(x, scale, shift, residual, "affine (channels last)")?;
    apply(BatchNorm::affine(dims, relu), x, [scale, shift], residual)
}

fn check(x: &Tensor, scale: &Tensor, shift: &Tensor, residual: Option<&Tensor>, op: &str) -> Result<Dims> {
    let dims = Dims::of(x, op)?;
    check_channels(scale, dims.channels, op, "the scale (gamma)")?;
    check_channels(shift, dims.channels, op, "the shift (beta)")?;
    if let Some(residual) = residual {
        check_residual(residual, dims, op)?;
    }
    Ok(dims)
}

/// Mean and biased variance of each channel of `x`, `[N, H, W, C]` float32. Not differentiable.
///
/// A mean far from zero costs no accuracy, and the order of sums follows from the shape alone.
///
/// # Errors
/// Wrong rank or type, or an empty input.
pub fn batch_statistics(x: &Tensor) -> Result<BatchStatistics> {
    of_batch(x, None)
}

/// [`batch_statistics`], towards which the running `[mean, variance]` move: by `momentum`, and the variance towards the unbiased one, as
/// PyTorch's. A single value has no unbiased variance: PyTorch refuses it, here the biased one, 0, is taken.
///
/// # Errors
/// As [`batch_statistics`], and running statistics of other sizes.
pub fn moving_statistics(x: &Tensor, running: [&Var; 2], momentum: f64) -> Result<BatchStatistics> {
    of_batch(x, Some((running, momentum)))
}

fn of_batch(x: &Tensor, running: Option<([&Var; 2], f64)>) -> Result<BatchStatistics> {
    const NAME: &str = "batch_statistics";
    let dims = Dims::of(x, NAME)?;
    let x = x.contiguous()?;
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        return cuda::batch_statistics(&x, dims, running);
    }
    let (storage, layout) = x.storage_and_layout();
    let (mean, variance) = moments(host_floats(&storage, layout, NAME)?, dims, InstructionSet::detect());
    let statistics = BatchStatistics {
        mean: Tensor::from_vec(mean, dims.channels, x.device())?,
        variance: Tensor::from_vec(variance, dims.channels, x.device())?,
        count: dims.pixels(),
    };
    if let Some(([mean, variance], momentum)) = running {
        let towards = |running: &Var, batch: &Tensor| -> Result<()> {
            let old = running.as_detached_tensor();
            running.set(&((old * (1.0 - momentum))? + (batch * momentum)?)?)
        };
        let unbiased = dims.pixels() as f64 / dims.pixels().saturating_sub(1).max(1) as f64;
        towards(mean, &statistics.mean)?;
        towards(variance, &(&statistics.variance * unbiased)?)?;
    }
    Ok(statistics)
}

/// A layer as candle's operation: of `x`, of `[scale, shift]` as one `[2, C]` tensor, as candle has none of four arguments, and of the
/// residual. `x` and the residual are of one type, all else is float32.
pub(crate) fn apply(
    layer: BatchNorm,
    x: &Tensor,
    [scale, shift]: [&Tensor; 2],
    residual: Option<&Tensor>,
) -> Result<Tensor> {
    let x = x.contiguous()?;
    let parameters = Tensor::stack(&[scale, shift], 0)?.contiguous()?;
    match residual {
        Some(residual) => x.apply_op3(&parameters, &residual.contiguous()?, layer),
        None => x.apply_op2(&parameters, layer),
    }
}

/// As [`apply`], for those who differentiate it themselves with [`differentiate`].
pub(crate) fn apply_on_tape(
    layer: &BatchNorm,
    x: &Tensor,
    parameters: [&Tensor; 2],
    residual: Option<&Tensor>,
) -> Result<Tensor> {
    let op = OnTape {
        layer: layer.clone(),
        parameters: parameters.map(Tensor::detach),
    };
    match residual {
        Some(residual) => x.contiguous()?.apply_op2(&residual.contiguous()?, op),
        None => x.contiguous()?.apply_op1(op),
    }
}

/// The gradients of a normalisation's arguments; those that nothing asks for may be absent.
#[derive(Debug)]
pub(crate) struct Gradients {
    pub x: Option<Tensor>,
    pub scale: Option<Tensor>,
    pub shift: Option<Tensor>,
    pub residual: Option<Tensor>,
}

/// The gradients of all arguments, of those of the result, of which there is at least one and which count together.
pub(crate) fn differentiate(
    layer: &BatchNorm,
    x: &Tensor,
    [scale, shift]: [&Tensor; 2],
    residual: Option<&Tensor>,
    result: &Tensor,
    gradients: &[Tensor],
) -> Result<Gradients> {
    // On a tape they are as the caller has them.
    let x = &x.contiguous()?;
    let residual = residual.map(Tensor::contiguous).transpose()?;
    let residual = residual.as_ref();
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() {
        let [of_x, of_scale, of_shift, of_residual] =
            cuda::differentiate(layer, x, [scale, shift], residual, gradients)?;
        return Ok(Gradients {
            x: of_x,
            scale: of_scale,
            shift: of_shift,
            residual: of_residual,
        });
    }
    let name = layer.name();
    let gradient = sum(gradients)?.contiguous()?;
    let with_parameters = scale.track_op() || shift.track_op();
    let with_residual = residual.is_some_and(Tensor::track_op);
    let (scale, shift) = (scale.contiguous()?, shift.contiguous()?);
    let found = {
        let [x, scale, shift, result, gradient] =
            [x, &scale, &shift, result, &gradient].map(Tensor::storage_and_layout);
        let of = cpu::Backward {
            x: host_floats(&x.0, x.1, name)?,
            parameters: [
                host_floats(&scale.0, scale.1, name)?,
                host_floats(&shift.0, shift.1, name)?,
            ],
            result: host_floats(&result.0, result.1, name)?,
            gradient: host_floats(&gradient.0, gradient.1, name)?,
            with_parameters,
            with_residual,
        };
        cpu::backward(layer, of)?
    };
    let of_residual = match found.residual {
        Some(values) => Some(Tensor::from_vec(values, x.shape(), x.device())?),
        None => with_residual.then_some(gradient),
    };
    let of_channels = |values: Vec<f32>| Tensor::from_vec(values, layer.dims.channels, x.device());
    let [of_scale, of_shift] = match found.parameters {
        Some(parameters) => parameters.map(|values| Some(of_channels(values))),
        None => [None, None],
    };
    Ok(Gradients {
        x: Some(Tensor::from_vec(found.input, x.shape(), x.device())?),
        scale: of_scale.transpose()?,
        shift: of_shift.transpose()?,
        residual: of_residual,
    })
}

/// As [`differentiate`], for candle: scale and shift are one tensor.
fn differentiate_rows(
    layer: &BatchNorm,
    x: &Tensor,
    parameters: &Tensor,
    residual: Option<&Tensor>,
    result: &Tensor,
    gradient: &Tensor,
) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
    let rows = [&parameters.get(0)?, &parameters.get(1)?];
    let found = differentiate(layer, x, rows, residual, result, std::slice::from_ref(gradient))?;
    let of_parameters = match (found.scale, found.shift) {
        (Some(scale), Some(shift)) => Some(Tensor::stack(&[scale, shift], 0)?),
        _ => None,
    };
    Ok((found.x, of_parameters, found.residual))
}

/// A contiguous argument on the CPU.
type Host<'a> = (&'a CpuStorage, &'a Layout);

fn on_cpu(
    layer: &BatchNorm,
    x: Host<'_>,
    parameters: [&[f32]; 2],
    residual: Option<Host<'_>>,
) -> Result<(CpuStorage, Shape)> {
    let values = |(storage, layout)| floats(storage, layout, layer.name());
    let output = cpu::forward(layer, values(x)?, parameters, residual.map(values).transpose()?)?;
    Ok((CpuStorage::F32(output), layer.dims.shape().into()))
}

/// Scale and shift in a `[2, C]` tensor on the CPU.
fn rows_on_cpu<'a>(layer: &BatchNorm, (storage, layout): Host<'a>) -> Result<[&'a [f32]; 2]> {
    let (scale, shift) = floats(storage, layout, layer.name())?.split_at(layer.dims.channels);
    Ok([scale, shift])
}

impl CustomOp2 for BatchNorm {
    fn name(&self) -> &'static str {
        self.name()
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        p: &CpuStorage,
        p_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        on_cpu(self, (x, x_layout), rows_on_cpu(self, (p, p_layout))?, None)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        p: &CudaStorage,
        p_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let parameters = cuda::rows(self, &Operand::new(p, p_layout)?)?;
        cuda::forward(self, &Operand::new(x, x_layout)?, parameters, None)
    }

    fn bwd(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (of_x, of_parameters, _) = differentiate_rows(self, x, parameters, None, result, gradient)?;
        Ok((of_x, of_parameters))
    }
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        self.name()
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        p: &CpuStorage,
        p_layout: &Layout,
        r: &CpuStorage,
        r_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let parameters = rows_on_cpu(self, (p, p_layout))?;
        on_cpu(self, (x, x_layout), parameters, Some((r, r_layout)))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        p: &CudaStorage,
        p_layout: &Layout,
        r: &CudaStorage,
        r_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let parameters = cuda::rows(self, &Operand::new(p, p_layout)?)?;
        let residual = Operand::new(r, r_layout)?;
        cuda::forward(self, &Operand::new(x, x_layout)?, parameters, Some(&residual))
    }

    fn bwd(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        residual: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        differentiate_rows(self, x, parameters, Some(residual), result, gradient)
    }
}

/// A normalisation on a tape, which differentiates it itself: of `x` and of the residual, with scale and shift at hand. To join them to
/// one tensor would cost launches on a GPU, in each step.
struct OnTape {
    layer: BatchNorm,
    /// `[scale, shift]`.
    parameters: [Tensor; 2],
}

impl OnTape {
    fn on_cpu(&self, x: Host<'_>, residual: Option<Host<'_>>) -> Result<(CpuStorage, Shape)> {
        let name = self.layer.name();
        let [scale, shift] = self.parameters.each_ref().map(Tensor::storage_and_layout);
        let parameters = [
            host_floats(&scale.0, scale.1, name)?,
            host_floats(&shift.0, shift.1, name)?,
        ];
        on_cpu(&self.layer, x, parameters, residual)
    }

    #[cfg(feature = "cuda")]
    fn on_gpu(&self, x: &Operand<'_>, residual: Option<&Operand<'_>>) -> Result<(CudaStorage, Shape)> {
        let parameters = cuda::tensors(&self.layer, self.parameters.each_ref())?;
        cuda::forward(&self.layer, x, parameters, residual)
    }
}

impl CustomOp1 for OnTape {
    fn name(&self) -> &'static str {
        self.layer.name()
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.on_cpu((x, layout), None)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        self.on_gpu(&Operand::new(x, layout)?, None)
    }
}

impl CustomOp2 for OnTape {
    fn name(&self) -> &'static str {
        self.layer.name()
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        r: &CpuStorage,
        r_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.on_cpu((x, x_layout), Some((r, r_layout)))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        r: &CudaStorage,
        r_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.on_gpu(&Operand::new(x, x_layout)?, Some(&Operand::new(r, r_layout)?))
    }
}
