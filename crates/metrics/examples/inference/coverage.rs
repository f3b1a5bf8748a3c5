//! How often intervals hold the truth.

use metrics::{Bootstrap, Error, Interval, People, Ratios, Statistics, quantile, student_interval, wilson};
use rand::Rng;
use rayon::prelude::*;

use crate::faces::{Faces, Shape, generator};

/// People who are resampled, but have no image in the group.
const OTHERS: usize = 100;

/// A way to make an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// What the program does.
    Ours,
    /// BCa with Student's quantiles for what has Wilson's.
    Bca,
    /// Percentiles of the bootstrap, images as units.
    Percentile,
    /// Student's t, images as units.
    Student,
    /// The studentised bootstrap, images as units.
    Studentised,
    /// Wilson's interval of counts, images as units.
    Counts,
}

/// The group that is measured.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Its number of images.
    pub images: usize,
    /// Images of one person in it; the last has what is left.
    pub images_each: usize,
    /// Their intraclass correlation.
    pub intraclass: f64,
}

impl Group {
    fn people(self) -> usize {
        self.images.div_ceil(self.images_each)
    }

    /// The people of `groups` such groups of different people, and of others, image by image.
    fn everybody(self, groups: usize) -> People {
        let of_group =
            |group: usize| (0..self.images).map(move |image| format!("{group} {}", image / self.images_each));
        let others = (0..OTHERS).map(|other| format!("other {other}"));
        let names: Vec<String> = (0..groups).flat_map(of_group).chain(others).collect();
        People::of(names.iter().map(String::as_str))
    }

    fn normals(self, attributes: usize, correlation: f64, rng: &mut rand_chacha::ChaCha8Rng) -> Vec<f64> {
        let faces = Faces {
            people: self.people(),
            images_each: self.images_each,
            attributes,
            correlation,
            intraclass: self.intraclass,
        };
        let mut field = faces.field(rng);
        field.truncate(self.images * attributes);
        field
    }
}

/// How often each way's interval of one group's mean holds the truth, and its mean width. An interval that there is not holds nothing.
pub fn of_mean(
    group: Group,
    shape: Shape,
    ways: &[Way],
    repetitions: usize,
    bootstrap: Bootstrap,
) -> Result<Vec<(f64, f64)>, Error> {
    let everybody = group.everybody(1);
    let intervals = (0..repetitions).into_par_iter().map(|repetition| {
        let mut rng = generator(17, repetition);
        let normals = group.normals(1, 0.0, &mut rng);
        let values: Vec<f64> = normals.into_iter().map(|z| shape.value(z)).collect();
        let bootstrap = Bootstrap {
            seed: repetition as u64,
            ..bootstrap
        };
        ways.iter()
            .map(|way| interval_of_mean(*way, &everybody, shape, &values, bootstrap, &mut rng))
            .collect::<Result<Vec<_>, Error>>()
    });
    let intervals: Vec<Vec<Option<Interval>>> = intervals.collect::<Result<_, Error>>()?;
    Ok((0..ways.len())
        .map(|way| held(intervals.iter().map(|of_ways| of_ways[way]), shape.mean()))
        .collect())
}

fn interval_of_mean(
    way: Way,
    everybody: &People,
    shape: Shape,
    values: &[f64],
    bootstrap: Bootstrap,
    rng: &mut rand_chacha::ChaCha8Rng,
) -> Result<Option<Interval>, Error> {
    let of_images = values.iter().copied().enumerate();
    let mut ratios = Ratios::new(everybody.clone());
    Ok(match way {
        Way::Ours | Way::Bca => {
            let cell = match (way, shape) {
                (Way::Ours, Shape::Rate(_)) => ratios.add_rate(of_images.map(|(image, value)| (image, value > 0.5)))?,
                (Way::Ours, _) => ratios.add_share(of_images)?,
                _ => ratios.add(of_images)?,
            };
            ratios.resample(bootstrap).mean(cell).and_then(|found| found.interval)
        }
        Way::Percentile => Statistics::of(values, bootstrap).and_then(|found| found.interval),
        Way::Student => student_interval(values),
        Way::Counts => wilson(values.iter().filter(|&&value| value > 0.5).count(), values.len()),
        Way::Studentised => studentised(values, bootstrap.resamples, rng),
    })
}

