//! Batch normalisation as a candle operation on a GPU.

use candle_core::{CpuStorage, CudaStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::{Operand, element_of, tensor, unwritten};
use crate::kernels::gpu::batch_norm::{Gradients, Layer, statistics};
use crate::kernels::gpu::{Address, Element};
use crate::kernels::statistics::Statistics;
use crate::kernels::storage::Dims;

const NAME: &str = "batch norm (channels last, CUDA)";

/// [`crate::kernels::batch_statistics`]; `x` is contiguous.
pub(in crate::kernels) fn batch_statistics(x: &Tensor, dims: Dims) -> Result<Statistics> {
    let (storage, layout) = x.storage_and_layout();
    let x = Operand::of(&storage, layout)?;
    let (device, element) = (x.device(), x.element()?);
    let (mean, to_mean) = unwritten(device, Element::F32, dims.channels)?;
    let (variance, to_variance) = unwritten(device, Element::F32, dims.channels)?;
    // SAFETY: arrays of these types and sizes.
    unsafe { statistics(device, dims, element, x.address(element)?, [to_mean, to_variance])? };
    Ok(Statistics {
        mean: tensor(mean, dims.channels),
        variance: tensor(variance, dims.channels),
        count: dims.pixels(),
    })
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
    /// Calls `f` with the layer as the kernels know it.
    fn with_layer<R>(
        &self,
        element: Element,
        parameters: &Operand<'_>,
        f: impl FnOnce(Layer) -> Result<R>,
    ) -> Result<R> {
        let layer = Layer {
            dims: self.dims,
            element,
            mean: Address::NONE,
            variance: Address::NONE,
            epsilon: 0.0,
            scale: parameters.address(Element::F32)?,
            relu: self.relu,
        };
        let Some((statistics, epsilon)) = &self.of_batch else {
            return f(layer);
        };
        let (mean, mean_layout) = statistics.mean.storage_and_layout();
        let (variance, variance_layout) = statistics.variance.storage_and_layout();
        f(Layer {
            mean: Operand::of(&mean, mean_layout)?.address(Element::F32)?,
            variance: Operand::of(&variance, variance_layout)?.address(Element::F32)?,
            epsilon: *epsilon as f32,
            ..layer
        })
    }

    fn forward(
        &self,
        x: &Operand<'_>,
        parameters: &Operand<'_>,
        residual: Option<&Operand<'_>>,
    ) -> Result<CudaStorage> {
        let (device, element) = (x.device(), x.element()?);
        let (y, to) = unwritten(device, element, self.dims.elements())?;
        let residual = match residual {
            Some(residual) => residual.address(element)?,
            None => Address::NONE,
        };
        let from = x.address(element)?;
        self.with_layer(element, parameters, |layer| {
            let shift = layer.scale.behind(self.dims.channels);
            // SAFETY: the shapes were checked; types are checked where addresses are made.
            unsafe { layer.forward(device, from, shift, residual, to) }
        })?;
        Ok(y)
    }

    /// As the CPU's of this name.
    pub(in crate::kernels) fn differentiate(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        residual: Option<&Tensor>,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        if gradient.shape() != x.shape() {
            bail!(
                "{NAME}: expected a gradient of shape {:?}, got {:?}",
                x.dims(),
                gradient.dims()
            );
        }
        let with_residual = residual.is_some_and(Tensor::track_op);
        let element = element_of(x.dtype())?;
        let (of_x, of_parameters, masked) = {
            let (x_storage, x_layout) = x.storage_and_layout();
            let (p_storage, p_layout) = parameters.storage_and_layout();
            let (r_storage, r_layout) = result.storage_and_layout();
            let (g_storage, g_layout) = gradient.storage_and_layout();
            let x = Operand::of(&x_storage, x_layout)?;
            let device = x.device();
            let (of_x, to_x) = unwritten(device, element, self.dims.elements())?;
            let (of_parameters, to_parameters) = unwritten(device, Element::F32, 2 * self.dims.channels)?;
            let masked = match with_residual && self.relu {
                true => Some(unwritten(device, element, self.dims.elements())?),
                false => None,
            };
            let of = Gradients {
                x: x.address(element)?,
                result: Operand::of(&r_storage, r_layout)?.address(element)?,
                gradient: Operand::of(&g_storage, g_layout)?.address(element)?,
                of_x: to_x,
                of_residual: masked.as_ref().map_or(Address::NONE, |(_, address)| *address),
                of_parameters: to_parameters,
            };
            let parameters = Operand::of(&p_storage, p_layout)?;
            // SAFETY: the shapes were checked; types are checked where addresses are made.
            self.with_layer(element, &parameters, |layer| unsafe { layer.backward(device, of) })?;
            (of_x, of_parameters, masked)
        };
        let of_residual = match masked {
            Some((storage, _)) => Some(tensor(storage, x.shape())),
            None => with_residual.then_some(gradient),
        };
        Ok((
            Some(tensor(of_x, x.shape())),
            Some(tensor(of_parameters, parameters.shape())),
            of_residual,
        ))
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
        let parameters = Operand::new(parameters, parameters_layout)?;
        let y = self.forward(&Operand::new(x, x_layout)?, &parameters, None)?;
        Ok((y, self.dims.shape().into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (of_x, of_parameters, _) = self.differentiate(x, parameters, None, result, gradient)?;
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
        let parameters = Operand::new(parameters, parameters_layout)?;
        let residual = Operand::new(residual, residual_layout)?;
        let y = self.forward(&Operand::new(x, x_layout)?, &parameters, Some(&residual))?;
        Ok((y, self.dims.shape().into()))
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
