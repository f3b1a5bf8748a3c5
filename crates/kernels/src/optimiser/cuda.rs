//! An optimiser's step on a GPU.

use candle_core::{CudaDevice, Result, Tensor, bail};

use super::gpu::{Parameter, Step};
use super::rule::Update;
use crate::gpu::{Address, Element, Operand, address};

/// A parameter, its gradient, and what the rule remembers of it; all contiguous float32 tensors of one size on one GPU, but for the
/// second memory of a rule that has one, which is empty.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    pub update: Update,
    pub values: Tensor,
    pub gradient: Tensor,
    pub memory: &'a [Tensor; 2],
}

/// Changes all parameters and what the rule remembers of them, by one kernel. Nobody else may read or write these tensors meanwhile,
/// but on the GPU's stream; the rules of the updates are one, of one step.
pub(super) fn step(slots: &[Slot<'_>]) -> Result<()> {
    let Some(first) = slots.first() else {
        return Ok(());
    };
    let device = first.values.device().as_cuda_device()?;
    let mut step = Step::default();
    for Slot {
        update,
        values,
        gradient,
        memory,
    } in slots
    {
        let elements = values.elem_count();
        let place = |tensor: &Tensor| -> Result<Address> {
            if tensor.elem_count() == 0 {
                return Ok(Address::NONE);
            }
            if tensor.elem_count() != elements {
                bail!(
                    "optimiser step: expected {elements} numbers, got {}",
                    tensor.elem_count()
                );
            }
            let (storage, layout) = tensor.storage_and_layout();
            Operand::of(&storage, layout)?.address(Element::F32)
        };
        let [first, second] = memory;
        step.add(
            update,
            elements,
            [place(values)?, place(gradient)?, place(first)?, place(second)?],
        )?;
    }
    let table = device.clone_htod(bytes(step.table()))?;
    let at = address(&device.cuda_stream(), &table.as_view());
    // SAFETY: the table is the step's; the slots hold the tensors whose addresses are in it.
    unsafe { step.run::<CudaDevice>(device, &first.update, at) }
}

/// The table as it is copied to the GPU.
fn bytes(table: &[Parameter]) -> &[u8] {
    // SAFETY: `Parameter` is `repr(C)` of four 64-bit and four 32-bit numbers, which leaves no padding, and any byte may be read.
    unsafe { std::slice::from_raw_parts(table.as_ptr().cast(), size_of_val(table)) }
}
