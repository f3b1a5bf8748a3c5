use super::augmentation::Augmentation;
use crate::{Error, Result};

/// The largest side of a square: more than any network takes, and small enough that sizes do not overflow.
const LARGEST_SIZE: usize = 8192;

/// How a [`Loader`](crate::Loader) makes batches.
#[derive(Clone, Debug, PartialEq)]
pub struct LoaderConfig {
    /// Side of the aligned square, pixels.
    pub size: usize,
    /// Images per batch; the last batch of an epoch may have fewer.
    pub batch_size: usize,
    /// Seed of order and augmentation.
    pub seed: u64,
    /// Random changes to the images.
    pub augmentation: Augmentation,
    /// Worker threads; 0 builds each batch on the caller's thread when it is asked for.
    pub threads: usize,
    /// Finished batches that may wait for the caller, beyond the one each worker is building.
    pub prefetch: usize,
    /// Bytes of decoded images to keep in memory, at the resolution the square needs; first come, first kept.
    pub cache_bytes: usize,
    /// Leave out a last batch of fewer images.
    pub drop_last: bool,
    /// A new order in every epoch; otherwise the order of the indices.
    pub shuffle: bool,
}

impl LoaderConfig {
    /// The images in order, once, without augmentation or cache: for prediction.
    pub fn in_order(size: usize, batch_size: usize, threads: usize) -> Self {
        Self {
            size,
            batch_size,
            seed: 0,
            augmentation: Augmentation::none(),
            threads,
            prefetch: threads,
            cache_bytes: 0,
            drop_last: false,
            shuffle: false,
        }
    }

    pub(crate) fn check(&self, images: usize) -> Result<()> {
        let invalid = |what: &str, found: usize, expected: String| {
            Err(Error::Invalid {
                what: what.to_owned(),
                found: found.to_string(),
                expected,
            })
        };
        if !(1..=LARGEST_SIZE).contains(&self.size) {
            return invalid("image size", self.size, format!("1 to {LARGEST_SIZE} pixels"));
        }
        if self.batch_size == 0 {
            return invalid("batch size", 0, "at least 1".to_owned());
        }
        if images == 0 {
            return invalid("images to load", 0, "at least 1; is the split empty?".to_owned());
        }
        if self.drop_last && self.batch_size > images {
            let expected = format!("at most {images}, as no smaller batch is kept");
            return invalid("batch size", self.batch_size, expected);
        }
        self.augmentation.check()
    }
}
