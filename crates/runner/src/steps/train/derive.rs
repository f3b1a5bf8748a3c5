//! A classifier that is derived from another one: its network with other thresholds, or with a head that is fitted again.

use candle_core::Device;
use model::{
    Checkpoint, ClassWeights, FrozenFeatures, Head, Loss, ThresholdRule, Weighting, prior_thresholds, refit_head,
    validation_thresholds, with_thresholds,
};
use pipeline::{Declaration, Sandbox};

use super::checkpoint::{checkpoint, step_name};
use super::class_weights::class_weights;
use super::features;
use crate::artefacts;
use crate::error::{Error, Result};
use crate::experiment::{Change, Threshold};
use crate::inputs::{Artefact, Attributes, ClassCounts, Inputs, Setting, SplitLabels};
use crate::steps::step::Step;

/// Bumped when another network would come out of the same inputs.
const VERSION: u32 = 1;

/// Where a checkpoint says what it is derived from.
const DERIVED: &str = "derived";
/// Where it has its thresholds.
const THRESHOLDS: &str = "thresholds";

/// Derives one classifier.
pub struct Derive<'a> {
    name: &'a str,
    from: &'a str,
    attributes: Attributes<'a>,
    loss: Setting<Loss>,
    source: Artefact,
    way: Way<'a>,
}

/// What is changed, and what that is made of.
enum Way<'a> {
    /// Thresholds that other class weights move.
    Prior(Moved, ClassCounts<'a>),
    /// Thresholds chosen on the validation images.
    Chosen(ThresholdRule, Setting<Change>, OnFeatures<'a>),
    /// A head fitted to the training images.
    Head(Setting<Weighting>, ClassCounts<'a>, OnFeatures<'a>),
}

/// Class weights that thresholds are moved by.
struct Moved {
    /// Those that the scores were fitted with, whatever thresholds were moved since.
    fitted: Setting<Weighting>,
    /// Those that the source's thresholds answer to.
    from: Setting<Weighting>,
    /// Those that the new ones answer to.
    to: Setting<Weighting>,
}

/// Features of a split's images, and their labels.
struct OnFeatures<'a> {
    features: Artefact,
    labels: SplitLabels<'a>,
}

impl<'a> OnFeatures<'a> {
    fn new(inputs: &'a Inputs<'_>, name: &str, change: Change) -> Option<Self> {
        let split = features::split_of(change)?;
        Some(Self {
            features: features::features(inputs.experiment.features_of(name), split),
            labels: inputs.split_labels(split),
        })
    }
}

impl<'a> Derive<'a> {
    /// The step of a classifier that is derived from `from` by `change`; `None` where the experiment does not say all of it.
    pub fn new(inputs: &'a Inputs<'_>, name: &'a str, from: &'a str, change: Change) -> Option<Self> {
        let experiment = inputs.experiment;
        let weighting = |of: &str| {
            let key = format!("classifiers.{of}: the class weights it answers to");
            Some(Setting::new(key, experiment.weighting(of)?))
        };
        let way = match change {
            Change::Threshold(Threshold::Prior) => {
                let fitted = Setting::new(
                    format!("classifiers.{from}: the class weights its scores are fitted with"),
                    experiment.fitted_weighting(from)?,
                );
                let moved = Moved {
                    fitted,
                    from: weighting(from)?,
                    to: weighting(name)?,
                };
                Way::Prior(moved, inputs.class_counts())
            }
            Change::Threshold(Threshold::BalancedError | Threshold::Rates) => {
                let rule = match change {
                    Change::Threshold(Threshold::BalancedError) => ThresholdRule::BalancedError,
                    _ => ThresholdRule::EqualRates,
                };
                let setting = Setting::new(format!("classifiers.{name}"), change);
                Way::Chosen(rule, setting, OnFeatures::new(inputs, name, change)?)
            }
            Change::Head => Way::Head(
                weighting(name)?,
                inputs.class_counts(),
                OnFeatures::new(inputs, name, change)?,
            ),
        };
        Some(Self {
            name,
            from,
            attributes: inputs.attributes(),
            loss: Setting::new("training.loss", experiment.training.loss),
            source: checkpoint(from),
            way,
        })
    }

    /// What is known before the first step of what it would refuse.
    ///
    /// # Errors
    /// When there are no images to choose thresholds or to fit a head on, or an attribute has one class only among them.
    pub fn check(&self) -> Result<()> {
        match &self.way {
            Way::Prior(moved, counts) => {
                let counts = counts.of_attributes();
                self.weights(*moved.from, &counts)?;
                self.weights(*moved.to, &counts).map(drop)
            }
            Way::Head(weighting, counts, _) => self.weights(**weighting, &counts.of_attributes()).map(drop),
            Way::Chosen(rule, _, on) => {
                let labels = on.labels.all();
                // Which scores they are plays no part in what is refused.
                let scores = vec![0.0; labels.len()];
                self.thresholds(*rule, &scores, &labels).map(drop)
            }
        }
    }

    fn weights(&self, weighting: Weighting, counts: &[(usize, usize)]) -> Result<ClassWeights> {
        class_weights(self.name, weighting, counts, self.attributes.names())
    }

