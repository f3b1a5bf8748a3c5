//! Between candle's tensors and plain slices in the memory of the CPU.

use candle_core::{CpuStorage, Layout, Result, Storage, bail};
use std::cell::RefCell;
use std::mem::{ManuallyDrop, MaybeUninit};

/// The numbers of a contiguous float32 layout.
pub(crate) fn floats<'a>(storage: &'a CpuStorage, layout: &Layout, op: &str) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("{op}: expected a contiguous tensor, got strides {:?}", layout.stride());
    };
    match storage {
        CpuStorage::F32(values) => Ok(&values[start..end]),
        _ => bail!("{op}: expected float32 values"),
    }
}

/// As [`floats`], for a storage that knows its device.
pub(crate) fn host_floats<'a>(storage: &'a Storage, layout: &Layout, op: &str) -> Result<&'a [f32]> {
    match storage {
        Storage::Cpu(storage) => floats(storage, layout, op),
        _ => bail!("{op}: expected a tensor in the memory of the CPU"),
    }
}

/// Room for the output of a kernel that writes every element: clearing it first would cost a pass over memory.
pub(crate) struct Unwritten(Vec<MaybeUninit<f32>>);

impl Unwritten {
    pub(crate) fn new(len: usize) -> Self {
        let mut values = Vec::with_capacity(len);
        // SAFETY: the capacity is `len`, and `MaybeUninit` needs no initialisation.
        unsafe { values.set_len(len) };
        Self(values)
    }

    pub(crate) fn pointer(&mut self) -> Shared {
        Shared(self.0.as_mut_ptr().cast())
    }

    /// # Safety
    /// Every element has been written.
    pub(crate) unsafe fn finish(self) -> Vec<f32> {
        let mut values = ManuallyDrop::new(self.0);
        // SAFETY: `MaybeUninit<f32>` has the layout of `f32`, all elements are initialised (the caller's promise),
        // and the allocation is given up by `values`.
        unsafe { Vec::from_raw_parts(values.as_mut_ptr().cast(), values.len(), values.capacity()) }
    }
}

/// A pointer that several threads write through, each to elements of its own.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T = f32>(*mut T);

// SAFETY: the kernels that use it write disjoint parts, each stated where the parts are made.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(values: &mut [T]) -> Self {
        Self(values.as_mut_ptr())
    }

    /// The pointer at element `offset`.
    ///
    /// # Safety
    /// `offset` is within the allocation.
    pub(crate) unsafe fn at(self, offset: usize) -> *mut T {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(offset) }
    }
}

/// Runs `f` on `len` floats of scratch memory with arbitrary contents, kept by the thread for the next call. A call within `f` has memory
/// of its own.
pub(crate) fn with_scratch<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    thread_local! {
        static SCRATCH: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
    }
    let mut scratch = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
    if scratch.len() < len {
        scratch.resize(len, 0.0);
    }
    let result = f(&mut scratch[..len]);
    SCRATCH.with_borrow_mut(|kept| kept.push(scratch));
    result
}
