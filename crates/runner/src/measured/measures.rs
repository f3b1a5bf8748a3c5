//! What is measured of one attribute, and of each classifier on it.

use metrics::{Class, ErrorRates, Estimate, Filter, Statistics};

use super::differences::RelianceQuantity;
use super::estimates::Estimates;
use super::occlusion::{AllBiases, Losses, Occlusion};
use super::ranked::Ranked;
use super::reliance::Reliance;

/// What is measured of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Proportional energy; a map without any energy takes no part.
    Energy,
    /// Proportional energy, 0 for a map without any energy: the paper's convention.
    EnergyPaper,
    /// Proportional energy times the part of the image outside the region.
    EnergyCorrected,
    /// Part of the active pixels that is inside the region.
    MaskRatio,
    /// The same, times the part of the image outside the region.
    MaskRatioCorrected,
    /// Proportional energy in the attribute's exact mask, where the data set has masks.
    EnergyExact,
    /// Proportional energy of the centred map: of what is specific to the image.
    EnergyCentred,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Energy,
        Self::EnergyPaper,
        Self::EnergyCorrected,
        Self::MaskRatio,
        Self::MaskRatioCorrected,
        Self::EnergyExact,
        Self::EnergyCentred,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Energy => "energy",
            Self::EnergyPaper => "energy_paper",
            Self::EnergyCorrected => "energy_corrected",
            Self::MaskRatio => "mask_ratio",
            Self::MaskRatioCorrected => "mask_ratio_corrected",
            Self::EnergyExact => "energy_exact",
            Self::EnergyCentred => "energy_centred",
        }
    }

    /// The column of `energy.parquet` it is read from.
    pub fn column(self) -> &'static str {
        match self {
            Self::EnergyPaper => Self::Energy.name(),
            other => other.name(),
        }
    }
}

/// The statistics of one measure over the images that pass one filter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// What is measured.
    pub measure: Measure,
    /// Over which images.
    pub filter: Filter,
    /// Absent when no image passes.
    pub statistics: Option<Statistics>,
}

/// What one classifier does with one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierMeasures {
    /// Errors over the frontal test images.
    pub rates: ErrorRates,
    /// Every measure over every filter.
    pub groups: Vec<Group>,
    /// Explained images whose map has no energy at all.
    pub empty_maps: usize,
    /// Mean area of the attribute's region over the measured images; absent without any.
    pub region_area: Option<f64>,
    /// What of the scores is a bias, of the images predicted positive and negative.
    pub reliance: [Option<Reliance>; 2],
    /// What they lose without the region, and what all biases make of them, of the same.
    pub losses: Losses,
    /// Means with their intervals over people.
    pub estimates: Estimates,
    /// What no threshold changes, likewise.
    pub ranked: Ranked,
}

impl ClassifierMeasures {
    /// Error rates alone, with nothing known of maps.
    pub fn of_rates(rates: ErrorRates) -> Self {
        Self {
            rates,
            groups: Vec::new(),
            empty_maps: 0,
            losses: Losses::default(),
            estimates: Estimates::default(),
            ranked: Ranked::default(),
            region_area: None,
            reliance: [None, None],
        }
    }

    /// Takes the estimates, of which every number that they are of has its interval.
    pub fn take(&mut self, estimates: Estimates) {
        let interval = |estimate: &Option<Estimate>| estimate.and_then(|estimate| estimate.interval);
        for (side, (reliance, losses)) in self.reliance.iter_mut().zip(&mut self.losses).enumerate() {
            if let Some(reliance) = reliance {
                reliance.score.interval = interval(&estimates.score[side]);
                if let Some(region) = &mut reliance.region {
                    region.interval = interval(&estimates.region[side]);
                }
            }
            if let Some(occlusion) = &mut losses.0 {
                occlusion.region.interval = interval(&estimates.lost[side]);
                if let Some(control) = &mut occlusion.control {
                    control.interval = interval(&estimates.lost_control[side]);
                }
                if let Some(beyond) = &mut occlusion.beyond_control {
                    beyond.interval = interval(&estimates.loss[side]);
                }
            }
        }
        self.estimates = estimates;
    }

    /// One measure over one filter.
    pub fn statistics(&self, measure: Measure, filter: Filter) -> Option<Statistics> {
        self.groups
            .iter()
            .find(|group| group.measure == measure && group.filter == filter)?
            .statistics
    }

    /// What of the scores is a bias, of the images predicted as `class`; absent when there are none.
    pub fn reliance(&self, class: Class) -> Option<Reliance> {
        self.reliance[usize::from(class == Class::Negative)]
    }

    /// What the scores lose without the region, of the images predicted as `class`; absent when nothing was hidden of any.
    pub fn occlusion(&self, class: Class) -> Option<Occlusion> {
        self.losses[usize::from(class == Class::Negative)].0
    }

    /// What all biases of the network make of the scores; absent when none was taken apart.
    pub fn all_biases(&self, class: Class) -> Option<AllBiases> {
        self.losses[usize::from(class == Class::Negative)].1
    }

    /// Mean proportional energy of the images predicted as `class`.
    pub fn energy(&self, class: Class) -> Option<Statistics> {
        self.statistics(Measure::Energy, Filter::predicted(class))
    }
}

/// What all classifiers do with one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeMeasures {
    /// Its name.
    pub name: String,
    /// (positives, negatives) among the training images.
    pub counts: (usize, usize),
    /// Whether its region is local.
    pub local: bool,
    /// Part of the image its region covers: the energy of a map that knows nothing. Where each image has a region of its own,
    /// the mean over those that have; absent where none has.
    pub area: Option<f64>,
    /// One entry a classifier.
    pub classifiers: Vec<ClassifierMeasures>,
}

impl AttributeMeasures {
    /// The rarer class of the training images.
    pub fn minority(&self) -> Class {
        Class::minority(self.counts.0, self.counts.1)
    }

    /// The minority class or the majority class.
    pub fn class(&self, minority: bool) -> Class {
        if minority {
            self.minority()
        } else {
            self.minority().opposite()
        }
    }

    /// A quantity's value for the images that a classifier predicts as the minority or the majority; `None` below
    /// [`metrics::MIN_SAMPLES`] images.
    pub fn compared(&self, quantity: RelianceQuantity, classifier: usize, minority: bool) -> Option<f64> {
        let measures = &self.classifiers[classifier];
        let class = self.class(minority);
        let local = self.local.then_some(());
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
        match quantity {
            RelianceQuantity::ConstantShare => reliance()?.constant_share(),
            RelianceQuantity::BiasShare => reliance()?.bias_share(),
            RelianceQuantity::AllBiasesShare => measures
                .all_biases(class)
                .filter(|found| found.n >= metrics::MIN_SAMPLES)?
                .share(),
            RelianceQuantity::Region => local.and_then(|()| Some(reliance()?.region?.mean)),
            RelianceQuantity::RegionLoss => local.and_then(|()| Some(occlusion()?.region.mean)),
            RelianceQuantity::LossBeyondControl => local.and_then(|()| Some(occlusion()?.beyond_control?.difference)),
        }
    }

    /// Part of the annotated training images that is positive, in [0, 1]; absent without any.
    pub fn positive_rate(&self) -> Option<f64> {
        let annotated = self.counts.0 + self.counts.1;
        (annotated > 0).then(|| self.counts.0 as f64 / annotated as f64)
    }
}
