//! Convolution on NVIDIA GPUs, by cuDNN.
//!
//! cuDNN's channels-last format is this module's: images go in as they are, and weights as `[Cout, kh, kw, Cin]`. Products
//! are float32's own (no TF32), so that results are those of the CPU but for the order of sums. cuDNN's heuristics
//! choose the algorithm of each direction.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::cudnn::{
    ConvBackwardData, ConvBackwardFilter, ConvDescriptor, ConvForward, Cudnn, FilterDescriptor, TensorDescriptor, sys,
};
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::cuda_backend::{CudaStorageSlice, DeviceId};
use candle_core::{CpuStorage, CudaDevice, CudaStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::storage::Dims;

const NAME: &str = "conv2d (cuDNN, channels last)";

/// A convolution whose shapes have been checked: `x` `[N, H, W, Cin]` and `weight` `[Cout, kh, kw, Cin]`, both float32 and
/// contiguous, to `[N, H', W', Cout]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    pub source: Dims,
    pub output: Dims,
    /// Height and width.
    pub kernel: [usize; 2],
    pub stride: usize,
    pub padding: usize,
}

impl Convolution {
    /// `weight` in torchvision's layout `[Cout, Cin, kh, kw]`. Candle differentiates its rearrangement.
    pub(crate) fn apply(self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let weight = weight.permute((0, 2, 3, 1))?.contiguous()?;
        x.contiguous()?.apply_op2(&weight, self)
    }

    fn forward(&self, device: &CudaDevice, x: &CudaView<f32>, weight: &CudaView<f32>) -> Result<CudaSlice<f32>> {
        let descriptors = Descriptors::new(self, device)?;
        let operation = ConvForward {
            conv: &descriptors.convolution,
            x: &descriptors.source,
            w: &descriptors.filter,
            y: &descriptors.output,
        };
        let algorithm = operation.pick_algorithm()?;
        let mut workspace = workspace(device, operation.get_workspace_size(algorithm)?)?;
        // SAFETY: cuDNN writes every element, as the old contents count 0 times.
        let mut y = unsafe { device.alloc::<f32>(self.output.elements())? };
        // SAFETY: the slices have the descriptors' types and sizes.
        unsafe { operation.launch(algorithm, Some(&mut workspace), (1.0, 0.0), x, weight, &mut y)? };
        Ok(y)
    }

    fn data_gradient(
        &self,
        device: &CudaDevice,
        weight: &CudaView<f32>,
        gradient: &CudaView<f32>,
    ) -> Result<CudaSlice<f32>> {
        let descriptors = Descriptors::new(self, device)?;
        let operation = ConvBackwardData {
            conv: &descriptors.convolution,
            dx: &descriptors.source,
            w: &descriptors.filter,
            dy: &descriptors.output,
        };
        let algorithm = operation.pick_algorithm()?;
        let mut workspace = workspace(device, operation.get_workspace_size(algorithm)?)?;
        // SAFETY: cuDNN writes every element, as the old contents count 0 times.
        let mut dx = unsafe { device.alloc::<f32>(self.source.elements())? };
        // SAFETY: the slices have the descriptors' types and sizes.
        unsafe { operation.launch(algorithm, Some(&mut workspace), (1.0, 0.0), &mut dx, weight, gradient)? };
        Ok(dx)
    }

    fn filter_gradient(
        &self,
        device: &CudaDevice,
        x: &CudaView<f32>,
        gradient: &CudaView<f32>,
    ) -> Result<CudaSlice<f32>> {
        let descriptors = Descriptors::new(self, device)?;
        let operation = ConvBackwardFilter {
            conv: &descriptors.convolution,
            x: &descriptors.source,
            dw: &descriptors.filter,
            dy: &descriptors.output,
        };
        let algorithm = operation.pick_algorithm()?;
        let mut workspace = workspace(device, operation.get_workspace_size(algorithm)?)?;
        let elements = self.output.channels * self.kernel[0] * self.kernel[1] * self.source.channels;
        // SAFETY: cuDNN writes every element, as the old contents count 0 times.
        let mut dw = unsafe { device.alloc::<f32>(elements)? };
        // SAFETY: the slices have the descriptors' types and sizes.
        unsafe { operation.launch(algorithm, Some(&mut workspace), (1.0, 0.0), x, &mut dw, gradient)? };
        Ok(dw)
    }
}

impl CustomOp2 for Convolution {
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
        weight: &CudaStorage,
        weight_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let device = x.device();
        let y = self.forward(device, &floats(x, x_layout)?, &floats(weight, weight_layout)?)?;
        Ok((stored(y, device), self.output.shape().into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let data = match x.track_op() {
            true => Some(weight.apply_op2_no_bwd(&gradient.contiguous()?, &DataGradient(*self))?),
            false => None,
        };
        let filter = match weight.track_op() {
            true => Some(x.apply_op2_no_bwd(&gradient.contiguous()?, &FilterGradient(*self))?),
            false => None,
        };
        Ok((data, filter))
    }
}

/// The gradient of the images, from the weight and the output's gradient.
struct DataGradient(Convolution);

impl CustomOp2 for DataGradient {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        bail!("{NAME}: expected tensors in the memory of a GPU")
    }

