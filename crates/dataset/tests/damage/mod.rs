//! Damage to files, and how much memory the reading of a damaged one takes: for the tests of readers in `dataset` and `runner`.

mod bounded;

use proptest::prelude::*;
use proptest::sample::Index;

pub use bounded::bounded;

/// One thing that happens to a file.
#[derive(Clone, Debug)]
pub enum Damage {
    Flip(Index, u8),
    Byte(Index, u8),
    Cut(Index),
    /// A part is repeated elsewhere, as lines that are swapped are.
    Splice(Index, Index, usize),
    Insert(Index, Vec<u8>),
    /// Eight bytes of a size that is never there.
    Huge(Index, u64),
}

pub fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let huge = prop_oneof![
        Just(u64::MAX),
        Just(u64::from(u32::MAX)),
        Just(0x7fff_ffff_7fff_ffff),
        Just(1 << 40),
        Just(0xffff_ffff_0f7f_ffff),
    ];
    let one = prop_oneof![
        4 => (any::<Index>(), 0_u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, value)| Damage::Byte(at, value)),
        1 => any::<Index>().prop_map(Damage::Cut),
        2 => (any::<Index>(), any::<Index>(), 1_usize..60).prop_map(|(from, to, n)| Damage::Splice(from, to, n)),
        1 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..12)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        2 => (any::<Index>(), huge).prop_map(|(at, value)| Damage::Huge(at, value)),
    ];
    prop::collection::vec(one, 1..5)
}

pub fn damaged(whole: &[u8], damage: &[Damage]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for one in damage {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match one {
            Damage::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Damage::Byte(at, value) => bytes[at.index(length)] = *value,
            Damage::Cut(at) => bytes.truncate(at.index(length)),
            Damage::Splice(from, to, n) => {
                let (from, to) = (from.index(length), to.index(length));
                let part = bytes[from..(from + n).min(length)].to_vec();
                bytes.splice(to..to, part);
            }
            Damage::Insert(at, new) => {
                let at = at.index(length);
                bytes.splice(at..at, new.iter().copied());
            }
            Damage::Huge(at, value) => {
                let at = at.index(length);
                for (byte, new) in bytes[at..].iter_mut().zip(value.to_le_bytes()) {
                    *byte = new;
                }
            }
        }
    }
    bytes
}

/// A damaged file, or any bytes.
pub fn bytes_of(whole: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        9 => damage().prop_map(move |damage| damaged(&whole, &damage)),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
}
