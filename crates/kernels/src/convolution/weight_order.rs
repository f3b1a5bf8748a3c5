//! The order of weights: the kernels of `weights.cuh`.

use super::geometry::Filter;
use crate::gpu::{Address, Element, Machine, Matrix, arguments};
use candle_core::Result;

/// From torchvision's `[outputs, inputs, height, width]` in float32 to `[outputs, height, width, inputs]` of `element`.
///
/// # Safety
/// The addresses are those of such arrays.
pub(crate) unsafe fn pack<M: Machine>(
    filter: Filter,
    machine: &M,
    element: Element,
    weight: Address,
    packed: Address,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { rearrange(filter, machine, &element.kernel("pack_weight"), weight, packed) }
}

/// Back again.
///
/// # Safety
/// As for [`pack`].
pub(crate) unsafe fn unpack<M: Machine>(
    filter: Filter,
    machine: &M,
    element: Element,
    packed: Address,
    weight: Address,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { rearrange(filter, machine, &element.kernel("unpack_weight"), packed, weight) }
}

unsafe fn rearrange<M: Machine>(filter: Filter, machine: &M, kernel: &str, from: Address, to: Address) -> Result<()> {
    let matrix = Matrix::new(filter.outputs * filter.taps(), filter.inputs)?;
    let taps = Matrix::new(filter.taps(), 1)?.rows;
    let arguments = arguments![from, to, matrix.rows, taps, matrix.channels];
    // SAFETY: the kernel's own arguments, and the caller's promise.
    unsafe { machine.launch(kernel, matrix.each_element(), arguments) }
}
