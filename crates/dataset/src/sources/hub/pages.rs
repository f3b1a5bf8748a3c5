//! The values of a column of byte arrays, with their places in the file: what a Parquet reader does not tell.
//!
//! Format: github.com/apache/parquet-format, `README.md` and `Encodings.md`.

use std::ops::Range;

use disk::{ColumnBytes, Page, natural};
use polars_parquet::parquet::encoding::hybrid_rle::HybridRleDecoder;
use polars_parquet_format::{Encoding, PageType};

use super::place::{Codec, Place};
use super::snappy::{self, Cut};

/// A column of byte arrays in a row group.
pub(crate) struct Chunk<'a> {
    /// Its bytes.
    pub(crate) bytes: &'a [u8],
    /// Where they begin in the file.
    pub(crate) start: u64,
    pub(crate) codec: Codec,
    /// Number of values, with nulls.
    pub(crate) values: usize,
    /// The definition level of a value that is there.
    pub(crate) present: i16,
}

impl<'a> Chunk<'a> {
    /// The column whose bytes these are.
    ///
    /// # Errors
    /// When it is compressed in a way that is no longer in use.
    pub(crate) fn of(column: &'a ColumnBytes<'_>) -> Result<Self, String> {
        let compression = column.metadata.compression();
        Ok(Self {
            bytes: &column.bytes,
            start: column.start,
            codec: Codec::of(compression).ok_or_else(|| format!("the outdated compression {compression:?}"))?,
            values: usize::try_from(column.metadata.num_values()).map_err(|_| "a negative count".to_owned())?,
            present: column.metadata.descriptor().descriptor.max_def_level,
        })
    }

