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

/// # Safety
/// As [`super::Bf16::run`], for AVX-512F with AVX512-BF16.
#[target_feature(enable = "avx2,fma,avx512f,avx512bf16")]
pub(crate) unsafe fn run_avx512_bf16<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller vouches for the processor and the kernel.
    unsafe { kernel.run::<Avx512Bf16>() }
}

/// [`Lanes`] in two 256-bit registers.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256, __m256);

/// [`Lanes`] in one 512-bit register.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512);

/// The same with instructions for pairs of bfloat16 numbers.
#[derive(Clone, Copy)]
pub(crate) struct Avx512Bf16(Avx512);

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

#[allow(clippy::undocumented_unsafe_blocks)] // As for `Avx2`.
impl Lanes for Avx512Bf16 {
    const MANY_REGISTERS: bool = true;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { Self(Avx512::splat(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(Avx512::load(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { self.0.store(to) }
    }
    #[inline(always)]
    unsafe fn add(self, o: Self) -> Self {
        unsafe { Self(self.0.add(o.0)) }
    }
    #[inline(always)]
    unsafe fn sub(self, o: Self) -> Self {
        unsafe { Self(self.0.sub(o.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, o: Self) -> Self {
        unsafe { Self(self.0.mul(o.0)) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, f: Self, s: Self) -> Self {
        unsafe { Self(self.0.mul_add(f.0, s.0)) }
    }
    #[inline(always)]
    unsafe fn where_positive(self, c: Self) -> Self {
        unsafe { Self(self.0.where_positive(c.0)) }
    }
    #[inline(always)]
    unsafe fn where_equal(self, a: Self, b: Self) -> Self {
        unsafe { Self(self.0.where_equal(a.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn where_unequal(self, a: Self, b: Self) -> Self {
        unsafe { Self(self.0.where_unequal(a.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn greater_of(self, o: Self) -> Self {
        unsafe { Self(self.0.greater_of(o.0)) }
    }
    #[inline(always)]
    unsafe fn pairs(self, next: Self) -> Self {
        unsafe { Self(Avx512(bits(_mm512_cvtne2ps_pbh(next.0.0, self.0.0)))) }
    }
    #[inline(always)]
    unsafe fn pair_with(self, o: Self) -> Self {
        unsafe {
            // SAFETY: of 32 bytes each every pattern is a value.
            let [low, high]: [__m256i; 2] =
                std::mem::transmute([_mm512_cvtneps_pbh(self.0.0), _mm512_cvtneps_pbh(o.0.0)]);
            let high = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(high));
            Self(Avx512(_mm512_castsi512_ps(_mm512_or_si512(
                _mm512_cvtepu16_epi32(low),
                high,
            ))))
        }
    }
    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    unsafe fn transpose(from: *const f32, from_distance: usize, to: *mut f32, to_distance: usize) {
        unsafe {
            let mut rows = [_mm512_setzero_ps(); 16];
            for i in 0..16 {
                rows[i] = _mm512_loadu_ps(from.add(i * from_distance));
            }
            // Within quarters of four floats: 2 x 2 matrices, then 4 x 4.
            let mut quarters = [_mm512_setzero_ps(); 16];
            for i in (0..16).step_by(4) {
                let a = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
                let b = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
                let c = _mm512_unpacklo_ps(rows[i + 2], rows[i + 3]);
                let d = _mm512_unpackhi_ps(rows[i + 2], rows[i + 3]);
                quarters[i] = _mm512_shuffle_ps::<0x44>(a, c);
                quarters[i + 1] = _mm512_shuffle_ps::<0xEE>(a, c);
                quarters[i + 2] = _mm512_shuffle_ps::<0x44>(b, d);
                quarters[i + 3] = _mm512_shuffle_ps::<0xEE>(b, d);
            }
            // Then the quarters.
            for i in 0..4 {
                let a = _mm512_shuffle_f32x4::<0x88>(quarters[i], quarters[i + 4]);
                let b = _mm512_shuffle_f32x4::<0xDD>(quarters[i], quarters[i + 4]);
                let c = _mm512_shuffle_f32x4::<0x88>(quarters[i + 8], quarters[i + 12]);
                let d = _mm512_shuffle_f32x4::<0xDD>(quarters[i + 8], quarters[i + 12]);
                _mm512_storeu_ps(to.add(i * to_distance), _mm512_shuffle_f32x4::<0x88>(a, c));
                _mm512_storeu_ps(to.add((i + 4) * to_distance), _mm512_shuffle_f32x4::<0x88>(b, d));
                _mm512_storeu_ps(to.add((i + 8) * to_distance), _mm512_shuffle_f32x4::<0xDD>(a, c));
                _mm512_storeu_ps(to.add((i + 12) * to_distance), _mm512_shuffle_f32x4::<0xDD>(b, d));
            }
        }
    }
    #[inline(always)]
    unsafe fn pairs_mul_add(self, f: Self, s: Self) -> Self {
        unsafe { Self(Avx512(_mm512_dpbf16_ps(s.0.0, pairs(self.0.0), pairs(f.0.0)))) }
    }
}

/// The register of pairs with the bits of a register of floats.
#[inline(always)]
fn pairs(floats: __m512) -> __m512bh {
    // SAFETY: both are 64 bytes, of which every pattern is a value.
    unsafe { std::mem::transmute(floats) }
}

#[inline(always)]
fn bits(pairs: __m512bh) -> __m512 {
    // SAFETY: as above.
    unsafe { std::mem::transmute(pairs) }
}
