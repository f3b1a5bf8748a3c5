//! Intel's Advanced Matrix Extensions: products of matrices of bfloat16 numbers in tiles of 16 x 16 sums.
//!
//! The compiler knows neither the instructions nor the registers yet, so a product is one block of assembly, from clearing its sums to
//! storing them.

use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::mem::offset_of;
use std::sync::OnceLock;

/// Rows of a tile at most.
pub(crate) const TILE_ROWS: usize = 16;
/// Pairs in a row of a factor.
pub(crate) const TILE_PAIRS: usize = 16;
const ROW_BYTES: usize = 64;

/// That this processor has the instructions, and the system lets this process use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amx(());

impl Amx {
    /// Asks the processor, and the system for the permission, once.
    pub(crate) fn detect() -> Option<Self> {
        static DETECTED: OnceLock<Option<Amx>> = OnceLock::new();
        *DETECTED.get_or_init(|| {
            const BF16: u32 = 1 << 22;
            const TILE: u32 = 1 << 24;
            // Leaf 7 tells extended features, of which there may be none.
            let features = match __cpuid(0).eax {
                7.. => __cpuid_count(7, 0).edx,
                _ => 0,
            };
            (features & (BF16 | TILE) == BF16 | TILE && permitted()).then_some(Self(()))
        })
    }

    /// Makes `rows` of each tile of sums and of their first factors count, on this thread, until [`release`](Self::release).
    pub(crate) fn configure(self, rows: usize) {
        assert!((1..=TILE_ROWS).contains(&rows));
        /// Intel's Software Developer's Manual, "LDTILECFG".
        #[repr(C, align(64))]
        struct Configuration {
            palette: u8,
            start_row: u8,
            reserved: [u8; 14],
            row_bytes: [u16; 16],
            rows: [u8; 16],
        }
        let mut configuration = Configuration {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            row_bytes: [0; 16],
            rows: [0; 16],
        };
        for tile in 0..8 {
            configuration.row_bytes[tile] = ROW_BYTES as u16;
            configuration.rows[tile] = if tile < 6 { rows } else { TILE_ROWS } as u8;
        }
        // SAFETY: `self` vouches for the instruction, and the configuration is a valid one. No compiled code uses tiles.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const configuration, options(nostack, readonly)) }
    }

    /// Ends the use of tiles on this thread: without them the system has less to save when it changes threads.
    pub(crate) fn release(self) {
        // SAFETY: `self` vouches for the instruction.
        unsafe { asm!("tilerelease", options(nostack, nomem)) }
    }
}

/// Linux lets a process use tiles once it has asked for the room to save them.
fn permitted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: the call takes two numbers, and changes nothing but this permission.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
}

/// A product of matrices of pairs, added up over some rows of steps: of up to two tiles of rows with up to two tiles of columns.
///
/// One step multiplies 16 pairs of each row of the first factor with 16 rows of the second, each of a pair for every column.
#[repr(C)]
pub(crate) struct Tiles {
    /// Where both tiles' rows start in the first factor, and where both tiles' columns do in the second.
    pub first: [*const f32; 2],
    pub second: [*const f32; 2],
    /// Bytes from one row to the next: of the first factor, of the second, of the sums.
    pub row_bytes: [usize; 3],
    /// Bytes from one step to the next in both factors.
    pub step_bytes: [usize; 2],
    /// Bytes from the end of the last step of a row of steps to the start of the next row, in both factors.
    pub skip_bytes: [isize; 2],
    /// Steps in a row, and rows.
    pub steps: usize,
    pub rows: usize,
    /// Where the sums of both tiles of rows go; the second tile of columns goes 16 floats behind the first.
    pub sums: [*mut f32; 2],
}

