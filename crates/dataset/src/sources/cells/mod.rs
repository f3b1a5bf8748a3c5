//! Tables as people have them, CSV or Parquet: rows of cells, and what their words mean.

mod cell;
mod image_column;
mod names;
mod parquet;
mod rows;
mod text_columns;

pub(crate) use cell::{LabelColumn, is_missing, split};
pub(in crate::sources) use image_column::ImageColumn;
pub(in crate::sources) use names::IMAGE_COLUMN;
pub use names::{is_image_column, whole_names};
pub(crate) use parquet::ParquetTable;
pub(crate) use rows::Table;
pub use text_columns::TextColumns;
