//! Cells resampled over people, and estimates of whatever is made of them.

use std::cell::RefCell;
use std::sync::Arc;

use rayon::prelude::*;

use super::bca::{Bca, Replicates};
use super::draws::Draws;
use super::estimate::{Estimate, IntervalMethod};
use super::people::People;
use super::ratios::{Cell, Kind, Ratios, Sums, ratio};
use super::share::Score;
use crate::statistics::{Bootstrap, Interval};

/// Resamples made at once: 64 numbers of each of some thousand people stay in the cache.
const WIDTH: usize = 64;

/// The position of the sample itself in a cell's row: resamples follow, then blocks with half their weight, then with one and a half.
const SAMPLE: usize = 0;

/// All cells of a [`Ratios`] in every resample of the people, and with the weight of every block of people changed: from here on any
/// function of the cells' means has an interval, without going back to the images.
#[derive(Debug, Clone)]
pub struct Resampled {
    people: People,
    draws: Draws,
    cells: Arc<Vec<Sums>>,
    /// A row a cell, NaN where the group is empty.
    means: Vec<f64>,
}

impl Ratios {
    /// Resamples the people, all cells at once with the same draws. Linear in cells times people times resamples; the same
    /// numbers whatever the number of threads.
    #[must_use]
    pub fn resample(&self, bootstrap: Bootstrap) -> Resampled {
        let draws = Draws {
            people: self.people().count(),
            bootstrap,
        };
        let mut resampled = Resampled {
            people: self.people().clone(),
            draws,
            cells: Arc::clone(self.cells()),
            means: Vec::new(),
        };
        let row = resampled.row();
        let mut means = vec![f64::NAN; row * self.len()];
        means
            .par_chunks_mut(row)
            .zip(self.cells().as_slice())
            .for_each(|(row, sums)| weigh_blocks(sums, draws, row));
        for first in (0..bootstrap.resamples).step_by(WIDTH) {
            let weights = draws.tile::<WIDTH>(first);
            let of = first..bootstrap.resamples.min(first + WIDTH);
            means
                .par_chunks_mut(row)
                .zip(self.cells().as_slice())
                .for_each(|(row, sums)| {
                    let found = weighted(sums, &weights);
                    let to = &mut row[1 + of.start..1 + of.end];
                    to.copy_from_slice(&found[..to.len()]);
                });
        }
        resampled.means = means;
        resampled
    }
}

/// A cell's mean under each of `WIDTH` sets of weights of the people.
fn weighted(sums: &Sums, weights: &[[f64; WIDTH]]) -> [f64; WIDTH] {
    /// Sets whose sums stay in registers while the people pass by.
    const TOGETHER: usize = 8;
    const { assert!(WIDTH.is_multiple_of(TOGETHER)) };
    let mut means = [f64::NAN; WIDTH];
    let (parts, _) = means.as_chunks_mut::<TOGETHER>();
    for (part, means) in parts.iter_mut().enumerate() {
        let (mut numerators, mut denominators) = ([0.0; TOGETHER], [0.0; TOGETHER]);
        for entry in &sums.entries {
            let (of_person, _) = weights[entry.person as usize].as_chunks::<TOGETHER>();
            for (index, weight) in of_person[part].iter().enumerate() {
                numerators[index] += weight * entry.numerator;
                denominators[index] += weight * entry.denominator;
            }
        }
        *means = std::array::from_fn(|index| ratio(numerators[index], denominators[index]).unwrap_or(f64::NAN));
    }
    means
}

