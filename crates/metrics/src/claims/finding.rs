//! Claims, judged on what was measured.

use std::fmt;

use super::claim::{Claim, MIN_SAMPLES};
use super::evidence::{AttributeEvidence, Grounds, Mean};
use crate::inference::{AttributeCounts, Cell, Estimate, Judgement, Resampled, judge};
use crate::statistics::{CONFIDENCE, Interval, spearman};

/// A rank correlation needs at least this many attributes: it speaks of imbalance, which is told by attributes alone.
const MIN_ATTRIBUTES: usize = 8;

/// A claim, what this run says of it, and the numbers that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What was claimed.
    pub claim: Claim,
    /// What this run says; `None` of a claim that is described and not judged, and of published numbers, which have no samples.
    pub judgement: Option<Judgement>,
    /// Mean effect over the attributes that have it, or the correlation, with its interval over people.
    pub effect: Option<Estimate>,
    /// Where two classifiers are compared on the images that each predicts as a class: the effect on those that both do, the same for
    /// both.
    pub paired: Option<Estimate>,
    /// The p value of no effect, after Holm's correction for all claims of the run that are judged.
    pub adjusted_p_value: Option<f64>,
    /// Attributes of which the effect is positive; `None` for a correlation, which no single attribute shows.
    pub supporting: Option<usize>,
    /// Attributes of which the effect is negative, likewise: where it is 0 it leans neither way.
    pub opposing: Option<usize>,
    /// Attributes that show the effect or its opposite each by itself; absent for a correlation and for published numbers.
    pub counts: Option<AttributeCounts>,
    /// Attributes that have the effect.
    pub attributes: usize,
    /// Attributes left out: global ones in claims about energy, and those with too few samples.
    pub left_out: usize,
    /// Test samples behind the means, added up over attributes; 0 of published numbers.
    pub samples: usize,
    /// Where no attribute has enough samples: how many the best of them has behind its smallest mean, of the [`MIN_SAMPLES`] that it needs.
    pub nearest: Option<usize>,
    /// Where it cannot be measured in this run, however many images there are: why.
    pub unmeasured: Option<String>,
}

/// How claims are judged, for whoever reads what was judged.
pub const RULE: &str = "Each claim is a mean over the attributes named, and its interval says how far other test images (and \
    other people, where it is known who is in them) could have moved it, for these attributes and these trained networks. Observed: the effect is there, beyond chance at 5 % after Holm's \
    correction for all claims of the run that are judged, and most of the attributes lean that way. Contradicted: the same of the opposite. \
    No clear effect: neither. Too little data: no attribute has at least five images behind every mean, the images do not differ, or the claim cannot be measured in this run. Attributes \
    are counted one by one at 5 % after the same correction. Described: what follows from how common a class is, in any classifier whose \
    scores are calibrated, is told and not judged. Only several trainings with different seeds tell what holds beyond these networks.";

/// Judges every claim that can be asked on the evidence of one run, one entry per attribute, whose means are cells of `resampled`.
#[must_use]
pub fn findings(evidence: &[AttributeEvidence], resampled: &Resampled) -> Vec<Finding> {
    let mut all: Vec<Finding> = Claim::ALL
        .into_iter()
        .filter(|claim| claim.can_be_asked(evidence))
        .map(|claim| Finding::measured(claim, evidence, resampled))
        .collect();
    let effects: Vec<_> = all
        .iter()
        .map(|finding| {
            let effect = finding.effect.filter(|_| finding.claim.is_judged());
            effect.map(|effect| (effect.value, effect.p_value))
        })
        .collect();
    for (finding, judged) in all.iter_mut().zip(judge(&effects)) {
        if finding.claim.is_judged() {
            finding.judgement = Some(finding.with_most_attributes(judged.judgement));
            finding.adjusted_p_value = judged.adjusted_p_value;
        }
    }
    all
}

/// What published numbers say of a claim.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Described {
    /// What was claimed.
    pub claim: Claim,
    /// Mean effect over the attributes that have it, or the correlation.
    pub effect: Option<f64>,
    /// Attributes of which the effect is positive; `None` for a correlation.
    pub supporting: Option<usize>,
    /// Attributes that have the effect.
    pub attributes: usize,
}

