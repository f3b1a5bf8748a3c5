//! All that is known of all classifiers and attributes, computed from the Parquet files of a run.

use metrics::{
    Bootstrap, Cell, Class, ErrorRates, Estimate, Filter, Finding, Grounds, People, Ratios, Resampled, Statistics,
    error_rates, findings, paper_convention, spearman, table_order,
};
use rayon::prelude::*;

use super::columns::Decompositions;
use super::decomposition::{self, Decomposition};
use super::differences::{self, Difference, RelianceQuantity};
use super::estimates::Estimates;
use super::facts::DataFacts;
use super::faithfulness::Faithfulness;
use super::occlusion::{self, AllBiases, Losses, Occlusion, OcclusionFile};
use super::predictions::Predictions;
use super::ranked::{self, Ranked};
use super::reliance::{self, Reliance};
use super::sample::{About, Groups, Mapped, Sample, Scored};
use super::subgroups::{self, Subgroup};
use crate::artefacts;
use crate::error::{Error, Result, describe};
use crate::experiment::Role;
use crate::recorded::Recorded;
use crate::regions::{self, Regions};
use pipeline::{ParquetFile, RowKeys};

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
    fn column(self) -> &'static str {
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
    fn take(&mut self, estimates: Estimates) {
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

/// Everything measured of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The classifiers, in the order in which they are shown.
    pub classifiers: Vec<String>,
    /// What each is in the paper's comparison.
    pub roles: Vec<Option<Role>>,
    /// The attributes, in the order of the paper's tables: by size of the minority class.
    pub attributes: Vec<AttributeMeasures>,
    /// The verdicts on the paper's claims; empty unless the experiment has an unbalanced and a balanced classifier.
    pub findings: Vec<Finding>,
    /// Whether maps tell what each classifier uses, one entry a classifier; absent where it was not tried.
    pub faithfulness: Vec<Option<Faithfulness>>,
    /// Which classifiers are derived from another one.
    pub derived: Vec<bool>,
    /// What sets the balanced classifier apart from the unbalanced one, shared out; absent where the experiment has not all arms.
    pub decomposition: Option<Decomposition>,
    /// What of the scores is a bias, and what they lose, compared.
    pub differences: Vec<Difference>,
    /// Of each classifier the rank correlations over attributes of imbalance (the majority's share) with the gaps in error and in energy between
    /// minority and majority, with their intervals over people.
    pub correlations: Vec<[Option<Estimate>; 2]>,
    /// The groups in which each classifier errs most ([`Subgroup::attribute`] counts in [`Self::attributes`]).
    pub subgroups: Vec<Subgroup>,
}

impl Measured {
    /// Measures what the classifiers' Parquet files hold.
    ///
    /// # Errors
    /// When a file is missing or damaged, or not of this data set.
    pub fn read(recorded: &Recorded<'_>, facts: &DataFacts) -> Result<Self> {
        let measures = recorded
            .experiment
            .classifier_names()
            .into_iter()
            .map(|name| {
                let (measures, scored) =
                    classifier_measures(recorded, &facts.attributes, &name, recorded.experiment.bootstrap())?;
                Ok((name, measures, scored))
            })
            .collect::<Result<_>>()?;
        Self::of(recorded, facts, measures, &mut Err)
    }

