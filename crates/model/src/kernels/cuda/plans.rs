//! What cuDNN wants to know of a convolution, found once for each shape and kept.
//!
//! cuDNN's heuristics choose the algorithms. To time them all instead would choose others from run to run, and with them other
//! orders of sums.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use candle_core::cuda_backend::cudarc::cudnn::{
    ConvBackwardData, ConvBackwardFilter, ConvDescriptor, ConvForward, Cudnn, CudnnDataType, FilterDescriptor,
    TensorDescriptor, sys,
};
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, DeviceRepr};
use candle_core::cuda_backend::{CudaDType, DeviceId};
use candle_core::{CudaDevice, Result, bail};
use half::bf16;

use super::convolution::Shape;
use crate::kernels::storage::Dims;

/// The types of images and weights. Sums are float32's.
pub(super) trait Number: CudnnDataType + CudaDType + DeviceRepr + Sized {
    /// How the old and the new content of a result count: overwrite.
    const SCALING: (Self, Self);
    /// What cuDNN may multiply with, where float32 factors may or may not be rounded to TF32.
    fn math(tf32: bool) -> sys::cudnnMathType_t;
    fn plans(plans: &mut Plans) -> &mut HashMap<Shape, Plan<Self>>;
}

impl Number for f32 {
    const SCALING: (Self, Self) = (1.0, 0.0);

    /// As PyTorch chooses. `CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION` would allow for more: conversion to 16 bits.
    fn math(tf32: bool) -> sys::cudnnMathType_t {
        match tf32 {
            true => sys::cudnnMathType_t::CUDNN_DEFAULT_MATH,
            false => sys::cudnnMathType_t::CUDNN_FMA_MATH,
        }
    }

    fn plans(plans: &mut Plans) -> &mut HashMap<Shape, Plan<Self>> {
        &mut plans.float32
    }
}

impl Number for bf16 {
    const SCALING: (Self, Self) = (bf16::ONE, bf16::ZERO);

    fn math(_: bool) -> sys::cudnnMathType_t {
        sys::cudnnMathType_t::CUDNN_TENSOR_OP_MATH
    }

    fn plans(plans: &mut Plans) -> &mut HashMap<Shape, Plan<Self>> {
        &mut plans.bfloat16
    }
}

/// cuDNN on one device and one thread: a handle cannot be shared between threads.
struct Library {
    cudnn: Arc<Cudnn>,
    plans: Plans,
    /// For all convolutions, which come one after the other.
    workspace: CudaSlice<u8>,
}

#[derive(Default)]
pub(super) struct Plans {
    float32: HashMap<Shape, Plan<f32>>,
    bfloat16: HashMap<Shape, Plan<bf16>>,
}

/// A convolution in cuDNN's terms, and the algorithm and bytes of scratch memory of each direction that has been asked for.
pub(super) struct Plan<T> {
    source: TensorDescriptor<T>,
    output: TensorDescriptor<T>,
    filter: FilterDescriptor<T>,
    convolution: ConvDescriptor<f32>,
    forward: Option<(sys::cudnnConvolutionFwdAlgo_t, usize)>,
    data: Option<(sys::cudnnConvolutionBwdDataAlgo_t, usize)>,
    weight: Option<(sys::cudnnConvolutionBwdFilterAlgo_t, usize)>,
}

/// `y` of `x` and the packed weight.
pub(super) fn forward<T: Number>(
    device: &CudaDevice,
    shape: Shape,
    x: &CudaView<'_, T>,
    packed: &CudaView<'_, T>,
    y: &mut CudaSlice<T>,
) -> Result<()> {
    with_plan::<T>(device, shape, |plan, workspace| {
        let operation = ConvForward {
            conv: &plan.convolution,
            x: &plan.source,
            w: &plan.filter,
            y: &plan.output,
        };
        let (algorithm, bytes) = match plan.forward {
            Some(found) => found,
            None => {
                let algorithm = operation.pick_algorithm()?;
                *plan
                    .forward
                    .insert((algorithm, operation.get_workspace_size(algorithm)?))
            }
        };
        grow(device, workspace, bytes)?;
        // SAFETY: the slices have the descriptors' types and sizes.
        unsafe { operation.launch(algorithm, Some(workspace), T::SCALING, x, packed, y)? };
        Ok(())
    })
}

