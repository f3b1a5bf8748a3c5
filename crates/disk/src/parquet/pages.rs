//! What the pages of a Parquet file declare, before a reader makes room for it: polars' Parquet layer reserves what a damaged header says, and the
//! process ends where the system has not so much.

use std::io::Cursor;

use polars_parquet::parquet::page::ParquetPageHeader;
use polars_parquet_format::PageType;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;

use crate::guarded::without_panic;

/// The largest header of a page: it may hold the smallest and the largest value.
const LARGEST_HEADER: usize = 16 << 20;

/// A page larger than this must have the bytes for it: zstd packs 128 KiB of one value into 4 bytes.
const ANY_PAGE: usize = 16 << 20;
const PACKED: usize = 1 << 15;

/// Whether a page of so many bytes can have so many when it is unpacked, or at least so few that it does not matter.
pub fn may_unpack_to(packed: usize, unpacked: usize) -> bool {
    unpacked <= packed.saturating_mul(PACKED).max(ANY_PAGE)
}

/// A page in the bytes of a column.
pub struct Page<'a> {
    /// What the file says of it.
    pub header: ParquetPageHeader,
    /// Where its body begins in the column.
    pub start: usize,
    /// The bytes of the body, packed as the file has them.
    pub body: &'a [u8],
    /// Bytes that the body is to have once it is unpacked.
    pub unpacked: usize,
}

impl<'a> Page<'a> {
    /// The page whose header is at a place of a column's bytes.
    ///
    /// # Errors
    /// What is wrong with it, for a message.
    pub fn at(bytes: &'a [u8], place: usize) -> Result<Self, String> {
        let mut reader = Cursor::new(bytes.get(place..).unwrap_or_default());
        let header = without_panic(|| {
            ParquetPageHeader::read_from_in_protocol(&mut TCompactInputProtocol::new(&mut reader, LARGEST_HEADER))
        });
        let header = header
            .ok_or("a page with a damaged header")?
            .map_err(|error| format!("a page without a whole header ({error})"))?;
        let start = place + reader.position() as usize;
        let (packed, unpacked) = (
            natural(header.compressed_page_size)?,
            natural(header.uncompressed_page_size)?,
        );
        let body = start.checked_add(packed).and_then(|end| bytes.get(start..end));
        let body = body.ok_or("a page that is cut off")?;
        if !may_unpack_to(packed, unpacked) {
            return Err(format!("a page of {packed} bytes that is to have {unpacked}"));
        }
        Ok(Self {
            header,
            start,
            body,
            unpacked,
        })
    }

    /// Where the next page's header is.
    pub fn end(&self) -> usize {
        self.start + self.body.len()
    }
}

/// A size or a count as Parquet writes it.
///
/// # Errors
/// That it is negative, for a message.
pub fn natural(number: i32) -> Result<usize, String> {
    usize::try_from(number).map_err(|_| format!("a page that states {number}"))
}

/// Whether the pages of a column in a row group, `bytes` of the file, declare so many values, and sizes that they can have.
///
/// # Errors
/// What is wrong with it, for a message.
pub(super) fn check_pages(bytes: &[u8], values: usize) -> Result<(), String> {
    let (mut at, mut seen) = (0, 0_usize);
    while at < bytes.len() {
        let page = Page::at(bytes, at)?;
        at = page.end();
        let count = match page.header.type_ {
            PageType::DATA_PAGE => page.header.data_page_header.map(|header| header.num_values),
            PageType::DATA_PAGE_V2 => page.header.data_page_header_v2.map(|header| header.num_values),
            PageType::DICTIONARY_PAGE => {
                let count = page.header.dictionary_page_header.map(|header| header.num_values);
                let count = natural(count.ok_or("a dictionary without header")?)?;
                // Each value takes bytes of it, but for truths, which take a bit.
                if count > 8 * page.unpacked {
                    return Err(format!("a dictionary of {count} values in {} bytes", page.unpacked));
                }
                continue;
            }
            _ => continue,
        };
        seen = seen.saturating_add(natural(count.ok_or("a page without its header")?)?);
    }
    if seen == values {
        return Ok(());
    }
    Err(format!("pages of {seen} values in a column of {values}"))
}
