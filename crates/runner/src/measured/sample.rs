//! The means of a run as sums over the people tested, from which every number of several groups gets its interval
//! ([`metrics::Resampled`]): errors, energies, and what follows from them, of all classifiers and attributes with the same draws.

use std::collections::HashMap;

use metrics::{AttributeEvidence, Bootstrap, Class, ClassifierEvidence, Grounds, Occluded, People, Ratios, Resampled};

use super::interventions::InterventionFile;
use super::occlusion::OcclusionFile;
use crate::error::{Error, Result};

/// What the files of a classifier hold of each image and attribute, row by row `[N, A]`.
#[derive(Debug, Clone)]
pub struct Scored {
    /// Names of the images.
    pub images: Vec<String>,
    /// Whom they show.
    pub people: People,
    /// 1 positive, -1 negative, 0 not annotated.
    pub labels: Vec<i8>,
    /// Logits.
    pub scores: Vec<f32>,
    /// What is known of maps; absent where their file cannot be read.
    pub maps: Option<Mapped>,
}

/// What is known of maps, row by row `[N, A]`.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// Whether there is a map.
    pub explained: Vec<bool>,
    /// Its energy in the region; absent of a map without positive value.
    pub energies: Vec<Option<f32>>,
    /// Mean energy of the other attributes' maps in the same region.
    pub others: Vec<Option<f32>>,
    /// The constant part of the score, for the predicted class.
    pub constants: Vec<f32>,
    /// The head's bias, for the predicted class.
    pub biases: Vec<f32>,
    /// What the region adds to the score beyond the constant part; not a number where the attribute has no region.
    pub regions: Vec<f32>,
}

/// The means of one classifier and attribute, by class `[positive, negative]`; absent of an empty group.
#[derive(Debug, Clone, Copy, Default)]
pub struct Groups {
    /// Errors among the images of the class.
    pub error: [Option<Grounds>; 2],
    /// Energies of the images predicted as the class; a map without positive value takes no part.
    pub energy: [Option<Grounds>; 2],
    /// Maps without positive value among those of the images predicted as the class.
    pub empty: [Option<Grounds>; 2],
    /// Constant part / score of the images predicted as the class.
    pub constant: [Option<Grounds>; 2],
    /// Energy less that of the other attributes' maps in the same region.
    pub specificity: [Option<Grounds>; 2],
    /// Mean score of the images predicted as the class, |z|.
    pub score: [Option<Grounds>; 2],
    /// The head's bias / score of the same.
    pub bias: [Option<Grounds>; 2],
    /// What the region adds to their scores beyond the constant part.
    pub region: [Option<Grounds>; 2],
    /// What all biases of the network make of their scores / score, of those that were taken apart.
    pub all_biases: [Option<Grounds>; 2],
    /// What their scores lose with the region hidden.
    pub lost: [Option<Grounds>; 2],
    /// What they lose with an equal area elsewhere hidden.
    pub lost_control: [Option<Grounds>; 2],
    /// What they lose with the region hidden beyond that, paired by image.
    pub loss: [Option<Grounds>; 2],
    /// Effect of toggling the attribute on its score in the images of the class: with it less without it.
    pub effect: [Option<Grounds>; 2],
    /// Decisions that toggling it turns from the class to the other, among the images of the class.
    pub turned: [Option<Grounds>; 2],
    /// By how much toggling another attribute changes its score in the images of the class, whichever way: a mean over images and
    /// attributes.
    pub foreign: [Option<Grounds>; 2],
}

/// The files of a classifier that a sample is made of.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// Scores, labels and maps.
    pub scored: &'a Scored,
    /// What is hidden of its images.
    pub hidden: Option<&'a OcclusionFile>,
    /// What is toggled in them.
    pub toggled: Option<&'a InterventionFile>,
}

/// The sums of all classifiers and attributes.
pub struct Sample {
    ratios: Ratios,
    /// `[classifier][attribute]`, as they were given.
    groups: Vec<Vec<Groups>>,
}

