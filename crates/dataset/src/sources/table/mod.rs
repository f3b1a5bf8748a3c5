//! Any table of binary attributes, in a CSV or Parquet file, with a folder of images.

mod cell;
mod config;
mod folder;
mod mask_files;
mod parquet;
mod rows;
mod stratify;

pub use config::{Fit, TableConfig, TableSplit};
pub use folder::TableFolder;
pub use stratify::stratified_split;
