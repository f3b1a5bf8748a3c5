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
use crate::steps::pass::{self, Family, Pass};
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
    /// One of each that has learnt features.
    references: Vec<Artefact>,
    /// The positions of classifiers that share features.
    families: Vec<Vec<usize>>,
}

impl<'a> Shown<'a> {
    /// All of it.
    pub fn new(inputs: &'a Inputs<'_>) -> Self {
        let experiment = inputs.experiment;
        let classifiers = experiment.classifier_names();
        let families = experiment.families();
        let each = |artefact: fn(&str) -> Artefact| classifiers.iter().map(|name| artefact(name)).collect();
        Self {
            attributes: inputs.attributes(),
            images: inputs.labelled_test_images(),
            facts: inputs.facts(),
            regions: inputs.regions(),
            explain: Setting::new("explain", experiment.explain.of_maps(&[experiment.explain.method])),
            seed: Setting::new("seed", experiment.seed),
            checkpoints: each(train::checkpoint),
            predictions: each(predict::predictions),
            references: families
                .iter()
                .map(|family| predict::mean_features(inputs, &family[0]))
                .collect(),
            families: families
                .iter()
                .map(|family| {
                    let position = |name: &String| classifiers.iter().position(|known| known == name);
                    family.iter().filter_map(position).collect()
                })
                .collect(),
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
        for (members, mean) in self.families.iter().zip(&self.references) {
            let checkpoints = members
                .iter()
                .map(|&classifier| (folder, &self.checkpoints[classifier]));
            let family = Family::read(checkpoints, self.attributes.names(), device)?;
            let reference = reference::read(&mean.at(folder)?)?;
            let mut explainers = Vec::new();
            for network in family.networks() {
                let own = ExplainerConfig {
                    reference: Some(reference.clone()),
                    ..self.explain.config()
                };
                explainers.push(Explainer::new(network, config(network, own)?)?);
            }
            let pass = Pass {
                folder,
                device,
                images: *self.images,
                title: folder.step(),
                together: pass::BATCH,
            };
            pass.over(indices, |batch, images| {
                let outputs = family.outputs(images)?;
                for ((&classifier, explainer), output) in members.iter().zip(&explainers).zip(&outputs) {
                    each(classifier, explainer, batch, images, &output.into())?;
                }
                Ok(())
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
            families: _,
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