    fn cuda_fwd(
        &self,
        weight: &CudaStorage,
        weight_layout: &Layout,
        gradient: &CudaStorage,
        gradient_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let device = weight.device();
        let dx = self.0.data_gradient(
            device,
            &floats(weight, weight_layout)?,
            &floats(gradient, gradient_layout)?,
        )?;
        Ok((stored(dx, device), self.0.source.shape().into()))
    }
}

/// The gradient of the weight, from the images and the output's gradient.
struct FilterGradient(Convolution);

impl CustomOp2 for FilterGradient {
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
        gradient: &CudaStorage,
        gradient_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let device = x.device();
        let dw = self
            .0
            .filter_gradient(device, &floats(x, x_layout)?, &floats(gradient, gradient_layout)?)?;
        let Convolution {
            source,
            output,
            kernel: [height, width],
            ..
        } = self.0;
        Ok((
            stored(dw, device),
            (output.channels, height, width, source.channels).into(),
        ))
    }
}

/// A convolution in cuDNN's terms.
struct Descriptors {
    source: TensorDescriptor<f32>,
    output: TensorDescriptor<f32>,
    filter: FilterDescriptor<f32>,
    convolution: ConvDescriptor<f32>,
}

impl Descriptors {
    fn new(convolution: &Convolution, device: &CudaDevice) -> Result<Self> {
        const FORMAT: sys::cudnnTensorFormat_t = sys::cudnnTensorFormat_t::CUDNN_TENSOR_NHWC;
        let cudnn = handle(device)?;
        // cuDNN states dimensions in the order N, C, H, W whatever the format.
        let tensor = |dims: Dims| -> Result<_> {
            let dims = int([dims.images, dims.channels, dims.height, dims.width])?;
            Ok(cudnn.create_4d_tensor::<f32>(FORMAT, dims)?)
        };
        let Convolution {
            source,
            output,
            kernel: [height, width],
            stride,
            padding,
        } = *convolution;
        let mode = sys::cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION;
        let mut description = cudnn.create_conv2d::<f32>(int([padding; 2])?, int([stride; 2])?, [1, 1], mode)?;
        description.set_math_type(sys::cudnnMathType_t::CUDNN_FMA_MATH)?;
        Ok(Self {
            source: tensor(source)?,
            output: tensor(output)?,
            filter: cudnn.create_4d_filter(FORMAT, int([output.channels, source.channels, height, width])?)?,
            convolution: description,
        })
    }
}

/// cuDNN takes 32-bit integers.
fn int<const N: usize>(values: [usize; N]) -> Result<[i32; N]> {
    let mut ints = [0; N];
    for (int, value) in ints.iter_mut().zip(values) {
        let Ok(value) = i32::try_from(value) else {
            bail!("{NAME}: expected sizes below 2^31, got {value}")
        };
        *int = value;
    }
    Ok(ints)
}

/// cuDNN's handle of this thread and device: handles cannot be shared between threads.
fn handle(device: &CudaDevice) -> Result<Arc<Cudnn>> {
    thread_local! {
        static HANDLES: RefCell<HashMap<DeviceId, Arc<Cudnn>>> = RefCell::default();
    }
    HANDLES.with(|handles| {
        if let Some(handle) = handles.borrow().get(&device.id()) {
            return Ok(Arc::clone(handle));
        }
        let handle = Cudnn::new(device.cuda_stream())?;
        handles.borrow_mut().insert(device.id(), Arc::clone(&handle));
        Ok(handle)
    })
}

/// The GPU's allocator keeps freed memory, so a workspace for each call costs next to nothing.
fn workspace(device: &CudaDevice, bytes: usize) -> Result<CudaSlice<u8>> {
    // SAFETY: scratch memory, whose contents cuDNN does not read before it has written them.
    unsafe { device.alloc::<u8>(bytes.max(1)) }
}

/// The numbers of a contiguous float32 layout.
fn floats<'a>(storage: &'a CudaStorage, layout: &Layout) -> Result<CudaView<'a, f32>> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!(
            "{NAME}: expected a contiguous tensor, got strides {:?}",
            layout.stride()
        );
    };
    Ok(storage.as_cuda_slice::<f32>()?.slice(start..end))
}

fn stored(values: CudaSlice<f32>, device: &CudaDevice) -> CudaStorage {
    CudaStorage {
        slice: CudaStorageSlice::F32(values),
        device: device.clone(),
    }
}
