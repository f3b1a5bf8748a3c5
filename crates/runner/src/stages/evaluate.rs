//! Running a trained network over images: the pass that prediction and explanation share.

use candle_core::{Device, Tensor};
use dataset::{Batch, LoaderConfig};
use model::{Checkpoint, Mode, Network, Output};

use super::{DataSet, bad_images};
use crate::artefacts;
use crate::context::Context;
use crate::error::{Error, Result};

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

/// The trained network of a classifier.
///
/// # Errors
/// When its checkpoint is missing, damaged, or of another network.
pub fn trained_network(context: &Context, data: &DataSet, classifier: &str) -> Result<Network> {
    let path = context.results().join(&artefacts::checkpoint(classifier));
    let bytes = std::fs::read(&path).map_err(Error::io(&path, "reading the checkpoint"))?;
    let fault = |error: model::Error| Error::artefact(&path, error.to_string());
    let checkpoint = Checkpoint::from_bytes(&bytes).map_err(fault)?;
    let architecture = context
        .experiment
        .model
        .architecture()
        .map_err(|problem| Error::Request(problem.to_string()))?;
    checkpoint.require(&architecture, data.attributes()).map_err(fault)?;
    checkpoint.network(&context.device).map_err(fault)
}

/// Runs the network over the images at `indices` in their order, and hands each batch and its output to `each`.
///
/// # Errors
/// Those of loading, of the network, and of `each`; [`Interrupted`](pipeline::Interrupted) between two batches.
pub fn for_each_batch(
    context: &Context,
    data: &DataSet,
    network: &Network,
    indices: &[usize],
    title: &str,
    each: impl FnMut(&Batch, &Output) -> Result<()>,
) -> Result<()> {
    for_each_batch_of(context, data, network, indices, title, BATCH, each)
}

/// The same in batches of another size, between which a run can be stopped and shows how far it is.
///
/// # Errors
/// As [`for_each_batch`].
pub fn for_each_batch_of(
    context: &Context,
    data: &DataSet,
    network: &Network,
    indices: &[usize],
    title: &str,
    together: usize,
    mut each: impl FnMut(&Batch, &Output) -> Result<()>,
) -> Result<()> {
    let size = context.experiment.data.image_size;
    let loader = data.loader(
        indices,
        LoaderConfig::in_order(size, together, rayon::current_num_threads()),
    )?;
    let mut work = context.progress().work(title, indices.len() as u64);
    let mut done = 0;
    for batch in loader.epoch(0, 0) {
        context.interrupt().check()?;
        let batch = batch.map_err(|error| bad_images::with_way_out(context, &error))?;
        let output = network.forward(&images_of(&batch, size, &context.device)?, Mode::Eval)?;
        each(&batch, &output)?;
        done += batch.indices.len();
        loader.recycle(batch);
        work.at(done as u64, "");
    }
    work.abandon();
    Ok(())
}
