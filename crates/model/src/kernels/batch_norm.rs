//! Batch normalisation, and everything that ResNet does elementwise between two convolutions, in one pass.

use super::elementwise::{Apply, Chunks, Differentiate, Reduce};
use super::normaliser::Normaliser;
use super::parallel::for_each;
use super::simd::{InstructionSet, LANES};
use super::statistics::Statistics;
use super::storage::{Dims, Output, Shared, check_float, floats, host_floats};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

/// Batch normalisation with the batch's own statistics, PyTorch's `batch_norm` in training:
/// `relu((x - mean) / sqrt(variance + eps) * gamma + beta + residual)`, the residual and the ReLU being optional.
///
/// - `x`, `residual`: `[N, H, W, C]`; `gamma`, `beta`: `[C]`; all float32;
/// - `statistics`: those of this very `x`, from [`super::batch_statistics`].
///
/// Differentiable in `x` (through the statistics as well), `gamma`, `beta` and `residual`.
///
/// # Errors
/// Wrong ranks, types or channel counts.
pub fn batch_norm(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    statistics: &Statistics,
    eps: f64,
    residual: Option<&Tensor>,
    relu: bool,
) -> Result<Tensor> {
    const NAME: &str = "batch_norm (channels last)";
    let dims = check(x, gamma, beta, residual, NAME)?;
    statistics.check(dims.channels, NAME)?;
    let op = Normaliser::by_batch(x, dims, statistics, eps, relu)?;
    op.apply(x, gamma, beta, residual)
}

