//! From a source to batches.

mod augmentation;
mod batch;
mod batches;
mod config;
mod loader;
mod packed_pixels;
mod prepare;

pub use augmentation::Augmentation;
pub use batch::{Batch, PixelBatch, View};
pub use batches::Batches;
pub use config::LoaderConfig;
pub use loader::Loader;
pub use packed_pixels::{PackProgress, PackedPixels, Packing};
