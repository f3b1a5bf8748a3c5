//! [`Lanes`] in x86's vector instructions.

use super::lanes::{Kernel, Lanes};
use std::arch::x86_64::*;

/// # Safety
/// As [`super::InstructionSet::run`], for AVX2 with FMA.
#[target_feature(enable = "avx2,fma")]
pub(crate) unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller vouches for the processor and the kernel.
    unsafe { kernel.run::<Avx2>() }
}

/// # Safety
/// As [`super::InstructionSet::run`], for AVX-512F.
#[target_feature(enable = "avx2,fma,avx512f")]
pub(crate) unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller vouches for the processor and the kernel.
    unsafe { kernel.run::<Avx512>() }
}

/// [`Lanes`] in two 256-bit registers.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256, __m256);

/// [`Lanes`] in one 512-bit register.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512);

// SAFETY of all bodies below: `Lanes` demands of the caller that the processor supports the instructions and
// that the pointers are good for 16 floats; every load and store is an unaligned one.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Lanes for Avx2 {
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { Self(_mm256_set1_ps(value), _mm256_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe {
            _mm256_storeu_ps(to, self.0);
            _mm256_storeu_ps(to.add(8), self.1);
        }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        unsafe { Self(_mm256_add_ps(self.0, o.0), _mm256_add_ps(self.1, o.1)) }
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        unsafe { Self(_mm256_sub_ps(self.0, o.0), _mm256_sub_ps(self.1, o.1)) }
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        unsafe { Self(_mm256_mul_ps(self.0, o.0), _mm256_mul_ps(self.1, o.1)) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, f: Self, s: Self) -> Self {
        unsafe { Self(_mm256_fmadd_ps(self.0, f.0, s.0), _mm256_fmadd_ps(self.1, f.1, s.1)) }
    }
    #[inline(always)]
    unsafe fn where_positive(self, c: Self) -> Self {
        unsafe {
            let zero = _mm256_setzero_ps();
            Self(
                _mm256_and_ps(self.0, _mm256_cmp_ps::<_CMP_GT_OQ>(c.0, zero)),
                _mm256_and_ps(self.1, _mm256_cmp_ps::<_CMP_GT_OQ>(c.1, zero)),
            )
        }
    }
    #[inline(always)]
    unsafe fn where_equal(self, a: Self, b: Self) -> Self {
        unsafe {
            Self(
                _mm256_and_ps(self.0, _mm256_cmp_ps::<_CMP_EQ_OQ>(a.0, b.0)),
                _mm256_and_ps(self.1, _mm256_cmp_ps::<_CMP_EQ_OQ>(a.1, b.1)),
            )
        }
    }
    #[inline(always)]
    unsafe fn where_unequal(self, a: Self, b: Self) -> Self {
        unsafe {
            Self(
                _mm256_and_ps(self.0, _mm256_cmp_ps::<_CMP_NEQ_UQ>(a.0, b.0)),
                _mm256_and_ps(self.1, _mm256_cmp_ps::<_CMP_NEQ_UQ>(a.1, b.1)),
            )
        }
    }
    #[inline(always)]
    unsafe fn greater_of(self, o: Self) -> Self {
        unsafe {
            let pick = |a, b| {
                let greater = _mm256_cmp_ps::<_CMP_GT_OQ>(b, a);
                let nan = _mm256_cmp_ps::<_CMP_UNORD_Q>(b, b);
                _mm256_blendv_ps(a, b, _mm256_or_ps(greater, nan))
            };
            Self(pick(self.0, o.0), pick(self.1, o.1))
        }
    }
}

#[allow(clippy::undocumented_unsafe_blocks)] // As for `Avx2`.
impl Lanes for Avx512 {
    const MANY_REGISTERS: bool = true;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { Self(_mm512_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(_mm512_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        unsafe { Self(_mm512_add_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        unsafe { Self(_mm512_sub_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        unsafe { Self(_mm512_mul_ps(self.0, o.0)) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, f: Self, s: Self) -> Self {
        unsafe { Self(_mm512_fmadd_ps(self.0, f.0, s.0)) }
    }
    #[inline(always)]
    unsafe fn where_positive(self, c: Self) -> Self {
        unsafe {
            let mask = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(c.0, _mm512_setzero_ps());
            Self(_mm512_maskz_mov_ps(mask, self.0))
        }
    }
    #[inline(always)]
    unsafe fn where_equal(self, a: Self, b: Self) -> Self {
        unsafe {
            let mask = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a.0, b.0);
            Self(_mm512_maskz_mov_ps(mask, self.0))
        }
    }
    #[inline(always)]
    unsafe fn where_unequal(self, a: Self, b: Self) -> Self {
        unsafe {
            let mask = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(a.0, b.0);
            Self(_mm512_maskz_mov_ps(mask, self.0))
        }
    }
    #[inline(always)]
    unsafe fn greater_of(self, o: Self) -> Self {
        unsafe {
            let greater = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(o.0, self.0);
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(o.0, o.0);
            Self(_mm512_mask_mov_ps(self.0, greater | nan, o.0))
        }
    }
}
