//! How often a family of six claims is judged wrongly where nothing is to be found, and rightly where something is.

use metrics::{AttributeCounts, Bootstrap, Cell, Error, Judgement, People, Ratios, Resampled, Statistics, judge};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::faces::{Faces, Shape, generator};

/// Claims of a run.
const CLAIMS: usize = 6;

/// Groups of fewer images take no part.
const LEAST: usize = 5;

/// How often something was said, in so many repetitions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said {
    /// Any claim is observed or contradicted, over people.
    pub any: f64,
    /// Any claim is observed, over people.
    pub observed: f64,
    /// As `any`, but each image is taken to be a person of its own; with images of a person that resemble each other and up to 8
    /// attributes.
    pub any_over_images: Option<f64>,
    /// Any claim is observed by the percentile interval over attributes: it lies above 0, and so do more than half of the attributes.
    pub observed_over_attributes: f64,
}

/// Null hypotheses: no claim holds. Three claims compare two groups of images under one network (minority and majority, with shares from
/// 2 to 50 %), three compare two networks on nearly the same images; each is the mean over attributes of the difference of two means.
/// Claims do not depend on each other, which is where Holm's correction has least to give away.
pub fn null(faces: &Faces, repetitions: usize, bootstrap: Bootstrap) -> Result<Said, Error> {
    let groups = faces.groups();
    let each = People::each_image(faces.images());
    // The image as unit is looked at where that is wrong, and where it costs little.
    let resemble = faces.intraclass > 0.0 && faces.attributes <= 8;
    let said: Vec<[bool; 4]> = (0..repetitions)
        .into_par_iter()
        .map(|repetition| {
            let mut rng = generator(11, repetition);
            let bootstrap = Bootstrap {
                seed: repetition as u64,
                ..bootstrap
            };
            let predictions = Predictions::new(faces, &mut rng);
            let claims: Vec<Measured> = (0..CLAIMS)
                .map(|claim| {
                    if claim % 2 == 0 {
                        predictions.gap(&mut rng)
                    } else {
                        predictions.rise(&vec![0.0; faces.attributes], &mut rng)
                    }
                })
                .collect();
            let over_people = family(&claims, &groups, bootstrap)?;
            let over_images = if resemble {
                family(&claims, &each, bootstrap)?
            } else {
                Vec::new()
            };
            let is =
                |judgements: &[Judgement], wanted: &[Judgement]| judgements.iter().any(|found| wanted.contains(found));
            let found = [Judgement::Observed, Judgement::Contradicted];
            Ok([
                is(&over_people, &found),
                is(&over_people, &found[..1]),
                is(&over_images, &found),
                claims.iter().any(|claim| claim.observed_over_attributes(bootstrap)),
            ])
        })
        .collect::<Result<_, Error>>()?;
    let [any, observed, any_over_images, observed_over_attributes] =
        [0, 1, 2, 3].map(|index| said.iter().filter(|said| said[index]).count() as f64 / repetitions as f64);
    Ok(Said {
        any,
        observed,
        any_over_images: resemble.then_some(any_over_images),
        observed_over_attributes,
    })
}

/// What was found where there is something.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// The mean effect.
    pub effect: f64,
    /// How often the claim is observed, if its p value is multiplied by all six claims of the family.
    pub observed: f64,
    /// Mean part of the attributes that show it.
    pub showing: f64,
    /// Mean part of the attributes that show the opposite.
    pub opposite: f64,
}

/// One claim holds: the second network's energies are larger. Effects in attributes vary about the mean with a deviation of 0.8 of it.
pub fn power(faces: &Faces, effect: f64, repetitions: usize, bootstrap: Bootstrap) -> Result<Found, Error> {
    let groups = faces.groups();
    let found: Vec<[f64; 4]> = (0..repetitions)
        .into_par_iter()
        .map(|repetition| {
            let mut rng = generator(13, repetition);
            let bootstrap = Bootstrap {
                seed: repetition as u64,
                ..bootstrap
            };
            // Evenly spread, with deviation 0.8; a shift of the normal number by s moves the mean of its square by about 0.28 s.
            let shifts: Vec<f64> = (0..faces.attributes)
                .map(|attribute| (attribute as f64 + 0.5) / faces.attributes as f64 - 0.5)
                .map(|spread| effect / 0.28 * (1.0 + 0.8 * 12.0_f64.sqrt() * spread))
                .collect();
            let claim = Predictions::new(faces, &mut rng).rise(&shifts, &mut rng);
            let mut ratios = Ratios::new(groups.clone());
            let pairs = claim.add_to(&mut ratios)?;
            let resampled = ratios.resample(bootstrap);
            let estimate = mean_difference(&resampled, &pairs);
            let p = estimate.and_then(|estimate| estimate.p_value);
            let value = estimate.map_or(f64::NAN, |estimate| estimate.value);
            let observed = Judgement::of(value, p.map(|p| p * CLAIMS as f64)) == Judgement::Observed;
            let counts = AttributeCounts::of(pairs.iter().map(|pair| mean_difference(&resampled, &[*pair])));
            let part = |count: usize| count as f64 / faces.attributes as f64;
            Ok([
                value,
                f64::from(u8::from(observed)),
                part(counts.showing),
                part(counts.opposite),
            ])
        })
        .collect::<Result<_, Error>>()?;
    let [effect, observed, showing, opposite] =
        [0, 1, 2, 3].map(|index| found.iter().map(|found| found[index]).sum::<f64>() / repetitions as f64);
    Ok(Found {
        effect,
        observed,
        showing,
        opposite,
    })
}

