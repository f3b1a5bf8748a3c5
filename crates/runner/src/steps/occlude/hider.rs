//! Hiding parts of images.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use dataset::{Batch, LoaderConfig};
use metrics::{Fill, Hole, Region, blurred, mixed};
use pipeline::Sandbox;
use rayon::prelude::*;

use super::hidden::HiddenParts;
use crate::error::Result;
use crate::experiment::OcclusionSettings;
use crate::inputs::{Masks, TestImages};
use crate::regions::Regions;
use crate::steps::pass;

/// Positions of a region's control area, over which the images are dealt out. Each costs a factorisation and its memory.
const CONTROLS: usize = 4;

/// What is hidden in one image for some attributes, and what instead.
#[derive(Clone)]
struct Hidden {
    hole: Arc<Hole>,
    control: Option<Arc<Hole>>,
}

/// What is hidden of every image of a batch: the attributes that share it, and one entry an image.
type Pass = (Vec<usize>, Vec<Option<Hidden>>);

/// A region's hole with the attributes that share it, and the holes of its control areas.
type SharedHole = (Vec<usize>, Arc<Hole>, Vec<Arc<Hole>>);

/// Hides parts of images as the experiment says.
pub struct Hider<'a> {
    images: TestImages<'a>,
    settings: &'a OcclusionSettings,
    seed: u64,
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
    /// One for parts of some images, filled as `settings` says.
    ///
    /// # Errors
    /// When masks are to be hidden and there are none; those of loading the images whose mean fills the holes.
    pub fn new(
        hidden: &HiddenParts<'a>,
        images: TestImages<'a>,
        settings: &'a OcclusionSettings,
        seed: u64,
        folder: &'a Sandbox<'a>,
        device: &'a Device,
    ) -> Result<Self> {
        hidden.check()?;
        let fill = settings.fill;
        let (regions, masks) = match hidden {
            HiddenParts::Masks(_, masks) => (Vec::new(), Some(*masks)),
            HiddenParts::Regions(regions) => (shared_regions(regions, seed), regions.own()),
        };
        let regions = regions.into_iter().map(|(attributes, region, controls)| {
            let hole = |region: &Region| Arc::new(Hole::new(region, fill));
            (attributes, hole(&region), controls.iter().map(hole).collect())
        });
        Ok(Self {
            images,
            settings,
            seed,
            folder,
            device,
            regions: regions.collect(),
            masks,
            mean: match fill {
                Fill::Mean => Some(mean_image(images, settings.images, folder)?),
                Fill::NoisyLinear | Fill::Blur => None,
            },
        })
    }

    /// Hands on, for every classifier (by its position in what `logits_of` images [N, 3, S, S] says), image (by its index) and attribute
    /// of which something can be hidden, its logit without that and without the control area.
    pub fn batch(
        &self,
        logits_of: impl Fn(&Tensor) -> Result<Vec<Vec<Vec<f32>>>>,
        attributes: usize,
        batch: &Batch,
        mut each: impl FnMut(usize, usize, usize, f32, Option<f32>),
    ) -> Result<()> {
        let size = self.images.size();
        let blurred = match self.settings.fill {
            Fill::Blur => blurred(&batch.images, size),
            Fill::NoisyLinear | Fill::Mean => Vec::new(),
        };
        let (masks, passes) = match self.masks {
            None => (Vec::new(), self.regions.len()),
            Some(masks) => (masks.of_batch(batch, size)?, attributes),
        };
        for number in 0..passes {
            self.folder.interrupt().check()?;
            let (attributes, hidden) = self.pass(batch, &masks, number)?;
            let holes: Vec<_> = hidden
                .iter()
                .map(|one| one.as_ref().map(|one| one.hole.clone()))
                .collect();
            let controls: Vec<_> = hidden.iter().map(|one| one.as_ref()?.control.clone()).collect();
            let without = self.logits(&logits_of, batch, &blurred, &holes, 2 * number as u64)?;
            let without_control = self.logits(&logits_of, batch, &blurred, &controls, 2 * number as u64 + 1)?;
            for ((index, logits), control) in batch.indices.iter().zip(without).zip(without_control) {
                for (classifier, logits) in logits.into_iter().flatten().enumerate() {
                    for &attribute in &attributes {
                        let control = control.as_ref().map(|logits| logits[classifier][attribute]);
                        each(classifier, *index, attribute, logits[attribute], control);
                    }
                }
            }
        }
        Ok(())
    }

    /// What is hidden of each image of a batch in one pass: a region, or the exact masks of an attribute, `masks[image][attribute]`.
    fn pass(&self, batch: &Batch, masks: &[Option<Vec<Region>>], number: usize) -> Result<Pass> {
        let (fill, seed) = (self.settings.fill, self.seed);
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

    /// The logits of those images of a batch that have a hole, by classifier.
    fn logits(
        &self,
        logits_of: impl Fn(&Tensor) -> Result<Vec<Vec<Vec<f32>>>>,
        batch: &Batch,
        blurred: &[f32],
        holes: &[Option<Arc<Hole>>],
        pass: u64,
    ) -> Result<Vec<Option<Vec<Vec<f32>>>>> {
        let size = self.images.size();
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
                let seed = mixed(&[self.seed, batch.indices[position] as u64, pass]);
                match &holes[position] {
                    Some(hole) => hole.hide(image, substitute, seed),
                    None => Ok(()),
                }
            })?;
        let shape = (present.len(), size, size, 3);
        let tensor = Tensor::from_vec(images, shape, self.device)?.permute((0, 3, 1, 2))?;
        let mut logits: Vec<_> = logits_of(&tensor)?.into_iter().map(Vec::into_iter).collect();
        let mut all = vec![None; holes.len()];
        for position in present {
            all[position] = logits.iter_mut().map(Iterator::next).collect();
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
fn mean_image(images: TestImages<'_>, count: usize, folder: &Sandbox<'_>) -> Result<Vec<f32>> {
    let size = images.size();
    let mut mean = cam::MapAverage::new(3 * size * size);
    let test = images.indices();
    let occluded = &test[..count.min(test.len())];
    let config = LoaderConfig::in_order(size, pass::BATCH, rayon::current_num_threads());
    for batch in images.loader(occluded, config)?.epoch(0, 0) {
        folder.interrupt().check()?;
        batch?.images.chunks(3 * size * size).for_each(|image| mean.add(image));
    }
    Ok(mean.mean().unwrap_or_default())
}
