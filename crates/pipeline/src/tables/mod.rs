//! Tables of a results folder.
//!
//! Values that belong to an image and an attribute are stored long, one row for each pair, images outermost: the form
//! that polars, pandas and R group and plot without reshaping.

mod cell;
mod keys;
mod long_writer;
mod read;

pub use keys::RowKeys;
pub use long_writer::LongWriter;
pub use read::{ParquetFile, ReadTable};
