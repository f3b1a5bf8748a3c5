use std::fs::File;
use std::io;

use disk::read_exact_at;
use polars_parquet::parquet::compression::{Compression, DecompressionContext, decompress};

use super::snappy;

/// Where the bytes of one image are in a shard: a part of the file that can be read and unpacked by itself, and the
/// image's place in what it unpacks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The shard.
    pub(crate) shard: u16,
    /// How the part is packed.
    pub(crate) codec: Codec,
    /// Where the part begins in the file.
    pub(crate) start: u64,
    /// Its bytes in the file.
    pub(crate) packed: u32,
    /// Its bytes unpacked.
    pub(crate) unpacked: u32,
    /// Where the image begins among these.
    pub(crate) skip: u32,
    /// Bytes of the image.
    pub(crate) length: u32,
    /// CRC-32 of them.
    pub(crate) checksum: u32,
}

/// How a part of a shard is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Codec {
    Plain,
    /// The elements of a Snappy stream, without the length before them.
    Snappy,
    Gzip,
    Brotli,
    Zstd,
    Lz4,
}

impl Codec {
    pub(crate) const ALL: [Self; 6] = [
        Self::Plain,
        Self::Snappy,
        Self::Gzip,
        Self::Brotli,
        Self::Zstd,
        Self::Lz4,
    ];

    /// The codec of a column; `None` for those that no current writer uses.
    pub(crate) fn of(compression: Compression) -> Option<Self> {
        Some(match compression {
            Compression::Uncompressed => Self::Plain,
            Compression::Snappy => Self::Snappy,
            Compression::Gzip => Self::Gzip,
            Compression::Brotli => Self::Brotli,
            Compression::Zstd => Self::Zstd,
            Compression::Lz4Raw => Self::Lz4,
            Compression::Lzo | Compression::Lz4 => return None,
        })
    }

    /// Unpacks a whole page.
    pub(crate) fn unpack(self, packed: &[u8], length: usize) -> Result<Vec<u8>, String> {
        let compression = match self {
            Self::Plain if packed.len() == length => return Ok(packed.to_vec()),
            Self::Plain => return Err(format!("{} bytes where {length} should be", packed.len())),
            Self::Snappy => Compression::Snappy,
            Self::Gzip => Compression::Gzip,
            Self::Brotli => Compression::Brotli,
            Self::Zstd => Compression::Zstd,
            Self::Lz4 => Compression::Lz4Raw,
        };
        let mut bytes = vec![0; length];
        decompress(compression, packed, &mut bytes, &mut DecompressionContext::Unset)
            .map_err(|error| format!("a page that does not unpack ({error})"))?;
        Ok(bytes)
    }
}

impl Place {
    /// The image's bytes from its shard.
    ///
    /// # Errors
    /// When they cannot be read, or are not those that were there when the shard was indexed.
    pub(crate) fn read(&self, file: &File) -> io::Result<Vec<u8>> {
        let damaged = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
        let mut packed = vec![0; self.packed as usize];
        read_exact_at(file, &mut packed, self.start)?;
        let length = self.unpacked as usize;
        let mut bytes = match self.codec {
            Codec::Plain => packed,
            Codec::Snappy => self
                .codec
                .unpack(&snappy::stream(&packed, length), length)
                .map_err(damaged)?,
            _ => self.codec.unpack(&packed, length).map_err(damaged)?,
        };
        bytes.truncate(self.skip as usize + self.length as usize);
        bytes.drain(..(self.skip as usize).min(bytes.len()));
        if bytes.len() != self.length as usize || crc32fast::hash(&bytes) != self.checksum {
            return Err(damaged(
                "other bytes than when the shard was indexed; was it damaged since?".to_owned(),
            ));
        }
        Ok(bytes)
    }
}
