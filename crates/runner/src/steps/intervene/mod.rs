//! The intervention step: the scores of test images that are drawn again with one attribute toggled, all else the same.
//!
//! `NAME/interventions.parquet` has a row for each image and attribute that is toggled in it, with that attribute's `label` in the image, 1 or
//! -1, and for every attribute A of the data set the logit `score_A` of the picture in which the toggled one has the other class. The
//! image's own scores are in `NAME/predictions.parquet`.

mod cases;

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use disk::Columns;
use pipeline::{Declaration, Sandbox};
use rayon::prelude::*;

use self::cases::{Case, cases};
use super::pass::{self, Family};
use super::step::{SharedStep, write_table};
use super::train;
use crate::artefacts;
use crate::error::{Error, Result};
use crate::experiment::InterventionSettings;
use crate::inputs::{Artefact, Attributes, Counterfactuals, Inputs, Setting, TestImages, Toggled};
use crate::measured::toggled_score;

/// Bumped when the step would write other bytes from the same inputs.
const VERSION: u32 = 1;

/// The step of a classifier.
pub fn step_name(classifier: &str) -> String {
    format!("intervene/{classifier}")
}

/// Toggles attributes in the images that one classifier sees.
pub struct Intervene<'a> {
    classifier: &'a str,
    /// The classifier whose features it has: those of one are computed once.
    features: &'a str,
    attributes: Attributes<'a>,
    /// With labels.
    images: TestImages<'a>,
    counterfactuals: Counterfactuals<'a>,
    settings: Setting<InterventionSettings>,
    seed: Setting<u64>,
    checkpoint: Artefact,
}

impl<'a> Intervene<'a> {
    /// The step of a classifier, if it is wanted and the program draws the images.
    pub fn new(inputs: &'a Inputs<'_>, classifier: &'a str) -> Option<Self> {
        let experiment = inputs.experiment;
        let counterfactuals = inputs.counterfactuals().filter(|_| experiment.wants_interventions())?;
        Some(Self {
            classifier,
            features: experiment.features_of(classifier),
            attributes: inputs.attributes(),
            images: inputs.labelled_test_images(),
            counterfactuals,
            settings: Setting::new("measure.interventions", experiment.measure.interventions),
            seed: Setting::new("seed", experiment.seed),
            checkpoint: train::checkpoint(classifier),
        })
    }
}

impl SharedStep for Intervene<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            classifier,
            features: _,
            attributes,
            images,
            counterfactuals,
            settings,
            seed,
            checkpoint,
        } = self;
        Declaration::of(step_name(classifier), VERSION)
            .reading(attributes)
            .reading(images)
            .reading(counterfactuals)
            .reading(settings)
            .reading(seed)
            .reading(checkpoint)
    }

    fn work(steps: &[(&Self, &Sandbox<'_>)], device: &Device) -> Result<()> {
        let Some((first, folder)) = steps.first() else {
            return Ok(());
        };
        let names = first.attributes.names();
        let mut of_features: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, (step, _)) in steps.iter().enumerate() {
            of_features.entry(step.features).or_default().push(place);
        }
        let families = of_features
            .into_values()
            .map(|places| {
                let read = places.iter().map(|&place| (steps[place].1, &steps[place].0.checkpoint));
                Ok((Family::read(read, names, device)?, places.clone()))
            })
            .collect::<Result<Vec<_>>>()?;
        let cases = cases(
            first.images,
            &first.counterfactuals,
            names.len(),
            first.settings.images,
            *first.seed,
        );
        let mut tables: Vec<Rows> = steps.iter().map(|_| Rows::default()).collect();
        let mut work = folder.progress().work("interventions", cases.len() as u64);
        for (done, some) in cases.chunks(pass::BATCH).enumerate() {
            folder.interrupt().check()?;
            let toggled: Vec<Toggled> = some
                .par_iter()
                .map(|case| {
                    let toggled = first.counterfactuals.toggled(case.index, case.attribute)?;
                    toggled.ok_or_else(|| left_out(first.images.name(case.index), &names[case.attribute]))
                })
                .collect::<Result<_>>()?;
            let size = first.images.size();
            let squares: Vec<f32> = toggled.iter().flat_map(|one| &one.square).copied().collect();
            let images = Tensor::from_vec(squares, (some.len(), size, size, 3), device)?.permute((0, 3, 1, 2))?;
            for (family, places) in &families {
                for (output, &place) in family.outputs(&images)?.iter().zip(places) {
                    tables[place].add(some, &toggled, &output.logits.to_vec2::<f32>()?);
                }
            }
            work.at(((done + 1) * pass::BATCH).min(cases.len()) as u64, "");
        }
        work.abandon();
        for ((step, folder), rows) in steps.iter().zip(tables) {
            let path = artefacts::interventions(step.classifier);
            write_table(folder, &path, rows.columns(&first.images, names))?;
        }
        Ok(())
    }
}

/// The cases are those that can be toggled by the labels: another answer of the generator means that the two do not belong together.
fn left_out(image: &str, attribute: &str) -> Error {
    Error::Request(format!(
        "{image}: {attribute} cannot be toggled alone in it, though its labels say so; the data set is not the one that the program draws, \
         remove its folder and run again"
    ))
}

/// The rows of one classifier's table.
#[derive(Default)]
struct Rows {
    cases: Vec<Case>,
    labels: Vec<i8>,
    /// `[rows, A]`.
    scores: Vec<f32>,
}

impl Rows {
    fn add(&mut self, cases: &[Case], toggled: &[Toggled], logits: &[Vec<f32>]) {
        self.cases.extend_from_slice(cases);
        self.labels.extend(toggled.iter().map(|one| one.label));
        self.scores.extend(logits.iter().flatten());
    }

    fn columns(&self, images: &TestImages<'_>, names: &[String]) -> Columns {
        let shown: Vec<&str> = self.cases.iter().map(|case| images.name(case.index)).collect();
        let toggled: Vec<&str> = self.cases.iter().map(|case| names[case.attribute].as_str()).collect();
        let keys = Columns::default()
            .texts("image", &shown)
            .texts("toggled", &toggled)
            .labels("label", &self.labels);
        names.iter().enumerate().fold(keys, |table, (attribute, name)| {
            let column = self.scores.iter().skip(attribute).step_by(names.len());
            let column: Vec<Option<f32>> = column.map(|&score| Some(score)).collect();
            table.singles(&toggled_score(name), &column)
        })
    }
}