/// The claims on published means, which nothing is judged on: they have no samples.
#[must_use]
pub fn described(evidence: &[AttributeEvidence]) -> Vec<Described> {
    Claim::ALL
        .into_iter()
        .filter(|claim| claim.can_be_asked(evidence))
        .map(|claim| {
            let having = Having::of(claim, evidence);
            let published = |_: Cell| None;
            let effects = having.effects(&published);
            let supporting = effects
                .as_ref()
                .map(|all| all.iter().filter(|effect| **effect > 0.0).count());
            let counted = supporting.filter(|_| claim != Claim::EnergyGapGrowsWithImbalance);
            Described {
                claim,
                effect: having.effect(&published),
                supporting: counted,
                attributes: having.grounds.len(),
            }
        })
        .collect()
}

/// The attributes that have a claim's effect.
struct Having {
    claim: Claim,
    /// The majority's share, and the means behind the effect, of each.
    grounds: Vec<(f64, Vec<Grounds>)>,
}

impl Having {
    fn of(claim: Claim, evidence: &[AttributeEvidence]) -> Self {
        let of = |attribute: &AttributeEvidence| Some((1.0 - attribute.minority_share, claim.grounds(attribute)?));
        Self {
            claim,
            grounds: evidence.iter().filter_map(of).collect(),
        }
    }

    /// The effect in one attribute, by the means of cells.
    fn effect_in(&self, grounds: &[Grounds], mean: &dyn Fn(Cell) -> Option<f64>) -> Option<f64> {
        let value = |grounds: &Grounds| match grounds.mean {
            Mean::Cell(cell) => mean(cell),
            Mean::Published(mean) => Some(mean),
        };
        let means: Vec<f64> = grounds.iter().map(value).collect::<Option<_>>()?;
        self.claim.effect_of(&means)
    }

    fn effects(&self, mean: &dyn Fn(Cell) -> Option<f64>) -> Option<Vec<f64>> {
        self.grounds
            .iter()
            .map(|(_, grounds)| self.effect_in(grounds, mean))
            .collect()
    }

    /// The effect over all of them: the same attributes whatever the means.
    fn effect(&self, mean: &dyn Fn(Cell) -> Option<f64>) -> Option<f64> {
        let effects = self.effects(mean).filter(|effects| !effects.is_empty())?;
        if self.claim == Claim::EnergyGapGrowsWithImbalance {
            let imbalance: Vec<f64> = self.grounds.iter().map(|(imbalance, _)| *imbalance).collect();
            return spearman(&imbalance, &effects).filter(|_| effects.len() >= MIN_ATTRIBUTES);
        }
        Some(effects.iter().sum::<f64>() / effects.len() as f64)
    }
}

fn rise_on_the_same_images(attribute: &AttributeEvidence) -> Option<Cell> {
    let grounds = attribute
        .majority_energy_rise
        .filter(|grounds| attribute.local && grounds.n >= MIN_SAMPLES)?;
    match grounds.mean {
        Mean::Cell(cell) => Some(cell),
        Mean::Published(_) => None,
    }
}

