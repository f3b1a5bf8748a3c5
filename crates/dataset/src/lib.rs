//! Face attributes as data: from files on disk to batches of aligned images and labels.
//!
//! A [`Source`] knows the images of a data set and their [`Annotations`]; [`CelebaFolder`] reads CelebA's files,
//! [`TableFolder`] any table of binary attributes. A
//! [`Loader`] turns it into batches: every image decoded, [aligned](Alignment) to a square, [augmented](Augmentation),
//! in an order that depends only on the seed and the epoch.
//!
//! ```no_run
//! use std::sync::Arc;
//! use dataset::{Augmentation, CelebaFolder, Loader, LoaderConfig, Source, Split};
//!
//! let faces = CelebaFolder::open("data/celeba".as_ref())?;
//! let train = faces.annotations().indices(Split::Train);
//! for (name, counts) in faces.annotations().attributes.names().iter().zip(faces.annotations().class_counts(&train)) {
//!     println!("{name}: {} of {} positive", counts.positives, counts.total());
//! }
//! let config = LoaderConfig { shuffle: true, augmentation: Augmentation::affact(), ..LoaderConfig::in_order(112, 32, 2) };
//! let loader = Loader::new(Arc::new(faces), train, config)?;
//! for epoch in 0..8 {
//!     for batch in loader.epoch(epoch, 0) {
//!         let batch = batch?;
//!         assert_eq!(batch.images.len(), batch.indices.len() * 112 * 112 * 3);
//!     }
//! }
//! # Ok::<(), dataset::Error>(())
//! ```

mod alignment;
mod annotations;
mod attributes;
mod augmentation;
mod batch;
mod batches;
mod celeba;
mod celeba_parquet;
mod config;
mod counts;
mod decode;
mod error;
mod files;
mod frontal;
mod image_files;
mod landmarks;
mod lines;
mod loader;
mod mask_alignment;
mod masks;
mod packed_pixels;
mod parse;
mod prepare;
mod seed;
pub mod shards;
mod similarity;
mod source;
mod split;
mod table;
mod warp;
mod zipped;

pub use alignment::Alignment;
pub use annotations::{Annotations, ClassCounts};
pub use attributes::Attributes;
pub use augmentation::Augmentation;
pub use batch::{Batch, PixelBatch, View};
pub use batches::Batches;
pub use celeba::CelebaFolder;
pub use celeba_parquet::CelebaParquet;
pub use config::LoaderConfig;
pub use counts::{LabelCounts, label_counts};
pub use decode::{decode, decode_bounded, decode_upright};
pub use error::{Error, Result};
pub use frontal::{FRONTAL_THRESHOLD, frontal_names, is_frontal};
pub use landmarks::Landmarks;
pub use loader::Loader;
pub use mask_alignment::{aligned_mask, aligned_masks, for_each_aligned};
pub use masks::AttributeMasks;
pub use packed_pixels::{PackProgress, PackedPixels, Packing};
pub use parse::{LabelTable, Rows, parse_identities, parse_labels, parse_landmarks, parse_partition};
pub use shards::IndexProgress;
pub use similarity::Similarity;
pub use source::{MemorySource, Origin, Source};
pub use split::Split;
pub use table::{Resize, TableConfig, TableFolder, TableSplit, stratified_split};
pub use warp::warp_into;
