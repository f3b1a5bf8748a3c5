//! The values of a column in a row group.

use std::io::Cursor;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_parquet::parquet::metadata::ColumnChunkMetadata;
use polars_parquet::parquet::read::{BasicDecompressor, PageMetaData, PageReader};
use polars_parquet::parquet::schema::types::PhysicalType;
use polars_parquet::read::column_iter_to_arrays;

use super::pages::check_pages;

/// A page larger than this is no page of images, labels or numbers.
const LARGEST_PAGE: usize = 1 << 30;

/// The values in the bytes of a column that is not nested, by how they are stored, whatever they stand for: truths, numbers of 32 and 64
/// bits, and views of bytes.
///
/// # Errors
/// What is damaged, or that values are stored in another way.
pub(super) fn stored_values(metadata: &ColumnChunkMetadata, bytes: Vec<u8>) -> Result<Vec<Box<dyn Array>>, String> {
    let descriptor = &metadata.descriptor().descriptor;
    let dtype = match descriptor.primitive_type.physical_type {
        PhysicalType::Boolean => ArrowDataType::Boolean,
        PhysicalType::Int32 => ArrowDataType::Int32,
        PhysicalType::Int64 => ArrowDataType::Int64,
        PhysicalType::Float => ArrowDataType::Float32,
        PhysicalType::Double => ArrowDataType::Float64,
        PhysicalType::ByteArray => ArrowDataType::BinaryView,
        PhysicalType::Int96 | PhysicalType::FixedLenByteArray(_) => {
            return Err("values of a kind that is not read".to_owned());
        }
    };
    check_pages(&bytes, usize::try_from(metadata.num_values()).unwrap_or(usize::MAX))?;
    let reader = PageReader::new_with_page_meta(
        Cursor::new(bytes.into()),
        PageMetaData::from(metadata),
        Vec::new(),
        LARGEST_PAGE,
    );
    let field = Field::new("".into(), dtype, descriptor.max_def_level > 0);
    let pages = BasicDecompressor::new(reader, Vec::new());
    let (arrays, _) = column_iter_to_arrays(vec![pages], vec![&descriptor.primitive_type], field, None)
        .map_err(|error| error.to_string())?;
    Ok(arrays)
}
