//! Scores of all test images: where those of each class lie, and how probable they make the minority class.

use metrics::{Class, quantile};

use crate::measured::{AttributeMeasures, DataFacts, Measured, Predictions};
use render::figures::{CalibrationCurve, ScoreDistributions, ScoreGroup, Spread};

/// Scores of one attribute and class, counted towards the minority class.
fn towards_minority(predictions: &Predictions, facts: &DataFacts, attribute: usize, class: Class) -> Vec<f64> {
    let width = facts.attributes.len();
    let sign = if facts.minority(attribute) == Class::Positive {
        1.0
    } else {
        -1.0
    };
    let label = if class == Class::Positive { 1 } else { -1 };
    let of = predictions.labels.iter().zip(&predictions.scores);
    of.skip(attribute)
        .step_by(width)
        .filter(|(found, _)| **found == label)
        .map(|(_, score)| sign * f64::from(*score))
        .collect()
}

pub fn score_distributions(measured: &Measured, facts: &DataFacts, predictions: &[Predictions]) -> ScoreDistributions {
    let group = |attribute: &AttributeMeasures| {
        let position = facts.position(&attribute.name)?;
        let spreads = predictions.iter().map(|predictions| {
            [true, false].map(|minority| {
                spread(towards_minority(
                    predictions,
                    facts,
                    position,
                    attribute.class(minority),
                ))
            })
        });
        Some(ScoreGroup {
            attribute: attribute.name.clone(),
            minority_positive: attribute.minority() == Class::Positive,
            spreads: spreads.collect(),
        })
    };
    ScoreDistributions {
        classifiers: measured.classifiers.clone(),
        groups: measured.attributes.iter().filter_map(group).collect(),
    }
}

fn spread(mut values: Vec<f64>) -> Option<Spread> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let at = |share: f64| quantile(&values, share);
    Some(Spread {
        low: at(0.05)?,
        quartiles: [at(0.25)?, at(0.5)?, at(0.75)?],
        high: at(0.95)?,
    })
}

/// The probability of the minority class that a score towards it stands for.
fn probability(loss: model::Loss, score: f64) -> f64 {
    match loss {
        model::Loss::Euclidean => ((score + 1.0) / 2.0).clamp(0.0, 1.0),
        model::Loss::CrossEntropy => 1.0 / (1.0 + (-score).exp()),
    }
}

pub fn calibration(
    measured: &Measured,
    facts: &DataFacts,
    predictions: &[Predictions],
    loss: model::Loss,
) -> Vec<CalibrationCurve> {
    let curve = |(classifier, predictions): (&String, &Predictions)| {
        let towards = (0..facts.attributes.len()).flat_map(|attribute| {
            let minority = facts.minority(attribute);
            Class::BOTH.into_iter().flat_map(move |class| {
                let scores = towards_minority(predictions, facts, attribute, class);
                scores
                    .into_iter()
                    .map(move |score| (probability(loss, score), class == minority))
            })
        });
        let metrics::Calibration { bins, error } = metrics::calibration(towards);
        CalibrationCurve {
            classifier: classifier.clone(),
            bins,
            error,
        }
    };
    measured.classifiers.iter().zip(predictions).map(curve).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::RowKeys;

    fn facts() -> DataFacts {
        DataFacts {
            attributes: vec!["Bald".to_owned(), "Young".to_owned()],
            counts: vec![(10, 90), (80, 20)],
            training: 100,
            test: 3,
            filter: String::new(),
        }
    }

    fn predictions() -> Predictions {
        Predictions {
            keys: RowKeys {
                images: ["1", "2", "3"].map(str::to_owned).to_vec(),
                attributes: facts().attributes,
            },
            labels: vec![1, 1, -1, -1, -1, 0],
            scores: vec![0.5, 0.7, -0.5, -0.2, -1.5, 0.1],
            named_people: None,
        }
    }

    #[test]
    fn scores_count_towards_the_minority() {
        let scores = |attribute, class| towards_minority(&predictions(), &facts(), attribute, class);
        assert_eq!(scores(0, Class::Positive), [0.5]);
        assert_eq!(scores(0, Class::Negative), [-0.5, -1.5]);
        // The minority of `Young` is negative; the third image is not annotated.
        let young = scores(1, Class::Negative);
        assert!(young.len() == 1 && (young[0] - 0.2).abs() < 1e-6, "{young:?}");
    }

    #[test]
    fn percentiles_are_numpy_s() {
        let found = spread(vec![4.0, 1.0, 3.0, 2.0]).expect("values");
        // numpy.percentile([1, 2, 3, 4], [5, 25, 50, 75, 95])
        let expected = [1.15, 1.75, 2.5, 3.25, 3.85];
        let [a, b, c] = found.quartiles;
        for (found, expected) in [found.low, a, b, c, found.high].into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12);
        }
        assert_eq!(spread(Vec::new()), None);
    }

    #[test]
    fn calibration_by_hand() {
        let measured = Measured {
            classifiers: vec!["one".to_owned()],
            roles: vec![None],
            attributes: Vec::new(),
            findings: Vec::new(),
            faithfulness: Vec::new(),
            derived: Vec::new(),
            unbalanced_moved: None,
            decomposition: None,
            differences: Vec::new(),
            correlations: Vec::new(),
            subgroups: Vec::new(),
            cross_effects: Vec::new(),
            locality: Vec::new(),
        };
        let curves = calibration(&measured, &facts(), &[predictions()], model::Loss::Euclidean);
        // Probabilities of the minority: Bald .75 (right), .25, 0; Young .15 and .6 (right).
        let bins: Vec<(f64, f64)> = curves[0].bins.iter().map(|bin| (bin.predicted, bin.observed)).collect();
        let expected = [(0.0, 0.0), (0.15, 0.0), (0.25, 0.0), (0.6, 1.0), (0.75, 1.0)];
        assert_eq!(bins.len(), expected.len());
        for (found, expected) in bins.iter().zip(expected) {
            assert!((found.0 - expected.0).abs() < 1e-6 && found.1 == expected.1, "{bins:?}");
        }
        let error = curves[0].error.expect("samples");
        assert!((error - (0.0 + 0.15 + 0.25 + 0.4 + 0.25) / 5.0).abs() < 1e-6, "{error}");
    }
}
