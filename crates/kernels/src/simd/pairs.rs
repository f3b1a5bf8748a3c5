//! Pairs of bfloat16 numbers, each pair in the 32 bits of a float.
//!
//! bfloat16 is the upper half of a float32: the same range, 8 significant bits. Processors multiply such numbers in pairs, both
//! products being added to one float32 sum, so a pair takes the place of a float everywhere: in vectors, in packed weights, in the rows
//! of an image. A float that holds a pair is only ever copied, never computed with.

/// The pair of `first` and `second`, each rounded to the nearest bfloat16 number, ties to the even one.
#[inline(always)]
pub(crate) fn pair(first: f32, second: f32) -> f32 {
    f32::from_bits(rounded(first) | rounded(second) << 16)
}

/// The numbers of a pair.
#[inline(always)]
pub(crate) fn numbers(pair: f32) -> [f32; 2] {
    let bits = pair.to_bits();
    [f32::from_bits(bits << 16), f32::from_bits(bits & 0xFFFF_0000)]
}

#[inline(always)]
fn rounded(value: f32) -> u32 {
    let bits = value.to_bits();
    if value.is_nan() {
        // Rounding could make it infinite; one bit keeps it what it is.
        return bits >> 16 | 0x40;
    }
    (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 + 1/256 lies between two numbers of 8 significant bits, and the even one is 1; three such parts go up.
    #[test]
    fn numbers_are_rounded_to_the_nearest_even_one() {
        let between = |parts: f32| 1.0 + parts / 256.0;
        assert_eq!(numbers(pair(between(1.0), -between(3.0))), [1.0, -between(4.0)]);
        assert_eq!(numbers(pair(0.0, f32::INFINITY)), [0.0, f32::INFINITY]);
        // The largest float is nearer to infinity than to bfloat16's largest number.
        assert_eq!(numbers(pair(f32::MAX, 2.5)), [f32::INFINITY, 2.5]);
        assert!(numbers(pair(f32::from_bits(0x7F80_0001), 0.0))[0].is_nan());
    }
}
