//! The difference between the balanced and the unbalanced classifier, shared out among threshold, head and features
//! ([`metrics::Part`]), quantity by quantity.

use metrics::{Arm, Cell, Class, Estimate, Grounds, MIN_SAMPLES, Mean, Part, Resampled};

use super::sample::{Groups, Sample};
use crate::experiment::{Experiment, Kind, Role};

/// A quantity whose difference is shared out: a mean over attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecomposedQuantity {
    /// Error among the images of the minority class.
    MinorityError,
    /// Error among the images of the majority class.
    MajorityError,
    /// Mean of the two.
    BalancedError,
    /// Energy of the images predicted as the minority; a map without positive value takes no part.
    MinorityEnergy,
    /// Energy of the images predicted as the majority, likewise.
    MajorityEnergy,
    /// Energy of the images predicted as the minority less what the maps of other attributes have in the same region.
    MinoritySpecificity,
    /// The same of those predicted as the majority.
    MajoritySpecificity,
    /// Share of the maps without positive value among the images predicted as the minority.
    MinorityEmpty,
    /// The same of those predicted as the majority.
    MajorityEmpty,
    /// What the scores of the images predicted as the minority lose with the region hidden, beyond an equal area elsewhere, in logits.
    MinorityLoss,
    /// The same of those predicted as the majority.
    MajorityLoss,
    /// Share of the images of the minority class whose decision turns when the attribute is toggled.
    MinorityTurned,
    /// The same of those of the majority class.
    MajorityTurned,
}

impl DecomposedQuantity {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::MinorityError,
        Self::MajorityError,
        Self::BalancedError,
        Self::MinorityEnergy,
        Self::MajorityEnergy,
        Self::MinoritySpecificity,
        Self::MajoritySpecificity,
        Self::MinorityEmpty,
        Self::MajorityEmpty,
        Self::MinorityLoss,
        Self::MajorityLoss,
        Self::MinorityTurned,
        Self::MajorityTurned,
    ];

    /// A name for files and keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::MinorityError => "minority_error",
            Self::MajorityError => "majority_error",
            Self::BalancedError => "balanced_error",
            Self::MinorityEnergy => "minority_energy",
            Self::MajorityEnergy => "majority_energy",
            Self::MinoritySpecificity => "minority_specificity",
            Self::MajoritySpecificity => "majority_specificity",
            Self::MinorityEmpty => "minority_no_evidence",
            Self::MajorityEmpty => "majority_no_evidence",
            Self::MinorityLoss => "minority_loss",
            Self::MajorityLoss => "majority_loss",
            Self::MinorityTurned => "minority_turned",
            Self::MajorityTurned => "majority_turned",
        }
    }

    /// As a reader sees it.
    pub fn title(self) -> &'static str {
        match self {
            Self::MinorityError => "error, minority",
            Self::MajorityError => "error, majority",
            Self::BalancedError => "balanced error",
            Self::MinorityEnergy => "energy, minority",
            Self::MajorityEnergy => "energy, majority",
            Self::MinoritySpecificity => "specificity, minority",
            Self::MajoritySpecificity => "specificity, majority",
            Self::MinorityEmpty => "no evidence, minority",
            Self::MajorityEmpty => "no evidence, majority",
            Self::MinorityLoss => "region's loss, minority",
            Self::MajorityLoss => "region's loss, majority",
            Self::MinorityTurned => "turned, minority",
            Self::MajorityTurned => "turned, majority",
        }
    }

    /// What it is in: quantities of one kind can share a scale.
    pub fn kind(self) -> &'static str {
        match self {
            Self::MinorityError | Self::MajorityError | Self::BalancedError => "error",
            Self::MinorityLoss | Self::MajorityLoss => "logits",
            Self::MinorityTurned | Self::MajorityTurned => "share of decisions",
            _ => "share of a map, or of maps",
        }
    }

    /// Whether it is about an attribute's place, so that attributes without one take no part.
    fn is_placed(self) -> bool {
        !matches!(
            self,
            Self::MinorityError
                | Self::MajorityError
                | Self::BalancedError
                | Self::MinorityTurned
                | Self::MajorityTurned
        )
    }

    /// The means that it is the mean of, in an attribute of this minority.
    fn means(self, groups: &Groups, minority: Class) -> Vec<Option<Grounds>> {
        let few = usize::from(minority == Class::Negative);
        let many = 1 - few;
        match self {
            Self::MinorityError => vec![groups.error[few]],
            Self::MajorityError => vec![groups.error[many]],
            Self::BalancedError => groups.error.to_vec(),
            Self::MinorityEnergy => vec![groups.energy[few]],
            Self::MajorityEnergy => vec![groups.energy[many]],
            Self::MinoritySpecificity => vec![groups.specificity[few]],
            Self::MajoritySpecificity => vec![groups.specificity[many]],
            Self::MinorityEmpty => vec![groups.empty[few]],
            Self::MajorityEmpty => vec![groups.empty[many]],
            Self::MinorityLoss => vec![groups.loss[few]],
            Self::MajorityLoss => vec![groups.loss[many]],
            Self::MinorityTurned => vec![groups.turned[few]],
            Self::MajorityTurned => vec![groups.turned[many]],
        }
    }
}

