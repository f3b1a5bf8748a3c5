//! Tables as people have them, CSV or Parquet: rows of cells, and what their words mean.

mod cell;
mod names;
mod parquet;
mod rows;

pub(crate) use cell::{LabelColumn, is_missing, split};
pub use names::whole_names;
pub(crate) use parquet::{ColumnBytes, ParquetTable};
pub(crate) use rows::Table;
