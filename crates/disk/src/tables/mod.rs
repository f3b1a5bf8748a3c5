//! Tables in memory and as files, Parquet and CSV.

mod columns;
mod csv;
mod error;
mod parquet_writer;

pub use columns::Columns;
pub use error::TableError;
pub use parquet_writer::ParquetWriter;
