//! From what was measured to what figures are drawn from.

mod interventions;
mod scores;

pub use interventions::{cross_effects, turned_decisions};
pub use scores::{calibration, score_distributions};

use metrics::{Class, Correlation, MIN_SAMPLES, Statistics};

use crate::artefacts;
use crate::error::Result;
use crate::measured::{
    AttributeMeasures, ClassifierMeasures, Decomposed, Decomposition, Faithfulness, Measured, PartOfDifference,
    method_title, of_class,
};
use crate::published::Published;
use crate::recorded::Recorded;
use crate::steps::train::history;
use crate::tables::{Agreement, BesideThePaper, PublishedNumber};
use render::figures::{
    Bar, BarFigure, BarGroup, BarPair, BiasBar, BiasFigure, BiasGroup, DecompositionFigure, DecompositionRow,
    EnergyScatter, EpochPoint, Imbalance, ImbalancePoint, OcclusionBar, OcclusionFigure, OcclusionGroup,
    PublishedFigure, PublishedPanel, SanityChecks, SanityPanel, SanityPoint, ScatterPoint, TrainingCurve,
};
use render::text::readable;

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
            let measures = &attribute.classifiers[index];
            Bar {
                value: measures.rates.rate(class),
                interval: of_class(&measures.estimates.error, class).and_then(|estimate| estimate.interval),
                published: published.error(&attribute.name, measured.roles[index], class),
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
                interval: energy.and_then(|statistics| statistics.interval),
                published: published.energy(&attribute.name, measured.roles[index], class),
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
            interval: found.and_then(|found| found.region.interval),
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
            interval: statistics.and_then(|statistics| statistics.interval),
        }
    };
    let curve = |found: &Option<Faithfulness>, method: &str| {
        depths
            .iter()
            .map(|depth| point(found.as_ref(), method, depth))
            .collect()
    };
    let panel = |method: &&str| SanityPanel {
        method: method_title(method),
        curves: measured.faithfulness.iter().map(|found| curve(found, method)).collect(),
    };
    Some(SanityChecks {
        classifiers: measured.classifiers.clone(),
        depths: depths.iter().map(|depth| part(depth)).collect(),
        panels: methods.iter().map(panel).collect(),
    })
}

/// A part of a network as people call it: `stage4` is stage 4, `fc` the head.
fn part(name: &str) -> String {
    match name {
        "fc" => "head".to_owned(),
        "conv1" => "stem".to_owned(),
        _ => name.replacen("stage", "stage ", 1),
    }
}

pub fn published(comparison: &BesideThePaper) -> PublishedFigure {
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
                let of = |one: &&PublishedNumber| {
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

pub fn imbalance(measured: &Measured) -> Imbalance {
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
    let correlations = |gap: usize, gaps: fn(&ImbalancePoint) -> &[Option<f64>]| {
        (0..measured.classifiers.len())
            .map(|classifier| {
                let found = measured.correlations.get(classifier)?[gap]?;
                Some(Correlation {
                    value: found.value,
                    interval: found.interval,
                    n: points.iter().filter(|point| gaps(point)[classifier].is_some()).count(),
                })
            })
            .collect()
    };
    Imbalance {
        classifiers: measured.classifiers.clone(),
        error_correlations: correlations(0, |point| &point.error_gaps),
        energy_correlations: correlations(1, |point| &point.energy_gaps),
        points,
    }
}

/// The parts of each quantity's difference, a panel for each kind of quantity.
pub fn decomposition(decomposition: &Decomposition) -> DecompositionFigure {
    let row = |one: &Decomposed| DecompositionRow {
        title: one.quantity.title().to_owned(),
        steps: [
            |part: &PartOfDifference| part.from_unbalanced.value,
            |part: &PartOfDifference| part.from_balanced.value,
        ]
        .map(|step| [0, 1, 2].map(|place| one.parts.get(place).map_or(f64::NAN, step))),
        difference: one.difference.value,
        interval: one.difference.interval,
    };
    let [unbalanced, .., balanced] = &decomposition.classifiers;
    let mut panels: Vec<(String, Vec<DecompositionRow>)> = Vec::new();
    for one in &decomposition.quantities {
        match panels.last_mut().filter(|(kind, _)| kind == one.quantity.kind()) {
            Some((_, rows)) => rows.push(row(one)),
            None => panels.push((one.quantity.kind().to_owned(), vec![row(one)])),
        }
    }
    let difference = format!("{} − {}", readable(balanced), readable(unbalanced));
    DecompositionFigure {
        ends: [unbalanced, balanced].map(|name| readable(name)),
        panels,
        difference,
    }
}

pub fn training_curves(recorded: &Recorded<'_>) -> Result<Vec<TrainingCurve>> {
    recorded
        .experiment
        .classifiers_in_order()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| recorded.experiment.is_trained(name))
        .map(|name| {
            let points = history::read(&recorded.folder.join(artefacts::history(name)))?
                .into_iter()
                .map(|epoch| EpochPoint {
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
    use metrics::Bootstrap;

    use super::*;
    use crate::measured::MethodScores;

    #[test]
    fn methods_have_a_point_at_every_depth_and_baselines_none() {
        let statistics = |value: f64| Statistics::of(&[value, value], Bootstrap { resamples: 10, seed: 1 });
        let method = |name: &str, similarity: Vec<Option<Statistics>>| MethodScores {
            method: name.to_owned(),
            scores: Vec::new(),
            similarity,
        };
        let tried = Faithfulness {
            methods: vec![
                method("hires_cam", vec![statistics(0.5), None]),
                method("random_map", Vec::new()),
            ],
            depths: ["fc", "stage4"].map(str::to_owned).to_vec(),
        };
        let mut measured = Measured {
            classifiers: ["untried", "tried"].map(str::to_owned).to_vec(),
            roles: vec![None; 2],
            attributes: Vec::new(),
            findings: Vec::new(),
            faithfulness: vec![None, Some(tried)],
            derived: Vec::new(),
            unbalanced_moved: None,
            decomposition: None,
            differences: Vec::new(),
            correlations: Vec::new(),
            subgroups: Vec::new(),
            cross_effects: Vec::new(),
            locality: Vec::new(),
        };
        let data = sanity_checks(&measured).expect("a classifier that was tried");
        assert_eq!(data.depths, ["head", "stage 4"]);
        assert_eq!(data.panels.len(), 1);
        assert_eq!(data.panels[0].method, "HiResCAM");
        let similarities: Vec<Vec<Option<f64>>> = data.panels[0]
            .curves
            .iter()
            .map(|curve| curve.iter().map(|point| point.similarity).collect())
            .collect();
        assert_eq!(similarities, [[None, None], [Some(0.5), None]]);
        measured.faithfulness[1] = None;
        assert!(sanity_checks(&measured).is_none());
    }
}
