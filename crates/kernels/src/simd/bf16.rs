//! Which of a processor's instructions multiply pairs of bfloat16 numbers.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::amx::Amx;
use super::dispatch::InstructionSet;
use super::lanes::{Kernel, Portable};
#[cfg(target_arch = "x86_64")]
use super::x86;
use std::sync::OnceLock;

/// A way to multiply [pairs](super::pairs). Sums are float32 in all of them, but not rounded equally often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bf16 {
    /// In plain Rust, which is slower than float32: for tests.
    #[cfg_attr(not(test), allow(dead_code))]
    Emulated,
    /// AVX512-BF16's `vdpbf16ps`.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AMX-BF16's tiles.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Amx(Amx),
}

impl Bf16 {
    /// The fastest way of this processor, if it has an instruction for it and may use its widest [`InstructionSet`].
    pub(crate) fn detect() -> Option<Self> {
        static DETECTED: OnceLock<Option<Bf16>> = OnceLock::new();
        *DETECTED.get_or_init(|| {
            let widest = InstructionSet::supported().last() == Some(&InstructionSet::detect());
            let fastest = Self::supported().into_iter().rfind(|way| *way != Self::Emulated);
            fastest.filter(|_| widest)
        })
    }

    /// Every way that this processor supports, slowest first.
    pub(crate) fn supported() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut ways = vec![Self::Emulated];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bf16")
        {
            ways.push(Self::Avx512);
            #[cfg(target_os = "linux")]
            ways.extend(Amx::detect().map(Self::Amx));
        }
        ways
    }

    /// Runs the copy of `kernel` that was compiled for vectors of pairs.
    ///
    /// # Safety
    /// The processor supports this way (it comes from [`Self::supported`]), and the pointers inside the kernel are valid for what it
    /// reads and writes.
    pub(crate) unsafe fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: the caller vouches for the processor and for the kernel. One with tiles has the vectors too.
        unsafe {
            match self {
                Self::Emulated => kernel.run::<Portable>(),
                #[cfg(target_arch = "x86_64")]
                _ => x86::run_avx512_bf16(kernel),
            }
        }
    }
}