    /// Puts together what was measured of some classifiers, one entry an attribute in the data set's order. `fault` decides what
    /// becomes of a file that cannot be read: an error ends the work, otherwise its numbers are absent.
    fn of(
        recorded: &Recorded<'_>,
        facts: &DataFacts,
        measures: Vec<Classified>,
        fault: &mut dyn FnMut(Error) -> Result<()>,
    ) -> Result<Self> {
        let regions = regions::load(recorded.experiment, &facts.attributes)?;
        let mut attributes: Vec<AttributeMeasures> = facts
            .attributes
            .iter()
            .zip(&facts.counts)
            .enumerate()
            .map(|(index, (name, &counts))| {
                let area = match &regions {
                    Regions::Fixed(all) => Some(all[index].region.area()),
                    Regions::Masks => measures
                        .first()
                        .and_then(|(_, measures, _)| measures[index].region_area),
                };
                AttributeMeasures {
                    name: name.clone(),
                    counts,
                    local: regions.is_local(index, area),
                    area,
                    classifiers: Vec::new(),
                }
            })
            .collect();
        let bootstrap = recorded.experiment.bootstrap();
        let mut classifiers = Vec::new();
        let mut scored = Vec::new();
        let mut hidden: Vec<Option<OcclusionFile>> = Vec::new();
        let mut faithfulness = Vec::new();
        for (name, measures, own) in measures {
            faithfulness.push(or_absent(Faithfulness::read(recorded, &name, bootstrap), fault)?);
            for (attribute, measures) in attributes.iter_mut().zip(measures) {
                attribute.classifiers.push(measures);
            }
            let file = or_absent(OcclusionFile::read(recorded, &name, &facts.attributes), fault)?;
            if let Some(file) = &file {
                // All others are compared with the first classifier, whose file may be what cannot be read.
                let first = hidden.first().and_then(Option::as_ref);
                let losses = occlusion::losses(recorded, &name, file, first, bootstrap);
                for (attribute, losses) in attributes
                    .iter_mut()
                    .zip(or_absent(losses.map(Some), fault)?.unwrap_or_default())
                {
                    if let Some(measures) = attribute.classifiers.last_mut() {
                        measures.losses = losses;
                    }
                }
            }
            hidden.push(file);
            scored.push(own);
            classifiers.push(name);
        }
        let role = |name: &String| recorded.experiment.classifiers.get(name).and_then(|one| one.role);
        let roles: Vec<Option<Role>> = classifiers.iter().map(role).collect();
        let derived = classifiers
            .iter()
            .map(|name| recorded.experiment.is_derived(name))
            .collect();
        let judged = judged(recorded, &classifiers, &roles, &mut attributes, &scored, &hidden);
        let Judged {
            findings,
            decomposition,
            differences,
            correlations,
            mut subgroups,
        } = or_absent(judged.map(Some), fault)?.unwrap_or_default();
        let mut attributes: Vec<Option<AttributeMeasures>> = attributes.into_iter().map(Some).collect();
        let order = table_order(&facts.attributes, &facts.counts);
        let place = |index: usize| order.iter().position(|known| *known == index).unwrap_or(index);
        for group in &mut subgroups {
            (group.attribute, group.within) = (place(group.attribute), place(group.within));
        }
        let attributes = order.iter().filter_map(|&index| attributes[index].take()).collect();
        Ok(Self {
            classifiers,
            roles,
            attributes,
            findings,
            faithfulness,
            derived,
            decomposition,
            differences,
            correlations,
            subgroups,
        })
    }

    /// The classifiers that have learnt features of their own: what figures and wide tables show.
    #[must_use]
    pub fn learnt(&self) -> Self {
        let kept: Vec<usize> = (0..self.classifiers.len())
            .filter(|&place| !self.derived[place])
            .collect();
        let attribute = |attribute: &AttributeMeasures| AttributeMeasures {
            classifiers: kept.iter().map(|&place| attribute.classifiers[place].clone()).collect(),
            ..attribute.clone()
        };
        Self {
            classifiers: kept.iter().map(|&place| self.classifiers[place].clone()).collect(),
            roles: kept.iter().map(|&place| self.roles[place]).collect(),
            attributes: self.attributes.iter().map(attribute).collect(),
            findings: self.findings.clone(),
            faithfulness: kept.iter().map(|&place| self.faithfulness[place].clone()).collect(),
            derived: vec![false; kept.len()],
            decomposition: self.decomposition.clone(),
            differences: self
                .differences
                .iter()
                .filter(|one| one.classifiers.iter().all(|place| kept.contains(place)))
                .cloned()
                .collect(),
            correlations: kept
                .iter()
                .filter_map(|&place| self.correlations.get(place).copied())
                .collect(),
            subgroups: self
                .subgroups
                .iter()
                .filter(|group| kept.contains(&group.classifier))
                .cloned()
                .collect(),
        }
    }
}

