//! What the step that makes a classifier reads: of one that is trained here, was trained elsewhere, or is derived from another one.

use std::time::Duration;

use candle_core::Device;
use pipeline::{Declaration, Sandbox};

use super::blueprint::Blueprint;
use super::checkpoint::step_name;
use super::derive::Derive;
use super::unfinished;
use crate::error::{Error, Result};
use crate::experiment::{Classifier, Origin, TrainingSettings};
use crate::inputs::{Inputs, Setting, Squares, TrainingImages, Weights};
use crate::prepared;
use crate::steps::step::Step;
use crate::weights::{FromFile, WeightsFile};

/// Bumped when a training would end in other bytes from the same inputs.
const VERSION: u32 = 2;

/// A classifier that was trained elsewhere, and becomes a checkpoint.
pub struct Adopt<'a> {
    name: &'a str,
    blueprint: Blueprint<'a>,
    squares: Squares,
    /// Absent where the file is not here.
    weights: Option<Weights<'a>>,
}

impl Adopt<'_> {
    /// The network that was trained elsewhere.
    ///
    /// # Errors
    /// When the file is not here, is no weights file, or is of another network.
    pub fn network(&self, device: &Device) -> Result<FromFile> {
        let Some(weights) = &self.weights else {
            return Err(Error::Request(format!("the weights of {} are not here", self.name)));
        };
        let file = WeightsFile::read(weights.path())?;
        let normalisation = self.blueprint.settings.normalisation();
        let names = self.blueprint.attributes.names();
        let mut read = file.classifier(&self.blueprint.architecture()?, names, normalisation, device)?;
        // What it was trained on need not be what it is given here.
        let known = match file.checkpoint()? {
            Some(checkpoint) => prepared::recorded(&checkpoint)
                .map_err(|why| file.fault(why))?
                .preparation(),
            None => None,
        };
        if let (Some(own), Ok(here)) = (known, self.squares.preparation())
            && own != here
        {
            read.said.push(format!(
                "it was trained on images of {}; here they are {}",
                prepared::in_words(&own),
                prepared::in_words(&here)
            ));
        }
        Ok(read)
    }
}

impl Step for Adopt<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            name,
            blueprint,
            squares,
            weights,
        } = self;
        Declaration::of(step_name(name), VERSION)
            .reading(blueprint)
            .reading(squares)
            .reading(weights)
    }

    fn work(&self, folder: &Sandbox<'_>, device: &Device) -> Result<()> {
        let FromFile { network, said } = self.network(device)?;
        for line in said {
            folder.progress().say(&format!("{:24} {line}", folder.step()));
        }
        let preparation = self.squares.preparation()?;
        unfinished::save_trained(folder, &self.blueprint, &preparation, self.name, &network)
    }
}

/// A classifier that is trained here: of the data set it reads the training and validation images, and neither what is scored nor
/// masks.
pub struct Train<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its network.
    pub blueprint: Blueprint<'a>,
    /// The weights it starts from.
    pub weights: Option<Weights<'a>>,
    /// What it learns from.
    pub images: TrainingImages<'a>,
    /// Of weights, orders and augmentations.
    pub seed: Setting<u64>,
    /// How it is trained.
    pub training: Setting<TrainingSettings>,
    /// What sets it apart from the others.
    pub classifier: Setting<Classifier>,
    /// What is no part of the result.
    pub conduct: Conduct,
}

/// How a training is gone about: whatever this says, it ends in the same bytes.
pub struct Conduct {
    /// The time between two saved states.
    pub save_after: Duration,
    /// Whether TensorBoard's file is written.
    pub tensorboard: bool,
    /// Bytes of decoded images that are kept in memory.
    pub cache_bytes: usize,
}

impl<'a> Train<'a> {
    /// The network that it begins with.
    ///
    /// # Errors
    /// When the weights that it starts from are no weights file, or of another network.
    pub fn untrained(&self, device: &Device) -> Result<FromFile> {
        let pretrained = self.weights.as_ref().map(|weights| WeightsFile::read(weights.path()));
        self.blueprint
            .untrained(pretrained.transpose()?.as_ref(), *self.seed, device)
    }

    /// What it reads.
    pub fn declaration(&self) -> Declaration {
        let Self {
            name,
            blueprint,
            weights,
            images,
            seed,
            training,
            classifier,
            conduct: _,
        } = self;
        Declaration::of(step_name(name), VERSION)
            .reading(blueprint)
            .reading(weights)
            .reading(images)
            .reading(seed)
            .reading(training)
            .reading(classifier)
    }
}

/// The step of a classifier.
pub enum Source<'a> {
    /// It was trained elsewhere.
    Elsewhere(Adopt<'a>),
    /// It is derived from another one.
    Derived(Derive<'a>),
    /// It is trained here.
    Here(Box<Train<'a>>),
}

impl<'a> Source<'a> {
    /// Where the experiment has a classifier from.
    ///
    /// # Errors
    /// When the experiment has none of this name.
    pub fn of(inputs: &'a Inputs<'_>, name: &'a str) -> Result<Self> {
        let experiment = inputs.experiment;
        let Some(classifier) = experiment.classifiers.get(name) else {
            return Err(Error::Request(format!("the experiment has no classifier `{name}`")));
        };
        if let Some(Origin::Derived { from, change }) = experiment.origin(name) {
            let derive = Derive::new(inputs, name, from, change);
            let incomplete = || Error::experiment(format!("classifiers.{name}"), "what it answers to is not known");
            return derive.map(Self::Derived).ok_or_else(incomplete);
        }
        let (blueprint, weights) = (Blueprint::new(inputs), inputs.weights(name));
        if classifier.weights.is_some() {
            return Ok(Self::Elsewhere(Adopt {
                name,
                blueprint,
                squares: inputs.squares(),
                weights,
            }));
        }
        let training = &experiment.training;
        Ok(Self::Here(Box::new(Train {
            name,
            blueprint,
            weights,
            images: inputs.training_images(),
            seed: Setting::new("seed", experiment.seed),
            training: Setting::new("training", training.deciding()),
            classifier: Setting::new(format!("classifiers.{name}"), classifier.deciding()),
            conduct: Conduct {
                save_after: Duration::from_secs(training.checkpoint_seconds),
                tensorboard: training.tensorboard,
                cache_bytes: experiment.data.cache_megabytes << 20,
            },
        })))
    }

    /// What the step reads.
    pub fn declaration(&self) -> Declaration {
        match self {
            Self::Elsewhere(adopt) => adopt.declaration(),
            Self::Derived(derive) => derive.declaration(),
            Self::Here(train) => train.declaration(),
        }
    }
}