/// How often the interval of a difference of two groups' means holds 0, with both groups of one shape: of different people, or of the
/// same images measured twice.
pub fn of_difference(
    group: Group,
    same_images: bool,
    shape: Shape,
    repetitions: usize,
    bootstrap: Bootstrap,
) -> Result<(f64, f64), Error> {
    let everybody = group.everybody(2);
    let intervals: Vec<Option<Interval>> = (0..repetitions)
        .into_par_iter()
        .map(|repetition| {
            let mut rng = generator(19, repetition);
            let normals = group.normals(2, if same_images { 0.5 } else { 0.0 }, &mut rng);
            let others = group.normals(2, 0.0, &mut rng);
            let second = |image: usize| {
                if same_images {
                    normals[2 * image + 1]
                } else {
                    others[2 * image]
                }
            };
            let offset = if same_images { 0 } else { group.images };
            let mut ratios = Ratios::new(everybody.clone());
            let before = ratios.add_share((0..group.images).map(|image| (image, shape.value(normals[2 * image]))))?;
            let after =
                ratios.add_share((0..group.images).map(|image| (image + offset, shape.value(second(image)))))?;
            let resampled = ratios.resample(Bootstrap {
                seed: repetition as u64,
                ..bootstrap
            });
            let found = resampled.estimate(|mean| Some(mean(after)? - mean(before)?));
            Ok(found.and_then(|found| found.interval))
        })
        .collect::<Result<_, Error>>()?;
    Ok(held(intervals.into_iter(), 0.0))
}

/// How often the interval of a sum over attributes, measured on the same images with correlation 0.3, holds the truth.
pub fn of_sum(
    group: Group,
    attributes: usize,
    shape: Shape,
    repetitions: usize,
    bootstrap: Bootstrap,
) -> Result<(f64, f64), Error> {
    let everybody = group.everybody(1);
    let intervals: Vec<Option<Interval>> = (0..repetitions)
        .into_par_iter()
        .map(|repetition| {
            let mut rng = generator(23, repetition);
            let normals = group.normals(attributes, 0.3, &mut rng);
            let mut ratios = Ratios::new(everybody.clone());
            let cells: Vec<_> = (0..attributes)
                .map(|attribute| {
                    let of_image = |image: usize| shape.value(normals[image * attributes + attribute]);
                    ratios.add_share((0..group.images).map(|image| (image, of_image(image))))
                })
                .collect::<Result<_, Error>>()?;
            let resampled = ratios.resample(Bootstrap {
                seed: repetition as u64,
                ..bootstrap
            });
            let found = resampled.estimate(|mean| {
                let mut sum = 0.0;
                for &cell in &cells {
                    sum += mean(cell)?;
                }
                Some(sum)
            });
            Ok(found.and_then(|found| found.interval))
        })
        .collect::<Result<_, Error>>()?;
    Ok(held(intervals.into_iter(), shape.mean() * attributes as f64))
}

/// The part of the intervals that hold the truth, and the mean width of those that there are.
fn held(intervals: impl Iterator<Item = Option<Interval>>, truth: f64) -> (f64, f64) {
    let (mut all, mut found, mut holding, mut width) = (0, 0, 0, 0.0);
    for interval in intervals {
        all += 1;
        if let Some(interval) = interval {
            found += 1;
            // To rounding, where an interval has no width.
            holding += usize::from(interval.low <= truth + 1e-12 && interval.high >= truth - 1e-12);
            width += interval.high - interval.low;
        }
    }
    (f64::from(holding as u32) / f64::from(all), width / f64::from(found))
}

/// The studentised bootstrap interval of a mean (Efron & Tibshirani 1993, section 12.5): quantiles of (mean* - mean) / error*.
fn studentised(values: &[f64], resamples: usize, rng: &mut rand_chacha::ChaCha8Rng) -> Option<Interval> {
    let moments = |values: &[f64]| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, (variance / n).sqrt())
    };
    let (mean, error) = moments(values);
    let mut draw = vec![0.0; values.len()];
    let mut distances: Vec<f64> = (0..resamples)
        .filter_map(|_| {
            draw.iter_mut()
                .for_each(|value| *value = values[rng.random_range(0..values.len())]);
            let (drawn, drawn_error) = moments(&draw);
            (drawn_error > 1e-12).then(|| (drawn - mean) / drawn_error)
        })
        .collect();
    distances.sort_by(f64::total_cmp);
    Some(Interval {
        low: mean - quantile(&distances, 0.975)? * error,
        high: mean - quantile(&distances, 0.025)? * error,
    })
}
