//! Two halves of the people, for what is fitted on one and measured on the other.

use std::collections::BTreeSet;

/// One of two halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// One.
    First,
    /// The other.
    Second,
}

/// Parts people, or whatever else stands for itself, into two halves of equal size, or one more in the first.
///
/// `units[i]` says whose image `i` is: an identity, or the image's own name. All images of a unit come into one half. Which half that is
/// looks random, but depends only on the set of units: not on their order, the number of their images or a seed.
#[must_use]
pub fn halves<U: AsRef<str>>(units: &[U]) -> Vec<Half> {
    let distinct: BTreeSet<(u64, &str)> = units.iter().map(|unit| keyed(unit.as_ref())).collect();
    let second: BTreeSet<(u64, &str)> = distinct.into_iter().skip(1).step_by(2).collect();
    let of = |unit: &U| {
        if second.contains(&keyed(unit.as_ref())) {
            Half::Second
        } else {
            Half::First
        }
    };
    units.iter().map(of).collect()
}

/// A unit with what it is sorted by.
fn keyed(unit: &str) -> (u64, &str) {
    (hash(unit), unit)
}

/// FNV-1a, and the last steps of SplitMix64 for its high bits: names that follow each other shall not alternate.
fn hash(text: &str) -> u64 {
    let fnv = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_follow_each_other_come_into_either_half() {
        let names: Vec<String> = (182_638..183_638).map(|number| format!("{number:06}.jpg")).collect();
        let halves = halves(&names);
        assert_eq!(halves.iter().filter(|&&half| half == Half::First).count(), 500);
        let alike = halves.windows(2).filter(|pair| pair[0] == pair[1]).count();
        // Binomial: 500 of 999, standard deviation 16.
        assert!((420..580).contains(&alike), "{alike} neighbours in the same half");
    }

    proptest! {
        #[test]
        fn a_unit_has_one_half_wherever_its_images_are(people in prop::collection::vec(0_u8..20, 1..60)) {
            let units: Vec<String> = people.iter().map(u8::to_string).collect();
            let found = halves(&units);
            for (i, j) in (0..units.len()).flat_map(|i| (0..i).map(move |j| (i, j))) {
                prop_assert!(units[i] != units[j] || found[i] == found[j]);
            }
            let reversed: Vec<&String> = units.iter().rev().collect();
            prop_assert!(halves(&reversed).iter().rev().eq(&found));
            let distinct = |half| {
                let of: BTreeSet<&String> = units.iter().zip(&found).filter(|(_, h)| **h == half).map(|(unit, _)| unit).collect();
                of.len()
            };
            let (first, second) = (distinct(Half::First), distinct(Half::Second));
            prop_assert!(first == second || first == second + 1);
        }
    }
}
