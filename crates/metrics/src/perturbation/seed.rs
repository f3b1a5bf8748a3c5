//! Seeds of what is drawn for one image, one hole, one case.

/// A number that is drawn by several others: the seed of one image's noise in one hole.
pub fn mixed(numbers: &[u64]) -> u64 {
    // SplitMix64's finaliser.
    numbers.iter().fold(0x9E37_79B9_7F4A_7C15, |state, number| {
        let mut z = (state ^ number).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ_by_every_number_and_their_order() {
        let seeds = [mixed(&[1, 2, 3]), mixed(&[1, 3, 2]), mixed(&[2, 2, 3]), mixed(&[1, 2])];
        assert!((0..4).all(|i| (0..i).all(|j| seeds[i] != seeds[j])));
    }
}
