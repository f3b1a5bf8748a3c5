//! What runs kernels on a GPU, and how the threads of a kernel share an array.

use crate::dims::Dims;
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
    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }

    /// The kernel for elements of this type.
    pub(crate) fn kernel(self, name: &str) -> String {
        format!("{name}_{}", self.name())
    }

    /// Elements in 16 bytes.
    fn wide(self) -> u32 {
        match self {
            Self::F32 => 4,
            Self::Bf16 => 8,
        }
    }
}

/// Rows and channels of an array, as kernels count them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix {
    pub rows: u32,
    pub channels: u32,
}

impl Matrix {
    pub(crate) fn of(dims: Dims) -> Result<Self> {
        Self::new(dims.pixels(), dims.channels)
    }

    pub(crate) fn new(rows: usize, channels: usize) -> Result<Self> {
        // Kernels count a little beyond the last row.
        if rows.max(channels) >= 1 << 31 {
            bail!("expected fewer than 2^31 pixels and channels, got {rows} and {channels}");
        }
        Ok(Self {
            rows: rows as u32,
            channels: channels as u32,
        })
    }

    fn columns(self) -> u32 {
        self.channels.div_ceil(BLOCK[0])
    }

    /// A grid whose threads go through some four rows each.
    pub(crate) fn each_element(self) -> [u32; 2] {
        [self.columns(), self.rows.div_ceil(4 * BLOCK[1]).min(1 << 15)]
    }

    /// How kernels that memory bounds share arrays of `element` at these addresses.
    pub(crate) fn shares(self, element: Element, addresses: &[Address]) -> Shares {
        let wide = self.channels.is_multiple_of(element.wide()) && addresses.iter().all(|address| address.0 % 16 == 0);
        let packs = if wide {
            self.channels / element.wide()
        } else {
            self.channels
        };
        Shares {
            element,
            wide,
            rows: self.rows,
            packs,
            lanes: packs.next_power_of_two().min(BLOCK[0]),
        }
    }

    /// How the threads of a block share the parts that [`Shares::sums`] leaves: few channels to a block, and many threads to a channel, as
    /// there are up to a thousand parts.
    pub(crate) const JOINING_LANES: u32 = 4;

    /// A grid that joins the parts of [`Shares::sums`].
    pub(crate) fn joined(self) -> [u32; 2] {
        [self.channels.div_ceil(Self::JOINING_LANES), 1]
    }
}

/// What each thread of a kernel does of an array: see `Share` of `common.cuh`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shares {
    element: Element,
    /// 16 bytes at a time.
    wide: bool,
    rows: u32,
    /// What a thread takes at once, in a row.
    packs: u32,
    /// Threads of a block that share a row.
    pub lanes: u32,
}

impl Shares {
    pub(crate) fn kernel(self, name: &str) -> String {
        let wide = if self.wide { "_wide" } else { "" };
        format!("{name}_{}{wide}", self.element.name())
    }

    fn columns(self) -> u32 {
        self.packs.div_ceil(self.lanes)
    }

    /// Rows of a block.
    fn height(self) -> u32 {
        BLOCK[0] * BLOCK[1] / self.lanes
    }

    /// A grid whose blocks each sum up a part of the rows: some 1,000 blocks, which the largest of today's GPUs run at the same time.
    pub(crate) fn sums(self) -> [u32; 2] {
        let enough = (1024 / self.columns()).max(1);
        [self.columns(), self.rows.div_ceil(4 * self.height()).min(enough)]
    }

    /// A grid whose threads go through some eight rows each.
    pub(crate) fn each_element(self) -> [u32; 2] {
        [self.columns(), self.rows.div_ceil(8 * self.height()).min(1 << 15)]
    }
}

/// The arguments of a kernel, in its order.
macro_rules! arguments {
    ($($argument:expr),* $(,)?) => { &[$($crate::gpu::Argument::from($argument)),*] };
}
pub(crate) use arguments;
