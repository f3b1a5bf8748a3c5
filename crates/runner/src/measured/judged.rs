//! What is said of a run over the people tested: intervals, claims, and what sets classifiers apart.

use metrics::{Cell, Claim, Class, Estimate, Finding, Grounds, Resampled, findings, spearman};
use rayon::prelude::*;

use super::cross_effects::CrossEffects;
use super::decomposition::{self, Decomposition};
use super::differences::{self, Difference};
use super::estimates::{Estimates, of_class};
use super::interventions::InterventionFile;
use super::measures::AttributeMeasures;
use super::measuring::{Measuring, Part};
use super::occlusion::OcclusionFile;
use super::ranked;
use super::sample::{About, Files, Groups, Sample, Scored};
use super::subgroups::{self, Subgroup};
use crate::error::{Error, Result};
use crate::experiment::{RegionSource, Role};
use crate::recorded::Recorded;

/// What is said of a run over the people tested.
#[derive(Default)]
pub struct Judged {
    pub findings: Vec<Finding>,
    pub decomposition: Option<Decomposition>,
    pub differences: Vec<Difference>,
    pub correlations: Vec<[Option<Estimate>; 2]>,
    /// Attributes as the data set has them.
    pub subgroups: Vec<Subgroup>,
    /// Of each classifier, likewise; absent where nothing was toggled.
    pub cross_effects: Vec<Option<CrossEffects>>,
}

/// Gives every mean its interval over the people tested, and judges what is made of several. Beside the scores a classifier may have files of hidden
/// regions and of toggled attributes.
pub fn judged(
    recorded: &Recorded<'_>,
    classifiers: &[String],
    roles: &[Option<Role>],
    attributes: &mut [AttributeMeasures],
    scored: &[Scored],
    (hidden, toggled): (&[Option<OcclusionFile>], &[Option<InterventionFile>]),
    measuring: &Measuring,
) -> Result<Judged> {
    let Some(first) = scored.first() else {
        return Ok(Judged::default());
    };
    if scored
        .iter()
        .any(|one| (&one.images, &one.people) != (&first.images, &first.people))
    {
        return Err(Error::Request(
            "the classifiers' predictions are not of the same images and people".to_owned(),
        ));
    }
    let rows: Vec<Files<'_>> = scored
        .iter()
        .zip(hidden.iter().zip(toggled))
        .map(|(scored, (hidden, toggled))| Files {
            scored,
            hidden: hidden.as_ref(),
            toggled: toggled.as_ref(),
        })
        .collect();
    measuring.part(Part::Resample);
    let mut sample = Sample::new(&rows, attributes.len(), first.people.clone())?;
    let position = |role| roles.iter().position(|known| *known == Some(role));
    let compared = position(Role::Unbalanced).zip(position(Role::Balanced));
    let arms = decomposition::arms(recorded.experiment).and_then(|names| {
        let mut positions = [0; 6];
        for (position, name) in positions.iter_mut().zip(&names) {
            *position = classifiers.iter().position(|known| known == name)?;
        }
        Some((names, positions))
    });
    let moved = recorded.experiment.unbalanced_moved();
    let same_point = moved.and_then(|name| classifiers.iter().position(|known| known == name));
    let mut evidence = Vec::new();
    if let Some((unbalanced, balanced)) = compared {
        for (index, attribute) in attributes.iter().enumerate() {
            let rate = attribute.positive_rate().unwrap_or(0.5);
            let about = About {
                minority: attribute.minority(),
                minority_share: rate.min(1.0 - rate),
                local: attribute.local,
            };
            let mut found = sample.evidence(&rows, [unbalanced, balanced], index, attributes.len(), about)?;
            found.majority_turned_at_same_point =
                same_point.and_then(|place| of_class(&sample.groups(place, index).turned, about.minority.opposite()));
            evidence.push(found);
        }
    }
    let bootstrap = recorded.experiment.bootstrap();
    let resampled = sample.resample(bootstrap);
    attributes.par_iter_mut().enumerate().for_each(|(index, attribute)| {
        for (classifier, measures) in attribute.classifiers.iter_mut().enumerate() {
            measures.take(Estimates::of(sample.groups(classifier, index), &resampled));
        }
    });
    measuring.part(Part::Rank);
    for (classifier, ranked) in ranked::ranked(scored, attributes.len(), &resampled, measuring)?
        .into_iter()
        .enumerate()
    {
        for (attribute, ranked) in attributes.iter_mut().zip(ranked) {
            attribute.classifiers[classifier].ranked = ranked;
        }
    }
    measuring.part(Part::Judge);
    let kinds: Vec<_> = attributes.iter().map(|one| (one.minority(), one.local)).collect();
    let names: Vec<&str> = attributes.iter().map(|one| one.name.as_str()).collect();
    Ok(Judged {
        findings: compared.map_or_else(Vec::new, |_| {
            let mut all = findings(&evidence, &resampled);
            for finding in &mut all {
                finding.unmeasured = unmeasured(
                    finding.claim,
                    recorded.experiment.regions(),
                    attributes,
                    same_point.is_some(),
                )
                .map(str::to_owned);
            }
            all
        }),
        decomposition: arms
            .map(|(arms, positions)| decomposition::decompose(&sample, &resampled, arms, positions, &kinds, &names))
            .filter(|found| !found.quantities.is_empty()),
        differences: differences::differences(&sample, &resampled, classifiers, &kinds),
        correlations: (0..classifiers.len())
            .map(|classifier| correlations(&sample, &resampled, classifier, attributes))
            .collect(),
        subgroups: subgroups::subgroups(
            scored,
            &kinds.iter().map(|(minority, _)| *minority).collect::<Vec<_>>(),
            recorded.experiment.measure.subgroups,
        )?,
        cross_effects: rows
            .iter()
            .map(|files| {
                let of = |toggled| CrossEffects::of(files.scored, toggled, attributes.len(), bootstrap);
                files.toggled.map(of).transpose()
            })
            .collect::<Result<_>>()?,
    })
}