/// What one part makes of a difference.
#[derive(Debug, Clone, PartialEq)]
pub struct PartOfDifference {
    /// Which part.
    pub part: Part,
    /// The mean of the two steps.
    pub mean: Estimate,
    /// The step from the unbalanced end.
    pub from_unbalanced: Estimate,
    /// The step from the balanced end.
    pub from_balanced: Estimate,
    /// The shares of both steps in the difference; absent where the difference may be none.
    pub shares: [Option<Estimate>; 2],
}

/// One quantity in every arm, and its difference shared out.
#[derive(Debug, Clone, PartialEq)]
pub struct Decomposed {
    /// Which quantity.
    pub quantity: DecomposedQuantity,
    /// Attributes that it is the mean of: those with at least [`MIN_SAMPLES`] images in every arm's group.
    pub attributes: Vec<String>,
    /// Its value in each arm, by [`Arm::ALL`].
    pub arms: [Estimate; 6],
    /// Balanced - unbalanced.
    pub difference: Estimate,
    /// By [`Part::ALL`].
    pub parts: Vec<PartOfDifference>,
}

/// All quantities that a run can share out.
#[derive(Debug, Clone, PartialEq)]
pub struct Decomposition {
    /// Names of the classifiers that are the arms, by [`Arm::ALL`].
    pub classifiers: [String; 6],
    /// The quantities; one that no attribute has in all arms is absent.
    pub quantities: Vec<Decomposed>,
}

impl Decomposition {
    /// One quantity.
    pub fn of(&self, quantity: DecomposedQuantity) -> Option<&Decomposed> {
        self.quantities.iter().find(|one| one.quantity == quantity)
    }
}

/// The classifiers of an experiment that are the arms, by [`Arm::ALL`]; `None` where one of them is not there.
pub fn arms(experiment: &Experiment) -> Option<[String; 6]> {
    let role = |role: Role| {
        let all = experiment.classifiers.iter();
        all.filter(|(_, one)| one.role == Some(role))
            .map(|(name, _)| name.as_str())
            .next()
    };
    let (unbalanced, balanced) = (role(Role::Unbalanced)?, role(Role::Balanced)?);
    // Of one network under two thresholds or heads there is no step of the features.
    if experiment.features_of(unbalanced) == experiment.features_of(balanced) {
        return None;
    }
    let mut names: [String; 6] = Default::default();
    for (place, arm) in names.iter_mut().zip(Arm::ALL) {
        let name = match arm {
            Arm::Unbalanced => unbalanced,
            Arm::UnbalancedThreshold => experiment.derived(unbalanced, Kind::Threshold, balanced)?,
            Arm::UnbalancedHead => experiment.derived(unbalanced, Kind::Head, balanced)?,
            Arm::BalancedHead => experiment.derived(balanced, Kind::Head, unbalanced)?,
            Arm::BalancedThreshold => experiment.derived(balanced, Kind::Threshold, unbalanced)?,
            Arm::Balanced => balanced,
        };
        name.clone_into(place);
    }
    Some(names)
}

