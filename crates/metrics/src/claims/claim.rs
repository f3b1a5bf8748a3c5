//! The paper's claims, and what follows from them: in words, and as an effect of means.

use super::evidence::{AttributeEvidence, ClassifierEvidence, Grounds};

/// A mean over fewer samples than this takes no part in a claim.
pub const MIN_SAMPLES: usize = 5;

/// What the paper claims, each put as an effect that is positive where the claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Claim {
    /// Effect: minority error - majority error of the unbalanced classifier.
    MinorityErrsMore,
    /// Effect: minority energy - majority energy of the unbalanced classifier.
    MajorityLooksElsewhere,
    /// Effect: specificity of the unbalanced classifier's maps of samples predicted as the majority class: their energy in the attribute's
    /// region - the mean energy that the maps of the other attributes have there.
    ///
    /// The paper says that majority classes are ignored; a map that does not look for the attribute has none.
    MajorityLookedForBeyondChance,
    /// Effect: majority energy of the balanced classifier - that of the unbalanced one.
    BalancingRaisesMajorityEnergy,
    /// Effect: |minority error - majority error| of the unbalanced classifier - that of the balanced one.
    BalancingClosesErrorGap,
    /// Effect: rank correlation of imbalance (the majority's share) with the unbalanced classifier's minority energy - majority energy.
    EnergyGapGrowsWithImbalance,
    /// Effect: share of the samples of the majority class whose decision turns when the attribute is toggled in the image, balanced classifier -
    /// unbalanced one with its threshold moved to where it answers to the same class weights.
    ///
    /// What a classifier really uses, where images can be drawn with an attribute toggled; elsewhere nobody can say.
    MajorityToggledTurnsLess,
    /// Effect: constant part / mean score of the samples predicted as the majority class, unbalanced classifier - balanced one.
    ///
    /// The constant part is the mean score, and that of a calibrated classifier follows the class's frequency: this says what imbalance
    /// does to scores, not how a decision is reached. Described, not judged.
    MajorityScoreMoreConstant,
    /// Effect: what the scores of the samples that both classifiers predict as the majority class lose with the region hidden, beyond
    /// what they lose with an equal area elsewhere hidden: balanced classifier - unbalanced one.
    ///
    /// No score can lose more than what it has above that of an image that says nothing, which for a calibrated classifier follows the
    /// class's frequency too. Described, not judged.
    MajorityNeedsRegionLess,
}

impl Claim {
    /// All claims, in the order of the paper's argument.
    pub const ALL: [Self; 9] = [
        Self::MinorityErrsMore,
        Self::MajorityLooksElsewhere,
        Self::MajorityLookedForBeyondChance,
        Self::BalancingRaisesMajorityEnergy,
        Self::BalancingClosesErrorGap,
        Self::EnergyGapGrowsWithImbalance,
        Self::MajorityToggledTurnsLess,
        Self::MajorityScoreMoreConstant,
        Self::MajorityNeedsRegionLess,
    ];

