//! How the filter gradient is divided into tasks.
//!
//! Float sums depend on their order. So the batch is divided by the shape alone, and what the threads ask for beyond that comes from
//! dividing the outputs: channels, and places in the window.

use super::geometry::Geometry;
use crate::parallel::Part;
use crate::simd::LANES;
use std::ops::Range;

/// Bounds on the chunks of a batch: their number, and the floats of their partial gradients together.
const MAX_CHUNKS: usize = 16;
const MAX_PARTIAL_FLOATS: usize = 1 << 19;
/// Vectors of output channels that one task keeps together.
pub(super) const BLOCKS: usize = 2;
/// From so many vectors of output channels on, windows and gradients are copied into the order in which the tiles read them: each
/// copied window serves them all, and pixels whose distance is a large power of two do not displace each other in the cache.
pub(super) const PACKED_BLOCKS: usize = 4;
/// Products of vectors for each pixel in a place of the window and a pair of vectors of channels, about.
const PLACE_PRODUCTS: usize = 24;
/// Products of a task below which more tasks do not pay: a few microseconds, and handing a task over takes half of one.
const MIN_PRODUCTS: usize = 1 << 17;

/// Chunks of the batch times parts of the channels times parts of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FilterTasks {
    images: usize,
    pub chunk_images: usize,
    /// Vectors of output channels, of all and of a part.
    blocks: usize,
    part_blocks: usize,
    window_parts: usize,
}

/// What one task does.
#[derive(Clone, Debug)]
pub(super) struct FilterTask {
    pub chunk: usize,
    pub images: Range<usize>,
    /// Vectors of output channels.
    pub blocks: Range<usize>,
    pub window: Part,
}

impl FilterTasks {
    /// A task a thread or more, whose number suits that of the threads; `places` tiles cover the window.
    pub fn new(of: Geometry, places: usize, threads: usize) -> Self {
        let blocks = of.output.channels.div_ceil(LANES);
        let partial_len = of.filter.taps() * of.filter.inputs * blocks * LANES;
        let images = of.source.images;
        let chunks = (MAX_PARTIAL_FLOATS / partial_len).clamp(1, MAX_CHUNKS.min(images));
        let chunk_images = images.div_ceil(chunks);
        let chunks = images.div_ceil(chunk_images);

        let pairs = blocks.div_ceil(BLOCKS);
        let chunk_products = chunk_images * of.output.height * of.output.width * partial_len;
        let most = (chunk_products / MIN_PRODUCTS).clamp(1, pairs * places);
        // A part of the channels copies windows for itself, so it is as wide as copying needs, as long as the window can be divided.
        let divided = |parts: usize| {
            let wide = (blocks / PACKED_BLOCKS).max(1);
            let channel_parts = parts.min(wide.max(parts.div_ceil(places)));
            let part_blocks = pairs.div_ceil(channel_parts) * BLOCKS;
            Self {
                images,
                chunk_images,
                blocks,
                part_blocks,
                window_parts: parts.div_ceil(blocks.div_ceil(part_blocks)).clamp(1, places),
            }
        };
        // Vector operations for each output pixel of a task: products, and the padded source, which a task copies for itself.
        let copied = match of.padding {
            0 => 0,
            _ => 2 * of.stride * of.stride * of.source.channels / LANES,
        };
        let operations = |pairs: usize, places: usize| PLACE_PRODUCTS * pairs * places + copied;
        // The time until the last thread is done, if each takes the next task when it is free.
        let duration = |tasks: &Self| {
            let largest = operations(tasks.part_blocks / BLOCKS, places.div_ceil(tasks.window_parts));
            tasks.count().div_ceil(threads) * largest
        };
        let ideal = chunks * operations(pairs, places);
        let mut best = divided(1);
        for parts in 1..=most.min(4 * threads) {
            let tasks = divided(parts);
            if duration(&tasks) < duration(&best) {
                best = tasks;
            }
            // At most a tenth of the threads' time is lost.
            if tasks.count() >= threads && 9 * duration(&tasks) * threads <= 10 * ideal {
                return tasks;
            }
        }
        best
    }

    /// The same chunks in other parts.
    #[cfg(test)]
    pub fn with_parts(self, part_blocks: usize, window_parts: usize) -> Self {
        Self {
            part_blocks,
            window_parts,
            ..self
        }
    }

    pub fn chunks(&self) -> usize {
        self.images.div_ceil(self.chunk_images)
    }

    fn channel_parts(&self) -> usize {
        self.blocks.div_ceil(self.part_blocks)
    }

    pub fn count(&self) -> usize {
        self.chunks() * self.channel_parts() * self.window_parts
    }

    pub fn get(&self, task: usize) -> FilterTask {
        let (task, window) = (task / self.window_parts, task % self.window_parts);
        let (chunk, part) = (task / self.channel_parts(), task % self.channel_parts());
        FilterTask {
            chunk,
            images: chunk * self.chunk_images..((chunk + 1) * self.chunk_images).min(self.images),
            blocks: part * self.part_blocks..((part + 1) * self.part_blocks).min(self.blocks),
            window: Part {
                index: window,
                of: self.window_parts,
            },
        }
    }
}
