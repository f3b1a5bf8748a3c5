//! Tables on disk that later steps read: of this crate the one module that knows polars.
//!
//! Values that belong to an image and an attribute are stored long, one row for each pair, images outermost: the form
//! that polars, pandas and R group and plot without reshaping.

mod long;
mod read;
mod stream;
mod table;

pub use long::PerAttribute;
pub use read::{ParquetFile, ReadTable};
pub use stream::LongWriter;
pub use table::Table;
