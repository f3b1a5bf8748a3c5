//! What sets apart the predictions of the majority from those of the minority, and one classifier from another.

use metrics::{Bootstrap, Paired};

use super::all::{AttributeMeasures, Measured};

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

    /// Its value for the images that a classifier predicts as the minority or the majority; `None` below
    /// [`metrics::MIN_SAMPLES`] images.
    pub fn value(self, attribute: &AttributeMeasures, classifier: usize, minority: bool) -> Option<f64> {
        let measures = &attribute.classifiers[classifier];
        let class = attribute.class(minority);
        let local = attribute.local.then_some(());
        let reliance = || {
            measures
                .reliance(class)
                .filter(|found| found.score.n >= metrics::MIN_SAMPLES)
        };
        let occlusion = || {
            measures
                .occlusion(class)
                .filter(|found| found.score.n >= metrics::MIN_SAMPLES)
        };
        match self {
            Self::ConstantShare => reliance()?.constant_share(),
            Self::BiasShare => reliance()?.bias_share(),
            Self::AllBiasesShare => measures
                .all_biases(class)
                .filter(|found| found.n >= metrics::MIN_SAMPLES)?
                .share(),
            Self::Region => local.and_then(|()| Some(reliance()?.region?.mean)),
            Self::RegionLoss => local.and_then(|()| Some(occlusion()?.region.mean)),
            Self::LossBeyondControl => local.and_then(|()| Some(occlusion()?.beyond_control?.difference)),
        }
    }
}

/// One comparison over attributes, each paired with itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// What is compared.
    pub quantity: RelianceQuantity,
    /// Which group less which other, in words.
    pub groups: String,
    /// The differences; absent without an attribute that has both.
    pub paired: Option<Paired>,
}

/// Every comparison: within each classifier its majority less its minority predictions, and of every other classifier the
/// majority predictions of the first less its.
pub fn all_differences(measured: &Measured, bootstrap: Bootstrap) -> Vec<Difference> {
    let mut all = Vec::new();
    for quantity in RelianceQuantity::ALL {
        let mut compare = |groups: String, first: (usize, bool), second: (usize, bool)| {
            let (a, b): (Vec<f64>, Vec<f64>) = measured
                .attributes
                .iter()
                .filter_map(|attribute| {
                    let value = |(classifier, minority)| quantity.value(attribute, classifier, minority);
                    value(first).zip(value(second))
                })
                .unzip();
            all.push(Difference {
                quantity,
                groups,
                paired: Paired::of(&a, &b, bootstrap),
            });
        };
        for (index, name) in measured.classifiers.iter().enumerate() {
            compare(format!("{name}: majority - minority"), (index, false), (index, true));
        }
        for (index, name) in measured.classifiers.iter().enumerate().skip(1) {
            compare(
                format!("majority: {} - {name}", measured.classifiers[0]),
                (0, false),
                (index, false),
            );
        }
    }
    all
}
