//! The values of a column in a row group.

use std::io::Cursor;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_parquet::parquet::metadata::ColumnChunkMetadata;
use polars_parquet::parquet::read::{BasicDecompressor, PageMetaData, PageReader};
use polars_parquet::parquet::schema::types::{PhysicalType, PrimitiveConvertedType, PrimitiveLogicalType};
use polars_parquet::read::column_iter_to_arrays;

use super::pages::check_pages;

/// A page larger than this is no page of images, labels or numbers.
const LARGEST_PAGE: usize = 1 << 30;

/// The values in the bytes of a column that is not nested, by how they are stored, whatever they stand for unless it is decimals: truths, numbers of 32 and 64
/// bits, and views of bytes.
///
/// # Errors
/// What is damaged, or that values are stored in another way.
pub(super) fn stored_values(metadata: &ColumnChunkMetadata, bytes: Vec<u8>) -> Result<Vec<Box<dyn Array>>, String> {
    let descriptor = &metadata.descriptor().descriptor;
    let stored = &descriptor.primitive_type;
    // Their whole numbers are not what they stand for.
    if matches!(stored.logical_type, Some(PrimitiveLogicalType::Decimal(..)))
        || matches!(stored.converted_type, Some(PrimitiveConvertedType::Decimal(..)))
    {
        return Err("decimals, which are not read (floats are)".to_owned());
    }
    let dtype = match stored.physical_type {
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use polars_arrow::array::PrimitiveArray;
    use polars_arrow::datatypes::ArrowSchema;
    use polars_arrow::record_batch::RecordBatchT;
    use polars_parquet::write::{
        CompressionOptions, Encoding, FileWriter, StatisticsOptions, Version, WriteOptions, row_group_iter,
    };

    use super::*;
    use crate::ParquetReader;

    /// A file of one column, `score`, whose footer says so many rows.
    fn file(values: Box<dyn Array>, rows: u64) -> ParquetReader {
        let options = WriteOptions {
            statistics: StatisticsOptions::empty(),
            version: Version::V1,
            compression: CompressionOptions::Uncompressed,
            data_page_size: None,
        };
        let field = Field::new("score".into(), values.dtype().clone(), true);
        let schema: ArrowSchema = [(field.name.clone(), field)].into_iter().collect();
        let mut file = FileWriter::try_new(Vec::new(), schema.clone(), options).expect("a file");
        let group = row_group_iter(
            RecordBatchT::new(values.len(), schema.into(), vec![values]),
            vec![vec![Encoding::Plain]].into(),
            file.parquet_schema().fields().to_vec(),
            options,
        );
        file.write(rows, group).expect("written");
        file.end(None).expect("written");
        let mut on_disk = tempfile::tempfile().expect("a temporary file");
        on_disk.write_all(&file.into_inner()).expect("written");
        ParquetReader::of(on_disk).expect("whole")
    }

    #[test]
    fn values_are_one_a_row() {
        let values = || PrimitiveArray::from_slice([1.5_f32, 2.5, 3.5]).boxed();
        assert_eq!(file(values(), 3).values(0, 0).expect("whole"), [values()]);
        for rows in [1, 2, 4] {
            let refused = file(values(), rows).values(0, 0).expect_err("other rows");
            assert_eq!(refused, format!("3 values for {rows} rows"));
        }
    }

    /// 1.25 as the whole number 125.
    #[test]
    fn decimals_are_refused() {
        let values = PrimitiveArray::from_vec(vec![125_i128]).to(ArrowDataType::Decimal(5, 2));
        let refused = file(values.boxed(), 1).values(0, 0).expect_err("decimals");
        assert!(refused.starts_with("decimals"), "{refused}");
    }
}
