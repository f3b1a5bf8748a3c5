//! Batch normalisation as a candle operation on a GPU.

use candle_core::{CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, Var, bail};

use super::{Operand, element_of, tensor, unwritten};
use crate::kernels::gpu::batch_norm::{Gradients, Layer, Running, statistics};
use crate::kernels::gpu::{Address, Element};
use crate::kernels::normaliser::Differentiated;
use crate::kernels::statistics::Statistics;
use crate::kernels::storage::Dims;

const NAME: &str = "batch norm (channels last, CUDA)";

/// [`crate::kernels::batch_statistics`]; `x` is contiguous. Running ones, `[mean, variance]`, move towards them by the momentum.
pub(in crate::kernels) fn batch_statistics(
    x: &Tensor,
    dims: Dims,
    running: Option<([&Var; 2], f64)>,
) -> Result<Statistics> {
    let (storage, layout) = x.storage_and_layout();
    let x = Operand::of(&storage, layout)?;
    let (device, element) = (x.device(), x.element()?);
    let (mean, to_mean) = unwritten(device, Element::F32, dims.channels)?;
    let (variance, to_variance) = unwritten(device, Element::F32, dims.channels)?;
    let running = match running {
        Some(([mean, variance], momentum)) => Some(Running {
            mean: channels_at(mean, dims.channels)?,
            variance: channels_at(variance, dims.channels)?,
            momentum: momentum as f32,
        }),
        None => None,
    };
    // SAFETY: arrays of these types and sizes; whatever reads the running ones does it on the same stream.
    unsafe {
        statistics(
            device,
            dims,
            element,
            x.address(element)?,
            [to_mean, to_variance],
            running,
        )?
    };
    Ok(Statistics {
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

/// What [`crate::kernels::batch_norm::Normalisation`] is on the CPU: of `x`, of scale and shift as one `[2, C]` tensor, and of the
/// residual. `x` and the residual are of one type, all else is float32.
#[derive(Clone, Debug)]
pub(crate) struct Normalisation {
    pub dims: Dims,
    /// The batch's own, and what is added to the variance; none where scale and shift alone act.
    pub of_batch: Option<(Statistics, f64)>,
    pub relu: bool,
}

impl Normalisation {
    /// The layer as the kernels know it.
    fn layer(&self, element: Element, [scale, shift]: [Address; 2], residual: Option<&Operand<'_>>) -> Result<Layer> {
        let channels = self.dims.channels;
        let (mean, variance, epsilon) = match &self.of_batch {
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
        Ok(Layer {
            dims: self.dims,
            element,
            mean,
            variance,
            epsilon,
            scale,
            shift,
            residual,
            relu: self.relu,
        })
    }

    fn forward(
        &self,
        x: &Operand<'_>,
        parameters: [Address; 2],
        residual: Option<&Operand<'_>>,
    ) -> Result<(CudaStorage, Shape)> {
        let (device, element) = (x.device(), x.element()?);
        let (y, to) = unwritten(device, element, self.dims.elements())?;
        let layer = self.layer(element, parameters, residual)?;
        // SAFETY: the shapes were checked; types are checked where addresses are made.
        unsafe { layer.forward(device, x.address(element)?, to)? };
        Ok((y, self.dims.shape().into()))
    }

    /// Scale and shift in a `[2, C]` tensor.
    fn rows(&self, parameters: &Operand<'_>) -> Result<[Address; 2]> {
        let scale = parameters.address(Element::F32)?;
        Ok([scale, scale.behind(self.dims.channels)])
    }

    /// All gradients, of the result's; where there are several of the result, of their sum.
    pub(in crate::kernels) fn differentiate(
        &self,
        x: &Tensor,
        [scale, shift]: [&Tensor; 2],
        residual: Option<&Tensor>,
        gradients: &[Tensor],
    ) -> Result<Differentiated> {
        let (first, second) = match gradients {
            [] => bail!("{NAME}: expected a gradient"),
            [one] => (one.contiguous()?, None),
            [one, rest @ ..] => (one.contiguous()?, Some(crate::kernels::sum(rest)?.contiguous()?)),
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
        let (element, channels) = (element_of(x.dtype())?, self.dims.channels);
        let (of_x, of_scale, of_shift, before_relu) = {
            let (x_storage, x_layout) = x.storage_and_layout();
            let (first_storage, first_layout) = first.storage_and_layout();
            let second = second.as_ref().map(Tensor::storage_and_layout);
            let residual = residual.map(Tensor::storage_and_layout);
            let x = Operand::of(&x_storage, x_layout)?;
            let device = x.device();
            let (of_x, to_x) = unwritten(device, element, self.dims.elements())?;
            let (of_scale, to_scale) = unwritten(device, Element::F32, channels)?;
            let (of_shift, to_shift) = unwritten(device, Element::F32, channels)?;
            let before_relu = match second.is_some() || (with_residual && self.relu) {
                true => Some(unwritten(device, element, self.dims.elements())?),
                false => None,
            };
            let second = match &second {
                Some((storage, layout)) => Operand::of(storage, layout)?.address(element)?,
                None => Address::NONE,
            };
            let of = Gradients {
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
            let parameters = [channels_at(scale, channels)?, channels_at(shift, channels)?];
            let layer = self.layer(element, parameters, residual.as_ref())?;
            // SAFETY: the shapes were checked; types are checked where addresses are made.
            unsafe { layer.backward(device, of)? };
            (of_x, of_scale, of_shift, before_relu)
        };
        let before_relu = before_relu.map(|(storage, _)| tensor(storage, x.shape()));
        Ok(Differentiated {
            x: Some(tensor(of_x, x.shape())),
            scale: Some(tensor(of_scale, channels)),
            shift: Some(tensor(of_shift, channels)),
            residual: with_residual.then(|| before_relu.unwrap_or(first)),
        })
    }

    /// As [`Normalisation::differentiate`], for candle: scale and shift are one tensor.
    fn differentiate_rows(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        residual: Option<&Tensor>,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let rows = [&parameters.get(0)?, &parameters.get(1)?];
        let gradients = self.differentiate(x, rows, residual, std::slice::from_ref(gradient))?;
        let of_parameters = match (gradients.scale, gradients.shift) {
            (Some(scale), Some(shift)) => Some(Tensor::stack(&[scale, shift], 0)?),
            _ => None,
        };
        Ok((gradients.x, of_parameters, gradients.residual))
    }
}

/// A normalisation on a tape, which differentiates it itself: of `x` and of the residual, with scale and shift at hand.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct OnTape {
    pub of: Normalisation,
    pub scale: Tensor,
    pub shift: Tensor,
}

impl OnTape {
    fn forward(&self, x: Operand<'_>, residual: Option<&Operand<'_>>) -> Result<(CudaStorage, Shape)> {
        let channels = self.of.dims.channels;
        let parameters = [channels_at(&self.scale, channels)?, channels_at(&self.shift, channels)?];
        self.of.forward(&x, parameters, residual)
    }
}

impl CustomOp1 for OnTape {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        bail!("{NAME}: expected tensors in the memory of a GPU")
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        self.forward(Operand::new(x, layout)?, None)
    }
}

impl CustomOp2 for OnTape {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        bail!("{NAME}: expected tensors in the memory of a GPU")
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        residual: &CudaStorage,
        residual_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let residual = Operand::new(residual, residual_layout)?;
        self.forward(Operand::new(x, x_layout)?, Some(&residual))
    }
}

impl CustomOp2 for Normalisation {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        bail!("{NAME}: expected tensors in the memory of a GPU")
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        parameters: &CudaStorage,
        parameters_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let parameters = self.rows(&Operand::new(parameters, parameters_layout)?)?;
        self.forward(&Operand::new(x, x_layout)?, parameters, None)
    }

    fn bwd(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (of_x, of_parameters, _) = self.differentiate_rows(x, parameters, None, gradient)?;
        Ok((of_x, of_parameters))
    }
}

impl CustomOp3 for Normalisation {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        bail!("{NAME}: expected tensors in the memory of a GPU")
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        parameters: &CudaStorage,
        parameters_layout: &Layout,
        residual: &CudaStorage,
        residual_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let parameters = self.rows(&Operand::new(parameters, parameters_layout)?)?;
        let residual = Operand::new(residual, residual_layout)?;
        self.forward(&Operand::new(x, x_layout)?, parameters, Some(&residual))
    }

    fn bwd(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        residual: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        self.differentiate_rows(x, parameters, Some(residual), gradient)
    }
}
