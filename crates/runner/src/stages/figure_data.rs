//! From what was measured to what figures are drawn from.

use metrics::{Bootstrap, Class, MIN_SAMPLES, Statistics, spearman_with_interval, wilson};

use super::facts::DataFacts;
use super::{Predictions, history};
use crate::context::Context;
use crate::error::Result;
use crate::faithfulness::Faithfulness;
use crate::figures::data::{
    Bar, BarFigure, BarGroup, BarPair, BiasBar, BiasFigure, BiasGroup, CalibrationBin, CalibrationCurve, EnergyScatter,
    EpochPoint, Imbalance, ImbalancePoint, OcclusionBar, OcclusionFigure, OcclusionGroup, PublishedFigure,
    PublishedPanel, RankCorrelation, SanityChecks, SanityPanel, SanityPoint, ScatterPoint, ScoreDistributions,
    ScoreGroup, Spread, TrainingCurve,
};
use crate::measured::{AttributeMeasures, ClassifierMeasures, Measured};
use crate::names;
use crate::published::Published;
use crate::tables::{Agreement, Comparison, Comparisons};

/// The bars of one attribute; `bar` makes one of a classifier's position and a class.
fn group(attribute: &AttributeMeasures, chance: Option<f64>, bar: impl Fn(usize, Class) -> Bar) -> BarGroup {
    let minority = attribute.minority();
    let pair = |index| BarPair {
        minority: bar(index, minority),
        majority: bar(index, minority.opposite()),
    };
    BarGroup {
        attribute: attribute.name.clone(),
        minority_positive: minority == Class::Positive,
        global: !attribute.local,
        chance,
        bars: (0..attribute.classifiers.len()).map(pair).collect(),
    }
}

pub fn error_bars(measured: &Measured, published: &Published) -> BarFigure {
    let groups = measured.attributes.iter().map(|attribute| {
        group(attribute, None, |index, class| {
            let rates = &attribute.classifiers[index].rates;
            Bar {
                value: rates.rate(class),
                interval: rates.interval(class).map(|interval| (interval.low, interval.high)),
                published: published.error(&attribute.name, &measured.classifiers[index], class),
            }
        })
    });
    BarFigure {
        classifiers: measured.classifiers.clone(),
        groups: groups.collect(),
    }
}

pub fn energy_bars(measured: &Measured, published: &Published) -> BarFigure {
    let groups = measured.attributes.iter().map(|attribute| {
        group(attribute, attribute.area, |index, class| {
            let energy = attribute.classifiers[index].energy(class);
            Bar {
                value: energy.map(|statistics| statistics.mean),
                interval: energy
                    .and_then(|statistics| statistics.interval)
                    .map(|interval| (interval.low, interval.high)),
                published: published.energy(&attribute.name, &measured.classifiers[index], class),
            }
        })
    });
    BarFigure {
        classifiers: measured.classifiers.clone(),
        groups: groups.collect(),
    }
}

pub fn bias_reliance(measured: &Measured) -> BiasFigure {
    let group = |attribute: &AttributeMeasures| BiasGroup {
        attribute: attribute.name.clone(),
        minority_positive: attribute.minority() == Class::Positive,
        global: !attribute.local,
        bars: attribute
            .classifiers
            .iter()
            .map(|classifier| {
                let majority = classifier.reliance(attribute.class(false));
                BiasBar {
                    score: majority.map(|reliance| reliance.score.mean),
                    constant: majority.map(|reliance| reliance.constant),
                    bias: majority.map(|reliance| reliance.bias),
                    region: majority.and_then(|reliance| Some(reliance.region?.mean)),
                    region_minority: classifier
                        .reliance(attribute.class(true))
                        .filter(|reliance| reliance.score.n >= MIN_SAMPLES)
                        .and_then(|reliance| Some(reliance.region?.mean)),
                }
            })
            .collect(),
    };
    BiasFigure {
        classifiers: measured.classifiers.clone(),
        groups: measured.attributes.iter().map(group).collect(),
    }
}

/// What scores lose with the region hidden; groups below five images are absent.
pub fn occlusion(measured: &Measured) -> OcclusionFigure {
    let bar = |classifier: &ClassifierMeasures, class: Class| {
        let found = classifier.occlusion(class).filter(|found| found.score.n >= MIN_SAMPLES);
        OcclusionBar {
            lost: found.map(|found| found.region.mean),
            interval: found.and_then(|found| Some((found.region.interval?.low, found.region.interval?.high))),
            control: found.and_then(|found| Some(found.control?.mean)),
        }
    };
    let group = |attribute: &AttributeMeasures| OcclusionGroup {
        attribute: attribute.name.clone(),
        minority_positive: attribute.minority() == Class::Positive,
        global: !attribute.local,
        bars: attribute
            .classifiers
            .iter()
            .map(|classifier| [false, true].map(|minority| bar(classifier, attribute.class(minority))))
            .collect(),
    };
    OcclusionFigure {
        classifiers: measured.classifiers.clone(),
        groups: measured.attributes.iter().map(group).collect(),
    }
}

