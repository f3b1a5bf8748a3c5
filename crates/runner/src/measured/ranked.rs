//! How well scores tell the classes apart, whatever the threshold, and whether they become good probabilities: with intervals over
//! people.

use metrics::{Estimate, Ranking, Resampled, halves};

use super::measuring::{Measuring, Part};
use super::sample::Scored;
use crate::error::Result;

/// The threshold-free measures of one classifier and attribute; absent where a class has no image.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ranked {
    /// By [`Ranked::NAMES`].
    pub values: [Option<Estimate>; Ranked::NAMES.len()],
}

impl Ranked {
    /// Their names: the area under the receiver operating characteristic, average precision, d', and Brier score and expected
    /// calibration error of the probabilities that a fitted increasing map makes of the scores.
    pub const NAMES: [&str; 5] = ["auroc", "average_precision", "d_prime", "brier", "calibration_error"];
}

/// The measures of all classifiers, `[classifier][attribute]`, with the same draws of people for all.
///
/// # Errors
/// When a score is not a number.
pub(super) fn ranked(
    scored: &[Scored],
    attributes: usize,
    resampled: &Resampled,
    measuring: &Measuring,
) -> Result<Vec<Vec<Ranked>>> {
    let Some(first) = scored.first() else {
        return Ok(Vec::new());
    };
    let units: Vec<String> = (0..first.images.len())
        .map(|image| first.people.of_image(image).unwrap_or(image).to_string())
        .collect();
    let halves = halves(&units);
    let mut rankings = Vec::new();
    for one in scored {
        for attribute in 0..attributes {
            let column =
                |values: &[f32]| -> Vec<f32> { values.iter().skip(attribute).step_by(attributes).copied().collect() };
            let labels: Vec<i8> = one.labels.iter().skip(attribute).step_by(attributes).copied().collect();
            rankings.push(Ranking::of(&column(&one.scores), &labels, &halves)?);
        }
    }
    let all = resampled.all_of_weights(|weights| {
        let mut values = Vec::with_capacity(rankings.len() * Ranked::NAMES.len());
        for ranking in &rankings {
            // Weights of people are never negative, and as many as there are images.
            let found = ranking.discrimination(Some(weights)).unwrap_or_default();
            let probable = ranking.calibrated(Some(weights)).unwrap_or_default();
            values.extend([
                found.auroc,
                found.average_precision,
                found.d_prime,
                probable.brier,
                probable.calibration_error,
            ]);
        }
        measuring.one_of(Part::Rank, resampled.weightings());
        values
    });
    let each: Vec<Ranked> = all
        .chunks_exact(Ranked::NAMES.len())
        .map(|values| {
            let mut ranked = Ranked::default();
            for (into, (name, value)) in ranked.values.iter_mut().zip(Ranked::NAMES.into_iter().zip(values)) {
                // All but d' are shares.
                *into = value.map(|value| {
                    if name == "d_prime" {
                        value
                    } else {
                        value.within(0.0, 1.0)
                    }
                });
            }
            ranked
        })
        .collect();
    Ok(each.chunks(attributes.max(1)).map(<[Ranked]>::to_vec).collect())
}
