//! How much of a classifier's scores is a bias, group by group: what `energy.parquet` holds of it, summed up.

use metrics::{BiasReliance, Bootstrap, Class, Evidence, Statistics};

/// The images predicted as one class, by one classifier and for one attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliance {
    /// Mean of |z|, with its interval.
    pub score: Statistics,
    /// The head's bias, for the class.
    pub bias: f64,
    /// The constant part, for the class.
    pub constant: f64,
    /// Means of the evidence, over the images in which the attribute has a region; absent without any, as all that follow.
    pub evidence: Option<Evidence>,
    /// Means of the evidence that is specific to the image.
    pub specific: Option<Evidence>,
    /// What the region adds to the score beyond the constant part: [`Evidence::inside`] of `specific`, with its interval.
    pub region: Option<Statistics>,
}

impl Reliance {
    /// Sums up a group; `None` if it is empty.
    pub fn of(rows: &[BiasReliance], bootstrap: Bootstrap) -> Option<Self> {
        let placed: Vec<BiasReliance> = rows
            .iter()
            .filter(|row| !row.specific.sum().is_nan())
            .copied()
            .collect();
        let statistics = |rows: &[BiasReliance], value: fn(&BiasReliance) -> f64| {
            let values: Vec<f64> = rows.iter().map(value).collect();
            Statistics::of(&values, bootstrap)
        };
        let mean = |rows: &[BiasReliance], value: &dyn Fn(&BiasReliance) -> f64| {
            rows.iter().map(value).sum::<f64>() / rows.len() as f64
        };
        let evidence = |of: fn(&BiasReliance) -> Evidence| {
            (!placed.is_empty()).then(|| Evidence {
                for_inside: mean(&placed, &|row| of(row).for_inside),
                for_outside: mean(&placed, &|row| of(row).for_outside),
                against_inside: mean(&placed, &|row| of(row).against_inside),
                against_outside: mean(&placed, &|row| of(row).against_outside),
            })
        };
        Some(Self {
            score: statistics(rows, |row| row.score)?,
            region: statistics(&placed, |row| row.specific.inside()),
            bias: mean(rows, &|row| row.bias),
            constant: mean(rows, &|row| row.constant),
            evidence: evidence(|row| row.evidence),
            specific: evidence(|row| row.specific),
        })
    }

    /// Constant part / mean score: above 1 where the images speak against the prediction on the whole, negative where the constant
    /// part does. `None` where all scores are 0.
    pub fn constant_share(&self) -> Option<f64> {
        self.share(self.constant)
    }

    /// The head's bias / mean score.
    pub fn bias_share(&self) -> Option<f64> {
        self.share(self.bias)
    }

    fn share(&self, part: f64) -> Option<f64> {
        (self.score.mean > 0.0).then(|| part / self.score.mean)
    }
}

/// The decompositions of the images predicted as `class`, with their scores.
pub fn predicted_as(rows: &[BiasReliance], scores: &[f32], class: Class) -> Vec<BiasReliance> {
    rows.iter()
        .zip(scores)
        .filter(|(_, score)| Class::predicted(**score) == class)
        .map(|(row, score)| BiasReliance {
            score: f64::from(score.abs()),
            ..*row
        })
        .collect()
}
