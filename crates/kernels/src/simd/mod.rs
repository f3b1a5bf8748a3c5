//! Sixteen float lanes on three instruction sets.
//!
//! A kernel is written once, generic over [`Lanes`], and run through [`InstructionSet::run`], which compiles it
//! three times and enters the copy that the processor supports. A vector is always 16 floats wide, so the
//! channels-last layout is cut in the same places everywhere, and because AVX2 and AVX-512 both round once per
//! fused multiply-add, they give the same bytes. The portable set rounds the product as
//! well on processors that may lack that instruction.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
mod bf16;
mod dispatch;
mod lanes;

mod pairs;
mod pointers;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) use amx::{Amx, TILE_PAIRS, TILE_ROWS, Tiles};
pub(crate) use bf16::Bf16;
pub(crate) use dispatch::InstructionSet;
pub(crate) use lanes::{Kernel, LANES, Lanes};

pub(crate) use pairs::pair;
pub(crate) use pointers::{announce, opaque};