/// Why a claim cannot be measured with the regions and classifiers of a run; `None` where it can.
fn unmeasured(
    claim: Claim,
    regions: &RegionSource,
    attributes: &[AttributeMeasures],
    has_same_point: bool,
) -> Option<&'static str> {
    if claim == Claim::MajorityToggledTurnsLess && !has_same_point {
        return Some(
            "not measured: it takes a classifier that is the unbalanced one with its threshold moved ({from: unbalanced, threshold: prior, to: balanced})",
        );
    }
    if !claim.needs_regions() {
        return None;
    }
    match regions {
        RegionSource::Whole => Some(
            "not measured: no regions were given (measure.regions, or data.table.boxes or masks of a table's images)",
        ),
        RegionSource::Masks if claim == Claim::MajorityLookedForBeyondChance => {
            Some("not measured: it needs regions that are the same in every image (measure.regions)")
        }
        _ if !attributes.iter().any(|attribute| attribute.local) => {
            Some("not measured: no attribute has a local region, one whose energy tells where a classifier looks")
        }
        _ => None,
    }
}

/// The rank correlations of imbalance with a classifier's gap in error and in energy.
fn correlations(
    sample: &Sample,
    resampled: &Resampled,
    classifier: usize,
    attributes: &[AttributeMeasures],
) -> [Option<Estimate>; 2] {
    let of = |placed: bool, means: fn(&Groups) -> &[Option<Grounds>; 2]| {
        let gaps: Vec<(f64, [Cell; 2])> = attributes
            .iter()
            .enumerate()
            .filter(|(_, attribute)| attribute.local || !placed)
            .filter_map(|(index, attribute)| {
                let [positive, negative] = *means(sample.groups(classifier, index));
                let (few, many) = match attribute.minority() {
                    Class::Positive => (positive, negative),
                    Class::Negative => (negative, positive),
                };
                let rate = attribute.positive_rate().unwrap_or(0.5);
                Some((
                    rate.max(1.0 - rate),
                    [decomposition::cell(few)?, decomposition::cell(many)?],
                ))
            })
            .collect();
        let found = resampled.estimate(|mean| {
            let (imbalance, gaps): (Vec<f64>, Vec<f64>) = gaps
                .iter()
                .map(|&(imbalance, [few, many])| Some((imbalance, mean(few)? - mean(many)?)))
                .collect::<Option<Vec<_>>>()?
                .into_iter()
                .unzip();
            spearman(&imbalance, &gaps).filter(|_| gaps.len() > 2)
        });
        found.map(|found| found.within(-1.0, 1.0))
    };
    [of(false, |groups| &groups.error), of(true, |groups| &groups.energy)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_regions_do_not_allow_is_said() {
        let why = |claim, regions: &RegionSource| unmeasured(claim, regions, &[], true).unwrap_or_default();
        let specificity = Claim::MajorityLookedForBeyondChance;
        assert!(why(specificity, &RegionSource::Whole).contains("no regions were given"));
        assert!(why(specificity, &RegionSource::Masks).contains("the same in every image"));
        assert!(why(specificity, &RegionSource::Celeba).contains("no attribute has a local region"));
        assert!(why(Claim::MajorityLooksElsewhere, &RegionSource::Whole).contains("no regions were given"));
        assert_eq!(why(Claim::MinorityErrsMore, &RegionSource::Whole), "");
    }
}