/// The judgements of claims that are resampled together.
fn family(claims: &[Measured], people: &People, bootstrap: Bootstrap) -> Result<Vec<Judgement>, Error> {
    let mut ratios = Ratios::new(people.clone());
    let pairs: Vec<Vec<(Cell, Cell)>> = claims
        .iter()
        .map(|claim| claim.add_to(&mut ratios))
        .collect::<Result<_, Error>>()?;
    let resampled = ratios.resample(bootstrap);
    let effects: Vec<_> = pairs
        .iter()
        .map(|pairs| mean_difference(&resampled, pairs).map(|found| (found.value, found.p_value)))
        .collect();
    Ok(judge(&effects).into_iter().map(|judged| judged.judgement).collect())
}

fn mean_difference(resampled: &Resampled, pairs: &[(Cell, Cell)]) -> Option<metrics::Estimate> {
    resampled.estimate(|mean| {
        let mut sum = 0.0;
        for &(more, less) in pairs {
            sum += mean(more)? - mean(less)?;
        }
        (!pairs.is_empty()).then(|| sum / pairs.len() as f64)
    })
}

/// Which class two networks predict: of each image and attribute, whether it is the majority class.
struct Predictions<'a> {
    faces: &'a Faces,
    first: Vec<bool>,
    second: Vec<bool>,
}

impl<'a> Predictions<'a> {
    fn new(faces: &'a Faces, rng: &mut ChaCha8Rng) -> Self {
        let (scores, others) = (faces.field(rng), faces.field(rng));
        // Shares of the minority from 2 to 50 %, as normal quantiles.
        let normal = <statrs::distribution::Normal as statrs::distribution::ContinuousCDF<f64, f64>>::inverse_cdf;
        let thresholds: Vec<f64> = (0..faces.attributes)
            .map(|attribute| 0.02 + 0.48 * (attribute as f64 + 0.5) / faces.attributes as f64)
            .map(|share| normal(&statrs::distribution::Normal::standard(), share))
            .collect();
        let predict = |score: &dyn Fn(usize) -> f64| -> Vec<bool> {
            (0..scores.len())
                .map(|index| score(index) >= thresholds[index % faces.attributes])
                .collect()
        };
        Self {
            faces,
            first: predict(&|index| scores[index]),
            second: predict(&|index| 0.95 * scores[index] + 0.3122 * others[index]),
        }
    }

    /// The minority's mean and the majority's under one network.
    fn gap(&self, rng: &mut ChaCha8Rng) -> Measured {
        let values: Vec<f64> = self
            .faces
            .field(rng)
            .into_iter()
            .map(|z| Shape::Square.value(z))
            .collect();
        let minority: Vec<bool> = self.first.iter().map(|is_majority| !is_majority).collect();
        self.measured((&minority, &values), (&self.first, &values))
    }

    /// The majority's mean under the second network, whose normal numbers are moved by these shifts, and under the first.
    fn rise(&self, shifts: &[f64], rng: &mut ChaCha8Rng) -> Measured {
        let (before, own) = (self.faces.field(rng), self.faces.field(rng));
        let first: Vec<f64> = before.iter().map(|&z| Shape::Square.value(z)).collect();
        let second: Vec<f64> = before
            .iter()
            .zip(own)
            .enumerate()
            .map(|(index, (shared, own))| 0.5_f64.sqrt() * (shared + own) + shifts[index % shifts.len()])
            .map(|z| Shape::Square.value(z))
            .collect();
        self.measured((&self.second, &second), (&self.first, &first))
    }

    fn measured(&self, more: (&[bool], &[f64]), less: (&[bool], &[f64])) -> Measured {
        let attributes = self.faces.attributes;
        let group = |(members, values): (&[bool], &[f64]), attribute: usize| -> Values {
            (attribute..values.len())
                .step_by(attributes)
                .filter(|&index| members[index])
                .map(|index| (index / attributes, values[index]))
                .collect()
        };
        let groups = (0..attributes)
            .map(|attribute| (group(more, attribute), group(less, attribute)))
            .filter(|(more, less)| more.len().min(less.len()) >= LEAST)
            .collect();
        Measured { groups }
    }
}

/// Images with their values.
type Values = Vec<(usize, f64)>;

/// A claim's two groups, attribute by attribute.
struct Measured {
    groups: Vec<(Values, Values)>,
}

impl Measured {
    fn add_to(&self, ratios: &mut Ratios) -> Result<Vec<(Cell, Cell)>, Error> {
        self.groups
            .iter()
            .map(|(more, less)| {
                Ok((
                    ratios.add_share(more.iter().copied())?,
                    ratios.add_share(less.iter().copied())?,
                ))
            })
            .collect()
    }

    fn observed_over_attributes(&self, bootstrap: Bootstrap) -> bool {
        let mean = |values: &[(usize, f64)]| values.iter().map(|(_, value)| value).sum::<f64>() / values.len() as f64;
        let effects: Vec<f64> = self.groups.iter().map(|(more, less)| mean(more) - mean(less)).collect();
        let supporting = effects.iter().filter(|&&effect| effect > 0.0).count();
        let interval = Statistics::of(&effects, bootstrap).and_then(|found| found.interval);
        interval.is_some_and(|interval| interval.low > 0.0) && 2 * supporting > effects.len()
    }
}