/// `None` where no method was tried.
pub fn sanity_checks(measured: &Measured) -> Option<SanityChecks> {
    let tried = || measured.faithfulness.iter().flatten();
    let mut methods: Vec<&str> = Vec::new();
    for one in tried().flat_map(|found| &found.methods) {
        // The baselines have no weights.
        if !one.similarity.is_empty() && !methods.contains(&one.method.as_str()) {
            methods.push(&one.method);
        }
    }
    let depths = &tried().find(|found| !found.depths.is_empty())?.depths;
    let point = |found: Option<&Faithfulness>, method: &str, depth: &str| {
        let statistics = found.and_then(|found| {
            let at = found.depths.iter().position(|known| known == depth)?;
            let method = found.methods.iter().find(|one| one.method == method)?;
            *method.similarity.get(at)?
        });
        SanityPoint {
            similarity: statistics.map(|statistics| statistics.mean),
            interval: statistics.and_then(|statistics| Some((statistics.interval?.low, statistics.interval?.high))),
        }
    };
    let curve = |found: &Option<Faithfulness>, method: &str| {
        depths
            .iter()
            .map(|depth| point(found.as_ref(), method, depth))
            .collect()
    };
    let panel = |method: &&str| SanityPanel {
        method: names::method(method),
        curves: measured.faithfulness.iter().map(|found| curve(found, method)).collect(),
    };
    Some(SanityChecks {
        classifiers: measured.classifiers.clone(),
        depths: depths.iter().map(|depth| part(depth)).collect(),
        panels: methods.iter().map(panel).collect(),
    })
}

/// A part of a network as people call it: `layer4` is stage 4, `fc` the head.
fn part(name: &str) -> String {
    match name {
        "fc" => "head".to_owned(),
        "conv1" => "stem".to_owned(),
        _ => name.replacen("layer", "stage ", 1),
    }
}

pub fn published(comparison: &Comparisons) -> PublishedFigure {
    let mut attributes: Vec<String> = Vec::new();
    for one in &comparison.numbers {
        if attributes.last() != Some(&one.attribute) {
            attributes.push(one.attribute.clone());
        }
    }
    let panel = |agreement: &Agreement| PublishedPanel {
        classifier: agreement.classifier.clone(),
        quantity: agreement.quantity,
        values: attributes
            .iter()
            .map(|attribute| {
                let of = |one: &&Comparison| {
                    (&one.attribute, &one.classifier, one.quantity)
                        == (attribute, &agreement.classifier, agreement.quantity)
                };
                comparison.numbers.iter().find(of).map(|one| (one.ours, one.published))
            })
            .collect(),
        mean_difference: agreement.mean_difference(),
        mean_absolute_difference: agreement.mean_absolute_difference,
        rank_correlation: agreement.rank_correlation,
    };
    // Error rates before energies, as in the paper's table.
    let mut agreements: Vec<&Agreement> = comparison.agreements.iter().collect();
    let mut order: Vec<&str> = Vec::new();
    for agreement in &agreements {
        if !order.contains(&agreement.classifier.as_str()) {
            order.push(&agreement.classifier);
        }
    }
    agreements.sort_by_key(|one| {
        let classifier = order.iter().position(|name| *name == one.classifier);
        (classifier, one.quantity.starts_with("energy"))
    });
    PublishedFigure {
        panels: agreements.into_iter().map(panel).collect(),
        attributes,
    }
}

/// Mean energies (minority, majority) of an attribute with a local region; a mean over a handful of samples would be drawn as
/// boldly as one over thousands, so it is absent.
fn energies(attribute: &AttributeMeasures, measures: &ClassifierMeasures) -> Option<(f64, f64)> {
    let enough = |statistics: &Statistics| statistics.n >= MIN_SAMPLES;
    let mean = |minority| {
        let energy = measures.energy(attribute.class(minority)).filter(enough)?;
        Some(energy.mean)
    };
    attribute.local.then_some(())?;
    mean(true).zip(mean(false))
}

pub fn scatter(measured: &Measured) -> EnergyScatter {
    let point = |attribute: &AttributeMeasures| ScatterPoint {
        attribute: attribute.name.clone(),
        energies: attribute
            .classifiers
            .iter()
            .map(|measures| energies(attribute, measures).map(|(minority, majority)| (majority, minority)))
            .collect(),
    };
    EnergyScatter {
        classifiers: measured.classifiers.clone(),
        points: measured
            .attributes
            .iter()
            .filter(|attribute| attribute.local)
            .map(point)
            .collect(),
    }
}

