//! Intervals of one group's rate, or of the mean of a share in [0, 1].

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::freedom::freedom;
use super::ratios::{Cell, Entry, Kind, Ratios, Sums};
use crate::statistics::{CONFIDENCE, Interval};

/// What a score interval needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Score {
    mean: f64,
    /// The variance of the mean is mean (1 - mean) / effective.
    effective: f64,
    /// Student's degrees of freedom of that variance; `None` where it is not estimated.
    freedom: Option<f64>,
}

impl Score {
    /// `None` of an empty group.
    pub(super) fn of(sums: &Sums) -> Option<Self> {
        let (mean, total) = (sums.mean()?, sums.totals().1);
        let people = sums.entries.len() as f64;
        let images: f64 = sums.entries.iter().map(|entry| f64::from(entry.images)).sum();
        let influence = |entry: &Entry| (entry.numerator - mean * entry.denominator) / total;
        let influences: Vec<f64> = sums.entries.iter().map(influence).collect();
        let mut variance: f64 = influences.iter().map(|value| value * value).sum();
        let binomial = mean * (1.0 - mean);
        // Whether the values alone say what the variance is: 0 and 1 of people who are there once.
        let known = sums.kind == Kind::Rate && sums.entries.iter().all(|entry| entry.images == 1);
        if !known && people > 1.0 {
            variance *= people / (people - 1.0);
        }
        let spread = binomial > 0.0 && variance > binomial * 1e-12;
        let (effective, freedom) = match (known, spread) {
            (true, _) => (images, None),
            (false, true) => (binomial / variance, freedom(&influences)),
            // Nobody differs from anybody: nothing is known of the spread, and the largest that values in [0, 1] can have is assumed.
            (false, false) => (people, None),
        };
        Some(Self {
            mean,
            // Images of the same people cannot say more than as many images of different people.
            effective: if sums.kind == Kind::Rate {
                effective.min(images)
            } else {
                effective
            },
            freedom,
        })
    }

    pub(super) fn mean(&self) -> f64 {
        self.mean
    }

    /// By the scores' spread, not that at the ends.
    pub(super) fn standard_error(&self) -> Option<f64> {
        let error = (self.mean * (1.0 - self.mean) / self.effective).sqrt();
        (error > 0.0).then_some(error)
    }

    /// The values m whose distance from the mean is at most so many of the standard errors that the mean would have if m were true.
    pub(super) fn interval(&self) -> Interval {
        let upper = (1.0 + CONFIDENCE) / 2.0;
        let z = match self.freedom.and_then(student) {
            Some(student) => student.inverse_cdf(upper),
            None => Normal::standard().inverse_cdf(upper),
        };
        let (p, n, z2) = (self.mean, self.effective, z * z);
        let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        // At 0 and 1 the ends are exact; rounding should not say otherwise.
        Interval {
            low: (middle - half).clamp(0.0, p),
            high: (middle + half).clamp(p, 1.0),
        }
    }

    /// The two-sided p value of the mean's being `expected`; `None` unless it lies inside (0, 1).
    pub(super) fn p_value(&self, expected: f64) -> Option<f64> {
        if !(expected > 0.0 && expected < 1.0) {
            return None;
        }
        let distance = (self.mean - expected).abs() / (expected * (1.0 - expected) / self.effective).sqrt();
        let tail = match self.freedom.and_then(student) {
            Some(student) => student.sf(distance),
            None => Normal::standard().sf(distance),
        };
        Some((2.0 * tail).min(1.0))
    }
}

fn student(freedom: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom).ok()
}

impl Ratios {
    /// The interval of one group's rate or mean share ([`Ratios::add_rate`], [`Ratios::add_share`]): that which its
    /// [`Estimate`](crate::Estimate) has, without a resample. `None` of an empty group and of values without bounds.
    #[must_use]
    pub fn share_interval(&self, cell: Cell) -> Option<Interval> {
        let sums = self.cells().get(cell.0 as usize)?;
        let bounded = matches!(sums.kind, Kind::Rate | Kind::Share);
        bounded.then(|| Score::of(sums)).flatten().map(|score| score.interval())
    }
}

/// Wilson's score interval (Wilson 1927) of a rate over images of people, at [`CONFIDENCE`]: with the *effective* number of images,
/// p (1 - p) / variance, in the place of their number. The variance is that of the rate over people (linearised: of the sums of
/// the differences from p by person), so that images of one person that agree count as fewer; `by_person` has of each person the number
/// of images that count and the number of images.
///
/// - Where nobody has two images this is Wilson's interval: 0 and 1 have no other spread than p (1 - p).
/// - Else the variance is an estimate, and Student's quantile stands for the normal one, with at most people - 1 degrees of freedom (fewer
///   where a few people carry most of the variance).
/// - At p = 0 and p = 1, and wherever people do not differ, no spread can be seen. Each person then counts as one image: the images of a
///   person are assumed to agree entirely, which is the widest interval.
///
/// `None` of nothing. People without images are not counted.
#[must_use]
pub fn rate_interval(by_person: impl IntoIterator<Item = (u32, u32)>) -> Option<Interval> {
    let entries = by_person
        .into_iter()
        .filter(|&(_, images)| images > 0)
        .map(|(counting, images)| Entry {
            person: 0,
            numerator: f64::from(counting.min(images)),
            denominator: f64::from(images),
            images,
        })
        .collect();
    let kind = Kind::Rate;
    Some(Score::of(&Sums { kind, entries })?.interval())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::wilson;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn with_images_as_people_it_is_wilson_s(part in 0_u32..60, rest in 0_u32..60) {
            let images = (0..part).map(|_| (1, 1)).chain((0..rest).map(|_| (0, 1)));
            let (found, expected) = (rate_interval(images), wilson(part as usize, (part + rest) as usize));
            prop_assert_eq!(found.is_some(), expected.is_some());
            if let (Some(found), Some(expected)) = (found, expected) {
                prop_assert!((found.low - expected.low).abs() < 1e-9 && (found.high - expected.high).abs() < 1e-9);
            }
        }

        #[test]
        fn it_holds_the_rate_and_stays_in_range(by_person in prop::collection::vec((0_u32..5, 0_u32..5), 1..20)) {
            let sum = by_person.iter().map(|&(counting, images)| counting.min(images)).sum::<u32>();
            let images = by_person.iter().map(|&(_, images)| images).sum::<u32>();
            let found = rate_interval(by_person);
            prop_assert_eq!(found.is_some(), images > 0);
            if let Some(found) = found {
                let rate = f64::from(sum) / f64::from(images);
                prop_assert!(0.0 <= found.low && found.low <= rate && rate <= found.high && found.high <= 1.0);
                prop_assert!(found.low < found.high);
            }
        }
    }

    #[test]
    fn people_who_agree_count_once() {
        // Ten people with three images each, all three right or all three wrong: ten images' worth, with nine degrees of freedom.
        let agreeing = (0..10).map(|person| if person < 4 { (3, 3) } else { (0, 3) });
        let found = rate_interval(agreeing).unwrap();
        let ten = wilson(4, 10).unwrap();
        assert!(found.low < ten.low && found.high > ten.high);
        assert!(found.high - found.low < 1.25 * (ten.high - ten.low));
        // Without a spread to see, exactly once.
        let none = rate_interval((0..10).map(|_| (0, 3))).unwrap();
        assert!((none.high - wilson(0, 10).unwrap().high).abs() < 1e-12 && none.low == 0.0);
    }
}
