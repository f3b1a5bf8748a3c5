//! What the products of pixels and weights are computed with.

use super::microkernel::{Microkernel, OfPairs};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::tiled::Tiled;
use crate::simd::{Bf16, InstructionSet};

/// The numbers that are multiplied, and the instructions that do it. Sums are float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Products {
    /// Of floats.
    Float32(InstructionSet),
    /// Of [pairs](crate::simd::pair) of bfloat16 numbers, which source and weights hold in place of floats.
    Bf16(Bf16),
}

impl Products {
    /// Computes what `microkernel` says.
    ///
    /// # Safety
    /// The processor supports the instructions, and the pointers inside `microkernel` are valid for what it reads and writes.
    pub(crate) unsafe fn run(self, microkernel: Microkernel<'_>) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Float32(set) => set.run(microkernel),
                #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
                Self::Bf16(Bf16::Amx(amx)) => Tiled::new(microkernel, amx).run(),
                Self::Bf16(way) => way.run(OfPairs(microkernel)),
            }
        }
    }
}
