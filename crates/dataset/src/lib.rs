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

mod decode;
mod error;
mod files;
mod geometry;
mod labels;
mod loading;
mod masks;
mod preparation;
mod seed;
mod sources;
mod undecodable;

pub use decode::{decode, decode_upright};
pub use error::{Error, Result};
pub use files::is_clutter;
pub use geometry::{Alignment, FaceReference, Fit, Framing, Similarity, warp_into};
pub use labels::{Annotations, Attributes, ClassCounts, Landmarks, Split};
pub use loading::{
    Augmentation, Batch, Batches, Loader, LoaderConfig, PackProgress, PackedPixels, Packing, PixelBatch, View,
};
pub use masks::{AttributeMasks, MaskPicture, aligned_masks, for_each_aligned};
pub use preparation::Preparation;
pub use sources::hub::layout as shards;
pub use sources::{
    CelebaFolder, CelebaParquet, FRONTAL_THRESHOLD, IndexProgress, LabelCounts, LabelTable, Listing, Match,
    MemorySource, Origin, Rows, Shares, Source, TableConfig, TableFolder, TableSplit, TextColumns, frontal_names,
    is_frontal, is_image_column, label_columns, label_counts, parse_identities, parse_labels, parse_landmarks,
    parse_partition, read_labels, stratified_split, stratified_split_of_groups, whole_names,
};
pub use undecodable::Undecodable;
