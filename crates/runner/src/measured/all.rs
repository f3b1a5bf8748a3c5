//! All that is known of all classifiers and attributes, computed from the Parquet files of a run.

use metrics::{
    Bootstrap, Class, Estimate, Filter, Finding, People, Ratios, Statistics, error_rates, paper_convention, table_order,
};
use rayon::prelude::*;

use super::columns::Decompositions;
use super::cross_effects::CrossEffects;
use super::decomposition::Decomposition;
use super::differences::Difference;
use super::facts::DataFacts;
use super::faithfulness::Faithfulness;
use super::interventions::InterventionFile;
use super::judged::{Judged, judged};
use super::locality::{self, LayerLocality};
use super::measures::{AttributeMeasures, ClassifierMeasures, Group, Measure};
use super::measuring::{Measuring, Part};
use super::occlusion::{self, OcclusionFile};
use super::predictions::Predictions;
use super::reliance::{self, Reliance};
use super::sample::{Mapped, Scored};
use super::subgroups::Subgroup;
use crate::artefacts;
use crate::error::{Error, Result, describe};
use crate::experiment::Role;
use crate::recorded::Recorded;
use crate::regions::{self, Regions};
use pipeline::{ParquetFile, Progress, RowKeys};

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
    /// The name of the unbalanced one with its threshold moved for the balanced one's class weights, where there is one.
    pub unbalanced_moved: Option<String>,
    /// What sets the balanced classifier apart from the unbalanced one, shared out; absent where the experiment has not all arms.
    pub decomposition: Option<Decomposition>,
    /// What of the scores is a bias, and what they lose, compared.
    pub differences: Vec<Difference>,
    /// Of each classifier the rank correlations over attributes of imbalance (the majority's share) with the gaps in error and in energy between
    /// minority and majority, with their intervals over people.
    pub correlations: Vec<[Option<Estimate>; 2]>,
    /// The groups in which each classifier errs most ([`Subgroup::attribute`] counts in [`Self::attributes`]).
    pub subgroups: Vec<Subgroup>,
    /// What toggling each attribute does to every score, one entry a classifier, in the order of [`Self::attributes`]; absent where nothing was
    /// toggled.
    pub cross_effects: Vec<Option<CrossEffects>>,
    /// How local the cells of each classifier's layers are, one entry a classifier; absent where it was not measured.
    pub locality: Vec<Option<Vec<LayerLocality>>>,
}

impl Measured {
    /// Measures what the classifiers' Parquet files hold.
    ///
    /// # Errors
    /// When a file is missing or damaged, or not of this data set.
    pub fn read(recorded: &Recorded<'_>, facts: &DataFacts, progress: &Progress) -> Result<Self> {
        let measuring = Measuring::begin(progress);
        let names = recorded.experiment.classifier_names();
        let of = names.len();
        let measures = names
            .into_iter()
            .map(|name| {
                let (measures, scored) =
                    classifier_measures(recorded, &facts.attributes, &name, recorded.experiment.bootstrap())?;
                measuring.one_of(Part::Read, of);
                Ok((name, measures, scored))
            })
            .collect::<Result<_>>()?;
        let measured = Self::of(recorded, facts, measures, &measuring, &mut Err)?;
        measuring.end();
        Ok(measured)
    }