impl Finding {
    fn measured(claim: Claim, evidence: &[AttributeEvidence], resampled: &Resampled) -> Self {
        let having = Having::of(claim, evidence);
        let single = claim != Claim::EnergyGapGrowsWithImbalance;
        let effects = having.effects(&|cell| resampled.value(cell)).unwrap_or_default();
        // Both classifiers are tested on the same samples of a class: they are counted once.
        let counted = match claim {
            Claim::BalancingClosesErrorGap => 2,
            Claim::MajorityToggledTurnsLess => 1,
            _ => usize::MAX,
        };
        let samples = |(_, grounds): &(f64, Vec<Grounds>)| grounds.iter().take(counted).map(|one| one.n).sum::<usize>();
        Self {
            claim,
            judgement: None,
            effect: match single {
                true => resampled.estimate(|mean| having.effect(mean)),
                false => resampled
                    .estimate(|mean| having.effect(mean))
                    .map(|found| found.within(-1.0, 1.0)),
            },
            paired: match claim {
                Claim::BalancingRaisesMajorityEnergy => {
                    let rises: Vec<Cell> = evidence.iter().filter_map(rise_on_the_same_images).collect();
                    resampled.estimate(|mean| {
                        let sum = rises.iter().map(|&cell| mean(cell)).sum::<Option<f64>>()?;
                        (!rises.is_empty()).then(|| sum / rises.len() as f64)
                    })
                }
                _ => None,
            },
            adjusted_p_value: None,
            supporting: single.then(|| effects.iter().filter(|effect| **effect > 0.0).count()),
            opposing: single.then(|| effects.iter().filter(|effect| **effect < 0.0).count()),
            counts: single.then(|| {
                let each = having
                    .grounds
                    .iter()
                    .map(|(_, grounds)| resampled.estimate(|mean| having.effect_in(grounds, mean)));
                AttributeCounts::of(each)
            }),
            nearest: having.grounds.is_empty().then(|| {
                let least = |needed: Vec<Option<Grounds>>| needed.iter().map(|one| one.map_or(0, |one| one.n)).min();
                let all = evidence.iter().filter_map(|attribute| least(claim.needed(attribute)?));
                all.max().unwrap_or_default()
            }),
            attributes: having.grounds.len(),
            unmeasured: None,
            left_out: evidence.len() - having.grounds.len(),
            samples: having.grounds.iter().map(samples).sum(),
        }
    }

    /// A mean that most attributes do not share is no effect on attributes.
    fn with_most_attributes(&self, judgement: Judgement) -> Judgement {
        let (Some(supporting), Some(opposing)) = (self.supporting, self.opposing) else {
            return judgement;
        };
        let few = match judgement {
            Judgement::Observed => 2 * supporting <= self.attributes,
            Judgement::Contradicted => 2 * opposing <= self.attributes,
            Judgement::NoClearEffect | Judgement::TooLittleData => false,
        };
        if few { Judgement::NoClearEffect } else { judgement }
    }

    /// What is said of it, in a word or two.
    #[must_use]
    pub fn verdict(&self) -> String {
        self.judgement
            .map_or_else(|| "described".to_owned(), |judgement| judgement.to_string())
    }

    /// How many attributes lean towards the effect, and for how many it or its opposite is clear by themselves.
    #[must_use]
    pub fn in_attributes(&self) -> String {
        let ending = if self.attributes == 1 { "" } else { "s" };
        let mut text = match self.supporting {
            Some(supporting) => format!("above 0 in {supporting} of {} attribute{ending}", self.attributes),
            None => format!("{} attribute{ending}", self.attributes),
        };
        if let (Some(supporting), Some(opposing)) = (self.supporting, self.opposing)
            && supporting + opposing < self.attributes
        {
            text += &format!(", at 0 in {}", self.attributes - supporting - opposing);
        }
        if let Some(AttributeCounts { showing, opposite, .. }) = self.counts {
            text += &format!(" (clearly in {showing}, clearly below 0 in {opposite})");
        }
        text
    }

    /// Why there is too little to judge by, or why a mean that is beyond chance is no clear effect; `None` elsewhere.
    #[must_use]
    pub fn why_not(&self) -> Option<String> {
        if self.unmeasured.is_some() {
            return self.unmeasured.clone();
        }
        if let Some(nearest) = self.nearest {
            return Some(format!(
                "no attribute has {MIN_SAMPLES} images behind every mean, the nearest {nearest}"
            ));
        }
        if self.judgement == Some(Judgement::NoClearEffect) {
            let is_beyond_chance = self.adjusted_p_value.is_some_and(|p| p < 1.0 - CONFIDENCE);
            return is_beyond_chance
                .then(|| "beyond chance as a mean, but most attributes do not lean that way".to_owned());
        }
        if self.judgement != Some(Judgement::TooLittleData) {
            return None;
        }
        let of_few = self.claim == Claim::EnergyGapGrowsWithImbalance && self.attributes < MIN_ATTRIBUTES;
        Some(if of_few {
            format!("a rank correlation needs {MIN_ATTRIBUTES} attributes")
        } else {
            "no p value: the test images do not differ enough".to_owned()
        })
    }
}

