//! What is read to show images: the test images, every classifier's scores, and what makes their maps.

use cam::{Explainer, ExplainerConfig, Output};
use candle_core::{Device, Tensor};
use dataset::Batch;
use model::Network;
use pipeline::{Declaration, Piece, Sandbox};

use crate::error::Result;
use crate::experiment::ExplainSettings;
use crate::inputs::{Artefact, AttributeRegions, Attributes, Facts, Inputs, Setting, TestImages};
use crate::measured::Predictions;
use crate::steps::pass::{self, Pass};
use crate::steps::{predict, reference, train};

/// What is read to show images.
pub struct Shown<'a> {
    /// The attributes.
    pub attributes: Attributes<'a>,
    /// The test images, with labels.
    pub images: TestImages<'a>,
    /// Which attributes are rare.
    pub facts: Facts<'a>,
    /// Where attributes should be visible.
    pub regions: AttributeRegions<'a>,
    /// Their names.
    pub classifiers: Setting<Vec<String>>,
    /// How maps are made.
    pub explain: Setting<ExplainSettings>,
    /// Draws images.
    pub seed: Setting<u64>,
    /// One of each a classifier.
    checkpoints: Vec<Artefact>,
    predictions: Vec<Artefact>,
    references: Vec<Artefact>,
}

impl<'a> Shown<'a> {
    /// All of it.
    pub fn new(inputs: &'a Inputs<'_>) -> Self {
        let experiment = inputs.experiment;
        let classifiers = experiment.classifier_names();
        let each = |artefact: fn(&str) -> Artefact| classifiers.iter().map(|name| artefact(name)).collect();
        Self {
            attributes: inputs.attributes(),
            images: inputs.labelled_test_images(),
            facts: inputs.facts(),
            regions: inputs.regions(),
            explain: Setting::new("explain", experiment.explain.of_maps()),
            seed: Setting::new("seed", experiment.seed),
            checkpoints: each(train::checkpoint),
            predictions: each(predict::predictions),
            references: each(predict::features),
            classifiers: Setting::new("classifiers", classifiers),
        }
    }

    /// Every classifier's scores.
    ///
    /// # Errors
    /// When a file is absent or damaged.
    pub fn predictions(&self, folder: &Sandbox<'_>) -> Result<Vec<Predictions>> {
        let files = self.predictions.iter();
        files.map(|file| Predictions::read(&file.at(folder)?)).collect()
    }

    /// Takes every classifier over the images at `indices`. `config` may change how a network's maps are made; `each` gets the classifier's
    /// position, what explains it, and a batch with its images [N, 3, S, S] and their output.
    ///
    /// # Errors
    /// Those of reading checkpoints, references and images, of the network, and of `config` and `each`.
    pub fn explain(
        &self,
        folder: &Sandbox<'_>,
        device: &Device,
        indices: &[usize],
        mut config: impl FnMut(&Network, ExplainerConfig) -> Result<ExplainerConfig>,
        mut each: impl FnMut(usize, &Explainer<'_>, &Batch, &Tensor, &Output) -> Result<()>,
    ) -> Result<()> {
        for (classifier, (checkpoint, mean)) in self.checkpoints.iter().zip(&self.references).enumerate() {
            let network = pass::trained_network(folder, checkpoint, self.attributes.names(), device)?;
            let own = ExplainerConfig {
                reference: Some(reference::read(&mean.at(folder)?)?),
                ..self.explain.config()
            };
            let explainer = Explainer::new(&network, config(&network, own)?)?;
            let pass = Pass {
                folder,
                device,
                images: *self.images,
                network: &network,
                title: folder.step(),
                together: pass::BATCH,
            };
            pass.over(indices, |batch, images, output| {
                each(classifier, &explainer, batch, images, &output.into())
            })?;
        }
        Ok(())
    }
}

impl Piece for Shown<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        let Self {
            attributes,
            images,
            facts,
            regions,
            classifiers,
            explain,
            seed,
            checkpoints,
            predictions,
            references,
        } = self;
        declaration
            .reading(attributes)
            .reading(images)
            .reading(facts)
            .reading(regions)
            .reading(classifiers)
            .reading(explain)
            .reading(seed)
            .reading(checkpoints)
            .reading(predictions)
            .reading(references)
    }
}
