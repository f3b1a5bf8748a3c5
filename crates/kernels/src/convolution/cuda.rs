//! Convolution by cuDNN, forward and both gradients.
//!
//! cuDNN's channels-last format is ours: images go in as they are, and weights as `[Cout, kh, kw, Cin]` in the images' type, of which a
//! kernel makes copies from torchvision's float32 ones and back.

use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::{CudaDevice, CudaStorage, Result, Tensor, bail};
use half::bf16;

use super::cudnn::{self, Number};
use super::geometry::{Engines, Geometry};
use super::weight_order;
use crate::gpu::{Element, Operand, address, tensor, unwritten};

/// The output for `x` and a weight, in the type of `x`.
pub(super) fn forward(of: Geometry, engines: Engines, [x, weight]: [Operand<'_>; 2]) -> Result<CudaStorage> {
    match x.element()? {
        Element::F32 => forward_of::<f32>(of, engines, &x, &weight, Element::F32),
        Element::Bf16 => forward_of::<bf16>(of, engines, &x, &weight, Element::Bf16),
    }
}

fn forward_of<T: Number>(
    of: Geometry,
    engines: Engines,
    x: &Operand<'_>,
    weight: &Operand<'_>,
    element: Element,
) -> Result<CudaStorage> {
    let device = x.device();
    let packed = packed::<T>(of, device, weight, element)?;
    // SAFETY: cuDNN writes every element, as the old contents count 0 times.
    let mut y = unsafe { device.alloc::<T>(of.output.elements())? };
    cudnn::forward::<T>(device, of, engines, &x.view()?, &packed.as_view(), &mut y)?;
    Ok(CudaStorage::wrap_cuda_slice(y, device.clone()))
}

/// The weight in cuDNN's order.
fn packed<T: Number>(
    of: Geometry,
    device: &CudaDevice,
    weight: &Operand<'_>,
    element: Element,
) -> Result<CudaSlice<T>> {
    // SAFETY: the kernel writes every element.
    let packed = unsafe { device.alloc::<T>(of.filter.elements())? };
    let to = address(&device.cuda_stream(), &packed.as_view());
    // SAFETY: arrays of the filter's size, of float32 and of `element`.
    unsafe { weight_order::pack(of.filter, device, element, weight.address(Element::F32)?, to)? };
    Ok(packed)
}

/// The gradients of `x`, where something depends on it, and of the weight.
pub(super) fn backward(
    of: Geometry,
    engines: Engines,
    [x, weight, gradient]: [&Tensor; 3],
) -> Result<(Option<Tensor>, Option<Tensor>)> {
    let gradient = gradient.contiguous()?;
    let wanted = [x.track_op(), weight.track_op()];
    let (x_storage, x_layout) = x.storage_and_layout();
    let (w_storage, w_layout) = weight.storage_and_layout();
    let (g_storage, g_layout) = gradient.storage_and_layout();
    let operands = [
        Operand::of(&x_storage, x_layout)?,
        Operand::of(&w_storage, w_layout)?,
        Operand::of(&g_storage, g_layout)?,
    ];
    let [of_x, of_weight] = match operands[0].element()? {
        Element::F32 => backward_of::<f32>(of, engines, operands, Element::F32, wanted)?,
        Element::Bf16 => backward_of::<bf16>(of, engines, operands, Element::Bf16, wanted)?,
    };
    Ok((
        of_x.map(|of_x| tensor(of_x, x.shape())),
        of_weight.map(|of_weight| tensor(of_weight, weight.shape())),
    ))
}

/// The gradient of the input alone, from a weight and a contiguous gradient of the output.
pub(super) fn input_gradient(of: Geometry, engines: Engines, weight: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let (w_storage, w_layout) = weight.storage_and_layout();
    let (g_storage, g_layout) = gradient.storage_and_layout();
    let (weight, gradient) = (Operand::of(&w_storage, w_layout)?, Operand::of(&g_storage, g_layout)?);
    let element = gradient.element()?;
    let of_x = match element {
        Element::F32 => input_gradient_of::<f32>(of, engines, &weight, &gradient.view()?, element)?,
        Element::Bf16 => input_gradient_of::<bf16>(of, engines, &weight, &gradient.view()?, element)?,
    };
    Ok(tensor(of_x, of.source.shape()))
}

fn input_gradient_of<T: Number>(
    of: Geometry,
    engines: Engines,
    weight: &Operand<'_>,
    gradient: &CudaView<'_, T>,
    element: Element,
) -> Result<CudaStorage> {
    let device = weight.device();
    let packed = packed::<T>(of, device, weight, element)?;
    // SAFETY: cuDNN writes every element, as the old contents count 0 times.
    let mut of_x = unsafe { device.alloc::<T>(of.source.elements())? };
    cudnn::data_gradient::<T>(device, of, engines, &packed.as_view(), gradient, &mut of_x)?;
    Ok(CudaStorage::wrap_cuda_slice(of_x, device.clone()))
}

fn backward_of<T: Number>(
    of: Geometry,
    engines: Engines,
    [x, weight, gradient]: [Operand<'_>; 3],
    element: Element,
    [with_x, with_weight]: [bool; 2],
) -> Result<[Option<CudaStorage>; 2]> {
    let device = x.device();
    let gradient: CudaView<'_, T> = gradient.view()?;
    if gradient.len() != of.output.elements() {
        bail!(
            "conv2d (cuDNN): expected a gradient of {} numbers, got {}",
            of.output.elements(),
            gradient.len()
        );
    }
    let of_x = match with_x {
        true => Some(input_gradient_of::<T>(of, engines, &weight, &gradient, element)?),
        false => None,
    };
    let of_weight = match with_weight {
        true => {
            // SAFETY: as above.
            let mut of_packed = unsafe { device.alloc::<T>(of.filter.elements())? };
            cudnn::weight_gradient::<T>(device, of, engines, &x.view()?, &gradient, &mut of_packed)?;
            let (of_weight, to) = unwritten(device, Element::F32, of.filter.elements())?;
            let from = address(&device.cuda_stream(), &of_packed.as_view());
            // SAFETY: arrays of the filter's size, of `element` and of float32.
            unsafe { weight_order::unpack(of.filter, device, element, from, to)? };
            Some(of_weight)
        }
        false => None,
    };
    Ok([of_x, of_weight])
}