/// The gradient of `x`, of the packed weight and the gradient of `y`.
pub(super) fn data_gradient<T: Number>(
    device: &CudaDevice,
    shape: Shape,
    packed: &CudaView<'_, T>,
    gradient: &CudaView<'_, T>,
    of_x: &mut CudaSlice<T>,
) -> Result<()> {
    with_plan::<T>(device, shape, |plan, workspace| {
        let operation = ConvBackwardData {
            conv: &plan.convolution,
            dx: &plan.source,
            w: &plan.filter,
            dy: &plan.output,
        };
        let (algorithm, bytes) = match plan.data {
            Some(found) => found,
            None => {
                let algorithm = operation.pick_algorithm()?;
                *plan.data.insert((algorithm, operation.get_workspace_size(algorithm)?))
            }
        };
        grow(device, workspace, bytes)?;
        // SAFETY: the slices have the descriptors' types and sizes.
        unsafe { operation.launch(algorithm, Some(workspace), T::SCALING, of_x, packed, gradient)? };
        Ok(())
    })
}

/// The gradient of the packed weight, of `x` and the gradient of `y`.
pub(super) fn weight_gradient<T: Number>(
    device: &CudaDevice,
    shape: Shape,
    x: &CudaView<'_, T>,
    gradient: &CudaView<'_, T>,
    of_packed: &mut CudaSlice<T>,
) -> Result<()> {
    with_plan::<T>(device, shape, |plan, workspace| {
        let operation = ConvBackwardFilter {
            conv: &plan.convolution,
            x: &plan.source,
            dw: &plan.filter,
            dy: &plan.output,
        };
        let (algorithm, bytes) = match plan.weight {
            Some(found) => found,
            None => {
                let algorithm = operation.pick_algorithm()?;
                *plan
                    .weight
                    .insert((algorithm, operation.get_workspace_size(algorithm)?))
            }
        };
        grow(device, workspace, bytes)?;
        // SAFETY: the slices have the descriptors' types and sizes.
        unsafe { operation.launch(algorithm, Some(workspace), T::SCALING, x, of_packed, gradient)? };
        Ok(())
    })
}

/// Calls `f` with the plan of a shape on this thread, and the memory that all plans share.
fn with_plan<T: Number>(
    device: &CudaDevice,
    shape: Shape,
    f: impl FnOnce(&mut Plan<T>, &mut CudaSlice<u8>) -> Result<()>,
) -> Result<()> {
    thread_local! {
        static LIBRARIES: RefCell<HashMap<DeviceId, Library>> = RefCell::default();
    }
    LIBRARIES.with(|libraries| {
        let mut libraries = libraries.borrow_mut();
        let Library {
            cudnn,
            plans,
            workspace,
        } = match libraries.entry(device.id()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Library::new(device)?),
        };
        let plan = match T::plans(plans).entry(shape) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Plan::new(cudnn, shape)?),
        };
        f(plan, workspace)
    })
}

impl Library {
    fn new(device: &CudaDevice) -> Result<Self> {
        Ok(Self {
            cudnn: Cudnn::new(device.cuda_stream())?,
            plans: Plans::default(),
            workspace: device.alloc_zeros(1)?,
        })
    }
}

impl<T: Number> Plan<T> {
    fn new(cudnn: &Arc<Cudnn>, shape: Shape) -> Result<Self> {
        const FORMAT: sys::cudnnTensorFormat_t = sys::cudnnTensorFormat_t::CUDNN_TENSOR_NHWC;
        // cuDNN states dimensions in the order N, C, H, W whatever the format.
        let tensor = |dims: Dims| -> Result<_> {
            let dims = int([dims.images, dims.channels, dims.height, dims.width])?;
            Ok(cudnn.create_4d_tensor::<T>(FORMAT, dims)?)
        };
        let Shape {
            source,
            output,
            kernel: [height, width],
            stride,
            padding,
            tf32,
        } = shape;
        let mode = sys::cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION;
        let mut convolution = cudnn.create_conv2d::<f32>(int([padding; 2])?, int([stride; 2])?, [1, 1], mode)?;
        convolution.set_math_type(T::math(tf32))?;
        Ok(Self {
            source: tensor(source)?,
            output: tensor(output)?,
            filter: cudnn.create_4d_filter(FORMAT, int([output.channels, source.channels, height, width])?)?,
            convolution,
            forward: None,
            data: None,
            weight: None,
        })
    }
}

/// cuDNN takes 32-bit integers.
fn int<const N: usize>(values: [usize; N]) -> Result<[i32; N]> {
    let mut ints = [0; N];
    for (int, value) in ints.iter_mut().zip(values) {
        let Ok(value) = i32::try_from(value) else {
            bail!("conv2d (cuDNN): expected sizes below 2^31, got {value}")
        };
        *int = value;
    }
    Ok(ints)
}

/// Makes the workspace at least this large; the old one is given back when the work before is done.
fn grow(device: &CudaDevice, workspace: &mut CudaSlice<u8>, bytes: usize) -> Result<()> {
    if workspace.len() < bytes {
        // SAFETY: scratch memory, whose contents cuDNN does not read before it has written them.
        *workspace = unsafe { device.alloc::<u8>(bytes)? };
    }
    Ok(())
}
