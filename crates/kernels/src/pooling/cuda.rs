//! Pooling on a GPU: candle's tensors for the kernels.

use candle_core::{CudaStorage, Result, Tensor, bail};

use super::gpu;
use super::windows::Windows;
use crate::dims::Dims;
use crate::gpu::{Element, Operand, element_of, tensor, unwritten};

/// Mean over the pixels, `[N, C]` float32.
pub(super) fn average_pool(dims: Dims, x: &Operand<'_>) -> Result<CudaStorage> {
    let (device, element) = (x.device(), x.element()?);
    let (y, to) = unwritten(device, Element::F32, dims.images * dims.channels)?;
    // SAFETY: arrays of these types and sizes.
    unsafe { gpu::average(device, dims, element, x.address(element)?, to)? };
    Ok(y)
}

/// The gradient of `x`, in its type.
pub(super) fn average_pool_gradient(dims: Dims, x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let element = element_of(x.dtype())?;
    if gradient.elem_count() != dims.images * dims.channels {
        bail!(
            "average pooling: expected a gradient [{}, {}], got {:?}",
            dims.images,
            dims.channels,
            gradient.dims()
        );
    }
    let (storage, layout) = gradient.storage_and_layout();
    let gradient = Operand::of(&storage, layout)?;
    let device = gradient.device();
    let (of_x, to) = unwritten(device, element, dims.elements())?;
    // SAFETY: arrays of these types and sizes.
    unsafe { gpu::average_gradient(device, dims, element, gradient.address(Element::F32)?, to)? };
    Ok(tensor(of_x, x.shape()))
}

/// The maximum of each window.
pub(super) fn maximum(windows: Windows, x: &Operand<'_>) -> Result<CudaStorage> {
    let (device, element) = (x.device(), x.element()?);
    let (y, to) = unwritten(device, element, windows.output.elements())?;
    // SAFETY: arrays of this type and the windows' sizes.
    unsafe { gpu::maximum(device, windows, element, x.address(element)?, to)? };
    Ok(y)
}

/// The gradient of `x`.
pub(super) fn maximum_gradient(windows: Windows, x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let element = element_of(x.dtype())?;
    if gradient.elem_count() != windows.output.elements() {
        bail!(
            "max pooling: expected a gradient of {} numbers, got {:?}",
            windows.output.elements(),
            gradient.dims()
        );
    }
    let (x_storage, x_layout) = x.storage_and_layout();
    let (g_storage, g_layout) = gradient.storage_and_layout();
    let from = Operand::of(&x_storage, x_layout)?;
    let device = from.device();
    let (of_x, to) = unwritten(device, element, windows.source.elements())?;
    let addresses = [
        from.address(element)?,
        Operand::of(&g_storage, g_layout)?.address(element)?,
        to,
    ];
    // SAFETY: arrays of this type and the windows' sizes.
    unsafe { gpu::maximum_gradient(device, windows, element, addresses)? };
    Ok(tensor(of_x, x.shape()))
}