    fn thresholds(&self, rule: ThresholdRule, scores: &[f32], labels: &[i8]) -> Result<Vec<f64>> {
        let (name, names) = (self.name, self.attributes.names());
        if labels.is_empty() {
            return Err(Error::Request(format!(
                "classifiers.{name}.threshold: it is chosen on the validation images, of which there are none"
            )));
        }
        validation_thresholds(rule, scores, labels, names.len()).map_err(|error| match error {
            model::Error::OneClass {
                attribute,
                positives,
                negatives,
            } => Error::Request(format!(
                "classifiers.{name}.threshold: {} has {positives} positives and {negatives} negatives among the validation images, on \
                 which it is chosen; both classes are needed: more validation images, or `threshold: prior`",
                names[attribute]
            )),
            other => other.into(),
        })
    }

    /// The head, and what is said of how it came about.
    fn head(&self, folder: &Sandbox<'_>, source: &Head) -> Result<(Head, [(&'static str, String); 2])> {
        let thresholds = |moved: Vec<f64>, how: &str| -> Result<_> {
            let text = moved.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
            let said = [(DERIVED, format!("{} with {how}", self.from)), (THRESHOLDS, text)];
            Ok((with_thresholds(source, &moved)?, said))
        };
        match &self.way {
            Way::Prior(moved, counts) => {
                let counts = counts.of_attributes();
                let [fitted, from, to] =
                    [&moved.fitted, &moved.from, &moved.to].map(|one| self.weights(**one, &counts));
                let (fitted, from, to) = (fitted?, from?, to?);
                // A threshold is a place among the scores as they were fitted: where the source's lies already is taken off.
                let there = prior_thresholds(*self.loss, &fitted, &from);
                let wanted = prior_thresholds(*self.loss, &fitted, &to);
                let moved = wanted.iter().zip(there).map(|(wanted, there)| wanted - there).collect();
                thresholds(moved, "thresholds moved by class weights")
            }
            Way::Chosen(rule, _, on) => {
                let (features, labels) = (features::read(&on.features.at(folder)?)?, on.labels.all());
                let scores = scores(source, &features.0, features.1)?;
                thresholds(
                    self.thresholds(*rule, &scores, &labels)?,
                    "thresholds chosen on validation images",
                )
            }
            Way::Head(weighting, counts, on) => {
                let weights = self.weights(**weighting, &counts.of_attributes())?;
                let (features, channels) = features::read(&on.features.at(folder)?)?;
                let labels = on.labels.all();
                let data = FrozenFeatures::new(&features, &labels, channels, self.attributes.count())?;
                let refitted = refit_head(*self.loss, &data, &weights)?;
                folder.progress().say(&format!(
                    "{:24} fitted to the features of {} images; norm of the gradient {:.0e}",
                    folder.step(),
                    data.images(),
                    refitted.gradient_norm
                ));
                let said = [
                    (DERIVED, format!("{} with a refitted head", self.from)),
                    ("gradient_norm", refitted.gradient_norm.to_string()),
                ];
                Ok((refitted.head, said))
            }
        }
    }
}

/// The scores [N, A] that a head gives to features [N, C].
fn scores(head: &Head, features: &[f32], channels: usize) -> Result<Vec<f32>> {
    let features =
        candle_core::Tensor::from_slice(features, (features.len() / channels.max(1), channels), &Device::Cpu)?;
    let logits = features.matmul(&head.weight.t()?)?.broadcast_add(&head.bias)?;
    Ok(logits.flatten_all()?.to_vec1()?)
}

impl Step for Derive<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            name,
            from: _,
            attributes,
            loss,
            source,
            way,
        } = self;
        let declaration = Declaration::of(step_name(name), VERSION)
            .reading(attributes)
            .reading(source);
        let on = |declaration: Declaration, on: &OnFeatures<'_>| declaration.reading(&on.features).reading(&on.labels);
        match way {
            Way::Prior(moved, counts) => {
                let Moved { fitted, from, to } = moved;
                declaration
                    .reading(loss)
                    .reading(fitted)
                    .reading(from)
                    .reading(to)
                    .reading(counts)
            }
            Way::Chosen(_, rule, images) => on(declaration.reading(rule), images),
            Way::Head(weighting, counts, images) => {
                on(declaration.reading(loss).reading(weighting).reading(counts), images)
            }
        }
    }

    fn work(&self, folder: &Sandbox<'_>, _device: &Device) -> Result<()> {
        let path = self.source.at(folder)?;
        let bytes = std::fs::read(&path).map_err(Error::io(&path, "reading the checkpoint"))?;
        let fault = |error: model::Error| Error::artefact(&path, error.to_string());
        let source = Checkpoint::from_bytes(&bytes).map_err(fault)?;
        let network = source.network(&Device::Cpu).map_err(fault)?;
        let (head, said) = self.head(folder, &network.head())?;
        let mut derived = source.with_head(&head).map_err(fault)?;
        derived
            .metadata
            .extend(said.map(|(key, value)| (key.to_owned(), value)));
        Ok(folder.write(&artefacts::checkpoint(self.name), &derived.to_bytes()?)?)
    }
}
