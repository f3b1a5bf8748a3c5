//! How a training's batches come to its device: sampled by the loader's threads for a CPU, as pixels that the GPU samples for a GPU.

use candle_core::{Device, Tensor};
use dataset::{Loader, PixelBatch};
use kernels::{SampledView, Sampler, SamplerInput};

use crate::error::Result;
use crate::experiment::OnBadImage;
use crate::steps::pass;
use pipeline::Sandbox;

/// Brings batches to the run's device.
pub struct Feed<'a> {
    folder: &'a Sandbox<'a>,
    device: &'a Device,
    on_bad_image: OnBadImage,
    loader: &'a Loader,
    /// Where there is a GPU.
    sampler: Option<Sampler>,
}

impl<'a> Feed<'a> {
    /// # Errors
    /// Those of a GPU's driver.
    pub fn new(
        folder: &'a Sandbox<'a>,
        device: &'a Device,
        on_bad_image: OnBadImage,
        loader: &'a Loader,
    ) -> Result<Self> {
        Ok(Self {
            folder,
            device,
            on_bad_image,
            loader,
            sampler: Sampler::new(device)?,
        })
    }

    /// The batches of an epoch from number `first_batch` on: images `[N, 3, S, S]` and labels `[N, A]`, both float32. Errors are those of
    /// loading, and the device's; [`Interrupted`](pipeline::Interrupted) while one is waited for.
    pub fn epoch(&mut self, epoch: u64, first_batch: usize) -> Box<dyn Iterator<Item = Result<(Tensor, Tensor)>> + '_> {
        let (folder, device, loader, on_bad_image) = (self.folder, self.device, self.loader, self.on_bad_image);
        let Some(sampler) = &mut self.sampler else {
            let size = loader.config().size;
            let batches = pass::awaited(folder, on_bad_image, loader.epoch(epoch, first_batch));
            return Box::new(batches.map(move |batch| {
                let batch = batch?;
                let images = pass::images_of(&batch, size, device)?;
                let shape = (batch.indices.len(), batch.labels.len() / batch.indices.len().max(1));
                let labels = Tensor::from_slice(&batch.labels, shape, device)?;
                loader.recycle(batch);
                Ok((images, labels))
            }));
        };
        let batches = pass::awaited(folder, on_bad_image, loader.pixel_epoch(epoch, first_batch));
        Box::new(batches.map(move |batch| {
            let batch = batch?;
            let tensors = sampler.batch(borrowed(&batch, &views(&batch)))?;
            loader.recycle_pixels(batch);
            Ok(tensors)
        }))
    }
}

fn borrowed<'a>(batch: &'a PixelBatch, views: &'a [SampledView]) -> SamplerInput<'a> {
    SamplerInput {
        size: batch.size,
        pixels: &batch.pixels,
        views,
        taps: &batch.taps,
        labels: &batch.labels,
    }
}

fn views(batch: &PixelBatch) -> Vec<SampledView> {
    let view = |view: &dataset::View| SampledView {
        start: view.start,
        width: view.width,
        height: view.height,
        transform: [view.transform.a, view.transform.b, view.transform.tx, view.transform.ty],
        mirror: view.mirror,
        taps: view.taps.clone(),
        contrast: view.contrast,
        brightness: view.brightness,
    };
    batch.views.iter().map(view).collect()
}