    /// Puts together what was measured of some classifiers, one entry an attribute in the data set's order. `fault` decides what
    /// becomes of a file that cannot be read: an error ends the work, otherwise its numbers are absent.
    fn of(
        recorded: &Recorded<'_>,
        facts: &DataFacts,
        measures: Vec<Classified>,
        measuring: &Measuring,
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
        let mut toggled: Vec<Option<InterventionFile>> = Vec::new();
        let mut faithfulness = Vec::new();
        let mut locality = Vec::new();
        for (name, measures, own) in measures {
            locality.push(or_absent(locality::read(recorded, &name), fault)?);
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
            toggled.push(or_absent(
                InterventionFile::read(recorded, &name, &facts.attributes),
                fault,
            )?);
            scored.push(own);
            classifiers.push(name);
        }
        let role = |name: &String| recorded.experiment.classifiers.get(name).and_then(|one| one.role);
        let roles: Vec<Option<Role>> = classifiers.iter().map(role).collect();
        let derived = classifiers
            .iter()
            .map(|name| recorded.experiment.is_derived(name))
            .collect();
        let judged = judged(
            recorded,
            &classifiers,
            &roles,
            &mut attributes,
            &scored,
            (&hidden, &toggled),
            measuring,
        );
        let Judged {
            findings,
            decomposition,
            differences,
            correlations,
            mut subgroups,
            cross_effects,
        } = or_absent(judged.map(Some), fault)?.unwrap_or_default();
        let mut attributes: Vec<Option<AttributeMeasures>> = attributes.into_iter().map(Some).collect();
        let order = table_order(&facts.attributes, &facts.counts);
        let place = |index: usize| order.iter().position(|known| *known == index).unwrap_or(index);
        for group in &mut subgroups {
            (group.attribute, group.within) = (place(group.attribute), place(group.within));
        }
        let cross_effects = cross_effects
            .iter()
            .map(|one| one.as_ref().map(|one| one.ordered(&order)));
        let cross_effects = cross_effects.collect();
        let attributes = order.iter().filter_map(|&index| attributes[index].take()).collect();
        Ok(Self {
            classifiers,
            roles,
            attributes,
            findings,
            faithfulness,
            derived,
            unbalanced_moved: recorded.experiment.unbalanced_moved().map(str::to_owned),
            decomposition,
            differences,
            correlations,
            subgroups,
            cross_effects,
            locality,
        })
    }

    /// Whether any attribute has a region that is not the whole image, in which every energy is 1.
    #[must_use]
    pub fn has_regions(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute.area != Some(1.0))
    }

    /// The classifiers that have learnt features of their own: what figures and wide tables show.
    #[must_use]
    pub fn learnt(&self) -> Self {
        Self {
            derived: vec![false; self.derived.iter().filter(|derived| !**derived).count()],
            ..self.only(&|place| !self.derived[place])
        }
    }

    /// Some classifiers, by their places.
    #[must_use]
    pub fn only(&self, keep: &dyn Fn(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.classifiers.len()).filter(|&place| keep(place)).collect();
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
            derived: kept.iter().map(|&place| self.derived[place]).collect(),
            unbalanced_moved: self.unbalanced_moved.clone(),
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
            cross_effects: kept
                .iter()
                .filter_map(|&place| self.cross_effects.get(place).cloned())
                .collect(),
            locality: kept
                .iter()
                .filter_map(|&place| self.locality.get(place).cloned())
                .collect(),
        }
    }
}

/// A classifier's name, its measures by attribute, and the rows that they are made of.
type Classified = (String, Vec<ClassifierMeasures>, Scored);

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
    pub fn read(recorded: &Recorded<'_>, facts: &DataFacts, progress: &Progress) -> Result<Self> {
        let measuring = Measuring::begin(progress);
        let (mut whole, mut rates, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        let names = recorded.experiment.classifier_names();
        let of = names.len();
        for name in names {
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
            measuring.one_of(Part::Read, of);
        }
        for (name, ..) in &whole {
            let wanted = files_beside(recorded, name).into_iter();
            let absent = wanted.filter(|path| !recorded.folder.join(path).exists());
            left_out.extend(absent.map(|path| format!("{path} is missing")));
        }
        let everything_is_there = whole.len() == rates.len();
        let measured = Measured::of(recorded, facts, whole, &measuring, &mut |error| {
            left_out.push(describe(&error));
            Ok(())
        })?;
        // Both read the same files: what is wrong with one is said once.
        let scores = match everything_is_there {
            true => measured.clone(),
            false => Measured::of(recorded, facts, rates, &measuring, &mut |_| Ok(()))?,
        };
        measuring.end();
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
