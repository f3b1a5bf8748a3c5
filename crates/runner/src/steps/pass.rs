//! Running trained networks over images: the pass that prediction and explanation share.

use std::thread;
use std::time::Duration;

use candle_core::{Device, Tensor};
use dataset::{Batch, Batches, LoaderConfig};
use model::{Checkpoint, Mode, Network, Output};
use pipeline::Sandbox;

use crate::data::bad_images;
use crate::error::{Error, Result};
use crate::experiment::OnBadImage;
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

/// How often it is looked whether to stop while a batch is waited for.
const TICK: Duration = Duration::from_millis(50);

/// Batches as they come, of which large images may take seconds; [`Interrupted`](pipeline::Interrupted) meanwhile. Errors of loading come
/// with a way out.
pub fn awaited<'a, B: Send + 'static>(
    folder: &'a Sandbox<'_>,
    on_bad_image: OnBadImage,
    batches: Batches<B>,
) -> impl Iterator<Item = Result<B>> + 'a {
    let mut batches = Some(batches);
    std::iter::from_fn(move || {
        while !batches.as_mut()?.is_ready_within(TICK) {
            if let Err(stopped) = folder.interrupt().check() {
                // The images in hand are waited for elsewhere: a training has its state to save.
                let in_hand = batches.take();
                thread::Builder::new().spawn(move || drop(in_hand)).ok();
                return Some(Err(stopped.into()));
            }
        }
        let batch = batches.as_mut()?.next()?;
        Some(batch.map_err(|error| bad_images::with_way_out(on_bad_image, folder, &error)))
    })
}

/// Networks with the same features, each with a head of its own: a trained one and those that are derived from it.
pub struct Family {
    networks: Vec<Network>,
}

impl Family {
    /// The trained networks of some checkpoints, each with the folder of the step that reads it, with an output for each of `attributes`.
    ///
    /// # Errors
    /// As [`trained_network`].
    pub fn read<'a>(
        checkpoints: impl IntoIterator<Item = (&'a Sandbox<'a>, &'a Artefact)>,
        attributes: &[String],
        device: &Device,
    ) -> Result<Self> {
        let read =
            |(folder, checkpoint): (&Sandbox<'_>, &Artefact)| trained_network(folder, checkpoint, attributes, device);
        Ok(Self {
            networks: checkpoints.into_iter().map(read).collect::<Result<_>>()?,
        })
    }

    /// The networks.
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// What each makes of images [N, 3, S, S]: the features are computed once.
    ///
    /// # Errors
    /// As [`Network::forward`].
    pub fn outputs(&self, images: &Tensor) -> Result<Vec<Output>> {
        let mut outputs: Vec<Output> = Vec::with_capacity(self.networks.len());
        for network in &self.networks {
            let layers = network.architecture().layers();
            outputs.push(match (outputs.first(), layers.last()) {
                (Some(first), Some(last)) => network.forward_from(last, &first.features, Mode::Eval)?,
                _ => network.forward(images, Mode::Eval)?,
            });
        }
        Ok(outputs)
    }
}

/// A pass over images.
pub struct Pass<'a> {
    /// Where the step works.
    pub folder: &'a Sandbox<'a>,
    /// What computes.
    pub device: &'a Device,
    /// The images.
    pub images: Images<'a>,
    /// What is said of it while it goes on.
    pub title: &'a str,
    /// Images of one forward pass: between two the run can be stopped, and shows how far it is.
    pub together: usize,
}

impl Pass<'_> {
    /// Takes the images at `indices` in their order, and hands each batch with its images [N, 3, S, S] to `each`. Batches of images
    /// without labels say 0, "not annotated", of each.
    ///
    /// # Errors
    /// Those of loading, and of `each`; [`Interrupted`](pipeline::Interrupted) between two batches.
    pub fn over(&self, indices: &[usize], mut each: impl FnMut(&Batch, &Tensor) -> Result<()>) -> Result<()> {
        let Self { folder, images, .. } = self;
        let threads = rayon::current_num_threads();
        let config = LoaderConfig::in_order(images.size(), self.together, threads);
        let loader = images.loader(indices, config)?;
        let mut work = folder.progress().work(self.title, indices.len() as u64);
        let mut done = 0;
        for batch in awaited(folder, images.on_bad_image(), loader.epoch(0, 0)) {
            folder.interrupt().check()?;
            let mut batch = batch?;
            if !images.are_labelled() {
                batch.labels.fill(0.0);
            }
            each(&batch, &images_of(&batch, images.size(), self.device)?)?;
            done += batch.indices.len();
            loader.recycle(batch);
            work.at(done as u64, "");
        }
        work.abandon();
        Ok(())
    }
}
