//! Rank correlation of pairs that come in groups.

use crate::statistics::{Bootstrap, Interval, spearman};

/// The 95 % bootstrap percentile interval of Spearman's rank correlation of `x` and `y` where whole groups are drawn with replacement, each
/// with all its pairs (the cluster bootstrap, Davison and Hinkley 1997, section 3.8): attributes that share a region are not independent
/// of each other. `groups[i]` says in which group pair `i` is.
///
/// `None` for slices of different length, fewer than two groups, or where no draw has a correlation; draws that leave a side constant
/// are not counted.
#[must_use]
pub fn spearman_over_groups(x: &[f64], y: &[f64], groups: &[usize], bootstrap: Bootstrap) -> Option<Interval> {
    if x.len() != y.len() || x.len() != groups.len() {
        return None;
    }
    // By their first pair, so that their numbers do not matter.
    let mut names: Vec<usize> = Vec::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (pair, group) in groups.iter().enumerate() {
        match names.iter().position(|name| name == group) {
            Some(known) => members[known].push(pair),
            None => {
                names.push(*group);
                members.push(vec![pair]);
            }
        }
    }
    bootstrap.interval(members.len(), |draw| {
        let pairs = || draw.iter().flat_map(|&group| &members[group]);
        let pick = |values: &[f64]| pairs().map(|&pair| values[pair]).collect::<Vec<_>>();
        spearman(&pick(x), &pick(y))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::spearman_with_interval;

    fn noisy(n: usize) -> (Vec<f64>, Vec<f64>) {
        (0..n)
            .map(|i| (i as f64, i as f64 + (i * 7919 % 101) as f64 / 101.0 * n as f64))
            .unzip()
    }

    #[test]
    fn groups_of_one_are_pairs() {
        let (x, y) = noisy(20);
        let groups: Vec<usize> = (0..20).map(|group| group * 3 + 1).collect();
        let pairs = spearman_with_interval(&x, &y, Bootstrap::default()).unwrap();
        assert_eq!(
            spearman_over_groups(&x, &y, &groups, Bootstrap::default()),
            pairs.interval
        );
    }

    #[test]
    fn copies_in_groups_say_no_more_than_one() {
        let (x, y) = noisy(12);
        let thrice = |values: &[f64]| -> Vec<f64> { values.iter().flat_map(|&value| [value; 3]).collect() };
        let groups: Vec<usize> = (0..36).map(|pair| pair / 3).collect();
        let width = |found: Option<Interval>| found.map(|interval| interval.high - interval.low).unwrap();
        let grouped = width(spearman_over_groups(
            &thrice(&x),
            &thrice(&y),
            &groups,
            Bootstrap::default(),
        ));
        let once = width(spearman_with_interval(&x, &y, Bootstrap::default()).unwrap().interval);
        let naive = spearman_with_interval(&thrice(&x), &thrice(&y), Bootstrap::default()).unwrap();
        assert!((grouped - once).abs() < 1e-9, "{grouped} {once}");
        assert!(width(naive.interval) < 0.8 * grouped);
    }

    #[test]
    fn one_group_and_unequal_lengths_have_none() {
        let (x, y) = noisy(5);
        assert_eq!(spearman_over_groups(&x, &y, &[7; 5], Bootstrap::default()), None);
        assert_eq!(spearman_over_groups(&x, &y, &[7; 4], Bootstrap::default()), None);
    }
}
