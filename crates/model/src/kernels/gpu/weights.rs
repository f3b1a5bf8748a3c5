//! The order of weights: the kernels of `weights.cuh`.

use super::{Address, Element, Machine, Matrix, arguments};
use candle_core::Result;

/// The shape of a convolution's weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter {
    pub outputs: usize,
    pub inputs: usize,
    /// Height times width of the kernel.
    pub taps: usize,
}

impl Filter {
    /// From torchvision's `[outputs, inputs, taps]` in float32 to `[outputs, taps, inputs]` of `element`.
    ///
    /// # Safety
    /// The addresses are those of such arrays.
    pub(crate) unsafe fn pack<M: Machine>(
        self,
        machine: &M,
        element: Element,
        weight: Address,
        packed: Address,
    ) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe { self.rearrange(machine, &element.kernel("pack_weight"), weight, packed) }
    }

    /// Back again.
    ///
    /// # Safety
    /// As for [`Filter::pack`].
    pub(crate) unsafe fn unpack<M: Machine>(
        self,
        machine: &M,
        element: Element,
        packed: Address,
        weight: Address,
    ) -> Result<()> {
        // SAFETY: the caller's promise.
        unsafe { self.rearrange(machine, &element.kernel("unpack_weight"), packed, weight) }
    }

    unsafe fn rearrange<M: Machine>(self, machine: &M, kernel: &str, from: Address, to: Address) -> Result<()> {
        let matrix = Matrix::new(self.outputs * self.taps, self.inputs)?;
        let taps = Matrix::new(self.taps, 1)?.rows;
        let arguments = arguments![from, to, matrix.rows, taps, matrix.channels];
        // SAFETY: the kernel's own arguments, and the caller's promise.
        unsafe { machine.launch(kernel, matrix.each_element(), arguments) }
    }
}
