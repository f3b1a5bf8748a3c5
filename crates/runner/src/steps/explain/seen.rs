//! What the parts of the step look at: what never changes, and the batch in hand.

use std::time::Duration;

use cam::{Cost, Explainer, Output, Target};
use candle_core::Tensor;
use dataset::Batch;
use metrics::Region;

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

/// A batch and what the network makes of it.
pub struct Seen<'a> {
    pub batch: &'a Batch,
    pub output: &'a Output,
    /// `[N, 3, S, S]`.
    pub images: &'a Tensor,
    /// `[N, A]`.
    pub labels: Vec<i8>,
    /// The same, with 1 for a label that is missing: it cannot be explained, so any takes its place, and its map is thrown away.
    pub known: Vec<i8>,
    /// Every attribute's region in each image, where each has its own; empty where they are the same in all.
    pub own: Vec<Option<Vec<Region>>>,
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

    /// What is to be known of a batch, whose images [N, 3, S, S] are `images`.
    ///
    /// # Errors
    /// When masks are unreadable.
    pub fn seen<'b>(&self, batch: &'b Batch, images: &'b Tensor, output: &'b Output) -> Result<Seen<'b>> {
        let labels: Vec<i8> = batch.labels.iter().map(|label| *label as i8).collect();
        Ok(Seen {
            batch,
            output,
            images,
            known: labels.iter().map(|&label| if label == 0 { 1 } else { label }).collect(),
            labels,
            own: match self.regions.own() {
                Some(masks) => masks.of_batch(batch, self.images.size())?,
                None => Vec::new(),
            },
        })
    }
}
