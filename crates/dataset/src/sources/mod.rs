//! Where images and labels come from.

mod celeba;
mod cells;
mod counts;
mod found;
pub mod hub;
mod image_files;
mod lines;
mod named_images;
mod source;
mod table;
mod zipped;

pub use celeba::{
    CelebaFolder, FRONTAL_THRESHOLD, LabelTable, Rows, frontal_names, is_frontal, parse_identities, parse_labels,
    parse_landmarks, parse_partition,
};
pub use cells::{TextColumns, is_image_column, whole_names};
pub use counts::{LabelCounts, label_columns, label_counts, read_labels};
pub use found::{Listing, Match};
pub use hub::{CelebaParquet, IndexProgress};
pub(crate) use source::Fingerprint;
pub use source::{MemorySource, Origin, Source};
pub use table::{Shares, TableConfig, TableFolder, TableSplit, stratified_split, stratified_split_of_groups};
