use std::fs::File;
use std::io;

use disk::{may_unpack_to, read_exact_at};
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
        let length = self.unpacked as usize;
        if u64::from(self.packed) > file.metadata()?.len() || !may_unpack_to(self.packed as usize, length) {
            return Err(damaged("an index of other shards".to_owned()));
        }
        let mut packed = vec![0; self.packed as usize];
        read_exact_at(file, &mut packed, self.start)?;
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_place_that_no_shard_has_takes_no_memory() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"an image").unwrap();
        let whole = Place {
            shard: 0,
            codec: Codec::Plain,
            start: 0,
            packed: 8,
            unpacked: 8,
            skip: 3,
            length: 5,
            checksum: crc32fast::hash(b"image"),
        };
        assert_eq!(whole.read(&file).unwrap(), b"image");
        let (packed, unpacked) = (u32::MAX, u32::MAX);
        for place in [Place { packed, ..whole }, Place { unpacked, ..whole }] {
            let message = place.read(&file).unwrap_err().to_string();
            assert_eq!(message, "an index of other shards");
        }
    }
}
