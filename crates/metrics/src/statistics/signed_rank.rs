//! Wilcoxon's signed-rank test of paired differences.

use statrs::distribution::{ContinuousCDF, Normal};

use super::correlation::ranks;

/// Up to this many differences the distribution is counted out; above it is approximated.
const EXACT: usize = 50;

/// The two-sided p value of Wilcoxon's test (1945) that differences of pairs lie symmetrically about 0. It looks at their signs
/// and at the order of their sizes only, so that one attribute with a large difference cannot decide it.
///
/// Differences of exactly 0 are left out (Wilcoxon's own treatment), equal sizes share their mean rank. Up to 50 differences that are left the
/// test is exact, with ties too: of all ways to give the ranks at hand signs. A tie by rounding therefore moves the p value by little; it
/// does not choose another test. Above 50 it is the normal distribution with the variance corrected for ties and no correction for
/// continuity. `None` if no difference is left.
///
/// scipy's `wilcoxon` gives the same with up to 13 differences, with up to 50 if none is 0 and none are tied, and with more than
/// 50; in between, with ties or zeros, it approximates.
#[must_use]
pub fn signed_rank_test(differences: &[f64]) -> Option<f64> {
    let differences: Vec<f64> = differences.iter().copied().filter(|&value| value != 0.0).collect();
    if differences.is_empty() {
        return None;
    }
    let n = differences.len();
    let sizes: Vec<f64> = differences.iter().map(|value| value.abs()).collect();
    let ranks = ranks(&sizes);
    let sum = |positive: bool| -> f64 {
        let of_sign = differences
            .iter()
            .zip(&ranks)
            .filter(|(value, _)| (**value > 0.0) == positive);
        of_sign.map(|(_, rank)| rank).sum()
    };
    let smaller = sum(true).min(sum(false));
    if n <= EXACT {
        return Some((2.0 * at_most(&ranks, smaller)).min(1.0));
    }
    let n = n as f64;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties(&sizes) / 48.0;
    let z = (smaller - n * (n + 1.0) / 4.0) / variance.sqrt();
    Some((2.0 * Normal::standard().cdf(z)).min(1.0))
}

/// Sum of t³ - t over the groups of t equal values.
fn ties(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .chunk_by(|a, b| a == b)
        .map(|group| (group.len() as f64).powi(3) - group.len() as f64)
        .sum()
}

/// Probability that the ranks, each taken or not with probability 1/2, sum to at most `most`. Mean ranks of ties are multiples of 1/2:
/// counted are twice the ranks, which are whole.
fn at_most(ranks: &[f64], most: f64) -> f64 {
    let twice = |rank: f64| (2.0 * rank) as usize;
    let mut probability = vec![0.0; ranks.len() * (ranks.len() + 1) + 1];
    probability[0] = 1.0;
    for &rank in ranks {
        for sum in (0..probability.len()).rev() {
            let without = probability[sum];
            let with = sum.checked_sub(twice(rank)).map_or(0.0, |before| probability[before]);
            probability[sum] = (without + with) / 2.0;
        }
    }
    probability[..=twice(most)].iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    // scipy 1.17.1:
    //   e = np.array([5,-3,8,1,-2,13,7,11,-4,6,9,20]) / 64
    //   stats.wilcoxon(e, mode="exact").pvalue                                 -> 0.01611328125
    // With zeros and ties, up to 13 differences: the permutation test that it chooses itself.
    //   x = np.array([1,2,2,-1,3,0,-2,4,4,5,-1,2.])
    //   stats.wilcoxon(x).pvalue                                               -> 0.0380859375
    // Above 13 with ties it approximates; all signs, counted out by its general test:
    //   x = np.array([3,-1,2,2,5,-4,6,1,-1,7,2,8,-3,4,4,1.])
    //   def f(d): return (stats.rankdata(abs(d)) * (d > 0)).sum()
    //   stats.permutation_test((x,), f, permutation_type="samples", n_resamples=np.inf, vectorized=False).pvalue
    //                                                                          -> 0.022308349609375
    // Above 50:
    //   i = np.arange(60); y = np.sin(i*1.7) + 0.2 + i*1e-4
    //   stats.wilcoxon(y).pvalue                                               -> 0.031009585462378142
    //   stats.wilcoxon(np.round(np.sin(i*1.7) + 0.2, 1)).pvalue                -> 0.027981145489945597  (2 zeros, ties)

    #[test]
    fn the_exact_test_is_scipy_s() {
        let values = [5, -3, 8, 1, -2, 13, 7, 11, -4, 6, 9, 20].map(|value: i32| f64::from(value) / 64.0);
        assert_relative_eq!(
            signed_rank_test(&values).unwrap(),
            0.016_113_281_25,
            max_relative = 1e-12
        );
        // 2 / 2^5: all of five differences have one sign.
        assert_eq!(signed_rank_test(&[1.0, 2.0, 3.0, 4.0, 5.0]), Some(0.0625));
    }

    #[test]
    fn with_ties_and_zeros_it_is_still_exact() {
        let few = [1.0, 2.0, 2.0, -1.0, 3.0, 0.0, -2.0, 4.0, 4.0, 5.0, -1.0, 2.0];
        assert_relative_eq!(signed_rank_test(&few).unwrap(), 0.038_085_937_5, max_relative = 1e-12);
        let more = [3, -1, 2, 2, 5, -4, 6, 1, -1, 7, 2, 8, -3, 4, 4, 1].map(f64::from);
        assert_relative_eq!(
            signed_rank_test(&more).unwrap(),
            0.022_308_349_609_375,
            max_relative = 1e-12
        );
    }

    #[test]
    fn a_tie_by_rounding_chooses_no_other_test() {
        // 0.1 + 0.2 is not 0.3: with and without the tie, p values of 32 ways to give signs to five ranks.
        let tied = signed_rank_test(&[0.3, 0.3, -0.5, 0.7, 0.9]).unwrap();
        let parted = signed_rank_test(&[0.1 + 0.2, 0.3, -0.5, 0.7, 0.9]).unwrap();
        assert_eq!((tied, parted), (0.3125, 0.3125));
    }

    #[test]
    fn the_approximation_is_scipy_s() {
        let wave = |i: i32| (f64::from(i) * 1.7).sin() + 0.2;
        let many: Vec<f64> = (0..60).map(|i| wave(i) + f64::from(i) * 1e-4).collect();
        assert_relative_eq!(
            signed_rank_test(&many).unwrap(),
            0.031_009_585_462_378_142,
            max_relative = 1e-9
        );
        let tied: Vec<f64> = (0..60).map(|i| (wave(i) * 10.0).round() / 10.0).collect();
        assert_relative_eq!(
            signed_rank_test(&tied).unwrap(),
            0.027_981_145_489_945_597,
            max_relative = 1e-9
        );
    }

    #[test]
    fn signs_do_not_matter_and_nothing_is_no_test() {
        let values = [0.3, -0.1, 0.7, 0.2];
        assert_eq!(signed_rank_test(&values), signed_rank_test(&values.map(|value| -value)));
        assert_eq!(signed_rank_test(&[0.0, 0.0]), None);
        assert_eq!(signed_rank_test(&[]), None);
        assert_eq!(signed_rank_test(&[0.5]), Some(1.0));
    }
}