/// The block of assembly, of the tiles' own instructions.
macro_rules! product {
    ($self:expr, [$($load:literal),*], [$($multiply:literal),*], [$($store:literal),*]) => {
        asm!(
            // The registers of the steps hold where the sums are, until the steps begin.
            "mov {rows}, [{this} + {SUMS}]",
            "mov {steps}, [{this} + {SUMS} + 8]",
            $($load,)*
            "mov {rows}, [{this} + {ROWS}]",
            "test {rows}, {rows}",
            "jz 4f",
            "2:",
            "mov {steps}, [{this} + {STEPS}]",
            "3:",
            $($multiply,)*
            "add {a0}, [{this} + {FIRST_STEP}]",
            "add {a1}, [{this} + {FIRST_STEP}]",
            "add {b0}, [{this} + {SECOND_STEP}]",
            "add {b1}, [{this} + {SECOND_STEP}]",
            "dec {steps}",
            "jnz 3b",
            "add {a0}, [{this} + {FIRST_SKIP}]",
            "add {a1}, [{this} + {FIRST_SKIP}]",
            "add {b0}, [{this} + {SECOND_SKIP}]",
            "add {b1}, [{this} + {SECOND_SKIP}]",
            "dec {rows}",
            "jnz 2b",
            "4:",
            // The registers of the factors are free: now they hold where the sums go.
            "mov {a0}, [{this} + {SUMS}]",
            "mov {a1}, [{this} + {SUMS} + 8]",
            $($store,)*
            sum_row = in(reg) $self.row_bytes[2],
            this = in(reg) $self,
            a0 = inout(reg) $self.first[0] => _,
            a1 = inout(reg) $self.first[1] => _,
            b0 = inout(reg) $self.second[0] => _,
            b1 = inout(reg) $self.second[1] => _,
            first = in(reg) $self.row_bytes[0],
            second = in(reg) $self.row_bytes[1],
            steps = out(reg) _,
            rows = out(reg) _,
            ROWS = const offset_of!(Tiles, rows),
            STEPS = const offset_of!(Tiles, steps),
            FIRST_STEP = const offset_of!(Tiles, step_bytes),
            SECOND_STEP = const offset_of!(Tiles, step_bytes) + 8,
            FIRST_SKIP = const offset_of!(Tiles, skip_bytes),
            SECOND_SKIP = const offset_of!(Tiles, skip_bytes) + 8,
            SUMS = const offset_of!(Tiles, sums),
            options(nostack),
        )
    };
}

