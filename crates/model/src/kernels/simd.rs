//! Sixteen float lanes on three instruction sets.
//!
//! A kernel is written once, generic over [`Lanes`], and run through [`InstructionSet::run`], which compiles it
//! three times and enters the copy that the processor supports. A vector is always 16 floats wide, so the
//! channels-last layout is cut in the same places everywhere, and because AVX2 and AVX-512 both round once per
//! fused multiply-add, they give the same bytes. The portable set rounds the product as
//! well on processors that may lack that instruction.

#[cfg(target_arch = "x86_64")]
use super::x86;
use std::sync::OnceLock;

/// Floats in a vector.
pub(crate) const LANES: usize = 16;

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

/// A computation that does not depend on the instruction set it runs on.
pub(crate) trait Kernel {
    /// What the kernel returns.
    type Output;

    /// Runs the kernel. Implementations are `#[inline(always)]`: only then is the code compiled for the
    /// instruction set of the caller.
    ///
    /// # Safety
    /// The processor supports `V`, and the pointers inside the kernel are valid for what it reads and writes.
    unsafe fn run<V: Lanes>(self) -> Self::Output;
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

/// A vector of [`LANES`] floats.
///
/// # Safety
/// Every method needs a processor that supports the implementation. Those that take a pointer read or write
/// [`LANES`] floats there (`count` floats, in the partial versions), of any alignment.
pub(crate) trait Lanes: Copy {
    /// Whether 32 vectors fit into the registers (otherwise: 8).
    const MANY_REGISTERS: bool;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    /// `self * factor + summand`.
    unsafe fn mul_add(self, factor: Self, summand: Self) -> Self;
    /// `self` where `condition > 0`, elsewhere 0.
    unsafe fn where_positive(self, condition: Self) -> Self;
    /// `self` where `a == b`, elsewhere 0.
    unsafe fn where_equal(self, a: Self, b: Self) -> Self;
    /// `self` where `a != b`, elsewhere 0.
    unsafe fn where_unequal(self, a: Self, b: Self) -> Self;
    /// `other` where it is greater than `self` or not a number, elsewhere `self`.
    unsafe fn greater_of(self, other: Self) -> Self;

    /// The first `count` floats, then zeros.
    #[inline(always)]
    unsafe fn load_partial(from: *const f32, count: usize) -> Self {
        // SAFETY: `count` floats are readable, and the buffer holds `LANES`.
        unsafe {
            if count >= LANES {
                return Self::load(from);
            }
            let mut buffer = [0f32; LANES];
            std::ptr::copy_nonoverlapping(from, buffer.as_mut_ptr(), count);
            Self::load(buffer.as_ptr())
        }
    }

    /// Writes the first `count` lanes.
    #[inline(always)]
    unsafe fn store_partial(self, to: *mut f32, count: usize) {
        // SAFETY: `count` floats are writable, and the buffer holds `LANES`.
        unsafe {
            if count >= LANES {
                return self.store(to);
            }
            let mut buffer = [0f32; LANES];
            self.store(buffer.as_mut_ptr());
            std::ptr::copy_nonoverlapping(buffer.as_ptr(), to, count);
        }
    }
}

/// [`Lanes`] in plain Rust.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl Lanes for Portable {
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for `LANES` floats.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for `LANES` floats.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, summand: Self) -> Self {
        // Where the instruction cannot be taken for granted, `f32::mul_add` is a slow library call.
        Self(std::array::from_fn(|i| {
            if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
                self.0[i].mul_add(factor.0[i], summand.0[i])
            } else {
                self.0[i] * factor.0[i] + summand.0[i]
            }
        }))
    }
    #[inline(always)]
    unsafe fn where_positive(self, condition: Self) -> Self {
        self.zip(condition, |a, c| if c > 0.0 { a } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn where_equal(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| if a.0[i] == b.0[i] { self.0[i] } else { 0.0 }))
    }
    #[inline(always)]
    unsafe fn where_unequal(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| if a.0[i] == b.0[i] { 0.0 } else { self.0[i] }))
    }
    #[inline(always)]
    unsafe fn greater_of(self, other: Self) -> Self {
        self.zip(other, |a, b| if b > a || b.is_nan() { b } else { a })
    }
}