    /// A name for files and keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MinorityErrsMore => "minority_errs_more",
            Self::MajorityLooksElsewhere => "majority_looks_elsewhere",
            Self::MajorityLookedForBeyondChance => "majority_looked_for_beyond_chance",
            Self::BalancingRaisesMajorityEnergy => "balancing_raises_majority_energy",
            Self::BalancingClosesErrorGap => "balancing_closes_error_gap",
            Self::EnergyGapGrowsWithImbalance => "energy_gap_grows_with_imbalance",
            Self::MajorityToggledTurnsLess => "majority_toggled_turns_less",
            Self::MajorityScoreMoreConstant => "majority_score_more_constant",
            Self::MajorityNeedsRegionLess => "majority_needs_region_less",
        }
    }

    /// The claim as a sentence.
    #[must_use]
    pub fn statement(self) -> &'static str {
        match self {
            Self::MinorityErrsMore => {
                "The unbalanced classifier errs more on the minority class than on the majority class"
            }
            Self::MajorityLooksElsewhere => {
                "The unbalanced classifier has less energy in the region when it predicts the majority class than when it predicts the minority class"
            }
            Self::MajorityLookedForBeyondChance => {
                "When it predicts the majority class, the unbalanced classifier's map of an attribute still has more energy in the region than the maps of the other attributes have there"
            }
            Self::BalancingRaisesMajorityEnergy => {
                "Balancing raises the energy in the region of samples predicted as the majority class"
            }
            Self::BalancingClosesErrorGap => "Balancing narrows the gap between minority error and majority error",
            Self::EnergyGapGrowsWithImbalance => {
                "The more imbalanced the attribute, the larger the unbalanced classifier's gap in energy"
            }
            Self::MajorityToggledTurnsLess => {
                "Toggling the attribute in images of the majority class turns the unbalanced classifier's decision less often than the balanced one's, even with its threshold moved for the same class weights"
            }
            Self::MajorityScoreMoreConstant => {
                "Of the score for the majority class, the unbalanced classifier has a larger part that is the same for every image than the balanced one"
            }
            Self::MajorityNeedsRegionLess => {
                "Hiding the region, beyond hiding an equal area elsewhere, takes less from the unbalanced classifier's score for the majority class than from the balanced one's"
            }
        }
    }

    /// What the number next to the verdict is.
    #[must_use]
    pub fn effect(self) -> &'static str {
        match self {
            Self::MinorityErrsMore => "mean difference in error",
            Self::MajorityLooksElsewhere => "mean difference in energy",
            Self::MajorityLookedForBeyondChance => "mean specificity",
            Self::BalancingRaisesMajorityEnergy => "mean rise in energy",
            Self::BalancingClosesErrorGap => "mean narrowing in error",
            Self::EnergyGapGrowsWithImbalance => "rank correlation over these attributes",
            Self::MajorityToggledTurnsLess => {
                "mean difference in the share that turns, balanced - unbalanced with its threshold moved,"
            }
            Self::MajorityScoreMoreConstant => "mean difference in the constant part's share",
            Self::MajorityNeedsRegionLess => "mean difference in loss on the same images",
        }
    }

    /// Whether it is judged. What holds of any calibrated classifier is described.
    #[must_use]
    pub fn is_judged(self) -> bool {
        !matches!(self, Self::MajorityScoreMoreConstant | Self::MajorityNeedsRegionLess)
    }

    /// Whether it speaks of the attributes' regions, so that nothing can be said of it without them.
    #[must_use]
    pub fn needs_regions(self) -> bool {
        !matches!(
            self,
            Self::MinorityErrsMore
                | Self::BalancingClosesErrorGap
                | Self::MajorityToggledTurnsLess
                | Self::MajorityScoreMoreConstant
        )
    }

    /// Whether the claim can be asked of these attributes at all: what toggling does only where it was tried.
    pub(super) fn can_be_asked(self, evidence: &[AttributeEvidence]) -> bool {
        let tried = || evidence.iter().any(|one| one.balanced.majority_turned.is_some());
        self != Self::MajorityToggledTurnsLess || tried()
    }

    /// The means that the effect in one attribute is made of; `None` where one is absent or stands on fewer than [`MIN_SAMPLES`] samples,
    /// or where the claim is about energy and the attribute is global.
    pub(super) fn grounds(self, attribute: &AttributeEvidence) -> Option<Vec<Grounds>> {
        let needed = self.needed(attribute)?;
        let enough = |grounds: Option<Grounds>| grounds.filter(|grounds| grounds.n >= MIN_SAMPLES);
        needed.into_iter().map(enough).collect()
    }

    /// The same, whatever they stand on; `None` where the claim is about energy and the attribute is global.
    pub(super) fn needed(self, attribute: &AttributeEvidence) -> Option<Vec<Option<Grounds>>> {
        let (unbalanced, balanced) = (&attribute.unbalanced, &attribute.balanced);
        let errors = |one: &ClassifierEvidence| [one.minority_error, one.majority_error];
        let needed = match self {
            Self::MinorityErrsMore => errors(unbalanced).to_vec(),
            Self::BalancingClosesErrorGap => [errors(unbalanced), errors(balanced)].concat(),
            Self::MajorityLooksElsewhere | Self::EnergyGapGrowsWithImbalance => {
                vec![unbalanced.minority_energy, unbalanced.majority_energy]
            }
            Self::MajorityLookedForBeyondChance => vec![unbalanced.majority_specificity],
            Self::BalancingRaisesMajorityEnergy => vec![balanced.majority_energy, unbalanced.majority_energy],
            Self::MajorityToggledTurnsLess => {
                vec![balanced.majority_turned, attribute.majority_turned_at_same_point]
            }
            Self::MajorityScoreMoreConstant => vec![unbalanced.majority_constant, balanced.majority_constant],
            Self::MajorityNeedsRegionLess => vec![attribute.majority_loss_rise],
        };
        (attribute.local || !self.needs_regions()).then_some(needed)
    }

    /// The effect in one attribute (for the correlation: its energy gap), from the means behind it.
    pub(super) fn effect_of(self, means: &[f64]) -> Option<f64> {
        Some(match (self, means) {
            (Self::BalancingClosesErrorGap, &[few, many, few_after, many_after]) => {
                (few - many).abs() - (few_after - many_after).abs()
            }
            (Self::MajorityNeedsRegionLess | Self::MajorityLookedForBeyondChance, &[effect]) => effect,
            (_, &[a, b]) => a - b,
            _ => return None,
        })
    }
}