/// A classifier's name, its measures by attribute, and the rows that they are made of.
type Classified = (String, Vec<ClassifierMeasures>, Scored);

/// What is said of a run over the people tested.
#[derive(Default)]
struct Judged {
    findings: Vec<Finding>,
    decomposition: Option<Decomposition>,
    differences: Vec<Difference>,
    correlations: Vec<[Option<Estimate>; 2]>,
    /// Attributes as the data set has them.
    subgroups: Vec<Subgroup>,
}

/// Gives every mean its interval over the people tested, and judges what is made of several.
fn judged(
    recorded: &Recorded<'_>,
    classifiers: &[String],
    roles: &[Option<Role>],
    attributes: &mut [AttributeMeasures],
    scored: &[Scored],
    hidden: &[Option<OcclusionFile>],
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
    let rows: Vec<_> = scored.iter().zip(hidden.iter().map(Option::as_ref)).collect();
    let mut sample = Sample::new(&rows, attributes.len(), first.people.clone())?;
    let position = |role| roles.iter().position(|known| *known == Some(role));
    let compared = position(Role::Unbalanced).zip(position(Role::Balanced));
    let mut evidence = Vec::new();
    if let Some((unbalanced, balanced)) = compared {
        for (index, attribute) in attributes.iter().enumerate() {
            let rate = attribute.positive_rate().unwrap_or(0.5);
            let about = About {
                minority: attribute.minority(),
                minority_share: rate.min(1.0 - rate),
                local: attribute.local,
            };
            evidence.push(sample.evidence(&rows, [unbalanced, balanced], index, attributes.len(), about)?);
        }
    }
    let resampled = sample.resample(recorded.experiment.bootstrap());
    attributes.par_iter_mut().enumerate().for_each(|(index, attribute)| {
        for (classifier, measures) in attribute.classifiers.iter_mut().enumerate() {
            measures.take(Estimates::of(sample.groups(classifier, index), &resampled));
        }
    });
    for (classifier, ranked) in ranked::ranked(scored, attributes.len(), &resampled)?
        .into_iter()
        .enumerate()
    {
        for (attribute, ranked) in attributes.iter_mut().zip(ranked) {
            attribute.classifiers[classifier].ranked = ranked;
        }
    }
    let kinds: Vec<_> = attributes.iter().map(|one| (one.minority(), one.local)).collect();
    let arms = decomposition::arms(recorded.experiment).and_then(|names| {
        let mut positions = [0; 6];
        for (position, name) in positions.iter_mut().zip(&names) {
            *position = classifiers.iter().position(|known| known == name)?;
        }
        Some((names, positions))
    });
    Ok(Judged {
        findings: compared.map_or_else(Vec::new, |_| findings(&evidence, &resampled)),
        decomposition: arms
            .map(|(names, positions)| decomposition::decompose(&sample, &resampled, names, positions, &kinds))
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
    })
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

/// What a results folder still has of an experiment.
#[derive(Debug)]
pub struct Available {
    /// Everything of the classifiers whose scores and energies can be read.
    pub measured: Measured,
    /// The same, with error rates alone of those whose scores can be read and energies not.
    pub scores: Measured,
    /// What was left out: the classifier, of what, and why.
    pub left_out: Vec<String>,
}

impl Available {
    /// Reads what can be read.
    ///
    /// # Errors
    /// Those of the regions file.
    pub fn read(recorded: &Recorded<'_>, facts: &DataFacts) -> Result<Self> {
        let (mut whole, mut rates, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for name in recorded.experiment.classifier_names() {
            match classifier_measures(recorded, &facts.attributes, &name, recorded.experiment.bootstrap()) {
                Ok((measures, scored)) => {
                    rates.push((name.clone(), measures.clone(), scored.clone()));
                    whole.push((name, measures, scored));
                }
                Err(reason) => {
                    let reason = describe(&reason);
                    match classifier_rates(recorded, &facts.attributes, &name) {
                        Ok((measures, scored)) => {
                            left_out.push(format!("{name} is left out of what shows energies: {reason}"));
                            rates.push((name, measures, scored));
                        }
                        Err(_) => left_out.push(format!("{name} is left out: {reason}")),
                    }
                }
            }
        }
        for (name, ..) in &whole {
            let wanted = files_beside(recorded, name).into_iter();
            let absent = wanted.filter(|path| !recorded.folder.join(path).exists());
            left_out.extend(absent.map(|path| format!("{path} is missing")));
        }
        let everything_is_there = whole.len() == rates.len();
        let measured = Measured::of(recorded, facts, whole, &mut |error| {
            left_out.push(describe(&error));
            Ok(())
        })?;
        // Both read the same files: what is wrong with one is said once.
        let scores = match everything_is_there {
            true => measured.clone(),
            false => Measured::of(recorded, facts, rates, &mut |_| Ok(()))?,
        };
        Ok(Self {
            measured,
            scores,
            left_out,
        })
    }
}

/// What a classifier has beside scores and energies, if the experiment wants it.
fn files_beside(recorded: &Recorded<'_>, classifier: &str) -> Vec<String> {
    let hidden = recorded
        .experiment
        .measure
        .wants_occlusion()
        .then(|| artefacts::occlusion(classifier));
    let tried = recorded
        .experiment
        .wants_faithfulness(classifier)
        .then(|| artefacts::faithfulness(classifier));
    hidden.into_iter().chain(tried.into_iter().flatten()).collect()
}

/// What a file holds; nothing where it cannot be read and `fault` puts up with that.
fn or_absent<T>(found: Result<Option<T>>, fault: &mut dyn FnMut(Error) -> Result<()>) -> Result<Option<T>> {
    found.or_else(|error| fault(error).map(|()| None))
}

/// One classifier's error rates alone, attribute by attribute.
fn classifier_rates(
    recorded: &Recorded<'_>,
    names: &[String],
    classifier: &str,
) -> Result<(Vec<ClassifierMeasures>, Scored)> {
    let predictions = Predictions::read(&recorded.folder.join(artefacts::predictions(classifier)))?;
    if predictions.keys.attributes != names {
        return Err(Error::Request(
            "its attributes are not those of the data set".to_owned(),
        ));
    }
    let all = metrics::error_rates_by_attribute(&predictions.scores, &predictions.labels, names.len())?;
    Ok((
        all.into_iter().map(ClassifierMeasures::of_rates).collect(),
        scored(predictions, None),
    ))
}

fn scored(predictions: Predictions, maps: Option<Mapped>) -> Scored {
    Scored {
        people: predictions.people(),
        images: predictions.keys.images,
        labels: predictions.labels,
        scores: predictions.scores,
        maps,
    }
}

/// One classifier's measures, attribute by attribute.
fn classifier_measures(
    recorded: &Recorded<'_>,
    names: &[String],
    classifier: &str,
    bootstrap: Bootstrap,
) -> Result<(Vec<ClassifierMeasures>, Scored)> {
    let predictions = Predictions::read(&recorded.folder.join(artefacts::predictions(classifier)))?;
    let path = recorded.folder.join(artefacts::energy(classifier));
    let file = ParquetFile::open(&path)?;
    let keys = RowKeys::of(&file.columns(&RowKeys::COLUMNS)?)?;
    if keys != predictions.keys || keys.attributes != names {
        return Err(Error::artefact(
            &path,
            "its images and attributes are not those of the predictions",
        ));
    }
    let width = names.len();
    let explained = file.columns(&["explained"])?.integers("explained")?;
    let explained: Vec<bool> = explained.into_iter().map(|value| value == 1).collect();
    let decompositions = Decompositions::read(&file)?;
    let mut all = apart_from_maps(&file, &predictions, &decompositions, bootstrap)?;
    let mut energies = Vec::new();
    // A column at a time: all of them take several times as much memory as the scores.
    let people = predictions.people();
    for measure in Measure::ALL {
        let column = file.columns(&[measure.column()])?.singles(measure.column())?;
        all.par_iter_mut().enumerate().for_each(|(attribute, into)| {
            let values = of_attribute(&column, attribute, width);
            let labels = of_attribute(&predictions.labels, attribute, width);
            let scores = of_attribute(&predictions.scores, attribute, width);
            let explained = of_attribute(&explained, attribute, width);
            into.groups.extend(Filter::ALL.map(|filter| {
                let selected = selected(measure, filter, &values, &labels, &scores, &explained);
                Group {
                    measure,
                    filter,
                    statistics: of_shares(&selected, &people),
                }
            }));
            if measure == Measure::Energy {
                let maps = values.iter().zip(&explained).filter(|(_, explained)| **explained);
                into.empty_maps = maps.filter(|(value, _)| value.is_none()).count();
            }
        });
        if measure == Measure::Energy {
            energies = column;
        }
    }
    let maps = Mapped {
        explained,
        energies,
        others: file.columns(&["energy_of_others"])?.singles("energy_of_others")?,
        constants: decompositions.constants().to_vec(),
        biases: decompositions.biases().to_vec(),
        regions: decompositions.regions(),
    };
    Ok((all, scored(predictions, Some(maps))))
}

/// The same, of which nothing is known of maps yet.
fn apart_from_maps(
    file: &ParquetFile,
    predictions: &Predictions,
    decompositions: &Decompositions,
    bootstrap: Bootstrap,
) -> Result<Vec<ClassifierMeasures>> {
    let width = predictions.keys.attributes.len();
    let areas = file.columns(&["region_area"])?.singles("region_area")?;
    let area = |attribute: usize| {
        let known = of_attribute(&areas, attribute, width).into_iter().flatten();
        let known: Vec<f64> = known.map(f64::from).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    (0..width)
        .into_par_iter()
        .map(|attribute| {
            let labels = of_attribute(&predictions.labels, attribute, width);
            let scores = of_attribute(&predictions.scores, attribute, width);
            let parts = decompositions.of_attribute(attribute, width);
            Ok(ClassifierMeasures {
                region_area: area(attribute),
                reliance: Class::BOTH
                    .map(|class| Reliance::of(&reliance::predicted_as(&parts, &scores, class), bootstrap)),
                ..ClassifierMeasures::of_rates(error_rates(&scores, &labels)?)
            })
        })
        .collect()
}

/// One attribute's values of a long column.
fn of_attribute<T: Copy>(column: &[T], attribute: usize, width: usize) -> Vec<T> {
    column.iter().skip(attribute).step_by(width).copied().collect()
}

fn selected(
    measure: Measure,
    filter: Filter,
    values: &[Option<f32>],
    labels: &[i8],
    scores: &[f32],
    explained: &[bool],
) -> Vec<(usize, f64)> {
    values
        .iter()
        .zip(labels.iter().zip(scores))
        .zip(explained)
        .enumerate()
        .filter(|(_, ((_, (label, score)), _))| filter.selects(**label, **score))
        .map(|(image, ((value, _), &explained))| (image, value.map(f64::from), explained))
        .filter_map(|(image, value, explained)| match measure {
            // An image that was not explained has no map; one that was may have a map without energy.
            Measure::EnergyPaper => explained.then(|| (image, paper_convention(value))),
            _ => value.map(|value| (image, value)),
        })
        .collect()
}

/// A group's values in [0, 1], one an image, summed up: the interval is that of one group's mean share ([`Ratios::share_interval`]).
fn of_shares(values: &[(usize, f64)], people: &People) -> Option<Statistics> {
    let plain: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    let none = Bootstrap { resamples: 0, seed: 0 };
    let summary = Statistics::of(&plain, none)?;
    let mut ratios = Ratios::new(people.clone());
    let cell = ratios.add_share(values.iter().copied()).ok()?;
    Some(Statistics {
        interval: ratios.share_interval(cell).filter(|_| values.len() > 1),
        ..summary
    })
}
