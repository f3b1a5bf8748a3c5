//! What sets apart the predictions of the majority from those of the minority, and one classifier from another.

use metrics::{Cell, Class, Estimate, Grounds, Resampled};

use super::decomposition::cell;
use super::sample::{Groups, Sample};

/// A quantity that is compared, attribute by attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelianceQuantity {
    /// [`constant_share`](super::Reliance::constant_share).
    ConstantShare,
    /// [`bias_share`](super::Reliance::bias_share).
    BiasShare,
    /// Mean of [`region`](super::Reliance::region); attributes with a local region only.
    Region,
    /// The part of all biases of the network in the score.
    AllBiasesShare,
    /// What the score loses without the region; attributes with a local region only.
    RegionLoss,
    /// What it loses without the region beyond what it loses without an equal area elsewhere; of the same, where there is room for
    /// one.
    LossBeyondControl,
}

impl RelianceQuantity {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ConstantShare,
        Self::BiasShare,
        Self::AllBiasesShare,
        Self::Region,
        Self::RegionLoss,
        Self::LossBeyondControl,
    ];

    /// As a reader sees it.
    pub fn title(self) -> &'static str {
        match self {
            Self::ConstantShare => "constant part / score",
            Self::BiasShare => "head's bias / score",
            Self::AllBiasesShare => "all biases / score",
            Self::Region => "region's specific evidence",
            Self::RegionLoss => "lost with the region hidden",
            Self::LossBeyondControl => "lost beyond an equal area's loss",
        }
    }

    /// Whether attributes without a place take no part.
    fn is_placed(self) -> bool {
        matches!(self, Self::Region | Self::RegionLoss | Self::LossBeyondControl)
    }

    /// Its means, of the images predicted positive and negative.
    fn means(self, groups: &Groups) -> [Option<Grounds>; 2] {
        match self {
            Self::ConstantShare => groups.constant,
            Self::BiasShare => groups.bias,
            Self::AllBiasesShare => groups.all_biases,
            Self::Region => groups.region,
            Self::RegionLoss => groups.lost,
            Self::LossBeyondControl => groups.loss,
        }
    }
}

/// One comparison, a mean over the attributes that have both groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// What is compared.
    pub quantity: RelianceQuantity,
    /// Positions of the classifiers that are compared: the same twice within one.
    pub classifiers: [usize; 2],
    /// Which group less which other, in words.
    pub groups: String,
    /// The mean difference; absent without an attribute that has both.
    pub difference: Option<Estimate>,
    /// Attributes that have both.
    pub attributes: usize,
    /// Attributes whose first is the larger.
    pub larger: usize,
    /// Cohen's d for pairs (1988) over attributes: mean difference / its sample standard deviation over them. `None` where they do not
    /// vary.
    pub effect_size: Option<f64>,
}

/// Every comparison: within each classifier its majority less its minority predictions, and of every other classifier the
/// majority predictions of the first less its. `attributes`: whose minority is which class, and which have their place.
pub(super) fn differences(
    sample: &Sample,
    resampled: &Resampled,
    names: &[String],
    attributes: &[(Class, bool)],
) -> Vec<Difference> {
    let mut all = Vec::new();
    for quantity in RelianceQuantity::ALL {
        let mut compare = |groups: String, first: (usize, bool), second: (usize, bool)| {
            let of = |attribute: usize, (classifier, of_minority): (usize, bool)| {
                let class = match (of_minority, attributes[attribute].0) {
                    (true, minority) => minority,
                    (false, minority) => minority.opposite(),
                };
                let means = quantity.means(sample.groups(classifier, attribute));
                cell(means[usize::from(class == Class::Negative)])
            };
            let pairs: Vec<(Cell, Cell)> = (0..attributes.len())
                .filter(|&attribute| attributes[attribute].1 || !quantity.is_placed())
                .filter_map(|attribute| of(attribute, first).zip(of(attribute, second)))
                .collect();
            let each: Vec<f64> = pairs
                .iter()
                .filter_map(|&(a, b)| Some(resampled.value(a)? - resampled.value(b)?))
                .collect();
            let difference = resampled.estimate(|mean| {
                let sum = pairs
                    .iter()
                    .map(|&(a, b)| Some(mean(a)? - mean(b)?))
                    .sum::<Option<f64>>()?;
                (!pairs.is_empty()).then(|| sum / pairs.len() as f64)
            });
            all.push(Difference {
                quantity,
                classifiers: [first.0, second.0],
                groups,
                difference,
                attributes: pairs.len(),
                larger: each.iter().filter(|difference| **difference > 0.0).count(),
                effect_size: effect_size(&each),
            });
        };
        for (index, name) in names.iter().enumerate() {
            compare(format!("{name}: majority - minority"), (index, false), (index, true));
        }
        for (index, name) in names.iter().enumerate().skip(1) {
            compare(format!("majority: {} - {name}", names[0]), (0, false), (index, false));
        }
    }
    all
}

fn effect_size(differences: &[f64]) -> Option<f64> {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (variance > 0.0 && variance.is_finite()).then(|| mean / variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Differences 2, 0, 4: mean 2, sample deviation 2.
    #[test]
    fn the_effect_size_by_hand() {
        assert!((effect_size(&[2.0, 0.0, 4.0]).expect("varies") - 1.0).abs() < 1e-12);
        assert_eq!(effect_size(&[1.0, 1.0]), None);
        assert_eq!(effect_size(&[1.0]), None);
        assert_eq!(effect_size(&[]), None);
    }
}
