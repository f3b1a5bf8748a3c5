//! Parquet files, column by column: what a file declares is looked at before it is believed.

mod pages;
mod reader;
mod values;

pub use pages::{Page, may_unpack_to, natural};
pub use reader::{ColumnBytes, ParquetReader};
