//! Batch normalisation on a GPU: candle's tensors for the kernels.

use candle_core::{CudaStorage, Result, Shape, Tensor, Var, bail};

use super::gpu;
use super::layer::BatchNorm;
use super::statistics::BatchStatistics;
use crate::dims::Dims;
use crate::gpu::{Address, Element, Operand, element_of, tensor, unwritten};
use crate::sum::sum;

const NAME: &str = "batch norm (channels last, CUDA)";

/// [`batch_statistics`](super::batch_statistics); `x` is contiguous. Running ones, `[mean, variance]`, move towards them by the momentum.
pub(super) fn batch_statistics(x: &Tensor, dims: Dims, running: Option<([&Var; 2], f64)>) -> Result<BatchStatistics> {
    let (storage, layout) = x.storage_and_layout();
    let x = Operand::of(&storage, layout)?;
    let (device, element) = (x.device(), x.element()?);
    let (mean, to_mean) = unwritten(device, Element::F32, dims.channels)?;
    let (variance, to_variance) = unwritten(device, Element::F32, dims.channels)?;
    let running = match running {
        Some(([mean, variance], momentum)) => Some(gpu::Running {
            mean: channels_at(mean, dims.channels)?,
            variance: channels_at(variance, dims.channels)?,
            momentum: momentum as f32,
        }),
        None => None,
    };
    // SAFETY: arrays of these types and sizes; whatever reads the running ones does it on the same stream.
    unsafe {
        gpu::statistics(
            device,
            dims,
            element,
            x.address(element)?,
            [to_mean, to_variance],
            running,
        )?
    };
    Ok(BatchStatistics {
        mean: tensor(mean, dims.channels),
        variance: tensor(variance, dims.channels),
        count: dims.pixels(),
    })
}

/// Where a float32 vector of so many channels is; the tensor outlives what is launched with it, as memory is given back in the stream's
/// order.
fn channels_at(vector: &Tensor, channels: usize) -> Result<Address> {
    if vector.elem_count() != channels {
        bail!(
            "{NAME}: expected a value a channel, {channels}, got {:?}",
            vector.dims()
        );
    }
    let (storage, layout) = vector.storage_and_layout();
    Operand::of(&storage, layout)?.address(Element::F32)
}

/// `[scale, shift]` in a `[2, C]` tensor.
pub(super) fn rows(layer: &BatchNorm, parameters: &Operand<'_>) -> Result<[Address; 2]> {
    let scale = parameters.address(Element::F32)?;
    Ok([scale, scale.behind(layer.dims.channels)])
}

/// `[scale, shift]` in a tensor each.
pub(super) fn tensors(layer: &BatchNorm, [scale, shift]: [&Tensor; 2]) -> Result<[Address; 2]> {
    let channels = layer.dims.channels;
    Ok([channels_at(scale, channels)?, channels_at(shift, channels)?])
}

/// The layer as the kernels know it.
fn known(
    layer: &BatchNorm,
    element: Element,
    [scale, shift]: [Address; 2],
    residual: Option<&Operand<'_>>,
) -> Result<gpu::Layer> {
    let channels = layer.dims.channels;
    let (mean, variance, epsilon) = match &layer.of_batch {
        Some((statistics, epsilon)) => (
            channels_at(&statistics.mean, channels)?,
            channels_at(&statistics.variance, channels)?,
            *epsilon as f32,
        ),
        None => (Address::NONE, Address::NONE, 0.0),
    };
    let residual = match residual {
        Some(residual) => residual.address(element)?,
        None => Address::NONE,
    };
    Ok(gpu::Layer {
        dims: layer.dims,
        element,
        mean,
        variance,
        epsilon,
        scale,
        shift,
        residual,
        relu: layer.relu,
    })
}

/// The result of `x`, of `[scale, shift]` and of the residual.
pub(super) fn forward(
    layer: &BatchNorm,
    x: &Operand<'_>,
    parameters: [Address; 2],
    residual: Option<&Operand<'_>>,
) -> Result<(CudaStorage, Shape)> {
    let (device, element) = (x.device(), x.element()?);
    let (y, to) = unwritten(device, element, layer.dims.elements())?;
    let known = known(layer, element, parameters, residual)?;
    // SAFETY: the shapes were checked; types are checked where addresses are made.
    unsafe { known.forward(device, x.address(element)?, to)? };
    Ok((y, layer.dims.shape().into()))
}

/// The gradients of `x`, scale, shift and the residual, of the result's; where there are several of the result, of their sum.
pub(super) fn differentiate(
    layer: &BatchNorm,
    x: &Tensor,
    parameters: [&Tensor; 2],
    residual: Option<&Tensor>,
    gradients: &[Tensor],
) -> Result<[Option<Tensor>; 4]> {
    let (first, second) = match gradients {
        [] => bail!("{NAME}: expected a gradient"),
        [one] => (one.contiguous()?, None),
        [one, rest @ ..] => (one.contiguous()?, Some(sum(rest)?.contiguous()?)),
    };
    for gradient in std::iter::once(&first).chain(&second) {
        if gradient.shape() != x.shape() || gradient.dtype() != x.dtype() {
            bail!(
                "{NAME}: expected a gradient of shape {:?} and type {:?}, got {:?} and {:?}",
                x.dims(),
                x.dtype(),
                gradient.dims(),
                gradient.dtype()
            );
        }
    }
    let with_residual = residual.is_some_and(Tensor::track_op);
    let (element, channels) = (element_of(x.dtype())?, layer.dims.channels);
    let (of_x, of_scale, of_shift, before_relu) = {
        let (x_storage, x_layout) = x.storage_and_layout();
        let (first_storage, first_layout) = first.storage_and_layout();
        let second = second.as_ref().map(Tensor::storage_and_layout);
        let residual = residual.map(Tensor::storage_and_layout);
        let x = Operand::of(&x_storage, x_layout)?;
        let device = x.device();
        let (of_x, to_x) = unwritten(device, element, layer.dims.elements())?;
        let (of_scale, to_scale) = unwritten(device, Element::F32, channels)?;
        let (of_shift, to_shift) = unwritten(device, Element::F32, channels)?;
        let before_relu = match second.is_some() || (with_residual && layer.relu) {
            true => Some(unwritten(device, element, layer.dims.elements())?),
            false => None,
        };
        let second = match &second {
            Some((storage, layout)) => Operand::of(storage, layout)?.address(element)?,
            None => Address::NONE,
        };
        let of = gpu::Gradients {
            x: x.address(element)?,
            of_result: [Operand::of(&first_storage, first_layout)?.address(element)?, second],
            of_x: to_x,
            before_relu: before_relu.as_ref().map_or(Address::NONE, |(_, address)| *address),
            of_scale: to_scale,
            of_shift: to_shift,
        };
        let residual = match &residual {
            Some((storage, layout)) => Some(Operand::of(storage, layout)?),
            None => None,
        };
        let known = known(layer, element, tensors(layer, parameters)?, residual.as_ref())?;
        // SAFETY: the shapes were checked; types are checked where addresses are made.
        unsafe { known.backward(device, of)? };
        (of_x, of_scale, of_shift, before_relu)
    };
    let before_relu = before_relu.map(|(storage, _)| tensor(storage, x.shape()));
    Ok([
        Some(tensor(of_x, x.shape())),
        Some(tensor(of_scale, channels)),
        Some(tensor(of_shift, channels)),
        with_residual.then(|| before_relu.unwrap_or(first)),
    ])
}