impl Sample {
    /// The sums of some classifiers over the same images of some people.
    ///
    /// # Errors
    /// When classifiers are not of the same images.
    pub fn new(classifiers: &[Files<'_>], attributes: usize, people: People) -> Result<Self> {
        let mut sample = Self {
            ratios: Ratios::new(people),
            groups: Vec::new(),
        };
        for files in classifiers {
            let place = places(files.scored);
            let groups = (0..attributes)
                .map(|attribute| sample.groups_of(*files, &place, attribute, attributes))
                .collect::<Result<_>>()?;
            sample.groups.push(groups);
        }
        Ok(sample)
    }

    fn groups_of(
        &mut self,
        files: Files<'_>,
        place: &HashMap<&str, usize>,
        attribute: usize,
        width: usize,
    ) -> Result<Groups> {
        let Files {
            scored,
            hidden,
            toggled,
        } = files;
        let rows = || (0..scored.images.len()).map(move |image| (image, image * width + attribute));
        let predicted = |at: usize| Class::predicted(scored.scores[at]);
        let mut groups = Groups::default();
        for (side, class) in Class::BOTH.into_iter().enumerate() {
            let sign = if class == Class::Positive { 1 } else { -1 };
            let errors: Vec<(usize, bool)> = rows()
                .filter(|(_, at)| scored.labels[*at] == sign)
                .map(|(image, at)| (image, predicted(at) != class))
                .collect();
            groups.error[side] = self.rate(errors)?;
            if let Some(maps) = &scored.maps {
                let mapped = || rows().filter(|(_, at)| maps.explained[*at] && predicted(*at) == class);
                let energies: Vec<(usize, f64)> = mapped()
                    .filter_map(|(image, at)| Some((image, f64::from(maps.energies[at]?))))
                    .collect();
                groups.energy[side] = self.share(energies)?;
                let empty: Vec<(usize, bool)> = mapped()
                    .map(|(image, at)| (image, maps.energies[at].is_none()))
                    .collect();
                groups.empty[side] = self.rate(empty)?;
                let specific: Vec<(usize, f64)> = mapped()
                    .filter_map(|(image, at)| {
                        Some((image, f64::from(maps.energies[at]?) - f64::from(maps.others[at]?)))
                    })
                    .collect();
                groups.specificity[side] = self.mean(specific)?;
                let of_score = |part: &[f32]| -> Vec<(usize, f64, f64)> {
                    rows()
                        .filter(|(_, at)| predicted(*at) == class)
                        .map(|(image, at)| (image, f64::from(part[at]), f64::from(scored.scores[at].abs())))
                        .collect()
                };
                let scores: Vec<(usize, f64)> = of_score(&maps.constants)
                    .iter()
                    .map(|&(image, _, score)| (image, score))
                    .collect();
                groups.constant[side] = self.ratio(of_score(&maps.constants))?;
                groups.bias[side] = self.ratio(of_score(&maps.biases))?;
                groups.score[side] = self.mean(scores)?;
                let regions: Vec<(usize, f64)> = rows()
                    .filter(|(_, at)| predicted(*at) == class && !maps.regions[*at].is_nan())
                    .map(|(image, at)| (image, f64::from(maps.regions[at])))
                    .collect();
                groups.region[side] = self.mean(regions)?;
            }
            if let Some(hidden) = hidden {
                let losses = |loss: fn(&Occluded) -> Option<f64>| -> Vec<(usize, f64)> {
                    hidden
                        .of_attribute(attribute)
                        .filter(|(_, predicted, _)| *predicted == class)
                        .filter_map(|(image, _, occluded)| Some((*place.get(image)?, loss(&occluded)?)))
                        .collect()
                };
                groups.lost[side] = self.mean(losses(|occluded| Some(occluded.drop())))?;
                groups.lost_control[side] = self.mean(losses(Occluded::control_drop))?;
                groups.loss[side] = self.mean(losses(Occluded::beyond_control))?;
                let biases: Vec<(usize, f64, f64)> = hidden
                    .biases_of(attribute)
                    .filter(|(_, predicted, _)| *predicted == class)
                    .filter_map(|(image, _, [score, bias])| Some((*place.get(image)?, bias, score)))
                    .collect();
                groups.all_biases[side] = self.ratio(biases)?;
            }
            if let Some(toggled) = toggled {
                let own = || {
                    let all = toggled.of_score(attribute, &scored.scores, place);
                    all.filter(|one| one.attribute == attribute && one.label == sign)
                };
                let others = toggled
                    .of_score(attribute, &scored.scores, place)
                    .filter(|one| one.attribute != attribute && scored.labels[one.image * width + attribute] == sign);
                groups.effect[side] = self.mean(own().map(|one| (one.image, one.effect())).collect())?;
                groups.turned[side] = self.rate(own().map(|one| (one.image, one.is_turned())).collect())?;
                groups.foreign[side] =
                    self.mean(others.map(|one| (one.image, (one.after - one.before).abs())).collect())?;
            }
        }
        Ok(groups)
    }

    /// The means of a classifier and attribute.
    pub fn groups(&self, classifier: usize, attribute: usize) -> &Groups {
        &self.groups[classifier][attribute]
    }

    /// What the claims are judged on of an attribute: of an unbalanced classifier and a balanced one, by their positions among
    /// `classifiers`, which are those that the sums were made of.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn evidence(
        &mut self,
        classifiers: &[Files<'_>],
        [unbalanced, balanced]: [usize; 2],
        attribute: usize,
        width: usize,
        about: About,
    ) -> Result<AttributeEvidence> {
        let majority = about.minority.opposite();
        let many = usize::from(majority == Class::Negative);
        let of = |groups: &Groups| ClassifierEvidence {
            majority_constant: groups.constant[many],
            majority_specificity: groups.specificity[many],
            majority_turned: groups.turned[many],
            ..ClassifierEvidence::new(about.minority, groups.error, groups.energy)
        };
        let [before, after] = [unbalanced, balanced].map(|classifier| classifiers[classifier]);
        let energies: Vec<(usize, f64)> = match (&before.scored.maps, &after.scored.maps) {
            (Some(first), Some(second)) => (0..before.scored.images.len())
                .filter_map(|image| {
                    let at = image * width + attribute;
                    let both = [before.scored, after.scored].map(|one| Class::predicted(one.scores[at]));
                    let pair = first.energies[at].zip(second.energies[at]);
                    let (a, b) = pair.filter(|_| both == [majority; 2])?;
                    Some((image, f64::from(b) - f64::from(a)))
                })
                .collect(),
            _ => Vec::new(),
        };
        let losses: Vec<(usize, f64)> = match (before.hidden, after.hidden) {
            (Some(first), Some(second)) => {
                let place = places(before.scored);
                let loss = |(image, predicted, occluded): (&str, Class, Occluded)| {
                    Some((
                        *place.get(image)?,
                        occluded.beyond_control().filter(|_| predicted == majority)?,
                    ))
                };
                let known: HashMap<usize, f64> = first.of_attribute(attribute).filter_map(loss).collect();
                second
                    .of_attribute(attribute)
                    .filter_map(loss)
                    .filter_map(|(image, after)| Some((image, after - known.get(&image)?)))
                    .collect()
            }
            _ => Vec::new(),
        };
        Ok(AttributeEvidence {
            minority_share: about.minority_share,
            local: about.local,
            unbalanced: of(self.groups(unbalanced, attribute)),
            balanced: of(self.groups(balanced, attribute)),
            majority_turned_at_same_point: None,
            majority_energy_rise: self.mean(energies)?,
            majority_loss_rise: self.mean(losses)?,
        })
    }

    /// All of it resampled.
    pub fn resample(&self, bootstrap: Bootstrap) -> Resampled {
        self.ratios.resample(bootstrap)
    }

    fn rate(&mut self, values: Vec<(usize, bool)>) -> Result<Option<Grounds>> {
        let n = values.len();
        let cell = (n > 0).then(|| self.ratios.add_rate(values)).transpose();
        grounds(cell, n)
    }

    fn share(&mut self, values: Vec<(usize, f64)>) -> Result<Option<Grounds>> {
        let n = values.len();
        let cell = (n > 0).then(|| self.ratios.add_share(values)).transpose();
        grounds(cell, n)
    }

    fn mean(&mut self, values: Vec<(usize, f64)>) -> Result<Option<Grounds>> {
        let n = values.len();
        let cell = (n > 0).then(|| self.ratios.add(values)).transpose();
        grounds(cell, n)
    }

    fn ratio(&mut self, values: Vec<(usize, f64, f64)>) -> Result<Option<Grounds>> {
        let n = values.len();
        let cell = (n > 0).then(|| self.ratios.add_ratio(values)).transpose();
        grounds(cell, n)
    }
}

/// What the claims need to know of an attribute beside its means.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The rarer class of the training images.
    pub minority: Class,
    /// Its share, in [0, 0.5].
    pub minority_share: f64,
    /// Whether the attribute has its place in the image.
    pub local: bool,
}

fn grounds(cell: std::result::Result<Option<metrics::Cell>, metrics::Error>, n: usize) -> Result<Option<Grounds>> {
    let cell = cell.map_err(Error::from)?;
    Ok(cell.map(|cell| Grounds::measured(cell, n)))
}

/// The positions of images by name.
pub(super) fn places(scored: &Scored) -> HashMap<&str, usize> {
    let names = scored.images.iter().enumerate();
    names.map(|(place, name)| (name.as_str(), place)).collect()
}
