//! candle's tensors for kernels, and kernels for candle's devices.

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, CudaStream, CudaView, DevicePtr, DeviceRepr, LaunchConfig, PushKernelArg,
};
use candle_core::cuda_backend::{CudaDType, WrapErr};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, DType, Layout, Result, Shape, Storage, Tensor, bail};
use half::bf16;

use super::machine::{Address, Argument, BLOCK, Element, Machine};
use super::module;

impl Machine for CudaDevice {
    /// The allocation is given back in the stream's order.
    type Memory = CudaSlice<f32>;

    fn scratch(&self, numbers: usize) -> Result<(CudaSlice<f32>, Address)> {
        // SAFETY: the kernels write before they read.
        let memory = unsafe { self.alloc::<f32>(numbers)? };
        let address = address(&self.cuda_stream(), &memory.as_view());
        Ok((memory, address))
    }

    unsafe fn launch(&self, kernel: &str, [columns, rows]: [u32; 2], arguments: &[Argument]) -> Result<()> {
        let function = module::function(self, kernel)?;
        let stream = self.cuda_stream();
        let mut builder = stream.launch_builder(&function);
        for argument in arguments {
            match argument {
                Argument::Address(value) => builder.arg(value),
                Argument::Count(value) => builder.arg(value),
                Argument::Number(value) => builder.arg(value),
            };
        }
        let size = LaunchConfig {
            grid_dim: (columns, rows, 1),
            block_dim: (BLOCK[0], BLOCK[1], 1),
            shared_mem_bytes: 0,
        };
        // SAFETY: the caller's promise; the block is the one that the kernels are written for.
        unsafe { builder.launch(size) }.w()?;
        Ok(())
    }
}

/// Where a slice is. It may be used for as long as the slice is there, on that stream: work there is done in its order, and so is
/// giving memory back, which is why nothing need be waited for.
pub(crate) fn address<T>(stream: &CudaStream, slice: &CudaView<'_, T>) -> Address {
    Address(slice.device_ptr(stream).0)
}

/// A contiguous tensor that a kernel reads.
pub(crate) struct Operand<'a> {
    storage: &'a CudaStorage,
    start: usize,
    end: usize,
}

impl<'a> Operand<'a> {
    pub(crate) fn new(storage: &'a CudaStorage, layout: &Layout) -> Result<Self> {
        match layout.contiguous_offsets() {
            Some((start, end)) => Ok(Self { storage, start, end }),
            None => bail!("expected a contiguous tensor, got strides {:?}", layout.stride()),
        }
    }

    /// For a storage that knows its device.
    pub(crate) fn of(storage: &'a Storage, layout: &Layout) -> Result<Self> {
        match storage {
            Storage::Cuda(storage) => Self::new(storage, layout),
            _ => bail!("expected a tensor in the memory of a GPU"),
        }
    }

    pub(crate) fn device(&self) -> &'a CudaDevice {
        self.storage.device()
    }

    pub(crate) fn element(&self) -> Result<Element> {
        element_of(self.storage.dtype())
    }

    pub(crate) fn view<T: CudaDType>(&self) -> Result<CudaView<'a, T>> {
        Ok(self.storage.as_cuda_slice::<T>()?.slice(self.start..self.end))
    }

    /// Of elements of one type.
    pub(crate) fn address(&self, element: Element) -> Result<Address> {
        let stream = &self.device().cuda_stream();
        Ok(match element {
            Element::F32 => address(stream, &self.view::<f32>()?),
            Element::Bf16 => address(stream, &self.view::<bf16>()?),
        })
    }
}

pub(crate) fn element_of(dtype: DType) -> Result<Element> {
    match dtype {
        DType::F32 => Ok(Element::F32),
        DType::BF16 => Ok(Element::Bf16),
        other => bail!("expected elements of type float32 or bfloat16, got {other:?}"),
    }
}

/// Memory for a result, with arbitrary contents: a kernel writes every element.
pub(crate) fn unwritten(device: &CudaDevice, element: Element, elements: usize) -> Result<(CudaStorage, Address)> {
    fn of<T>(device: &CudaDevice, elements: usize) -> Result<(CudaStorage, Address)>
    where
        T: CudaDType + DeviceRepr,
    {
        // SAFETY: what is there is overwritten before anything reads it, as every caller launches a kernel that does.
        let slice = unsafe { device.alloc::<T>(elements)? };
        let address = address(&device.cuda_stream(), &slice.as_view());
        Ok((CudaStorage::wrap_cuda_slice(slice, device.clone()), address))
    }
    match element {
        Element::F32 => of::<f32>(device, elements),
        Element::Bf16 => of::<bf16>(device, elements),
    }
}

/// A tensor that no gradient is known of.
pub(crate) fn tensor(storage: CudaStorage, shape: impl Into<Shape>) -> Tensor {
    Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false)
}