/// `relu(x * scale + shift + residual)` per channel, the residual and the ReLU being optional: batch normalisation
/// in evaluation, its running statistics folded into `scale` and `shift`.
///
/// `x`, `residual`: `[N, H, W, C]`; `scale`, `shift`: `[C]`; all float32. Differentiable in all of them.
///
/// # Errors
/// Wrong ranks, types or channel counts.
pub fn affine(x: &Tensor, scale: &Tensor, shift: &Tensor, residual: Option<&Tensor>, relu: bool) -> Result<Tensor> {
    const NAME: &str = "affine (channels last)";
    let dims = check(x, scale, shift, residual, NAME)?;
    Normaliser::affine(x, dims, relu).apply(x, scale, shift, residual)
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

/// Refuses anything but a float32 tensor of the result's dimensions.
pub(crate) fn check_residual(residual: &Tensor, result: Dims, op: &str) -> Result<()> {
    check_float(residual, op, "residual")?;
    let (images, height, width, channels) = result.shape();
    if residual.dims() != [images, height, width, channels] {
        bail!(
            "{op}: expected a residual of the result's shape {:?}, got {:?}",
            [images, height, width, channels],
            residual.dims()
        );
    }
    Ok(())
}

/// Refuses anything but a float32 vector with one element per channel.
pub(crate) fn check_channels(vector: &Tensor, channels: usize, op: &str, what: &str) -> Result<()> {
    check_float(vector, op, what)?;
    if vector.dims() != [channels] {
        bail!(
            "{op}: expected {what} of shape [{channels}], one value a channel, got {:?}",
            vector.dims()
        );
    }
    Ok(())
}

/// `relu((x - mean) * factor * scale + shift + residual)` as a candle operation of `x`, of scale and shift as one
/// `[2, C]` tensor, and of the residual.
#[derive(Clone, Debug)]
pub(crate) struct Normalisation {
    dims: Dims,
    mean: Vec<f32>,
    /// Reciprocal standard deviation.
    factor: Vec<f32>,
    /// Whether mean and factor are functions of `x`.
    of_batch: bool,
    relu: bool,
    set: InstructionSet,
}

/// A normalisation as candle's operation of `x`, of scale and shift as one `[2, C]` tensor, and of the residual.
pub(crate) fn apply(
    op: impl CustomOp2 + CustomOp3 + Send + Sync + 'static,
    x: &Tensor,
    scale: &Tensor,
    shift: &Tensor,
    residual: Option<&Tensor>,
) -> Result<Tensor> {
    let x = x.contiguous()?;
    let parameters = Tensor::stack(&[scale, shift], 0)?.contiguous()?;
    match residual {
        Some(residual) => x.apply_op3(&parameters, &residual.contiguous()?, op),
        None => x.apply_op2(&parameters, op),
    }
}

/// Gradients of the input, of scale and shift, and of the residual.
struct Gradients {
    input: Vec<f32>,
    parameters: Option<Vec<f32>>,
    residual: Option<Vec<f32>>,
}

impl Normalisation {
    /// Normalisation by the statistics of the batch itself.
    pub(crate) fn by_batch(
        dims: Dims,
        statistics: &Statistics,
        eps: f64,
        relu: bool,
        set: InstructionSet,
    ) -> Result<Self> {
        let variance: Vec<f32> = statistics.variance.to_vec1()?;
        let reciprocal = |variance: f32| (1.0 / (f64::from(variance) + eps).sqrt()) as f32;
        Ok(Self {
            dims,
            mean: statistics.mean.to_vec1()?,
            factor: variance.into_iter().map(reciprocal).collect(),
            of_batch: true,
            relu,
            set,
        })
    }

    /// No normalisation: scale and shift alone.
    pub(crate) fn affine(dims: Dims, relu: bool, set: InstructionSet) -> Self {
        let (mean, factor) = (vec![0.0; dims.channels], vec![1.0; dims.channels]);
        Self {
            dims,
            mean,
            factor,
            of_batch: false,
            relu,
            set,
        }
    }

    pub(crate) fn apply(self, x: &Tensor, scale: &Tensor, shift: &Tensor, residual: Option<&Tensor>) -> Result<Tensor> {
        apply(self, x, scale, shift, residual)
    }

    /// A channel vector, zeros behind it up to a multiple of [`LANES`].
    fn padded(&self, values: impl Iterator<Item = f32>) -> Vec<f32> {
        let mut values: Vec<f32> = values.collect();
        values.resize(self.dims.channels.div_ceil(LANES) * LANES, 0.0);
        values
    }

    fn forward(&self, x: &[f32], parameters: &[f32], residual: Option<&[f32]>) -> Vec<f32> {
        let (scale, shift) = parameters.split_at(self.dims.channels);
        let mean = self.padded(self.mean.iter().copied());
        let scale = self.padded(scale.iter().zip(&self.factor).map(|(scale, factor)| scale * factor));
        let shift = self.padded(shift.iter().copied());
        let chunks = Chunks::of(self.dims);
        let mut output = Output::new(self.dims.elements());
        let pointer = output.pointer();
        for_each(chunks.count(), |chunk| {
            let range = chunks.floats(chunk);
            let kernel = Apply {
                channels: self.dims.channels,
                x: &x[range.clone()],
                mean: &mean,
                scale: &scale,
                shift: &shift,
                residual: residual.map(|residual| &residual[range.clone()]),
                relu: self.relu,
                // SAFETY: within the output.
                output: unsafe { pointer.at(range.start) },
            };
            // SAFETY: the chunk of the output is this task's alone.
            unsafe { self.set.run(kernel) }
        });
        // SAFETY: the chunks cover the output.
        unsafe { output.finish() }
    }

    fn backward(
        &self,
        x: &[f32],
        parameters: &[f32],
        result: &[f32],
        gradient: &[f32],
        with_parameters: bool,
        with_residual: bool,
    ) -> Gradients {
        let chunks = Chunks::of(self.dims);
        let channels = self.dims.channels;
        let mean = self.padded(self.mean.iter().copied());
        // Before the ReLU; the residual's gradient, where there is one.
        let mut masked = (with_residual && self.relu).then(|| Output::new(self.dims.elements()));
        let masked_pointer = masked.as_mut().map(Output::pointer);
        let mut sums = vec![0f64; 2 * channels];
        if with_parameters || self.of_batch || masked.is_some() {
            let factor = self.padded(self.factor.iter().copied());
            let lanes = factor.len();
            let mut partials = vec![0f32; chunks.count() * 2 * lanes];
            let pointer = Shared::new(&mut partials);
            for_each(chunks.count(), |chunk| {
                let range = chunks.floats(chunk);
                let kernel = Reduce {
                    channels,
                    x: &x[range.clone()],
                    mean: &mean,
                    factor: &factor,
                    result: self.relu.then(|| &result[range.clone()]),
                    gradient: &gradient[range.clone()],
                    // SAFETY: within the buffers.
                    masked: masked_pointer.map(|masked| unsafe { masked.at(range.start) }),
                    // SAFETY: as above.
                    sums: unsafe { pointer.at(chunk * 2 * lanes) },
                    lanes,
                };
                // SAFETY: sums and masked gradient of this chunk are this task's alone.
                unsafe { self.set.run(kernel) }
            });
            for partial in partials.chunks_exact(2 * lanes) {
                for channel in 0..channels {
                    sums[channel] += f64::from(partial[channel]);
                    sums[channels + channel] += f64::from(partial[lanes + channel]);
                }
            }
        }
        // SAFETY: if it exists, the chunks above have covered it.
        let masked = masked.map(|masked| unsafe { masked.finish() });
        let (of_shift, of_scale) = sums.split_at(channels);

        let scale = |channel: usize| f64::from(parameters[channel]) * f64::from(self.factor[channel]);
        let by_batch = if self.of_batch {
            1.0 / self.dims.pixels() as f64
        } else {
            0.0
        };
        let direct = self.padded((0..channels).map(|c| scale(c) as f32));
        let slope =
            self.padded((0..channels).map(|c| (-scale(c) * f64::from(self.factor[c]) * of_scale[c] * by_batch) as f32));
        let constant = self.padded((0..channels).map(|c| (-scale(c) * of_shift[c] * by_batch) as f32));
        let mut input = Output::new(self.dims.elements());
        let pointer = input.pointer();
        for_each(chunks.count(), |chunk| {
            let range = chunks.floats(chunk);
            let kernel = Differentiate {
                channels,
                x: &x[range.clone()],
                mean: &mean,
                direct: &direct,
                slope: &slope,
                constant: &constant,
                result: (self.relu && masked.is_none()).then(|| &result[range.clone()]),
                gradient: &masked.as_deref().unwrap_or(gradient)[range.clone()],
                // SAFETY: within the output.
                output: unsafe { pointer.at(range.start) },
            };
            // SAFETY: the chunk of the output is this task's alone.
            unsafe { self.set.run(kernel) }
        });
        let parameters = with_parameters.then(|| of_scale.iter().chain(of_shift).map(|sum| *sum as f32).collect());
        // SAFETY: the chunks cover the output.
        let input = unsafe { input.finish() };
        Gradients {
            input,
            parameters,
            residual: masked,
        }
    }

    /// The gradients of `x`, of scale and shift as one `[2, C]` tensor, and of the residual; those that nothing asks for
    /// are absent.
    #[allow(clippy::type_complexity)]
    pub(crate) fn differentiate(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        residual: Option<&Tensor>,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let name = CustomOp2::name(self);
        let gradient = gradient.contiguous()?;
        let with_residual = residual.is_some_and(Tensor::track_op);
        let gradients = {
            let (x, x_layout) = x.storage_and_layout();
            let (p, p_layout) = parameters.storage_and_layout();
            let (r, r_layout) = result.storage_and_layout();
            let (g, g_layout) = gradient.storage_and_layout();
            self.backward(
                host_floats(&x, x_layout, name)?,
                host_floats(&p, p_layout, name)?,
                host_floats(&r, r_layout, name)?,
                host_floats(&g, g_layout, name)?,
                parameters.track_op(),
                with_residual,
            )
        };
        let of_parameters = match gradients.parameters {
            Some(values) => Some(Tensor::from_vec(values, parameters.shape(), x.device())?),
            None => None,
        };
        let of_residual = match gradients.residual {
            Some(values) => Some(Tensor::from_vec(values, x.shape(), x.device())?),
            None => with_residual.then_some(gradient),
        };
        Ok((
            Some(Tensor::from_vec(gradients.input, x.shape(), x.device())?),
            of_parameters,
            of_residual,
        ))
    }

    fn shape(&self) -> Shape {
        self.dims.shape().into()
    }
}

impl CustomOp2 for Normalisation {
    fn name(&self) -> &'static str {
        if self.of_batch {
            "batch_norm (channels last)"
        } else {
            "affine (channels last)"
        }
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        p: &CpuStorage,
        p_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let name = CustomOp2::name(self);
        let output = self.forward(floats(x, x_layout, name)?, floats(p, p_layout, name)?, None);
        Ok((CpuStorage::F32(output), self.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (input, parameters, _) = self.differentiate(x, parameters, None, result, gradient)?;
        Ok((input, parameters))
    }
}

impl CustomOp3 for Normalisation {
    fn name(&self) -> &'static str {
        CustomOp2::name(self)
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
        let name = CustomOp2::name(self);
        let residual = floats(r, r_layout, name)?;
        let output = self.forward(floats(x, x_layout, name)?, floats(p, p_layout, name)?, Some(residual));
        Ok((CpuStorage::F32(output), self.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        residual: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        self.differentiate(x, parameters, Some(residual), result, gradient)
    }
}
