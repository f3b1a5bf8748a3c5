//! The values of a column of a Parquet file.

use std::io::Cursor;

use disk::check_pages;
use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_parquet::parquet::metadata::ColumnChunkMetadata;
use polars_parquet::parquet::read::{BasicDecompressor, PageMetaData, PageReader};
use polars_parquet::read::column_iter_to_arrays;

/// A page larger than this is no page of images or labels.
const LARGEST_PAGE: usize = 1 << 30;

/// The values in the bytes of a column chunk that is not nested, as the type that they are stored as.
///
/// # Errors
/// What is damaged, or not of that type.
pub(super) fn flat_column(
    metadata: &ColumnChunkMetadata,
    bytes: Vec<u8>,
    dtype: ArrowDataType,
) -> Result<Vec<Box<dyn Array>>, String> {
    check_pages(&bytes, usize::try_from(metadata.num_values()).unwrap_or(usize::MAX))?;
    let reader = PageReader::new_with_page_meta(
        Cursor::new(bytes.into()),
        PageMetaData::from(metadata),
        Vec::new(),
        LARGEST_PAGE,
    );
    let descriptor = &metadata.descriptor().descriptor;
    let field = Field::new("".into(), dtype, descriptor.max_def_level > 0);
    let pages = BasicDecompressor::new(reader, Vec::new());
    let (arrays, _) = column_iter_to_arrays(vec![pages], vec![&descriptor.primitive_type], field, None)
        .map_err(|error| error.to_string())?;
    Ok(arrays)
}