impl Tiles {
    /// Computes the sums of `rows` x `columns` tiles, 1 or 2 of each, and adds them to what is there if so asked for.
    ///
    /// # Safety
    /// Tiles are [configured](Amx::configure) on this thread; what the steps read is readable, and of the sums each row's 16 floats (32,
    /// with two tiles of columns) are writable, and initialised if they count.
    pub(crate) unsafe fn multiply(&self, [rows, columns]: [usize; 2], add: bool) {
        // SAFETY: the caller's promise. Each block keeps the tiles to itself, and no compiled code uses them.
        unsafe {
            match (rows, columns, add) {
                (1, 1, false) => product!(
                    self,
                    ["tilezero tmm0"],
                    [
                        "tileloadd tmm4, [{a0} + {first}*1]",
                        "tileloadd tmm6, [{b0} + {second}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6"
                    ],
                    ["tilestored [{a0} + {sum_row}*1], tmm0"]
                ),
                (1, 1, true) => product!(
                    self,
                    ["tileloadd tmm0, [{rows} + {sum_row}*1]"],
                    [
                        "tileloadd tmm4, [{a0} + {first}*1]",
                        "tileloadd tmm6, [{b0} + {second}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6"
                    ],
                    ["tilestored [{a0} + {sum_row}*1], tmm0"]
                ),
                (1, _, false) => product!(
                    self,
                    ["tilezero tmm0", "tilezero tmm1"],
                    [
                        "tileloadd tmm4, [{a0} + {first}*1]",
                        "tileloadd tmm6, [{b0} + {second}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloadd tmm7, [{b1} + {second}*1]",
                        "tdpbf16ps tmm1, tmm4, tmm7"
                    ],
                    [
                        "tilestored [{a0} + {sum_row}*1], tmm0",
                        "tilestored [{a0} + {sum_row}*1 + 64], tmm1"
                    ]
                ),
                (1, _, true) => product!(
                    self,
                    [
                        "tileloadd tmm0, [{rows} + {sum_row}*1]",
                        "tileloadd tmm1, [{rows} + {sum_row}*1 + 64]"
                    ],
                    [
                        "tileloadd tmm4, [{a0} + {first}*1]",
                        "tileloadd tmm6, [{b0} + {second}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloadd tmm7, [{b1} + {second}*1]",
                        "tdpbf16ps tmm1, tmm4, tmm7"
                    ],
                    [
                        "tilestored [{a0} + {sum_row}*1], tmm0",
                        "tilestored [{a0} + {sum_row}*1 + 64], tmm1"
                    ]
                ),
                (_, 1, false) => product!(
                    self,
                    ["tilezero tmm0", "tilezero tmm2"],
                    [
                        "tileloadd tmm4, [{a0} + {first}*1]",
                        "tileloadd tmm6, [{b0} + {second}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloadd tmm5, [{a1} + {first}*1]",
                        "tdpbf16ps tmm2, tmm5, tmm6"
                    ],
                    [
                        "tilestored [{a0} + {sum_row}*1], tmm0",
                        "tilestored [{a1} + {sum_row}*1], tmm2"
                    ]
                ),
                (_, 1, true) => product!(
                    self,
                    [
                        "tileloadd tmm0, [{rows} + {sum_row}*1]",
                        "tileloadd tmm2, [{steps} + {sum_row}*1]"
                    ],
                    [
                        "tileloadd tmm4, [{a0} + {first}*1]",
                        "tileloadd tmm6, [{b0} + {second}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloadd tmm5, [{a1} + {first}*1]",
                        "tdpbf16ps tmm2, tmm5, tmm6"
                    ],
                    [
                        "tilestored [{a0} + {sum_row}*1], tmm0",
                        "tilestored [{a1} + {sum_row}*1], tmm2"
                    ]
                ),
                (_, _, false) => product!(
                    self,
                    ["tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3"],
                    [
                        "tileloadd tmm4, [{a0} + {first}*1]",
                        "tileloadd tmm6, [{b0} + {second}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloadd tmm7, [{b1} + {second}*1]",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{a1} + {first}*1]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7"
                    ],
                    [
                        "tilestored [{a0} + {sum_row}*1], tmm0",
                        "tilestored [{a0} + {sum_row}*1 + 64], tmm1",
                        "tilestored [{a1} + {sum_row}*1], tmm2",
                        "tilestored [{a1} + {sum_row}*1 + 64], tmm3"
                    ]
                ),
                (_, _, true) => product!(
                    self,
                    [
                        "tileloadd tmm0, [{rows} + {sum_row}*1]",
                        "tileloadd tmm1, [{rows} + {sum_row}*1 + 64]",
                        "tileloadd tmm2, [{steps} + {sum_row}*1]",
                        "tileloadd tmm3, [{steps} + {sum_row}*1 + 64]"
                    ],
                    [
                        "tileloadd tmm4, [{a0} + {first}*1]",
                        "tileloadd tmm6, [{b0} + {second}*1]",
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tileloadd tmm7, [{b1} + {second}*1]",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tileloadd tmm5, [{a1} + {first}*1]",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7"
                    ],
                    [
                        "tilestored [{a0} + {sum_row}*1], tmm0",
                        "tilestored [{a0} + {sum_row}*1 + 64], tmm1",
                        "tilestored [{a1} + {sum_row}*1], tmm2",
                        "tilestored [{a1} + {sum_row}*1 + 64], tmm3"
                    ]
                ),
            }
        }
    }
}
