//! Vectors of floats, and what computes with them.

use super::pairs::{numbers, pair};

/// Floats in a vector.
pub(crate) const LANES: usize = 16;

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

    // What follows of pairs is for processors without instructions for them, where only tests use it.

    /// The floats of `self`, then those of `next`, as [pairs](super::pairs) of neighbours.
    #[inline(never)]
    unsafe fn pairs(self, next: Self) -> Self {
        let mut floats = [0f32; 2 * LANES];
        // SAFETY: the buffers hold what is written and read.
        unsafe {
            self.store(floats.as_mut_ptr());
            next.store(floats.as_mut_ptr().add(LANES));
            let pairs: [f32; LANES] = std::array::from_fn(|i| pair(floats[2 * i], floats[2 * i + 1]));
            Self::load(pairs.as_ptr())
        }
    }

    /// In each lane the [pair](super::pairs) of its float and that of `other`.
    #[inline(never)]
    unsafe fn pair_with(self, other: Self) -> Self {
        let [mut a, mut b] = [[0f32; LANES]; 2];
        // SAFETY: the buffers hold what is written and read.
        unsafe {
            self.store(a.as_mut_ptr());
            other.store(b.as_mut_ptr());
            for (a, b) in a.iter_mut().zip(b) {
                *a = pair(*a, b);
            }
            Self::load(a.as_ptr())
        }
    }

    /// Writes a matrix of [`LANES`] x [`LANES`] floats with rows and columns exchanged; its rows are at `from_distance`, those written at
    /// `to_distance`.
    #[inline(never)]
    unsafe fn transpose(from: *const f32, from_distance: usize, to: *mut f32, to_distance: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            for row in 0..LANES {
                for column in 0..LANES {
                    *to.add(column * to_distance + row) = *from.add(row * from_distance + column);
                }
            }
        }
    }

    /// `summand` plus, in each lane, both products of the [pairs](super::pairs) in `self` and `factor`. How often it is rounded depends
    /// on the processor.
    #[inline(never)]
    unsafe fn pairs_mul_add(self, factor: Self, summand: Self) -> Self {
        let [mut a, mut b, mut sum] = [[0f32; LANES]; 3];
        // SAFETY: the buffers hold what is written and read.
        unsafe {
            self.store(a.as_mut_ptr());
            factor.store(b.as_mut_ptr());
            summand.store(sum.as_mut_ptr());
            for (sum, (a, b)) in sum.iter_mut().zip(a.into_iter().zip(b)) {
                let ([a, c], [b, d]) = (numbers(a), numbers(b));
                *sum += a * b + c * d;
            }
            Self::load(sum.as_ptr())
        }
    }

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
