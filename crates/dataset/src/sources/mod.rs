//! Where images and labels come from.

mod celeba;
mod cells;
mod flat_column;
mod found;
pub mod hub;
mod image_files;
mod lines;
mod named_images;
mod source;
mod table;
mod zipped;

pub use celeba::{
    CelebaFolder, FRONTAL_THRESHOLD, LabelCounts, LabelTable, Rows, frontal_names, is_frontal, label_counts,
    parse_identities, parse_labels, parse_landmarks, parse_partition, read_labels,
};
pub use hub::{CelebaParquet, IndexProgress};
pub(crate) use source::Fingerprint;
pub use source::{MemorySource, Origin, Source};
pub use table::{Shares, TableConfig, TableFolder, TableSplit, stratified_split, stratified_split_of_groups};