/// What is to be known of an attribute: its minority, and whether it has its place.
pub type AttributeKind = (Class, bool);

/// The cells of an attribute by arm, with the attribute's name.
type NamedCells<'a> = (&'a str, [Vec<Cell>; 6]);

/// Shares out the quantities of a sample among the arms at some positions of it.
pub fn decompose(
    sample: &Sample,
    resampled: &Resampled,
    classifiers: [String; 6],
    positions: [usize; 6],
    attributes: &[AttributeKind],
    names: &[&str],
) -> Decomposition {
    let quantity = |quantity: DecomposedQuantity| {
        // By attribute and arm, the cells that its value is the mean of.
        let cells: Vec<NamedCells<'_>> = attributes
            .iter()
            .zip(names)
            .enumerate()
            .filter(|(_, ((_, local), _))| *local || !quantity.is_placed())
            .filter_map(|(attribute, ((minority, _), name))| {
                let mut all: [Vec<Cell>; 6] = Default::default();
                for (into, &position) in all.iter_mut().zip(&positions) {
                    let means = quantity.means(sample.groups(position, attribute), *minority);
                    *into = means.into_iter().map(cell).collect::<Option<_>>()?;
                }
                Some((*name, all))
            })
            .collect();
        decomposed(quantity, &cells, resampled)
    };
    Decomposition {
        classifiers,
        quantities: DecomposedQuantity::ALL.into_iter().filter_map(quantity).collect(),
    }
}

/// The cell of a mean on enough images.
pub(super) fn cell(grounds: Option<Grounds>) -> Option<Cell> {
    match grounds.filter(|grounds| grounds.n >= MIN_SAMPLES)?.mean {
        Mean::Cell(cell) => Some(cell),
        Mean::Published(_) => None,
    }
}

fn decomposed(quantity: DecomposedQuantity, cells: &[NamedCells<'_>], resampled: &Resampled) -> Option<Decomposed> {
    let value = |arm: usize, mean: &dyn Fn(Cell) -> Option<f64>| {
        let of = |cells: &Vec<Cell>| {
            let sum = cells.iter().map(|&cell| mean(cell)).sum::<Option<f64>>()?;
            Some(sum / cells.len() as f64)
        };
        let sum = cells.iter().map(|(_, arms)| of(&arms[arm])).sum::<Option<f64>>()?;
        (!cells.is_empty()).then(|| sum / cells.len() as f64)
    };
    let values = |mean: &dyn Fn(Cell) -> Option<f64>| -> Option<[f64; 6]> {
        let mut all = [0.0; 6];
        for (arm, into) in all.iter_mut().enumerate() {
            *into = value(arm, mean)?;
        }
        Some(all)
    };
    let estimate = |of: &dyn Fn([f64; 6]) -> f64| resampled.estimate(|mean| Some(of(values(mean)?)));
    let arms: Vec<Estimate> = (0..6)
        .map(|arm| resampled.estimate(|mean| value(arm, mean)))
        .collect::<Option<_>>()?;
    let difference = estimate(&|values| values[5] - values[0])?;
    let clear = difference
        .interval
        .is_some_and(|ends| ends.low > 0.0 || ends.high < 0.0);
    let parts = Part::ALL.into_iter().map(|part| {
        Some(PartOfDifference {
            part,
            mean: estimate(&|values| part.of(values))?,
            from_unbalanced: estimate(&|values| part.from_unbalanced(values))?,
            from_balanced: estimate(&|values| part.from_balanced(values))?,
            shares: [Part::from_unbalanced as fn(Part, [f64; 6]) -> f64, Part::from_balanced].map(|step| {
                let share = |values: [f64; 6]| step(part, values) / (values[5] - values[0]);
                clear.then(|| estimate(&share)).flatten()
            }),
        })
    });
    Some(Decomposed {
        quantity,
        attributes: cells.iter().map(|(name, _)| (*name).to_owned()).collect(),
        arms: arms.try_into().ok()?,
        difference,
        parts: parts.collect::<Option<_>>()?,
    })
}
