//! Running a trained network over images: the pass that prediction and explanation share.

use candle_core::{Device, Tensor};
use dataset::{Batch, LoaderConfig};
use model::{Checkpoint, Mode, Network, Output};
use pipeline::Sandbox;

use crate::data::bad_images;
use crate::error::{Error, Result};
use crate::inputs::{Artefact, Images};

/// Images of one forward pass without gradients.
pub const BATCH: usize = 64;

/// A loader's batch as the network's input: [N, 3, S, S] in [0, 1], a view of the batch's channels-last memory.
///
/// # Errors
/// When the device is out of memory.
pub fn images_of(batch: &Batch, size: usize, device: &Device) -> Result<Tensor> {
    let shape = (batch.indices.len(), size, size, 3);
    Ok(Tensor::from_slice(&batch.images, shape, device)?.permute((0, 3, 1, 2))?)
}

/// The trained network of a checkpoint, which has an output for each of `attributes`.
///
/// # Errors
/// When it is missing, damaged, or of other attributes.
pub fn trained_network(
    folder: &Sandbox<'_>,
    checkpoint: &Artefact,
    attributes: &[String],
    device: &Device,
) -> Result<Network> {
    let path = checkpoint.at(folder)?;
    let bytes = std::fs::read(&path).map_err(Error::io(&path, "reading the checkpoint"))?;
    let fault = |error: model::Error| Error::artefact(&path, error.to_string());
    let checkpoint = Checkpoint::from_bytes(&bytes).map_err(fault)?;
    checkpoint
        .require(&checkpoint.architecture, attributes)
        .map_err(fault)?;
    checkpoint.network(device).map_err(fault)
}

/// A pass of a network over images.
pub struct Pass<'a> {
    /// Where the step works.
    pub folder: &'a Sandbox<'a>,
    /// What computes.
    pub device: &'a Device,
    /// The images.
    pub images: Images<'a>,
    /// The network.
    pub network: &'a Network,
    /// What is said of it while it goes on.
    pub title: &'a str,
    /// Images of one forward pass: between two the run can be stopped, and shows how far it is.
    pub together: usize,
}

impl Pass<'_> {
    /// Runs the network over the images at `indices` in their order, and hands each batch, its images [N, 3, S, S] and their output to
    /// `each`. Batches of images without labels say 0, "not annotated", of each.
    ///
    /// # Errors
    /// Those of loading, of the network, and of `each`; [`Interrupted`](pipeline::Interrupted) between two batches.
    pub fn over(&self, indices: &[usize], mut each: impl FnMut(&Batch, &Tensor, &Output) -> Result<()>) -> Result<()> {
        let Self { folder, images, .. } = self;
        let threads = rayon::current_num_threads();
        let config = LoaderConfig::in_order(images.size(), self.together, threads);
        let loader = images.loader(indices, config)?;
        let mut work = folder.progress().work(self.title, indices.len() as u64);
        let mut done = 0;
        for batch in loader.epoch(0, 0) {
            folder.interrupt().check()?;
            let mut batch = batch.map_err(|error| bad_images::with_way_out(images.on_bad_image(), folder, &error))?;
            if !images.are_labelled() {
                batch.labels.fill(0.0);
            }
            let input = images_of(&batch, images.size(), self.device)?;
            let output = self.network.forward(&input, Mode::Eval)?;
            each(&batch, &input, &output)?;
            done += batch.indices.len();
            loader.recycle(batch);
            work.at(done as u64, "");
        }
        work.abandon();
        Ok(())
    }
}
