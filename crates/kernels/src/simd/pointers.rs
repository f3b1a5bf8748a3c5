//! Hints about pointers, to the compiler and to the processor. They change no result.

/// The same pointer, in a register. The compiler cannot tell where it came from, and so cannot replace it by another at a fixed distance.
#[inline(always)]
pub(crate) fn opaque(pointer: *const f32) -> *const f32 {
    #[cfg(target_arch = "x86_64")]
    {
        let mut pointer = pointer;
        #[allow(clippy::pointers_in_nomem_asm_block)] // What the pointer points to is not touched.
        // SAFETY: no instruction.
        unsafe {
            std::arch::asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags))
        };
        pointer
    }
    #[cfg(not(target_arch = "x86_64"))]
    pointer
}

/// The cache line of `pointer`, which may point anywhere, will be written, or only read.
#[inline(always)]
pub(crate) fn announce<const WRITTEN: bool>(pointer: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which never faults.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T0, _mm_prefetch};
        match WRITTEN {
            true => _mm_prefetch::<_MM_HINT_ET0>(pointer.cast()),
            false => _mm_prefetch::<_MM_HINT_T0>(pointer.cast()),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = pointer;
}
