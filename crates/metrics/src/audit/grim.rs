//! Whether a printed rate can be a share of so many.

/// What GRIM says of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grim {
    /// Some k of n rounds to the rate, and not every rate could be had so.
    Possible,
    /// No k of n rounds to the rate.
    Impossible,
    /// With so few decimals every rate is some k of n: the test says nothing.
    NoTest,
}

impl Grim {
    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Impossible => "impossible",
            Self::NoTest => "no test",
        }
    }
}

/// Where numbers are computed in double precision, a tie may fall to either side.
const ROUNDING: f64 = 1e-15;

/// GRIM, granularity-related inconsistency of means (Brown and Heathers 2017): can a `rate` in [0, 1], printed with so many `decimals`,
/// be k / `n` for a whole k? A tie may have been rounded either way. `None` without samples, or for what is no rate.
#[must_use]
pub fn grim(rate: f64, decimals: u32, n: usize) -> Option<Grim> {
    if n == 0 || !(0.0..=1.0).contains(&rate) {
        return None;
    }
    let unit = 10.0_f64.powf(-f64::from(decimals));
    let samples = n as f64;
    if samples * unit >= 1.0 {
        return Some(Grim::NoTest);
    }
    // As the unit is less than 1 / n, one of the two whole numbers around is the only one that may fit.
    let fits = |count: f64| (count / samples - rate).abs() <= unit / 2.0 + ROUNDING;
    let below = (rate * samples).floor();
    Some(match fits(below) || fits(below + 1.0) {
        true => Grim::Possible,
        false => Grim::Impossible,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Brown and Heathers' own example: a mean of 5.19 from 28 whole numbers is impossible, 5.18 and 5.21 are not.
    #[test]
    fn the_published_example() {
        let of = |rate| grim(rate, 2, 28);
        assert_eq!(of(0.19), Some(Grim::Impossible));
        assert_eq!([of(0.18), of(0.21)], [Some(Grim::Possible); 2]);
    }

    #[test]
    fn ties_may_be_rounded_either_way() {
        // 1 / 16 = 0.0625.
        assert_eq!(
            [0.062, 0.063, 0.064].map(|rate| grim(rate, 3, 16)),
            [Some(Grim::Possible), Some(Grim::Possible), Some(Grim::Impossible)]
        );
    }

    #[test]
    fn many_samples_make_any_rate() {
        assert_eq!(grim(0.175, 3, 1000), Some(Grim::NoTest));
        assert_ne!(grim(0.175, 3, 999), Some(Grim::NoTest));
        assert_eq!(grim(1.0, 0, 5), Some(Grim::NoTest));
        assert_eq!([grim(0.5, 3, 0), grim(-0.1, 3, 9), grim(f64::NAN, 3, 9)], [None; 3]);
    }

    proptest! {
        #[test]
        fn a_share_is_possible_however_it_is_printed(k in 0_usize..500, more in 0_usize..500, decimals in 1_usize..15) {
            let n = k + more;
            prop_assume!(n > 0);
            let rate: f64 = format!("{:.decimals$}", k as f64 / n as f64).parse().unwrap();
            prop_assert_ne!(grim(rate, decimals as u32, n), Some(Grim::Impossible));
        }

        /// Tried one by one in whole numbers.
        #[test]
        fn it_is_what_trying_all_finds(printed in 0_u64..=1000, n in 1_u64..1000) {
            // |1000 k - printed n| <= n / 2
            let found = (0..=n).any(|k| 2 * (1000 * k).abs_diff(printed * n) <= n);
            let expected = if found { Grim::Possible } else { Grim::Impossible };
            prop_assert_eq!(grim(printed as f64 / 1000.0, 3, n as usize), Some(expected));
        }
    }
}
