//! What the parts of the step look at: what never changes, and the batch in hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cam::{Cost, Explainer, Target};
use candle_core::Tensor;
use dataset::Batch;
use metrics::{Footprint, Region};
use rayon::prelude::*;

use super::localiser::Localiser;
use crate::error::Result;
use crate::experiment::ExplainSettings;
use crate::inputs::{AttributeRegions, Masks, TestImages};
use pipeline::{Sandbox, duration};

/// What does not change from batch to batch.
pub struct Explaining<'a> {
    pub folder: &'a Sandbox<'a>,
    pub classifier: &'a str,
    pub names: &'a [String],
    pub images: TestImages<'a>,
    pub regions: &'a AttributeRegions<'a>,
    pub masks: Masks<'a>,
    pub settings: &'a ExplainSettings,
    pub explainer: Explainer<'a>,
    pub attributes: Vec<usize>,
    /// Positions of the images that are explained.
    pub explained: Vec<usize>,
}

/// A batch, as all classifiers see it.
pub struct Seen<'a> {
    pub batch: &'a Batch,
    /// `[N, 3, S, S]`.
    pub images: &'a Tensor,
    /// `[N, A]`.
    pub labels: Vec<i8>,
    /// The same, with 1 for a label that is missing: it cannot be explained, so any takes its place, and its map is thrown away.
    pub known: Vec<i8>,
    /// Every attribute's region in each image, where each has its own; empty where they are the same in all.
    pub own: Vec<Option<Vec<Region>>>,
    /// The exact regions that were asked for, by position: absent of an image without masks.
    exact: Mutex<BTreeMap<usize, Exact>>,
}

/// The exact region of each attribute in one image.
pub type Exact = Option<Arc<Vec<Footprint>>>;

impl<'a> Seen<'a> {
    /// What is to be known of a batch, whose images [N, 3, S, S] are `input`.
    ///
    /// # Errors
    /// When masks are unreadable.
    pub fn new(
        batch: &'a Batch,
        input: &'a Tensor,
        images: TestImages<'_>,
        regions: &AttributeRegions<'_>,
    ) -> Result<Self> {
        let labels: Vec<i8> = batch.labels.iter().map(|label| *label as i8).collect();
        Ok(Self {
            batch,
            images: input,
            known: labels.iter().map(|&label| if label == 0 { 1 } else { label }).collect(),
            labels,
            own: match regions.own() {
                Some(masks) => masks.of_batch(batch, images.size())?,
                None => Vec::new(),
            },
            exact: Mutex::default(),
        })
    }

    /// The exact regions of the images at some positions, over the cells of maps that `localiser` measures; read once for all
    /// classifiers.
    ///
    /// # Errors
    /// When masks are unreadable.
    pub fn exact(
        &self,
        positions: &[usize],
        masks: Masks<'_>,
        localiser: &Localiser,
        attributes: usize,
    ) -> Result<Vec<Exact>> {
        let mut known = self.exact.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown: Vec<usize> = positions
            .iter()
            .copied()
            .filter(|position| !known.contains_key(position))
            .collect();
        let read: Vec<Exact> = unknown
            .par_iter()
            .map(|&position| {
                let regions = localiser.exact_regions(masks, self.batch.indices[position], attributes)?;
                Ok(regions.map(Arc::new))
            })
            .collect::<Result<_>>()?;
        known.extend(unknown.into_iter().zip(read));
        Ok(positions.iter().map(|position| known[position].clone()).collect())
    }
}

impl Seen<'_> {
    /// The image's own region of an attribute.
    pub fn mask(&self, position: usize, attribute: usize) -> Option<&Region> {
        self.own
            .get(position)
            .and_then(|masks| Some(&masks.as_ref()?[attribute]))
    }
}

impl Explaining<'_> {
    /// Whether an image with this label of an attribute has a map of it.
    pub fn has_map(&self, label: i8) -> bool {
        self.settings.target != Target::Label || label != 0
    }

    /// Says what a method of many passes will cost.
    pub fn announce(&self) -> Cost {
        let cost = self.explainer.cost(self.attributes.len());
        if cost != Cost::Free {
            let (images, all) = (self.explained.len(), self.images.indices().len());
            let of_all = if images < all {
                format!(" (of {all})")
            } else {
                String::new()
            };
            self.folder.progress().say(&format!(
                "{:24} {} needs {cost} an image: {} for {images} images{of_all}",
                self.folder.step(),
                self.settings.method,
                cost.passes() * images,
            ));
        }
        cost
    }

    /// Says how long it will take, once the first image has shown it; `before` of them were explained by an earlier run.
    pub fn estimate(&self, first: Duration, before: usize) {
        let left = self.explained.len() - before;
        let all = first * u32::try_from(left).unwrap_or(u32::MAX);
        let fewer = if self.settings.images.is_none() {
            "; `--set explain.images=200` would explain 200 images, drawn with the seed"
        } else {
            ""
        };
        let (first, all) = (duration(first), duration(all));
        let took = if before == 0 {
            format!("the first image took {first}, so all will take about {all}")
        } else {
            format!("going on after {before} images; the next took {first}, so the others will take about {all}")
        };
        self.folder
            .progress()
            .say(&format!("{:24} {took}{fewer}", self.folder.step()));
    }
}