pub fn imbalance(measured: &Measured, bootstrap: Bootstrap) -> Imbalance {
    let points: Vec<ImbalancePoint> = measured
        .attributes
        .iter()
        .map(|attribute| {
            let rate = attribute.positive_rate().unwrap_or(0.5);
            let error_gap = |measures: &ClassifierMeasures| {
                let enough = |class: &Class| measures.rates.count(*class) >= MIN_SAMPLES;
                let rate = |minority| measures.rates.rate(Some(attribute.class(minority)).filter(enough)?);
                Some(rate(true)? - rate(false)?)
            };
            let energy_gap = |measures: &ClassifierMeasures| {
                energies(attribute, measures).map(|(minority, majority)| minority - majority)
            };
            ImbalancePoint {
                attribute: attribute.name.clone(),
                minority_share: rate.min(1.0 - rate),
                error_gaps: attribute.classifiers.iter().map(error_gap).collect(),
                energy_gaps: attribute.classifiers.iter().map(energy_gap).collect(),
            }
        })
        .collect();
    let correlations = |gaps: fn(&ImbalancePoint) -> &[Option<f64>]| {
        (0..measured.classifiers.len())
            .map(|classifier| {
                let (x, y): (Vec<f64>, Vec<f64>) = points
                    .iter()
                    .filter_map(|point| Some((-point.minority_share, gaps(point)[classifier]?)))
                    .unzip();
                let found = spearman_with_interval(&x, &y, bootstrap)?;
                Some(RankCorrelation {
                    value: found.value,
                    interval: found.interval.map(|interval| (interval.low, interval.high)),
                })
            })
            .collect()
    };
    Imbalance {
        classifiers: measured.classifiers.clone(),
        error_correlations: correlations(|point| &point.error_gaps),
        energy_correlations: correlations(|point| &point.energy_gaps),
        points,
    }
}

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

/// Percentiles by linear interpolation between order statistics (numpy's default).
fn spread(mut values: Vec<f64>) -> Option<Spread> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let at = |share: f64| {
        let position = share * last as f64;
        let below = position as usize;
        let above = (below + 1).min(last);
        values[below] + (values[above] - values[below]) * (position - below as f64)
    };
    Some(Spread {
        low: at(0.05),
        quartiles: [at(0.25), at(0.5), at(0.75)],
        high: at(0.95),
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
    const STEPS: usize = 10;
    let curve = |(classifier, predictions): (&String, &Predictions)| {
        // Samples, those of the minority class, and the sum of their predicted probabilities, step by step.
        let mut steps = [(0_usize, 0_usize, 0.0); STEPS];
        for attribute in 0..facts.attributes.len() {
            let minority = facts.minority(attribute);
            for class in Class::BOTH {
                for score in towards_minority(predictions, facts, attribute, class) {
                    let predicted = probability(loss, score);
                    let step = &mut steps[((predicted * STEPS as f64) as usize).min(STEPS - 1)];
                    step.0 += 1;
                    step.1 += usize::from(class == minority);
                    step.2 += predicted;
                }
            }
        }
        let bins: Vec<CalibrationBin> = steps
            .into_iter()
            .filter_map(|(samples, minority, sum)| {
                let interval = wilson(minority, samples)?;
                Some(CalibrationBin {
                    predicted: sum / samples as f64,
                    observed: minority as f64 / samples as f64,
                    interval: (interval.low, interval.high),
                    samples,
                })
            })
            .collect();
        let all: usize = bins.iter().map(|bin| bin.samples).sum();
        let distance = |bin: &CalibrationBin| (bin.predicted - bin.observed).abs() * bin.samples as f64;
        CalibrationCurve {
            classifier: classifier.clone(),
            error: (all > 0).then(|| bins.iter().map(distance).sum::<f64>() / all as f64),
            bins,
        }
    };
    measured.classifiers.iter().zip(predictions).map(curve).collect()
}

pub fn training_curves(context: &Context) -> Result<Vec<TrainingCurve>> {
    context
        .experiment
        .classifiers_in_order()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| context.experiment.is_trained(name))
        .map(|name| {
            let points = history::read(context, name)?.into_iter().map(|epoch| EpochPoint {
                epoch: epoch.epoch as f64,
                loss: Some(epoch.loss),
                validation_loss: None,
                minority_error: epoch.minority_error,
                majority_error: epoch.majority_error,
            });
            Ok(TrainingCurve {
                classifier: name.to_owned(),
                points: points.collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::PerAttribute;

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
            keys: PerAttribute {
                images: ["1", "2", "3"].map(str::to_owned).to_vec(),
                attributes: facts().attributes,
            },
            labels: vec![1, 1, -1, -1, -1, 0],
            scores: vec![0.5, 0.7, -0.5, -0.2, -1.5, 0.1],
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
            attributes: Vec::new(),
            findings: Vec::new(),
            faithfulness: Vec::new(),
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
