use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::augmentation::Draw;
use super::batch::{Batch, PixelBatch};
use super::config::LoaderConfig;
use super::packed_pixels::PackedPixels;
use crate::geometry::{Pixels, shrunk};
use crate::seed::{Purpose, generator};
use crate::{Result, Similarity, Source};

/// Builds batches; shared by the loader's threads.
pub(crate) struct Preparer {
    source: Arc<dyn Source>,
    config: LoaderConfig,
    cache: Cache,
    packed: Option<Arc<PackedPixels>>,
    spare: Spare<f32>,
    spare_pixels: Spare<u8>,
}

/// Memory of batches that were given back. A batch of 64 images of 224 x 224 has 38 MB: new pages for it, which the system
/// has to clear, cost as much as sampling the images.
struct Spare<T> {
    vectors: Mutex<Vec<Vec<T>>>,
    most: usize,
}

impl<T> Spare<T> {
    fn new(config: &LoaderConfig) -> Self {
        Self {
            vectors: Mutex::default(),
            most: config.threads + config.prefetch + 1,
        }
    }

    // A poisoned lock means that a worker panicked, which is reported in its batch's place.

    fn give(&self, vector: Vec<T>) {
        if let Ok(mut vectors) = self.vectors.lock()
            && vectors.len() < self.most
        {
            vectors.push(vector);
        }
    }

    /// With whatever is in it.
    fn take(&self) -> Vec<T> {
        let spare = self.vectors.lock().ok().and_then(|mut vectors| vectors.pop());
        spare.unwrap_or_default()
    }
}

/// A decoded image at the resolution the square needs, and the alignment to it.
struct Prepared {
    pixels: Pixels,
    transform: Similarity,
}

impl Preparer {
    pub(crate) fn new(source: Arc<dyn Source>, config: LoaderConfig, packed: Option<Arc<PackedPixels>>) -> Self {
        let cache = Cache::new(source.annotations().len(), config.cache_bytes);
        Self {
            spare: Spare::new(&config),
            spare_pixels: Spare::new(&config),
            source,
            config,
            cache,
            packed,
        }
    }

    /// Takes the memory of a batch's images for a later one.
    pub(crate) fn recycle(&self, images: Vec<f32>) {
        self.spare.give(images);
    }

    /// Takes the memory of a batch's pixels for a later one.
    pub(crate) fn recycle_pixels(&self, pixels: Vec<u8>) {
        self.spare_pixels.give(pixels);
    }

    pub(crate) fn config(&self) -> &LoaderConfig {
        &self.config
    }

    /// The batch of the images `indices`. `None` when `stop` was set meanwhile.
    pub(crate) fn batch(&self, indices: &[usize], epoch: u64, stop: &AtomicBool) -> Option<Result<Batch>> {
        let pixels = 3 * self.config.size * self.config.size;
        // Every element is written below.
        let mut images = self.spare.take();
        images.resize(indices.len() * pixels, 0.0);
        let mut scratch = Vec::new();
        for (&index, out) in indices.iter().zip(images.chunks_exact_mut(pixels)) {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            if let Err(error) = self.fill(index, epoch, out, &mut scratch) {
                return Some(Err(error));
            }
        }
        Some(Ok(Batch {
            indices: indices.to_vec(),
            images,
            labels: self.labels(indices),
        }))
    }

    /// The same images as pixels, with what makes the batch's images of them.
    pub(crate) fn pixel_batch(&self, indices: &[usize], epoch: u64, stop: &AtomicBool) -> Option<Result<PixelBatch>> {
        let mut batch = PixelBatch::new(self.config.size, self.spare_pixels.take());
        for &index in indices {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            match self.cache.get_or_insert(index, || self.prepare(index)) {
                Ok(prepared) => batch.push(index, &prepared.pixels, &prepared.transform, &self.draw(index, epoch)),
                Err(error) => return Some(Err(error)),
            }
        }
        batch.labels = self.labels(indices);
        Some(Ok(batch))
    }

    fn labels(&self, indices: &[usize]) -> Vec<f32> {
        let annotations = self.source.annotations();
        let of_image = |&index: &usize| annotations.labels_of(index).iter().map(|&label| f32::from(label));
        indices.iter().flat_map(of_image).collect()
    }

    fn draw(&self, index: usize, epoch: u64) -> Draw {
        let mut random = generator(self.config.seed, epoch, Purpose::Augmentation, index as u64);
        self.config.augmentation.draw(&mut random)
    }

    fn fill(&self, index: usize, epoch: u64, out: &mut [f32], scratch: &mut Vec<f32>) -> Result<()> {
        let prepared = self.cache.get_or_insert(index, || self.prepare(index))?;
        let size = self.config.size;
        let draw = self.draw(index, epoch);
        let transform = draw.transform(&prepared.transform, size);
        prepared.pixels.sample(&transform, draw.mirror, size, out);
        draw.finish(size, out, scratch);
        Ok(())
    }

    fn prepare(&self, index: usize) -> Result<Prepared> {
        let aligned = |size| self.source.alignment(index, size, self.config.size);
        if let Some(packed) = &self.packed
            && let Some(image) = packed.read(index)?
        {
            return Ok(Prepared {
                transform: shrunk(&aligned(image.original)?, image.halvings),
                pixels: image.pixels,
            });
        }
        let image = self.source.image(index)?;
        let transform = aligned(image.dimensions())?;
        // Halved as the alignment needs, whatever the augmentation: what is kept must serve every epoch.
        let (pixels, transform) = Pixels::for_transform(&image, &transform);
        Ok(Prepared { pixels, transform })
    }
}

/// Prepared images by index, up to a number of bytes.
struct Cache {
    slots: Vec<OnceLock<Arc<Prepared>>>,
    free: AtomicUsize,
}

impl Cache {
    fn new(images: usize, bytes: usize) -> Self {
        let slots = if bytes == 0 { 0 } else { images };
        Self {
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            free: AtomicUsize::new(bytes),
        }
    }

    fn get_or_insert(&self, index: usize, prepare: impl FnOnce() -> Result<Prepared>) -> Result<Arc<Prepared>> {
        let slot = self.slots.get(index);
        if let Some(kept) = slot.and_then(OnceLock::get) {
            return Ok(Arc::clone(kept));
        }
        let prepared = Arc::new(prepare()?);
        if let Some(slot) = slot {
            let bytes = prepared.pixels.bytes() + size_of::<Similarity>();
            let reserve = |free: usize| free.checked_sub(bytes);
            if self
                .free
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, reserve)
                .is_ok()
                && slot.set(Arc::clone(&prepared)).is_err()
            {
                // Another thread was faster.
                self.free.fetch_add(bytes, Ordering::Relaxed);
            }
        }
        Ok(prepared)
    }
}
