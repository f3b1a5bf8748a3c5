use std::sync::Arc;

use rand::seq::SliceRandom;

use super::batch::{Batch, PixelBatch};
use super::batches::{Batches, Prepare};
use super::config::LoaderConfig;
use super::packed_pixels::PackedPixels;
use super::prepare::Preparer;
use crate::seed::{Purpose, generator};
use crate::{Error, Result, Source};

/// Batches of aligned, augmented images from several threads.
///
/// The order of an epoch depends on the seed and the epoch, the augmentation of an image on the seed, the epoch and the
/// image: never on the number of threads, the batch size or the cache. An epoch may start at any batch, so that an
/// interrupted one continues where it was.
///
/// ```
/// # use std::sync::Arc;
/// # use dataset::{Annotations, Attributes, Loader, LoaderConfig, MemorySource, Split};
/// # let annotations = Annotations {
/// #     attributes: Attributes::new(vec!["Smiling".into()])?,
/// #     names: vec!["a.png".into(), "b.png".into(), "c.png".into()],
/// #     labels: vec![1, -1, 1], splits: vec![Split::Train; 3], landmarks: None, identities: None,
/// # };
/// # let source = MemorySource::new(annotations, vec![image::RgbImage::new(178, 218); 3])?;
/// let loader = Loader::new(Arc::new(source), vec![0, 1, 2], LoaderConfig::in_order(112, 2, 1))?;
/// for batch in loader.epoch(0, 0) {
///     let batch = batch?;
///     assert_eq!(batch.images.len(), batch.indices.len() * 112 * 112 * 3);
/// }
/// # Ok::<(), dataset::Error>(())
/// ```
pub struct Loader {
    indices: Vec<usize>,
    preparer: Arc<Preparer>,
}

impl Loader {
    /// A loader of the images `indices` of `source`.
    ///
    /// # Errors
    /// When a setting is out of range, there is no image to load, or an index names none.
    pub fn new(source: Arc<dyn Source>, indices: Vec<usize>, config: LoaderConfig) -> Result<Self> {
        Self::with_packed(source, indices, config, None)
    }

    /// The same, with images taken from `packed` where it has them. The batches are the same, byte for byte.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when `packed` is not of this source and size.
    pub fn with_packed(
        source: Arc<dyn Source>,
        indices: Vec<usize>,
        config: LoaderConfig,
        packed: Option<Arc<PackedPixels>>,
    ) -> Result<Self> {
        config.check(indices.len())?;
        let images = source.annotations().len();
        if let Some(index) = indices.iter().find(|&&index| index >= images) {
            return Err(Error::Invalid {
                what: "image index".to_owned(),
                found: index.to_string(),
                expected: format!("less than {images}"),
            });
        }
        if let Some(packed) = &packed {
            packed.check(images, config.size)?;
        }
        Ok(Self {
            indices,
            preparer: Arc::new(Preparer::new(source, config, packed)),
        })
    }

    /// The settings.
    pub fn config(&self) -> &LoaderConfig {
        self.preparer.config()
    }

    /// Number of batches of a whole epoch.
    pub fn batches_per_epoch(&self) -> usize {
        let (images, size) = (self.indices.len(), self.config().batch_size);
        if self.config().drop_last {
            images / size
        } else {
            images.div_ceil(size)
        }
    }

    /// The batches of an epoch from number `first_batch` on, in order. Work starts at once, in the background.
    ///
    /// A batch with an image that cannot be loaded is an error; the batches after it follow. Dropping the iterator ends
    /// the work.
    pub fn epoch(&self, epoch: u64, first_batch: usize) -> Batches {
        self.start(Preparer::batch, epoch, first_batch)
    }

    /// The same batches with their images as decoded pixels, which a GPU turns into the images of [`epoch`](Self::epoch).
    pub fn pixel_epoch(&self, epoch: u64, first_batch: usize) -> Batches<PixelBatch> {
        self.start(Preparer::pixel_batch, epoch, first_batch)
    }

    fn start<B: Send + 'static>(&self, prepare: Prepare<B>, epoch: u64, first_batch: usize) -> Batches<B> {
        Batches::start(
            Arc::clone(&self.preparer),
            prepare,
            Arc::new(self.order(epoch)),
            epoch,
            first_batch..self.batches_per_epoch(),
        )
    }

    /// Gives the memory of a batch's images back to the loader, which fills it again instead of asking the system for more.
    pub fn recycle(&self, batch: Batch) {
        self.preparer.recycle(batch.images);
    }

    /// The same for a batch of pixels.
    pub fn recycle_pixels(&self, batch: PixelBatch) {
        self.preparer.recycle_pixels(batch.pixels);
    }

    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order = self.indices.clone();
        if self.config().shuffle {
            order.shuffle(&mut generator(self.config().seed, epoch, Purpose::Order, 0));
        }
        order
    }
}
