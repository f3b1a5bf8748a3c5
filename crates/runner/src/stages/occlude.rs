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
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use dataset::{Batch, LoaderConfig};
use metrics::{Fill, Hole, Region, blurred, mixed};
use model::{Mode, Network};
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::evaluate::{self, Pass};
use super::inputs::{Artefact, AttributeRegions, Attributes, Inputs, Masks, Setting, TestImages};
use super::step::{Step, write_table};
use super::train;
use crate::artefacts;
use crate::error::{Error, Result};
use crate::experiment::{Hide, Occlusion as Settings, RegionSource};
use crate::regions::Regions;
use pipeline::{Declaration, Piece, RowKeys, Sandbox};

/// Positions of a region's control area, over which the images are dealt out. Each costs a factorisation and its memory.
const CONTROLS: usize = 4;

/// Attributes whose backward passes are stacked: what bounds the memory of the decomposition.
const TOGETHER: usize = 8;

/// Bumped when the stage would write other bytes from the same inputs.
const VERSION: u32 = 1;

/// The stage of a classifier.
pub fn stage(classifier: &str) -> String {
    format!("occlude/{classifier}")
}

/// Hides parts of images from one classifier, and takes its scores apart.
pub struct Occlude<'a> {
    classifier: &'a str,
    attributes: Attributes<'a>,
    /// Without labels.
    images: TestImages<'a>,
    settings: Setting<&'a Settings>,
    decomposed_images: Setting<usize>,
    seed: Setting<u64>,
    /// Absent where nothing is hidden.
    hidden: Option<HiddenParts<'a>>,
    checkpoint: Artefact,
}

/// Which part of an image is hidden for an attribute.
enum HiddenParts<'a> {
    /// The attributes' regions, or the images' own masks where those are the regions.
    Regions(AttributeRegions<'a>),
    /// The images' own masks.
    Masks(Setting<RegionSource>, Masks<'a>),
}

impl Piece for HiddenParts<'_> {
    fn declare(&self, declaration: Declaration) -> Declaration {
        match self {
            Self::Regions(regions) => declaration.reading(regions),
            Self::Masks(regions, masks) => declaration.reading(regions).reading(masks),
        }
    }
}

impl<'a> Occlude<'a> {
    /// The step of a classifier, if it is wanted.
    pub fn new(inputs: &'a Inputs<'_>, classifier: &'a str) -> Option<Self> {
        let measure = &inputs.experiment.measure;
        let hidden = || match (&inputs.experiment.regions(), measure.occlusion.hide) {
            (RegionSource::Masks, _) | (_, Hide::Region) => HiddenParts::Regions(inputs.regions()),
            (_, Hide::ExactMask) => {
                HiddenParts::Masks(Setting::new("measure.regions", RegionSource::Masks), inputs.masks())
            }
        };
        measure.wants_occlusion().then(|| Self {
            classifier,
            attributes: inputs.attributes(),
            images: inputs.test_images(),
            settings: Setting::new("measure.occlusion", &measure.occlusion),
            decomposed_images: Setting::new("measure.decomposed_images", measure.decomposed_images),
            seed: Setting::new("seed", inputs.experiment.seed),
            hidden: (measure.occlusion.images > 0).then(hidden),
            checkpoint: train::checkpoint(classifier),
        })
    }
}

