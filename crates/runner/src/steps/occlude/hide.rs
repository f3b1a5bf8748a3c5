//! The occlusion stage: what every decision loses when the attribute's region is hidden, and what of it all biases make.
//!
//! `NAME/occlusion.parquet` has one row for each image of the sample and attribute. All scores are logits of the class that is
//! predicted of the whole image: negative where the decision turns.
//!
//! - `predicted`: that class, 1 or -1
//! - `score`: of the image as it is
//! - `region_hidden`: with the attribute's region (or exact mask) hidden; absent where the mask is empty
//! - `control_hidden`: with an equal area elsewhere hidden; absent where there is no room for one
//! - `input_part`, `bias_part`: what input and biases make of the score (FullGrad's completeness); of `measure.decomposed_images`

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use dataset::Batch;
use model::{Mode, Network};
use pipeline::{Declaration, RowKeys, Sandbox};
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::hidden::HiddenParts;
use super::hider::Hider;
use crate::artefacts;
use crate::error::Result;
use crate::experiment::OcclusionSettings;
use crate::inputs::{Artefact, Attributes, Inputs, Setting, TestImages};
use crate::steps::pass::{self, Family, Pass};
use crate::steps::step::{SharedStep, write_table};
use crate::steps::train;

/// Attributes whose backward passes are stacked: what bounds the memory of the decomposition.
const TOGETHER: usize = 8;

/// Bumped when the step would write other bytes from the same inputs.
const VERSION: u32 = 1;

/// The step of a classifier.
pub fn step_name(classifier: &str) -> String {
    format!("occlude/{classifier}")
}

/// Hides parts of images from one classifier, and takes its scores apart.
pub struct Occlude<'a> {
    classifier: &'a str,
    attributes: Attributes<'a>,
    /// Without labels.
    images: TestImages<'a>,
    settings: Setting<&'a OcclusionSettings>,
    /// Of a derived classifier's scores none is taken apart; the sample is the same.
    decomposed_images: Setting<usize>,
    derived: bool,
    seed: Setting<u64>,
    /// Absent where nothing is hidden.
    hidden: Option<HiddenParts<'a>>,
    checkpoint: Artefact,
}

impl<'a> Occlude<'a> {
    /// The step of a classifier, if it is wanted.
    pub fn new(inputs: &'a Inputs<'_>, classifier: &'a str) -> Option<Self> {
        let measure = &inputs.experiment.measure;
        measure.wants_occlusion().then(|| Self {
            classifier,
            attributes: inputs.attributes(),
            images: inputs.test_images(),
            settings: Setting::new("measure.occlusion", &measure.occlusion),
            decomposed_images: Setting::new("measure.decomposed_images", measure.decomposed_images),
            derived: inputs.experiment.is_derived(classifier),
            seed: Setting::new("seed", inputs.experiment.seed),
            hidden: (measure.occlusion.images > 0).then(|| HiddenParts::new(inputs)),
            checkpoint: train::checkpoint(classifier),
        })
    }
}

impl Occlude<'_> {
    /// Whether there is anything to hide.
    ///
    /// # Errors
    /// When masks are to be hidden and there are none.
    pub fn check(&self) -> Result<()> {
        self.hidden.as_ref().map_or(Ok(()), HiddenParts::check)
    }
}

