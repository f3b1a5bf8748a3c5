//! Any table of binary attributes, in a CSV or Parquet file, with a folder of images.

mod boxes;
mod config;
mod embedded;
mod folder;
mod group_column;
mod grouped_split;
mod mask_files;
mod stratify;

pub use config::{Shares, TableConfig, TableSplit};
pub(super) use embedded::{Embedded, image_column_of, names_of};
pub use folder::TableFolder;
pub use grouped_split::stratified_split_of_groups;
pub use stratify::stratified_split;
