//! What toggling each attribute does to the score of every attribute: whether a classifier reads an attribute off others.

use std::collections::HashMap;

use metrics::{Bootstrap, Cell, Estimate, MIN_SAMPLES, Ratios};

use super::interventions::InterventionFile;
use super::sample::{Scored, places};
use crate::error::Result;

/// The effects of one classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossEffects {
    /// By toggled attribute and by the attribute whose score it is: the mean score with the toggled attribute less that without it, in logits.
    /// Absent where toggling the first hides or bares the cue of the second, and of fewer than [`MIN_SAMPLES`] images.
    pub effects: Vec<Vec<Option<Estimate>>>,
    /// Whether toggling the first hides or bares the cue of the second.
    pub hidden: Vec<Vec<bool>>,
}

impl CrossEffects {
    /// Those of a classifier, with their intervals over people.
    ///
    /// # Errors
    /// For a score that is not finite.
    pub fn of(scored: &Scored, toggled: &InterventionFile, attributes: usize, bootstrap: Bootstrap) -> Result<Self> {
        let place = places(scored);
        // Drawn for themselves: beside all other means of a run they would take much memory.
        let mut ratios = Ratios::new(scored.people.clone());
        let mut cells = vec![vec![None; attributes]; attributes];
        for score in 0..attributes {
            for (row, cell) in cells
                .iter_mut()
                .zip(column(&mut ratios, scored, toggled, &place, score, attributes)?)
            {
                row[score] = cell;
            }
        }
        let resampled = ratios.resample(bootstrap);
        let estimate = |cell: Option<Cell>| resampled.mean(cell?);
        Ok(Self {
            effects: cells
                .into_iter()
                .map(|row| row.into_iter().map(estimate).collect())
                .collect(),
            hidden: (0..attributes)
                .map(|attribute| {
                    (0..attributes)
                        .map(|score| toggled.is_hidden(attribute, score))
                        .collect()
                })
                .collect(),
        })
    }

    /// The same with attributes in another order: `order` has the place of each.
    #[must_use]
    pub fn ordered(&self, order: &[usize]) -> Self {
        fn ordered<T: Clone>(all: &[Vec<T>], order: &[usize]) -> Vec<Vec<T>> {
            let row = |row: &Vec<T>| order.iter().filter_map(|&place| row.get(place).cloned()).collect();
            order.iter().filter_map(|&place| all.get(place).map(row)).collect()
        }
        Self {
            effects: ordered(&self.effects, order),
            hidden: ordered(&self.hidden, order),
        }
    }

    /// An effect as a share of the effect that toggling the scored attribute itself has; `None` where that may be nothing.
    pub fn relative(&self, toggled: usize, score: usize) -> Option<f64> {
        let own = self.effects[score][score]?;
        if own.interval.is_some_and(|ends| ends.low <= 0.0 && ends.high >= 0.0) {
            return None;
        }
        Some(self.effects[toggled][score]?.value / own.value).filter(|share| share.is_finite())
    }
}

/// The effects of all attributes on one score.
fn column(
    ratios: &mut Ratios,
    scored: &Scored,
    toggled: &InterventionFile,
    place: &HashMap<&str, usize>,
    score: usize,
    attributes: usize,
) -> Result<Vec<Option<Cell>>> {
    let mut values: Vec<Vec<(usize, f64)>> = vec![Vec::new(); attributes];
    for one in toggled.of_score(score, &scored.scores, place) {
        values[one.attribute].push((one.image, one.effect()));
    }
    let cell = |values: Vec<(usize, f64)>| {
        let enough = values.len() >= MIN_SAMPLES;
        enough.then(|| ratios.add(values)).transpose().map_err(Into::into)
    };
    values.into_iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use metrics::People;

    use super::*;

    fn estimate(value: f64) -> Option<Estimate> {
        let mut ratios = Ratios::new(People::each_image(4));
        let cell = ratios.add((0..4).map(|image| (image, value))).unwrap();
        ratios.resample(Bootstrap { resamples: 10, seed: 1 }).mean(cell)
    }

    #[test]
    fn there_is_no_share_of_an_own_effect_that_may_be_nothing() {
        let mut ratios = Ratios::new(People::each_image(40));
        let cell = ratios
            .add((0..40).map(|image| (image, if image % 2 == 0 { 1.0 } else { -0.9 })))
            .unwrap();
        let doubtful = ratios
            .resample(Bootstrap {
                resamples: 200,
                seed: 1,
            })
            .mean(cell);
        let effects = CrossEffects {
            effects: vec![vec![estimate(4.0), estimate(1.0)], vec![estimate(2.0), doubtful]],
            hidden: vec![vec![false; 2]; 2],
        };
        assert_eq!((effects.relative(1, 1), effects.relative(0, 1)), (None, None));
        assert_eq!(effects.relative(1, 0), Some(0.5));
    }

    #[test]
    fn effects_follow_the_order_and_are_shares_of_the_own_effect() {
        let effects = CrossEffects {
            effects: vec![vec![estimate(4.0), estimate(1.0)], vec![None, estimate(2.0)]],
            hidden: vec![vec![false, false], vec![true, false]],
        };
        assert_eq!(effects.relative(0, 1), Some(0.5));
        assert_eq!(effects.relative(0, 0), Some(1.0));
        assert_eq!(effects.relative(1, 0), None);
        let turned = effects.ordered(&[1, 0]);
        assert_eq!(turned.relative(1, 0), Some(0.5));
        assert!(turned.hidden[0][1] && !turned.hidden[1][0]);
    }
}