impl SharedStep for Occlude<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            classifier,
            attributes,
            images,
            settings,
            decomposed_images,
            derived: _,
            seed,
            hidden,
            checkpoint,
        } = self;
        Declaration::of(step_name(classifier), VERSION)
            .reading(attributes)
            .reading(images)
            .reading(settings)
            .reading(decomposed_images)
            .reading(seed)
            .reading(hidden)
            .reading(checkpoint)
    }

    fn work(steps: &[(&Self, &Sandbox<'_>)], device: &Device) -> Result<()> {
        occlude(steps, device)
    }
}

/// A score, one column a part, one value for each image and attribute; absent until it is known.
struct Columns {
    predicted: Vec<i8>,
    score: Vec<Option<f32>>,
    region: Vec<Option<f32>>,
    control: Vec<Option<f32>>,
    input: Vec<Option<f32>>,
    bias: Vec<Option<f32>>,
}

impl Columns {
    fn absent(rows: usize) -> Self {
        let absent = || vec![None; rows];
        Self {
            predicted: vec![1; rows],
            score: absent(),
            region: absent(),
            control: absent(),
            input: absent(),
            bias: absent(),
        }
    }
}

fn occlude(steps: &[(&Occlude<'_>, &Sandbox<'_>)], device: &Device) -> Result<()> {
    let Some((step, folder)) = steps.first() else {
        return Ok(());
    };
    let settings = *step.settings;
    let decomposed = |step: &Occlude<'_>| if step.derived { 0 } else { *step.decomposed_images };
    let (names, images) = (step.attributes.names(), step.images);
    let family = Family::read(
        steps.iter().map(|(step, folder)| (*folder, &step.checkpoint)),
        names,
        device,
    )?;
    let attributes = names.len();
    let mut rng = ChaCha8Rng::seed_from_u64(*step.seed);
    let count = settings.images.max(*step.decomposed_images);
    let drawn: Vec<usize> = images.indices().choose_multiple(&mut rng, count).copied().collect();
    let first = |count: usize| {
        let mut some = drawn[..count.min(drawn.len())].to_vec();
        some.sort_unstable();
        some
    };
    let rows = first(count);
    let row_of: HashMap<usize, usize> = rows.iter().enumerate().map(|(row, &index)| (index, row)).collect();
    let mut all: Vec<Columns> = steps.iter().map(|_| Columns::absent(rows.len() * attributes)).collect();

    let pass = Pass {
        folder,
        device,
        images: *images,
        title: folder.step(),
        together: pass::BATCH,
    };
    // The scores come with the occlusion or, where only the decomposition is wanted, with that.
    let scored = |columns: &mut Columns, batch: &Batch, logits: &[Vec<f32>]| {
        for (index, logits) in batch.indices.iter().zip(logits) {
            for (attribute, &logit) in logits.iter().enumerate() {
                let at = row_of[index] * attributes + attribute;
                columns.predicted[at] = if logit >= 0.0 { 1 } else { -1 };
                columns.score[at] = Some(logit.abs());
            }
        }
    };
    let logits_of = |images: &Tensor| -> Result<Vec<Vec<Vec<f32>>>> {
        let outputs = family.outputs(images)?;
        outputs
            .iter()
            .map(|output| Ok(output.logits.to_vec2::<f32>()?))
            .collect()
    };
    if let Some(hidden) = &step.hidden {
        let hider = Hider::new(hidden, images, settings, *step.seed, folder, device)?;
        pass.over(&first(settings.images), |batch, input| {
            for (columns, logits) in all.iter_mut().zip(logits_of(input)?) {
                scored(columns, batch, &logits);
            }
            hider.batch(
                logits_of,
                attributes,
                batch,
                |classifier, index, attribute, region, control| {
                    let (at, columns) = (row_of[&index] * attributes + attribute, &mut all[classifier]);
                    let sign = f32::from(columns.predicted[at]);
                    columns.region[at] = Some(sign * region);
                    columns.control[at] = control.map(|control| sign * control);
                },
            )
        })?;
    }
    for (((step, folder), network), columns) in steps.iter().zip(family.networks()).zip(&mut all) {
        let decomposed = decomposed(step);
        if decomposed == 0 {
            continue;
        }
        pass.over(&first(decomposed), |batch, input| {
            let output = network.forward(input, Mode::Eval)?;
            scored(columns, batch, &output.logits.to_vec2::<f32>()?);
            for (position, index) in batch.indices.iter().enumerate() {
                folder.interrupt().check()?;
                let parts = parts(network, &input.narrow(0, position, 1)?, attributes)?;
                for (attribute, (input, bias)) in parts.into_iter().enumerate() {
                    let at = row_of[index] * attributes + attribute;
                    let sign = f64::from(columns.predicted[at]);
                    columns.input[at] = Some((sign * input) as f32);
                    columns.bias[at] = Some((sign * bias) as f32);
                }
            }
            Ok(())
        })?;
    }
    // All have the same rows, so that they can be compared; what was not done of one is absent.
    for ((step, folder), columns) in steps.iter().zip(&all) {
        let keys = RowKeys {
            images: rows.iter().map(|&index| images.name(index).to_owned()).collect(),
            attributes: names.to_vec(),
        };
        let table = keys
            .keys()
            .labels("predicted", &columns.predicted)
            .singles("score", &columns.score)
            .singles("region_hidden", &columns.region)
            .singles("control_hidden", &columns.control)
            .singles("input_part", &columns.input)
            .singles("bias_part", &columns.bias);
        write_table(folder, &artefacts::occlusion(step.classifier), table)?;
    }
    Ok(())
}

/// What input and biases make of the logits z of one image `[1, 3, S, S]`, for each attribute: their sum is z.
fn parts(network: &Network, image: &Tensor, attributes: usize) -> Result<Vec<(f64, f64)>> {
    let head: Vec<f32> = network.head().bias.to_vec1()?;
    let mut all = Vec::with_capacity(attributes);
    let attributes: Vec<usize> = (0..attributes).collect();
    for some in attributes.chunks(TOGETHER) {
        let found = network.decompose(image, some)?;
        let sum = |product: Tensor| -> Result<Vec<f64>> {
            let rows = product.to_dtype(DType::F64)?.reshape((some.len(), ()))?;
            Ok(rows.sum(1)?.to_vec1::<f64>()?)
        };
        let input = sum(found.input_gradient.broadcast_mul(&found.input.unsqueeze(1)?)?)?;
        let mut bias: Vec<f64> = some.iter().map(|&attribute| f64::from(head[attribute])).collect();
        for one in &found.biases {
            let part = sum(one.gradient.broadcast_mul(&one.bias)?)?;
            bias.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        all.extend(input.into_iter().zip(bias));
    }
    Ok(all)
}
