//! What the pages of a Parquet file declare, before a reader makes room for it: polars reserves what a damaged header says, and the
//! process ends where the system has not so much.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use polars_parquet::parquet::page::ParquetPageHeader;
use polars_parquet::parquet::read::read_metadata;
use polars_parquet_format::PageType;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;

use crate::files::read_exact_at;
use crate::guarded::without_panic;

/// The largest header of a page: it may hold the smallest and the largest value.
const LARGEST_HEADER: usize = 16 << 20;

/// How much more than its bytes a page may declare to be when it is unpacked. Nothing packs more tightly than zstd's runs, 128 KiB in
/// 4 bytes.
const PACKED: usize = 1 << 15;

/// Whether the pages of a Parquet file declare as many values as its footer, and sizes that they can have.
///
/// # Errors
/// What is wrong with it, for a message.
pub fn check_parquet(path: &Path) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    let metadata = without_panic(|| read_metadata(&mut &file)).ok_or("a damaged footer")?;
    let metadata = metadata.map_err(|error| error.to_string())?;
    for (number, group) in metadata.row_groups.iter().enumerate() {
        for column in group.parquet_columns() {
            let range = column.byte_range();
            if range.start > range.end || range.end > length {
                return Err("values beyond the end of the file".to_owned());
            }
            let mut bytes = vec![0; (range.end - range.start) as usize];
            read_exact_at(&file, &mut bytes, range.start).map_err(|error| error.to_string())?;
            let values = usize::try_from(column.num_values()).map_err(|_| "a negative number of values")?;
            let flat = column.descriptor().descriptor.max_rep_level == 0;
            if flat && values != group.num_rows() {
                let rows = group.num_rows();
                return Err(format!("{values} values for {rows} rows in row group {number}"));
            }
            check_pages(&bytes, values).map_err(|found| format!("{found}, in row group {number}"))?;
        }
    }
    Ok(())
}

/// The same for the pages of one column in a row group, `bytes` of the file, which is to have so many values.
pub(crate) fn check_pages(bytes: &[u8], values: usize) -> Result<(), String> {
    let (mut at, mut seen) = (0, 0_usize);
    while at < bytes.len() {
        let mut reader = Cursor::new(&bytes[at..]);
        let header = without_panic(|| {
            ParquetPageHeader::read_from_in_protocol(&mut TCompactInputProtocol::new(&mut reader, LARGEST_HEADER))
        });
        let header = header
            .ok_or("a page with a damaged header")?
            .map_err(|error| format!("a page without a whole header ({error})"))?;
        let size = |bytes: i32| usize::try_from(bytes).map_err(|_| "a page of negative size".to_owned());
        let (packed, unpacked) = (size(header.compressed_page_size)?, size(header.uncompressed_page_size)?);
        at += reader.position() as usize;
        if packed > bytes.len() - at {
            return Err("a page that is cut off".to_owned());
        }
        if unpacked > packed.saturating_mul(PACKED) {
            return Err(format!("a page of {packed} bytes that is to have {unpacked}"));
        }
        at += packed;
        let count = match header.type_ {
            PageType::DATA_PAGE => header.data_page_header.map(|header| header.num_values),
            PageType::DATA_PAGE_V2 => header.data_page_header_v2.map(|header| header.num_values),
            // Each value of a dictionary takes bytes of it.
            PageType::DICTIONARY_PAGE => {
                let count = header.dictionary_page_header.map(|header| header.num_values);
                let count = size(count.ok_or("a dictionary without header")?)?;
                if count > 8 * unpacked {
                    return Err(format!("a dictionary of {count} values in {unpacked} bytes"));
                }
                continue;
            }
            _ => continue,
        };
        seen = seen.saturating_add(size(count.ok_or("a page without its header")?)?);
    }
    if seen == values {
        return Ok(());
    }
    Err(format!("pages of {seen} values in a column of {values}"))
}