/// Writes the cell's mean, and its means with each block's weight changed.
fn weigh_blocks(sums: &Sums, draws: Draws, row: &mut [f64]) {
    let blocks = draws.blocks();
    let mut of_block = vec![(0.0, 0.0); blocks];
    for entry in &sums.entries {
        let (numerator, denominator) = &mut of_block[draws.block(entry.person as usize)];
        *numerator += entry.numerator;
        *denominator += entry.denominator;
    }
    let (numerator, denominator) = sums.totals();
    let changed = |change: f64, (of_numerator, of_denominator): (f64, f64)| {
        ratio(numerator + change * of_numerator, denominator + change * of_denominator).unwrap_or(f64::NAN)
    };
    row[SAMPLE] = changed(0.0, (0.0, 0.0));
    let first = 1 + draws.bootstrap.resamples;
    for (block, &of_block) in of_block.iter().enumerate() {
        row[first + block] = changed(-0.5, of_block);
        row[first + blocks + block] = changed(0.5, of_block);
    }
}

impl Resampled {
    fn row(&self) -> usize {
        1 + self.draws.bootstrap.resamples + 2 * self.draws.blocks()
    }

    /// The people.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.people
    }

    /// A cell's mean at a position of its row.
    fn at(&self, cell: Cell, position: usize) -> Option<f64> {
        let mean = *self.means.get(cell.0 as usize * self.row() + position)?;
        mean.is_finite().then_some(mean)
    }

    /// The cell's mean over the sample; `None` of an empty group.
    #[must_use]
    pub fn value(&self, cell: Cell) -> Option<f64> {
        self.at(cell, SAMPLE)
    }

    /// The cell's mean and how sure it is: [`estimate`](Self::estimate) of the mean itself.
    #[must_use]
    pub fn mean(&self, cell: Cell) -> Option<Estimate> {
        self.estimate(|mean| mean(cell))
    }

    /// Estimates any function of the cells' means, which it asks for; `mean` says `None` of an empty group, the function whatever cannot
    /// be computed. `None` where the function has no value for the sample.
    ///
    /// What the function is decides the method of the interval, so that a number has one wherever it is printed:
    ///
    /// - the mean of one group of rates or shares ([`Ratios::add_rate`], [`Ratios::add_share`]), and a multiple of it or its
    ///   distance from a constant: Wilson's interval with the effective number of images ([`rate_interval`](crate::rate_interval); for
    ///   shares the variance is always an estimate);
    /// - all else: BCa over people (Efron 1987) with Student's quantiles. Resamples in which the function has no value are left out; if
    ///   more than half are, there is no interval. That of a sum of multiples of rates and shares does not leave the range that they allow.
    pub fn estimate(&self, function: impl Fn(&dyn Fn(Cell) -> Option<f64>) -> Option<f64>) -> Option<Estimate> {
        let asked = RefCell::new(Vec::new());
        let value = function(&|cell| {
            asked.borrow_mut().push(cell);
            self.at(cell, SAMPLE)
        });
        let value = value.filter(|value| value.is_finite())?;
        let mut asked = asked.into_inner();
        asked.sort_unstable();
        asked.dedup();
        let people = self.behind(&asked);
        if let &[cell] = asked.as_slice()
            && let Some(found) = self.of_one(cell, &function, value, people)
        {
            return Some(found);
        }
        let at = |position: usize| function(&|cell| self.at(cell, position));
        let mut found = self.bca(value, people, at);
        if let Some((least, most)) = self.range(&asked, &function, value) {
            found.interval = found.interval.map(|Interval { low, high }| Interval {
                low: low.clamp(least, value),
                high: high.clamp(value, most),
            });
        }
        Some(found)
    }

    /// The least and the largest that a sum of multiples of rates and shares can be: a difference of two lies in [-1, 1]. `None` of
    /// any other function.
    fn range(
        &self,
        cells: &[Cell],
        function: impl Fn(&dyn Fn(Cell) -> Option<f64>) -> Option<f64>,
        value: f64,
    ) -> Option<(f64, f64)> {
        let bounded = |cell: &Cell| {
            self.cells
                .get(cell.0 as usize)
                .is_some_and(|sums| sums.kind != Kind::Any)
        };
        if !cells.iter().all(bounded) {
            return None;
        }
        let start = function(&|_| Some(0.0))?;
        let (mut least, mut most, mut middle, mut sum, mut size) = (start, start, start, start, start.abs());
        for &cell in cells {
            let slope = function(&|other| Some(f64::from(u8::from(other == cell))))? - start;
            least += slope.min(0.0);
            most += slope.max(0.0);
            middle += slope / 2.0;
            sum += slope * self.value(cell)?;
            size += slope.abs();
        }
        // To rounding.
        let is_linear = (sum - value).abs() + (function(&|_| Some(0.5))? - middle).abs() <= 1e-12 * size;
        is_linear.then(|| (least.min(value), most.max(value)))
    }

    /// Estimates a statistic that is no function of means (a rank statistic, such as the area under a curve) from the weights of all
    /// images, in their order: the same draws of people as for the cells, each image with its person's weight. All people
    /// count as being behind it. `None` where the statistic has no value with all weights 1.
    pub fn of_weights(&self, statistic: impl Fn(&[f64]) -> Option<f64> + Sync) -> Option<Estimate> {
        let all = self.all_of_weights(|weights| vec![statistic(weights)]);
        all.into_iter().next().flatten()
    }

    /// How often [`all_of_weights`](Self::all_of_weights) asks for the statistics.
    #[must_use]
    pub fn weightings(&self) -> usize {
        self.row()
    }

    /// Estimates several such statistics, as many as the function says each time: the draws are made once for all of them.
    pub fn all_of_weights(&self, statistics: impl Fn(&[f64]) -> Vec<Option<f64>> + Sync) -> Vec<Option<Estimate>> {
        let images = self.people.by_image();
        let values = statistics(&vec![1.0; images.len()]);
        let (resamples, blocks) = (self.draws.bootstrap.resamples, self.draws.blocks());
        let found: Vec<Vec<Option<f64>>> = (0..self.row())
            .into_par_iter()
            .map_init(
                || (vec![0.0; self.draws.people], vec![0.0; images.len()]),
                |(of_people, of_images), position| {
                    if position == SAMPLE {
                        return Vec::new();
                    }
                    if let Some(place) = position.checked_sub(1 + resamples) {
                        let change = if place < blocks { -0.5 } else { 0.5 };
                        for (person, weight) in of_people.iter_mut().enumerate() {
                            let changed = self.draws.block(person) == place % blocks;
                            *weight = if changed { 1.0 + change } else { 1.0 };
                        }
                    } else {
                        self.draws.counts(position - 1, of_people);
                    }
                    for (weight, &person) in of_images.iter_mut().zip(images) {
                        *weight = of_people[person as usize];
                    }
                    statistics(of_images)
                },
            )
            .collect();
        let of = |(number, value): (usize, Option<f64>)| {
            let value = value.filter(|value| value.is_finite())?;
            let at = |position: usize| found[position].get(number).copied().flatten();
            Some(self.bca(value, self.people.count(), at))
        };
        values.into_iter().enumerate().map(of).collect()
    }

    /// Number of people with an image in one of the cells.
    fn behind(&self, cells: &[Cell]) -> usize {
        let mut behind = vec![false; self.people.count()];
        for sums in cells.iter().filter_map(|cell| self.cells.get(cell.0 as usize)) {
            sums.entries
                .iter()
                .for_each(|entry| behind[entry.person as usize] = true);
        }
        behind.into_iter().filter(|&is_behind| is_behind).count()
    }

    /// The estimate of a linear function of one rate or share; `None` if it is another.
    fn of_one(
        &self,
        cell: Cell,
        function: impl Fn(&dyn Fn(Cell) -> Option<f64>) -> Option<f64>,
        value: f64,
        people: usize,
    ) -> Option<Estimate> {
        let sums = self.cells.get(cell.0 as usize).filter(|sums| sums.kind != Kind::Any)?;
        let score = Score::of(sums)?;
        let at = |mean: f64| function(&|other| (other == cell).then_some(mean));
        let (start, slope) = (at(0.0)?, at(1.0)? - at(0.0)?);
        for (mean, found) in [(0.25, at(0.25)?), (0.5, at(0.5)?), (score.mean(), value)] {
            // To rounding.
            let distance = (found - start - slope * mean).abs();
            if distance.is_nan() || distance > 1e-12 * (start.abs() + slope.abs()) {
                return None;
            }
        }
        let resampled = self.draws.bootstrap.resamples > 0 && slope != 0.0;
        let interval = resampled.then(|| score.interval()).map(|Interval { low, high }| {
            let ends = (start + slope * low, start + slope * high);
            Interval {
                low: ends.0.min(ends.1).min(value),
                high: ends.0.max(ends.1).max(value),
            }
        });
        Some(Estimate {
            value,
            interval,
            standard_error: score
                .standard_error()
                .filter(|_| resampled)
                .map(|error| error * slope.abs()),
            p_value: score.p_value(-start / slope).filter(|_| resampled),
            people,
            method: IntervalMethod::Wilson,
        })
    }

    /// The estimate from the statistic at each position of a row.
    fn bca(&self, value: f64, people: usize, at: impl Fn(usize) -> Option<f64>) -> Estimate {
        let at = |position: usize| at(position).filter(|value| value.is_finite());
        let (drawn, blocks) = (self.draws.bootstrap.resamples, self.draws.blocks());
        let resamples: Vec<f64> = (1..=drawn).filter_map(at).collect();
        let first = 1 + drawn;
        let found = (people >= 2 && 2 * resamples.len() > drawn)
            .then(|| Replicates {
                value,
                resamples,
                influence: (first..first + blocks)
                    .filter_map(|block| Some(((at(block)? - value) / -0.5, (at(block + blocks)? - value) / 0.5)))
                    .collect(),
            })
            .and_then(Bca::new);
        let interval = found.as_ref().and_then(Bca::interval);
        Estimate {
            value,
            interval,
            standard_error: found.as_ref().map(Bca::standard_error),
            p_value: found.as_ref().map(Bca::p_value),
            people,
            method: IntervalMethod::Bca,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::wilson;
    use proptest::prelude::*;

    const BOOTSTRAP: Bootstrap = Bootstrap {
        resamples: 400,
        seed: 7,
    };

    /// 90 images of 30 people: two groups, values that depend on the person.
    fn example() -> (Ratios, [Cell; 2]) {
        let names: Vec<String> = (0..90).map(|image| (image * 7 % 30).to_string()).collect();
        let mut ratios = Ratios::new(People::of(names.iter().map(String::as_str)));
        let value = |image: usize| ((image * 7 % 30) as f64 / 30.0).powi(2) + (image % 5) as f64 / 20.0;
        let first = ratios.add((0..60).map(|image| (image, value(image)))).unwrap();
        let second = ratios.add((40..90).map(|image| (image, value(image) - 0.1))).unwrap();
        (ratios, [first, second])
    }

    /// Each mean of each resample, from images that are there as often as their person is drawn.
    #[test]
    fn resamples_are_means_over_the_images_of_those_drawn() {
        let (ratios, [first, second]) = example();
        let resampled = ratios.resample(BOOTSTRAP);
        let people = ratios.people();
        let mut counts = vec![0.0; people.count()];
        let value = |image: usize| ((image * 7 % 30) as f64 / 30.0).powi(2) + (image % 5) as f64 / 20.0;
        for resample in [0, 63, 64, 399] {
            resampled.draws.counts(resample, &mut counts);
            for (cell, images, shift) in [(first, 0..60, 0.0), (second, 40..90, 0.1)] {
                let weight = |image: usize| counts[people.of_image(image).unwrap()];
                let sum: f64 = images.clone().map(|image| weight(image) * (value(image) - shift)).sum();
                let expected = sum / images.map(weight).sum::<f64>();
                let found = resampled.at(cell, 1 + resample).unwrap();
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }

    #[test]
    fn weights_and_means_give_the_same_estimate() {
        let (ratios, [first, second]) = example();
        let resampled = ratios.resample(BOOTSTRAP);
        let value = |image: usize| ((image * 7 % 30) as f64 / 30.0).powi(2) + (image % 5) as f64 / 20.0;
        let from_means = resampled.estimate(|mean| Some(mean(first)? - mean(second)?)).unwrap();
        let from_weights = resampled
            .of_weights(|weights| {
                let mean = |images: std::ops::Range<usize>, shift: f64| {
                    let sum: f64 = images
                        .clone()
                        .map(|image| weights[image] * (value(image) - shift))
                        .sum();
                    sum / weights[images].iter().sum::<f64>()
                };
                Some(mean(0..60, 0.0) - mean(40..90, 0.1))
            })
            .unwrap();
        let numbers = |e: Estimate| {
            [
                e.value,
                e.interval.unwrap().low,
                e.interval.unwrap().high,
                e.p_value.unwrap(),
            ]
        };
        for (found, expected) in numbers(from_weights).into_iter().zip(numbers(from_means)) {
            assert!((found - expected).abs() < 1e-9, "{from_weights:?} {from_means:?}");
        }
        assert_eq!(from_means.people, 30);
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let (ratios, _) = example();
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| ratios.resample(BOOTSTRAP).means)
        };
        assert_eq!(with(1), with(3));
        let other = Bootstrap { seed: 8, ..BOOTSTRAP };
        assert_ne!(with(1), ratios.resample(other).means);
    }

    #[test]
    fn one_number_has_one_interval() {
        let mut ratios = Ratios::new(People::each_image(50));
        let rate = ratios.add_rate((0..50).map(|image| (image, image < 12))).unwrap();
        let share = ratios
            .add_share((0..20).map(|image| (image, (image as f64 / 20.0).powi(3))))
            .unwrap();
        let resampled = ratios.resample(BOOTSTRAP);
        let expected = wilson(12, 50).unwrap();
        let found = resampled.mean(rate).unwrap();
        assert_eq!(found.method, IntervalMethod::Wilson);
        let interval = found.interval.unwrap();
        assert!((interval.low - expected.low).abs() < 1e-9 && (interval.high - expected.high).abs() < 1e-9);
        assert_eq!(found.p_value, None, "a rate of 0 is no hypothesis");
        // The same number written in another way, and its complement.
        let same = resampled
            .estimate(|mean| Some((mean(rate)? + mean(rate)?) / 2.0))
            .unwrap();
        assert_eq!(same, found);
        let rest = resampled
            .estimate(|mean| Some(1.0 - mean(rate)?))
            .unwrap()
            .interval
            .unwrap();
        assert!((rest.low - (1.0 - interval.high)).abs() < 1e-12 && (rest.high - (1.0 - interval.low)).abs() < 1e-12);
        // Against a constant: the interval and the p value say the same.
        for against in [0.1, 0.13, 0.16, 0.3, 0.5] {
            let found = resampled.estimate(|mean| Some(mean(share)? - against)).unwrap();
            assert_eq!(found.method, IntervalMethod::Wilson);
            let interval = found.interval.unwrap();
            assert_eq!(found.p_value.unwrap() < 0.05, interval.low > 0.0 || interval.high < 0.0);
        }
        // A difference of two shares cannot leave [-1, 1], nor the sum of three [0, 3], however few people there are.
        let few = ratios_of_two();
        let difference = few.0.estimate(|mean| Some(mean(few.1)? - mean(few.2)?)).unwrap();
        let interval = difference.interval.unwrap();
        assert!(-1.0 <= interval.low && interval.low <= difference.value && interval.high <= 1.0);
        let unbounded = few
            .0
            .estimate(|mean| Some((mean(few.1)? - mean(few.2)?).abs()))
            .unwrap();
        assert!(
            unbounded.interval.unwrap().low < 0.0,
            "no sum of shares, and no range is known"
        );
        // Not linear, and of two groups: BCa.
        let square = resampled.estimate(|mean| Some(mean(share)?.powi(2))).unwrap();
        let difference = resampled.estimate(|mean| Some(mean(share)? - mean(rate)?)).unwrap();
        assert_eq!(
            (square.method, difference.method),
            (IntervalMethod::Bca, IntervalMethod::Bca)
        );
    }

    /// Two groups of two people each.
    fn ratios_of_two() -> (Resampled, Cell, Cell) {
        let mut ratios = Ratios::new(People::each_image(4));
        let first = ratios.add_share([(0, 0.9), (1, 0.1)]).unwrap();
        let second = ratios.add_share([(2, 0.2), (3, 0.1)]).unwrap();
        (ratios.resample(BOOTSTRAP), first, second)
    }

    #[test]
    fn what_cannot_be_known_is_absent() {
        let mut ratios = Ratios::new(People::each_image(5));
        let [empty, one, constant, two] =
            [0..0, 0..1, 0..5, 3..5].map(|images| ratios.add(images.map(|image| (image, 1.0))).unwrap());
        let varying = ratios.add((0..5).map(|image| (image, image as f64))).unwrap();
        let resampled = ratios.resample(BOOTSTRAP);
        assert_eq!(resampled.mean(empty), None);
        assert_eq!(resampled.estimate(|mean| Some(mean(varying)? + mean(empty)?)), None);
        assert_eq!(resampled.estimate(|mean| Some(mean(varying)? / 0.0)), None);
        for cell in [one, constant, two] {
            let found = resampled.mean(cell).unwrap();
            assert_eq!(
                (found.interval, found.standard_error, found.p_value),
                (None, None, None)
            );
        }
        assert_eq!(
            (resampled.mean(one).unwrap().people, resampled.mean(two).unwrap().people),
            (1, 2)
        );
        assert!(resampled.mean(varying).unwrap().interval.is_some());
        // No draws, no interval; no people, nothing.
        let none = ratios.resample(Bootstrap { resamples: 0, seed: 1 });
        assert_eq!(none.mean(varying).unwrap().interval, None);
        assert_eq!(none.value(varying), Some(2.0));
        let mut nobody = Ratios::new(People::each_image(0));
        let cell = nobody.add([]).unwrap();
        assert_eq!(nobody.resample(BOOTSTRAP).mean(cell), None);
        // A cell of another collection.
        assert_eq!(nobody.resample(BOOTSTRAP).value(varying), None);
        // A function that most resamples cannot compute.
        let rare = resampled.estimate(|mean| mean(varying).filter(|value| (1.9..2.1).contains(value)));
        assert_eq!(rare.unwrap().interval, None);
    }

    proptest! {
        /// The draws know nothing of units: moved and stretched values have moved and stretched intervals, and turned ones turned.
        #[test]
        fn intervals_move_with_their_numbers(
            values in prop::collection::vec(-1.0_f64..1.0, 8..40),
            shift in -2.0_f64..2.0,
            slope in prop_oneof![-3.0_f64..-0.2, 0.2_f64..3.0],
        ) {
            let mut ratios = Ratios::new(People::each_image(values.len()));
            let plain = ratios.add(values.iter().copied().enumerate()).unwrap();
            let moved = ratios.add(values.iter().map(|value| shift + slope * value).enumerate()).unwrap();
            let resampled = ratios.resample(Bootstrap { resamples: 199, seed: 1 });
            let of = |cell| resampled.mean(cell).unwrap().interval.unwrap();
            let (plain, moved) = (of(plain), of(moved));
            let ends = [shift + slope * plain.low, shift + slope * plain.high];
            let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
            prop_assert!((moved.low - low).abs() < 1e-6 && (moved.high - high).abs() < 1e-6, "{moved:?} {low} {high}");
        }
    }
}