impl fmt::Display for Finding {
    /// The numbers behind the verdict, in one line: `mean difference in energy +0.361 [+0.304, +0.412], p < 0.001; 35 of 35 attributes ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = self.why_not().filter(|_| self.attributes == 0) {
            return f.write_str(&why);
        }
        if let Some(effect) = self.effect {
            write!(f, "{} {:+.3}", self.claim.effect(), effect.value)?;
            if let Some(Interval { low, high }) = effect.interval {
                write!(f, " [{low:+.3}, {high:+.3}]")?;
            }
            match self.adjusted_p_value {
                Some(p) if p < 0.001 => write!(f, ", p < 0.001")?,
                Some(p) => write!(f, ", p {p:.3}")?,
                None => {}
            }
            if let Some(paired) = self.paired {
                write!(f, "; on the same images {:+.3}", paired.value)?;
                if let Some(Interval { low, high }) = paired.interval {
                    write!(f, " [{low:+.3}, {high:+.3}]")?;
                }
            }
            write!(f, "; ")?;
        }
        write!(
            f,
            "{}, {} pairs of image and attribute",
            self.in_attributes(),
            self.samples
        )?;
        if self.left_out > 0 {
            write!(f, "; {} left out", self.left_out)?;
        }
        match self.why_not() {
            Some(why) => write!(f, "; {why}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::evidence::ClassifierEvidence;
    use super::*;
    use crate::inference::{People, Ratios};
    use crate::statistics::Bootstrap;

    /// Images behind each mean.
    const IMAGES: usize = 200;

    /// Attributes whose unbalanced classifier has the given (minority, majority) errors and energies; the balanced one is even.
    struct Made {
        ratios: Ratios,
        evidence: Vec<AttributeEvidence>,
    }

    impl Made {
        fn new(attributes: usize, errors: (f64, f64), energies: (f64, f64)) -> Self {
            let mut ratios = Ratios::new(People::each_image(IMAGES));
            let mut number = 0;
            let mut grounds = |mean: f64| {
                number += 1;
                // Values around the mean, other ones for each image and group.
                let noise = |image: usize| (image + 1) * (2 * number + 1) * 7919 % IMAGES;
                let value = |image: usize| mean + 0.05 * (noise(image) as f64 / IMAGES as f64 - 0.5);
                let cell = ratios.add((0..IMAGES).map(|image| (image, value(image)))).unwrap();
                Some(Grounds::measured(cell, IMAGES))
            };
            let evidence = (0..attributes)
                .map(|i| {
                    let wobble = i as f64 * 1e-3;
                    AttributeEvidence {
                        minority_share: 0.5 - i as f64 / (2.0 * attributes as f64),
                        local: true,
                        unbalanced: ClassifierEvidence {
                            minority_error: grounds(errors.0 + wobble),
                            majority_error: grounds(errors.1),
                            minority_energy: grounds(energies.0 + wobble),
                            majority_energy: grounds(energies.1),
                            majority_constant: grounds(0.9),
                            majority_specificity: grounds(0.1),
                            majority_turned: None,
                        },
                        balanced: ClassifierEvidence {
                            minority_error: grounds(0.2),
                            majority_error: grounds(0.2),
                            minority_energy: grounds(0.4),
                            majority_energy: grounds(0.4),
                            majority_constant: grounds(0.1),
                            majority_specificity: grounds(0.1),
                            majority_turned: None,
                        },
                        majority_turned_at_same_point: None,
                        majority_energy_rise: grounds(0.1),
                        majority_loss_rise: grounds(0.1),
                    }
                })
                .collect();
            Self { ratios, evidence }
        }

        fn findings(&self) -> Vec<Finding> {
            findings(&self.evidence, &self.ratios.resample(Bootstrap::default()))
        }

        fn judgements(&self) -> Vec<Option<Judgement>> {
            self.findings().into_iter().map(|finding| finding.judgement).collect()
        }
    }

    #[test]
    fn the_effect_is_observed_where_it_is() {
        let judgements = Made::new(20, (0.4, 0.1), (0.6, 0.2)).judgements();
        let observed = Some(Judgement::Observed);
        assert_eq!(judgements[..5], [observed; 5]);
        assert_eq!(judgements[6..], [None; 2], "calibration alone");
    }

    /// Not as if there were none.
    #[test]
    fn the_opposite_is_said() {
        let findings = Made::new(20, (0.1, 0.4), (0.2, 0.6)).findings();
        let contradicted = Some(Judgement::Contradicted);
        let judgements: Vec<_> = findings.iter().map(|finding| finding.judgement).collect();
        assert_eq!([judgements[0], judgements[1], judgements[3]], [contradicted; 3]);
        // The gap is judged without its sign: an inverted one is narrowed as well.
        assert_eq!(judgements[4], Some(Judgement::Observed));
        assert_eq!(findings[0].counts.unwrap().opposite, 20);
        assert_eq!(findings[0].supporting, Some(0));
    }

    #[test]
    fn nothing_is_no_clear_effect() {
        let finding = &Made::new(10, (0.2, 0.2), (0.4, 0.4)).findings()[3];
        assert_eq!(finding.judgement, Some(Judgement::NoClearEffect));
    }

    #[test]
    fn what_toggling_does_is_asked_where_it_was_tried() {
        let claim = Claim::MajorityToggledTurnsLess;
        let mut made = Made::new(12, (0.4, 0.1), (0.6, 0.2));
        assert!(made.findings().iter().all(|finding| finding.claim != claim));
        for (i, attribute) in made.evidence.iter_mut().enumerate() {
            let mut rate = |every: usize| {
                let cell = made
                    .ratios
                    .add_rate((0..IMAGES).map(|image| (image, (image + i) % every == 0)));
                Some(Grounds::measured(cell.unwrap(), IMAGES))
            };
            attribute.balanced.majority_turned = rate(2);
            attribute.majority_turned_at_same_point = rate(5);
        }
        let finding = |made: &Made| {
            made.findings()
                .into_iter()
                .find(|finding| finding.claim == claim)
                .unwrap()
        };
        let found = finding(&made);
        assert_eq!(found.judgement, Some(Judgement::Observed), "{found}");
        assert!((found.effect.unwrap().value - 0.3).abs() < 1e-9, "{found}");
        for attribute in &mut made.evidence {
            std::mem::swap(
                &mut attribute.balanced.majority_turned,
                &mut attribute.majority_turned_at_same_point,
            );
        }
        assert_eq!(finding(&made).judgement, Some(Judgement::Contradicted));
        for attribute in &mut made.evidence {
            attribute.majority_turned_at_same_point = None;
        }
        assert_eq!(finding(&made).judgement, Some(Judgement::TooLittleData));
    }

    #[test]
    fn a_mean_that_most_attributes_do_not_share_is_no_effect() {
        let mut finding = Made::new(5, (0.4, 0.1), (0.4, 0.4)).findings()[0].clone();
        (finding.supporting, finding.opposing) = (Some(1), Some(2));
        assert_eq!(
            finding.with_most_attributes(Judgement::Observed),
            Judgement::NoClearEffect
        );
        // Attributes at 0 lean neither way.
        assert_eq!(
            finding.with_most_attributes(Judgement::Contradicted),
            Judgement::NoClearEffect
        );
        assert!(
            finding
                .in_attributes()
                .starts_with("above 0 in 1 of 5 attributes, at 0 in 2"),
            "{}",
            finding.in_attributes()
        );
        (finding.supporting, finding.opposing) = (Some(3), Some(2));
        assert_eq!(finding.with_most_attributes(Judgement::Observed), Judgement::Observed);
        assert_eq!(
            finding.with_most_attributes(Judgement::Contradicted),
            Judgement::NoClearEffect
        );
    }

    #[test]
    fn few_samples_and_global_attributes_are_left_out_and_counted() {
        let mut made = Made::new(10, (0.4, 0.1), (0.6, 0.2));
        made.evidence[0].local = false;
        let few = made.evidence[1].unbalanced.minority_energy.as_mut().unwrap();
        few.n = MIN_SAMPLES - 1;
        made.evidence[2].unbalanced.majority_energy = None;
        let numbers: Vec<_> = made
            .findings()
            .iter()
            .map(|f| (f.attributes, f.left_out, f.samples / IMAGES))
            .collect();
        assert_eq!(
            numbers,
            [
                (10, 0, 20),
                (7, 3, 14),
                (9, 1, 9),
                (8, 2, 16),
                (10, 0, 20),
                (7, 3, 14),
                (10, 0, 20),
                (9, 1, 9)
            ]
        );
    }

    #[test]
    fn without_attributes_there_is_too_little_data() {
        let found = Made::new(0, (0.4, 0.1), (0.6, 0.2)).judgements();
        assert_eq!(found[..6], [Some(Judgement::TooLittleData); 6]);
        let mut made = Made::new(1, (0.4, 0.1), (0.6, 0.2));
        let unbalanced = &mut made.evidence[0].unbalanced;
        for grounds in [&mut unbalanced.minority_error, &mut unbalanced.majority_error] {
            grounds.as_mut().unwrap().n = 3;
        }
        let line = made.findings()[0].to_string();
        assert!(
            line.ends_with("no attribute has 5 images behind every mean, the nearest 3"),
            "{line}"
        );
        let found = Made::new(2, (0.4, 0.1), (0.6, 0.2)).judgements();
        assert_eq!(
            found[5],
            Some(Judgement::TooLittleData),
            "two points have no correlation to speak of"
        );
        let line = Made::new(2, (0.4, 0.1), (0.6, 0.2)).findings()[5].to_string();
        assert!(line.ends_with("a rank correlation needs 8 attributes"), "{line}");
    }

    #[test]
    fn the_line_has_effect_interval_counts_and_samples() {
        let line = Made::new(20, (0.4, 0.1), (0.6, 0.2)).findings()[0].to_string();
        assert!(line.starts_with("mean difference in error +0.3"), "{line}");
        assert!(
            line.contains("], p < 0.001; above 0 in 20 of 20 attributes (clearly in 20, clearly below 0 in 0)"),
            "{line}"
        );
        assert!(line.ends_with("8000 pairs of image and attribute"), "{line}");
    }

    #[test]
    fn a_mean_beyond_chance_that_is_no_clear_effect_says_why() {
        let mut finding = Made::new(20, (0.4, 0.1), (0.6, 0.2)).findings()[0].clone();
        assert_eq!(finding.why_not(), None);
        finding.judgement = Some(Judgement::NoClearEffect);
        assert!(
            finding.to_string().ends_with("most attributes do not lean that way"),
            "{finding}"
        );
        finding.adjusted_p_value = Some(0.2);
        assert_eq!(finding.why_not(), None);
    }

    #[test]
    fn what_cannot_be_measured_says_why_alone() {
        let mut finding = Made::new(0, (0.4, 0.1), (0.6, 0.2)).findings()[2].clone();
        assert!(
            finding.to_string().starts_with("no attribute has 5 images"),
            "{finding}"
        );
        finding.unmeasured = Some("no regions were given".to_owned());
        assert_eq!(finding.to_string(), "no regions were given");
        assert_eq!(finding.why_not(), finding.unmeasured);
    }

    #[test]
    fn published_means_are_described() {
        let mut made = Made::new(4, (0.4, 0.1), (0.6, 0.2));
        for attribute in &mut made.evidence {
            attribute.unbalanced.minority_error = Some(Grounds::published(0.5));
            attribute.unbalanced.majority_error = Some(Grounds::published(0.25));
        }
        let expected = Described {
            claim: Claim::MinorityErrsMore,
            effect: Some(0.25),
            supporting: Some(4),
            attributes: 4,
        };
        assert_eq!(described(&made.evidence)[0], expected);
        assert_eq!(
            described(&made.evidence)[1].effect,
            None,
            "the energies are no published ones"
        );
    }
}
