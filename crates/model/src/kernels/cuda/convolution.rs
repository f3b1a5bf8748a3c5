//! Convolution by cuDNN, forward and both gradients.
//!
//! cuDNN's channels-last format is ours: images go in as they are, and weights as `[Cout, kh, kw, Cin]` in the images' type, of which a
//! kernel makes copies from torchvision's float32 ones and back.

use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::{CudaDevice, CudaStorage, Result, Tensor, bail};
use half::bf16;

use super::plans::{self, Number};
use super::{Operand, address, tensor};
use crate::kernels::gpu::Element;
use crate::kernels::gpu::weights::Filter;
use crate::kernels::storage::Dims;

/// Which of the engines for a shape does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::kernels) enum Choice {
    /// The first that the heuristics propose, of those whose results are the same in each run.
    Heuristic,
    /// The fastest, which is another one from run to run, and with it the order of sums.
    Timed,
}

/// A convolution whose shapes have been checked: `x` `[N, H, W, Cin]` and `weight` `[Cout, Cin, kh, kw]` to `[N, H', W', Cout]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::kernels) struct Shape {
    pub source: Dims,
    pub output: Dims,
    /// Height and width.
    pub kernel: [usize; 2],
    pub stride: usize,
    pub padding: usize,
    /// Whether float32 factors may be rounded to TF32.
    pub tf32: bool,
    pub choice: Choice,
}

impl Shape {
    fn filter(&self) -> Filter {
        Filter {
            outputs: self.output.channels,
            inputs: self.source.channels,
            taps: self.kernel[0] * self.kernel[1],
        }
    }

    fn weights(&self) -> usize {
        self.output.channels * self.source.channels * self.kernel[0] * self.kernel[1]
    }

    /// The output, in the type of `x`.
    pub(in crate::kernels) fn forward(self, x: &Operand<'_>, weight: &Operand<'_>) -> Result<CudaStorage> {
        match x.element()? {
            Element::F32 => self.forward_of::<f32>(x, weight, Element::F32),
            Element::Bf16 => self.forward_of::<bf16>(x, weight, Element::Bf16),
        }
    }

    fn forward_of<T: Number>(self, x: &Operand<'_>, weight: &Operand<'_>, element: Element) -> Result<CudaStorage> {
        let device = x.device();
        let packed = self.packed::<T>(device, weight, element)?;
        // SAFETY: cuDNN writes every element, as the old contents count 0 times.
        let mut y = unsafe { device.alloc::<T>(self.output.elements())? };
        plans::forward::<T>(device, self, &x.view()?, &packed.as_view(), &mut y)?;
        Ok(CudaStorage::wrap_cuda_slice(y, device.clone()))
    }

    /// The weight in cuDNN's order.
    fn packed<T: Number>(self, device: &CudaDevice, weight: &Operand<'_>, element: Element) -> Result<CudaSlice<T>> {
        // SAFETY: the kernel writes every element.
        let packed = unsafe { device.alloc::<T>(self.weights())? };
        let to = address(&device.cuda_stream(), &packed.as_view());
        // SAFETY: arrays of the filter's size, of float32 and of `element`.
        unsafe { self.filter().pack(device, element, weight.address(Element::F32)?, to)? };
        Ok(packed)
    }

    /// The gradients of `x`, where something depends on it, and of the weight.
    pub(in crate::kernels) fn backward(
        self,
        x: &Tensor,
        weight: &Tensor,
        gradient: &Tensor,
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
            Element::F32 => self.backward_of::<f32>(operands, Element::F32, wanted)?,
            Element::Bf16 => self.backward_of::<bf16>(operands, Element::Bf16, wanted)?,
        };
        Ok((
            of_x.map(|of_x| tensor(of_x, x.shape())),
            of_weight.map(|of_weight| tensor(of_weight, weight.shape())),
        ))
    }

    fn backward_of<T: Number>(
        self,
        [x, weight, gradient]: [Operand<'_>; 3],
        element: Element,
        [with_x, with_weight]: [bool; 2],
    ) -> Result<[Option<CudaStorage>; 2]> {
        let device = x.device();
        let gradient: CudaView<'_, T> = gradient.view()?;
        if gradient.len() != self.output.elements() {
            bail!(
                "conv2d (cuDNN): expected a gradient of {} numbers, got {}",
                self.output.elements(),
                gradient.len()
            );
        }
        let of_x = match with_x {
            true => {
                let packed = self.packed::<T>(device, &weight, element)?;
                // SAFETY: cuDNN writes every element, as the old contents count 0 times.
                let mut of_x = unsafe { device.alloc::<T>(self.source.elements())? };
                plans::data_gradient::<T>(device, self, &packed.as_view(), &gradient, &mut of_x)?;
                Some(CudaStorage::wrap_cuda_slice(of_x, device.clone()))
            }
            false => None,
        };
        let of_weight = match with_weight {
            true => {
                // SAFETY: as above.
                let mut of_packed = unsafe { device.alloc::<T>(self.weights())? };
                plans::weight_gradient::<T>(device, self, &x.view()?, &gradient, &mut of_packed)?;
                let (of_weight, to) = super::unwritten(device, Element::F32, self.weights())?;
                let from = address(&device.cuda_stream(), &of_packed.as_view());
                // SAFETY: arrays of the filter's size, of `element` and of float32.
                unsafe { self.filter().unpack(device, element, from, to)? };
                Some(of_weight)
            }
            false => None,
        };
        Ok([of_x, of_weight])
    }
}
