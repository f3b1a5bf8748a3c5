//! Which instruction set a kernel runs on.

use super::lanes::{Kernel, Portable};
#[cfg(target_arch = "x86_64")]
use super::x86;
use std::sync::OnceLock;

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstructionSet {
    /// Plain Rust: any processor.
    Portable,
    /// Two 8-lane registers to a vector.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// One 16-lane register to a vector.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl InstructionSet {
    /// The widest set that this processor supports.
    pub(crate) fn detect() -> Self {
        static DETECTED: OnceLock<InstructionSet> = OnceLock::new();
        *DETECTED.get_or_init(|| *Self::supported().last().unwrap_or(&Self::Portable))
    }

    /// Every set that this processor supports, narrowest first.
    pub(crate) fn supported() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut sets = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                sets.push(Self::Avx2);
                if is_x86_feature_detected!("avx512f") {
                    sets.push(Self::Avx512);
                }
            }
        }
        sets
    }

    /// Runs the copy of `kernel` that was compiled for this set.
    ///
    /// # Safety
    /// The processor supports the set (it comes from [`Self::supported`]), and the pointers inside the kernel are
    /// valid for what it reads and writes.
    pub(crate) unsafe fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: the caller vouches for the set and for the kernel.
        unsafe {
            match self {
                Self::Portable => kernel.run::<Portable>(),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => x86::run_avx2(kernel),
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => x86::run_avx512(kernel),
            }
        }
    }
}