impl Step for Occlude<'_> {
    fn declaration(&self) -> Declaration {
        let Self {
            classifier,
            attributes,
            images,
            settings,
            decomposed_images,
            seed,
            hidden,
            checkpoint,
        } = self;
        Declaration::of(stage(classifier), VERSION)
            .reading(attributes)
            .reading(images)
            .reading(settings)
            .reading(decomposed_images)
            .reading(seed)
            .reading(hidden)
            .reading(checkpoint)
    }

    fn work(&self, folder: &Sandbox<'_>, device: &Device) -> Result<()> {
        occlude(self, folder, device)
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

/// What is hidden in one image for some attributes, and what instead.
#[derive(Clone)]
struct Hidden {
    hole: Arc<Hole>,
    control: Option<Arc<Hole>>,
}

/// What is hidden of every image of a batch: the attributes that share it, and one entry an image.
type Pass = (Vec<usize>, Vec<Option<Hidden>>);

fn occlude(step: &Occlude<'_>, folder: &Sandbox<'_>, device: &Device) -> Result<()> {
    let (settings, decomposed) = (*step.settings, *step.decomposed_images);
    let names = step.attributes.names();
    let network = evaluate::trained_network(folder, &step.checkpoint, names, device)?;
    let attributes = names.len();
    let mut rng = ChaCha8Rng::seed_from_u64(*step.seed);
    let count = settings.images.max(decomposed);
    let drawn: Vec<usize> = step.images.indices().choose_multiple(&mut rng, count).copied().collect();
    let first = |count: usize| {
        let mut some = drawn[..count.min(drawn.len())].to_vec();
        some.sort_unstable();
        some
    };
    let images = first(count);
    let row_of: HashMap<usize, usize> = images.iter().enumerate().map(|(row, &index)| (index, row)).collect();
    let mut columns = Columns {
        predicted: vec![1; images.len() * attributes],
        score: vec![None; images.len() * attributes],
        region: vec![None; images.len() * attributes],
        control: vec![None; images.len() * attributes],
        input: vec![None; images.len() * attributes],
        bias: vec![None; images.len() * attributes],
    };

    let pass = Pass {
        folder,
        device,
        images: *step.images,
        network: &network,
        title: folder.step(),
        together: evaluate::BATCH,
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
    if let Some(hidden) = &step.hidden {
        let hider = Hider::new(step, hidden, folder, device)?;
        pass.over(&first(settings.images), |batch, _, output| {
            scored(&mut columns, batch, &output.logits.to_vec2::<f32>()?);
            hider.batch(&network, batch, |index, attribute, region, control| {
                let at = row_of[&index] * attributes + attribute;
                let sign = f32::from(columns.predicted[at]);
                columns.region[at] = Some(sign * region);
                columns.control[at] = control.map(|control| sign * control);
            })
        })?;
    }
    if decomposed > 0 {
        pass.over(&first(decomposed), |batch, input, output| {
            scored(&mut columns, batch, &output.logits.to_vec2::<f32>()?);
            for (position, index) in batch.indices.iter().enumerate() {
                folder.interrupt().check()?;
                let parts = parts(&network, &input.narrow(0, position, 1)?, attributes)?;
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
    let keys = RowKeys {
        images: images.iter().map(|&index| step.images.name(index).to_owned()).collect(),
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
    write_table(folder, &artefacts::occlusion(step.classifier), table)
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

/// A region's hole with the attributes that share it, and the holes of its control areas.
type SharedHole = (Vec<usize>, Arc<Hole>, Vec<Arc<Hole>>);

/// Hides parts of images as the experiment says.
struct Hider<'a> {
    step: &'a Occlude<'a>,
    folder: &'a Sandbox<'a>,
    device: &'a Device,
    /// Regions with the attributes that share them, and positions of their control areas; empty where exact masks are hidden.
    regions: Vec<SharedHole>,
    /// The exact masks that are hidden.
    masks: Option<Masks<'a>>,
    /// The mean of the images, where it fills the holes.
    mean: Option<Vec<f32>>,
}

impl<'a> Hider<'a> {
    fn new(
        step: &'a Occlude<'a>,
        hidden: &HiddenParts<'a>,
        folder: &'a Sandbox<'a>,
        device: &'a Device,
    ) -> Result<Self> {
        let fill = step.settings.fill;
        let (regions, masks) = match hidden {
            HiddenParts::Masks(_, masks) => (Vec::new(), Some(*masks)),
            HiddenParts::Regions(regions) => (shared_regions(regions, *step.seed), regions.own()),
        };
        if masks.is_some_and(|masks| !masks.exist()) {
            return Err(Error::experiment(
                "measure.occlusion.hide",
                "exact_mask, but the data set has no masks; `region` hides the attributes' regions",
            ));
        }
        let regions = regions.into_iter().map(|(attributes, region, controls)| {
            let hole = |region: &Region| Arc::new(Hole::new(region, fill));
            (attributes, hole(&region), controls.iter().map(hole).collect())
        });
        Ok(Self {
            step,
            folder,
            device,
            regions: regions.collect(),
            masks,
            mean: match fill {
                Fill::Mean => Some(mean_image(step, folder)?),
                Fill::NoisyLinear | Fill::Blur => None,
            },
        })
    }

    /// Hands on, for every image (by its index) and attribute of which something can be hidden, its logit without that and without
    /// the control area.
    fn batch(
        &self,
        network: &Network,
        batch: &Batch,
        mut each: impl FnMut(usize, usize, f32, Option<f32>),
    ) -> Result<()> {
        let size = self.step.images.size();
        let blurred = match self.step.settings.fill {
            Fill::Blur => blurred(&batch.images, size),
            Fill::NoisyLinear | Fill::Mean => Vec::new(),
        };
        let (masks, passes) = match self.masks {
            None => (Vec::new(), self.regions.len()),
            Some(masks) => (masks.of_batch(batch, size)?, self.step.attributes.count()),
        };
        for number in 0..passes {
            self.folder.interrupt().check()?;
            let (attributes, hidden) = self.pass(batch, &masks, number)?;
            let holes: Vec<_> = hidden
                .iter()
                .map(|one| one.as_ref().map(|one| one.hole.clone()))
                .collect();
            let controls: Vec<_> = hidden.iter().map(|one| one.as_ref()?.control.clone()).collect();
            let without = self.logits(network, batch, &blurred, &holes, 2 * number as u64)?;
            let without_control = self.logits(network, batch, &blurred, &controls, 2 * number as u64 + 1)?;
            for ((index, logits), control) in batch.indices.iter().zip(without).zip(without_control) {
                let Some(logits) = logits else { continue };
                for &attribute in &attributes {
                    each(
                        *index,
                        attribute,
                        logits[attribute],
                        control.as_ref().map(|logits| logits[attribute]),
                    );
                }
            }
        }
        Ok(())
    }

    /// What is hidden of each image of a batch in one pass: a region, or the exact masks of an attribute, `masks[image][attribute]`.
    fn pass(&self, batch: &Batch, masks: &[Option<Vec<Region>>], number: usize) -> Result<Pass> {
        let (fill, seed) = (self.step.settings.fill, *self.step.seed);
        if let Some((attributes, hole, controls)) = self.regions.get(number) {
            let hidden = |index: &usize| {
                let turn = mixed(&[seed, *index as u64]) as usize % controls.len().max(1);
                Some(Hidden {
                    hole: Arc::clone(hole),
                    control: controls.get(turn).cloned(),
                })
            };
            return Ok((attributes.clone(), batch.indices.iter().map(hidden).collect()));
        }
        let hidden = |(index, masks): (&usize, &Option<Vec<Region>>)| -> Result<Option<Hidden>> {
            let mask = masks.as_ref().map(|masks| &masks[number]);
            let Some(mask) = mask.filter(|mask| mask.pixels() > 0) else {
                return Ok(None);
            };
            let control = mask.elsewhere(mixed(&[seed, *index as u64, number as u64]));
            Ok(Some(Hidden {
                hole: Arc::new(Hole::new(mask, fill)),
                control: control.map(|region| Arc::new(Hole::new(&region, fill))),
            }))
        };
        let all: Result<Vec<_>> = batch.indices.par_iter().zip(masks).map(hidden).collect();
        Ok((vec![number], all?))
    }

    /// The logits of those images of a batch that have a hole.
    fn logits(
        &self,
        network: &Network,
        batch: &Batch,
        blurred: &[f32],
        holes: &[Option<Arc<Hole>>],
        pass: u64,
    ) -> Result<Vec<Option<Vec<f32>>>> {
        let size = self.step.images.size();
        let length = 3 * size * size;
        let present: Vec<usize> = (0..holes.len()).filter(|&position| holes[position].is_some()).collect();
        if present.is_empty() {
            return Ok(vec![None; holes.len()]);
        }
        let mut images = vec![0.0; present.len() * length];
        images
            .par_chunks_mut(length)
            .zip(&present)
            .try_for_each(|(image, &position)| {
                image.copy_from_slice(&batch.images[position * length..][..length]);
                let substitute = self
                    .mean
                    .as_deref()
                    .unwrap_or_else(|| blurred.get(position * length..).unwrap_or(&[]));
                let seed = mixed(&[*self.step.seed, batch.indices[position] as u64, pass]);
                match &holes[position] {
                    Some(hole) => hole.hide(image, substitute, seed),
                    None => Ok(()),
                }
            })?;
        let shape = (present.len(), size, size, 3);
        let tensor = Tensor::from_vec(images, shape, self.device)?.permute((0, 3, 1, 2))?;
        let logits = network.forward(&tensor, Mode::Eval)?.logits.to_vec2::<f32>()?;
        let mut all = vec![None; holes.len()];
        for (position, logits) in present.into_iter().zip(logits) {
            all[position] = Some(logits);
        }
        Ok(all)
    }
}

/// Each region with the attributes that share it, and where its control area may be: nowhere for a region of most of the face.
type SharedRegion = (Vec<usize>, Region, Vec<Region>);

fn shared_regions(regions: &Regions, seed: u64) -> Vec<SharedRegion> {
    let mut shared: Vec<SharedRegion> = Vec::new();
    let Regions::Fixed(all) = regions else {
        return shared;
    };
    for (attribute, region) in all.iter().enumerate() {
        let region = &region.region;
        match shared.iter_mut().find(|(_, known, _)| known == region) {
            Some((attributes, _, _)) => attributes.push(attribute),
            None => {
                let number = shared.len() as u64;
                let seed = |control: usize| mixed(&[seed, number, control as u64]);
                let controls = (0..CONTROLS).filter_map(|control| region.elsewhere(seed(control)));
                shared.push((vec![attribute], region.clone(), controls.collect()));
            }
        }
    }
    shared
}

/// The mean of the images that are occluded, `[S, S, 3]`.
fn mean_image(step: &Occlude<'_>, folder: &Sandbox<'_>) -> Result<Vec<f32>> {
    let size = step.images.size();
    let mut mean = cam::MapAverage::new(3 * size * size);
    let test = step.images.indices();
    let images = &test[..step.settings.images.min(test.len())];
    let config = LoaderConfig::in_order(size, evaluate::BATCH, rayon::current_num_threads());
    for batch in step.images.loader(images, config)?.epoch(0, 0) {
        folder.interrupt().check()?;
        batch?.images.chunks(3 * size * size).for_each(|image| mean.add(image));
    }
    Ok(mean.mean().unwrap_or_default())
}
