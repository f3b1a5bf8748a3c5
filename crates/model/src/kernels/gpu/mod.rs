//! Kernels for NVIDIA GPUs, and how they are put together to layers.
//!
//! The kernels are the `.cu` and `.cuh` files beside this one. What is here starts them in order, on whatever [`Machine`]: a GPU
//! ([`super::cuda`]), or the CPU in the tests, which compile the same sources with a C++ compiler. So all but the driver's part is
//! tested without a GPU.
//!
//! Results do not depend on the GPU: sizes of grids, and with them the order of sums, follow from the shapes.

pub(crate) mod batch_norm;
pub(crate) mod optimiser;
pub(crate) mod pooling;
pub(crate) mod sampling;
pub(crate) mod weights;

use super::storage::Dims;
use candle_core::{Result, bail};

/// Threads of a block: channels and rows, `COLUMNS` and `ROWS` of `common.cuh`.
pub(crate) const BLOCK: [u32; 2] = [32, 8];

/// What runs kernels.
pub(crate) trait Machine {
    /// Memory that is given back when this is dropped, once the kernels launched until then are done.
    type Memory;

    /// Memory for some float32 numbers, with arbitrary contents.
    fn scratch(&self, numbers: usize) -> Result<(Self::Memory, Address)>;

    /// Starts a kernel in a grid of blocks of [`BLOCK`] threads, behind those started before.
    ///
    /// # Safety
    /// The arguments are those of the kernel, and its memory is there.
    unsafe fn launch(&self, kernel: &str, grid: [u32; 2], arguments: &[Argument]) -> Result<()>;
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    Address(u64),
    Count(u32),
    Number(f32),
}

/// Where numbers are, in the memory of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(pub u64);

impl Address {
    /// A null pointer.
    pub(crate) const NONE: Self = Self(0);

    /// Behind `numbers` of float32.
    pub(crate) fn behind(self, numbers: usize) -> Self {
        Self(self.0 + 4 * numbers as u64)
    }
}

impl From<Address> for Argument {
    fn from(Address(address): Address) -> Self {
        Self::Address(address)
    }
}

impl From<u32> for Argument {
    fn from(count: u32) -> Self {
        Self::Count(count)
    }
}

impl From<f32> for Argument {
    fn from(number: f32) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Argument {
    fn from(flag: bool) -> Self {
        Self::Count(flag.into())
    }
}

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Element {
    F32,
    Bf16,
}

impl Element {
    /// The kernel for elements of this type.
    fn kernel(self, name: &str) -> String {
        match self {
            Self::F32 => format!("{name}_f32"),
            Self::Bf16 => format!("{name}_bf16"),
        }
    }
}

/// Rows and channels of an array, as kernels count them.
#[derive(Clone, Copy, Debug)]
struct Matrix {
    rows: u32,
    channels: u32,
}

impl Matrix {
    fn of(dims: Dims) -> Result<Self> {
        Self::new(dims.pixels(), dims.channels)
    }

    fn new(rows: usize, channels: usize) -> Result<Self> {
        let (Ok(rows), Ok(channels)) = (u32::try_from(rows), u32::try_from(channels)) else {
            bail!("expected fewer than 2^32 pixels and channels, got {rows} and {channels}");
        };
        Ok(Self { rows, channels })
    }

    fn columns(self) -> u32 {
        self.channels.div_ceil(BLOCK[0])
    }

    /// A grid whose threads go through some four rows each.
    fn each_element(self) -> [u32; 2] {
        [self.columns(), self.rows.div_ceil(4 * BLOCK[1]).min(1 << 15)]
    }

    /// A grid whose blocks each sum up a part of the rows: some 2,000 blocks, which fill the largest of today's GPUs, where there are
    /// rows enough.
    fn sums(self) -> [u32; 2] {
        let enough = (2048 / self.columns()).max(1);
        [self.columns(), self.rows.div_ceil(8 * BLOCK[1]).min(enough)]
    }

    /// A grid that joins the parts of [`Matrix::sums`].
    fn joined(self) -> [u32; 2] {
        [self.columns(), 1]
    }
}

/// The arguments of a kernel, in its order.
macro_rules! arguments {
    ($($argument:expr),* $(,)?) => { &[$($crate::kernels::gpu::Argument::from($argument)),*] };
}
use arguments;
