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
    /// The widest set that this processor supports, and no wider one than the environment variable `BIASCAM_SIMD` names (`portable`, `avx2` or
    /// `avx512`; any other value changes nothing). The variable is for measuring and is read once.
    pub(crate) fn detect() -> Self {
        static DETECTED: OnceLock<InstructionSet> = OnceLock::new();
        *DETECTED.get_or_init(|| Self::widest(&Self::supported(), std::env::var("BIASCAM_SIMD").ok().as_deref()))
    }

    /// The last of `supported`, which are narrowest first, that is no wider than the set called `limit`, if there is one of that name.
    fn widest(supported: &[Self], limit: Option<&str>) -> Self {
        // Positions as in the enum, whose wider sets other processors than x86-64 do not have.
        let limit = ["portable", "avx2", "avx512"]
            .iter()
            .position(|name| Some(*name) == limit);
        let allowed = |set: &&Self| limit.is_none_or(|limit| **set as usize <= limit);
        supported.iter().rfind(allowed).copied().unwrap_or(Self::Portable)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portable_set_is_always_there_to_be_asked_for() {
        assert_eq!(InstructionSet::widest(&[], None), InstructionSet::Portable);
        assert_eq!(
            InstructionSet::widest(&InstructionSet::supported(), Some("portable")),
            InstructionSet::Portable
        );
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_widest_set_is_taken_that_is_supported_and_no_wider_than_named() {
        use InstructionSet::{Avx2, Avx512, Portable};
        let all = [Portable, Avx2, Avx512];
        for (supported, limit, taken) in [
            (&all[..], None, Avx512),
            (&all, Some("avx512"), Avx512),
            (&all, Some("avx2"), Avx2),
            (&all, Some("AVX2"), Avx512),
            (&all, Some(""), Avx512),
            (&all[..2], Some("avx512"), Avx2),
            (&all[..2], None, Avx2),
            (&all[..1], Some("avx2"), Portable),
        ] {
            assert_eq!(
                InstructionSet::widest(supported, limit),
                taken,
                "{limit:?} of {supported:?}"
            );
        }
    }
}