    /// Hands every value and its place to `each`, in the order of the rows; a null is `None`. The places' shard and
    /// checksum are left to the caller.
    ///
    /// # Errors
    /// What is wrong with the column, for a message.
    pub(crate) fn values(&self, mut each: impl FnMut(Option<(Place, &[u8])>)) -> Result<(), String> {
        let (mut at, mut seen) = (0, 0);
        let mut dictionary: Option<(Stream, Vec<Range<usize>>)> = None;
        while seen < self.values {
            let Page {
                header,
                start,
                body,
                unpacked,
            } = Page::at(self.bytes, at)?;
            at = start + body.len();
            match header.type_ {
                PageType::DICTIONARY_PAGE => {
                    let header = header.dictionary_page_header.ok_or("a dictionary without header")?;
                    let stream = self.stream(self.codec, body, start, unpacked)?;
                    let values = plain(&stream.bytes, 0, natural(header.num_values)?)?;
                    dictionary = Some((stream, values));
                }
                PageType::DATA_PAGE => {
                    let header = header.data_page_header.ok_or("a page without its header")?;
                    let stream = self.stream(self.codec, body, start, unpacked)?;
                    let count = self.count(header.num_values, seen)?;
                    let (levels, values) = if self.present == 0 {
                        (0..0, 0)
                    } else {
                        let length = stream
                            .bytes
                            .first_chunk()
                            .map(|&length| u32::from_le_bytes(length) as usize);
                        let length = length.ok_or("a page without levels")?;
                        (4..4 + length, 4 + length)
                    };
                    let levels = stream.bytes.get(levels).ok_or("a page whose levels are cut off")?;
                    let present = self.present(levels, count)?;
                    seen += count;
                    emit(
                        &stream,
                        values,
                        header.encoding,
                        &present,
                        dictionary.as_ref(),
                        &mut each,
                    )?;
                }
                PageType::DATA_PAGE_V2 => {
                    let header = header.data_page_header_v2.ok_or("a page without its header")?;
                    let count = self.count(header.num_values, seen)?;
                    let levels = natural(header.definition_levels_byte_length)?;
                    // Levels are never packed in this version, and stand before the values.
                    let (level_bytes, body) = body.split_at_checked(levels).ok_or("a page whose levels are cut off")?;
                    let unpacked = unpacked.checked_sub(levels).ok_or("a page of impossible size")?;
                    let codec = if header.is_compressed.unwrap_or(true) {
                        self.codec
                    } else {
                        Codec::Plain
                    };
                    let stream = self.stream(codec, body, start + levels, unpacked)?;
                    let present = self.present(level_bytes, count)?;
                    seen += count;
                    emit(&stream, 0, header.encoding, &present, dictionary.as_ref(), &mut each)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The number of values of a page after `seen` others.
    fn count(&self, values: i32, seen: usize) -> Result<usize, String> {
        let count = usize::try_from(values)
            .ok()
            .filter(|&count| count <= self.values - seen);
        count.ok_or_else(|| format!("a page of {values} values in a column of {}", self.values))
    }

    /// Which of `count` values are there.
    fn present(&self, levels: &[u8], count: usize) -> Result<Vec<bool>, String> {
        if self.present == 0 {
            return Ok(vec![true; count]);
        }
        let bits = 16 - self.present.leading_zeros();
        let levels = HybridRleDecoder::new(levels, bits, count)
            .collect()
            .map_err(|error| error.to_string())?;
        if levels.len() != count {
            return Err(format!("levels of {} values, not of {count}", levels.len()));
        }
        Ok(levels.iter().map(|&level| level == self.present as u32).collect())
    }

    fn stream(&self, codec: Codec, packed: &[u8], start: usize, unpacked: usize) -> Result<Stream, String> {
        let bytes = codec.unpack(packed, unpacked)?;
        let end = Cut {
            packed: packed.len(),
            unpacked,
        };
        let cuts = match codec {
            Codec::Snappy => snappy::cuts(packed).ok_or("a page that is no Snappy stream")?,
            _ => vec![Cut { packed: 0, unpacked: 0 }, end],
        };
        Ok(Stream {
            codec,
            start: self.start + start as u64,
            bytes,
            cuts,
        })
    }
}

/// The unpacked values of a page, and where its packed form can be entered.
struct Stream {
    codec: Codec,
    start: u64,
    bytes: Vec<u8>,
    cuts: Vec<Cut>,
}

impl Stream {
    fn value(&self, range: &Range<usize>) -> Option<(Place, &[u8])> {
        let bytes = self.bytes.get(range.clone())?;
        let place = |from: Cut, to: Cut| {
            Some(Place {
                shard: 0,
                codec: self.codec,
                start: self.start + from.packed as u64,
                packed: u32::try_from(to.packed - from.packed).ok()?,
                unpacked: u32::try_from(to.unpacked - from.unpacked).ok()?,
                skip: u32::try_from(range.start - from.unpacked).ok()?,
                length: u32::try_from(range.len()).ok()?,
                checksum: 0,
            })
        };
        if self.codec == Codec::Plain {
            let cut = |at| Cut {
                packed: at,
                unpacked: at,
            };
            return Some((place(cut(range.start), cut(range.end))?, bytes));
        }
        let first = self
            .cuts
            .partition_point(|cut| cut.unpacked <= range.start)
            .checked_sub(1)?
            // A value without bytes may be behind all others.
            .min(self.cuts.len().checked_sub(2)?);
        let last = self.cuts.partition_point(|cut| cut.unpacked < range.end).max(first + 1);
        Some((place(*self.cuts.get(first)?, *self.cuts.get(last)?)?, bytes))
    }
}

/// Hands a page's values over.
fn emit(
    stream: &Stream,
    start: usize,
    encoding: Encoding,
    present: &[bool],
    dictionary: Option<&(Stream, Vec<Range<usize>>)>,
    each: &mut impl FnMut(Option<(Place, &[u8])>),
) -> Result<(), String> {
    let count = present.iter().filter(|&&present| present).count();
    let (stream, values) = match encoding {
        Encoding::PLAIN => (stream, plain(&stream.bytes, start, count)?),
        Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
            let (dictionary, entries) = dictionary.ok_or("values of a dictionary that is missing")?;
            let data = stream.bytes.get(start..).unwrap_or_default();
            let chosen = match data.split_first() {
                Some((&bits, data)) if bits <= 32 => HybridRleDecoder::new(data, u32::from(bits), count)
                    .collect()
                    .map_err(|error| error.to_string())?,
                _ if count == 0 => Vec::new(),
                _ => return Err("values of a dictionary without their width".to_owned()),
            };
            let values = chosen.iter().map(|&entry| entries.get(entry as usize).cloned());
            let values: Option<Vec<_>> = values.collect();
            (dictionary, values.ok_or("a value that its dictionary lacks")?)
        }
        other => {
            let name = match other {
                Encoding::DELTA_LENGTH_BYTE_ARRAY => "DELTA_LENGTH_BYTE_ARRAY",
                Encoding::DELTA_BYTE_ARRAY => "DELTA_BYTE_ARRAY",
                Encoding::BYTE_STREAM_SPLIT => "BYTE_STREAM_SPLIT",
                _ => "of another kind",
            };
            return Err(format!(
                "values in the encoding {name}; PLAIN and RLE_DICTIONARY are read, which all writers have"
            ));
        }
    };
    let mut values = values.iter();
    for &present in present {
        if present {
            let value = values.next().and_then(|range| stream.value(range));
            each(Some(value.ok_or("fewer values than rows")?));
        } else {
            each(None);
        }
    }
    Ok(())
}

/// The ranges of `count` values, each after its length in four bytes.
fn plain(bytes: &[u8], start: usize, count: usize) -> Result<Vec<Range<usize>>, String> {
    let mut at = start;
    let mut values = Vec::with_capacity(count.min(bytes.len() / 4));
    for _ in 0..count {
        let length = bytes.get(at..).and_then(<[u8]>::first_chunk);
        let length = u32::from_le_bytes(*length.ok_or("a value that is cut off")?) as usize;
        let range = at + 4..at + 4 + length;
        if range.end > bytes.len() {
            return Err("a value that is cut off".to_owned());
        }
        at = range.end;
        values.push(range);
    }
    Ok(values)
}
