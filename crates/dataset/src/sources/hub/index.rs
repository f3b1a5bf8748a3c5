//! What the shards hold, kept in a file so that they are gone through once only.

use std::path::Path;

use disk::write_whole;

use super::place::{Codec, Place};
use crate::{Result, Split};

/// Beside the shards. Changes with the format below.
pub(crate) const FILE: &str = "biascam-index-1";

const MAGIC: &[u8; 16] = b"biascam shards 1";

/// What is known of all images, in the order of the shards and their rows.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct ShardIndex {
    pub(crate) attributes: Vec<String>,
    pub(crate) places: Vec<Place>,
    /// `image.path`; `None` where it is null.
    pub(crate) names: Vec<Option<String>>,
    pub(crate) identities: Vec<u32>,
    pub(crate) splits: Vec<Split>,
    /// `[N, A]`, 1 or -1.
    pub(crate) labels: Vec<i8>,
}

impl ShardIndex {
    /// The index in `path`, if it is whole and of the shards that `key` stands for.
    pub(crate) fn read(path: &Path, key: u64) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let mut head = Reader(&bytes);
        if head.take(16)? != MAGIC || head.u64()? != key {
            return None;
        }
        let checksum = head.u32()?;
        if crc32fast::hash(head.0) != checksum {
            return None;
        }
        let mut body = head;
        let attributes = (0..body.u32()?).map(|_| body.text()).collect::<Option<Vec<_>>>()?;
        let rows = body.u32()? as usize;
        let mut index = Self {
            attributes,
            ..Self::default()
        };
        for _ in 0..rows {
            index.places.push(Place {
                shard: body.u16()?,
                codec: *Codec::ALL.get(usize::from(body.u16()?))?,
                start: body.u64()?,
                packed: body.u32()?,
                unpacked: body.u32()?,
                skip: body.u32()?,
                length: body.u32()?,
                checksum: body.u32()?,
            });
            index.names.push(match body.u16()? {
                0 => None,
                _ => Some(body.text()?),
            });
            index.identities.push(body.u32()?);
            index.splits.push(*Split::ALL.get(usize::from(body.u16()?))?);
        }
        let labels = body.take(rows.checked_mul(index.attributes.len())?)?;
        index.labels = labels.iter().map(|&label| label as i8).collect();
        body.0.is_empty().then_some(index)
    }

    /// Writes the index of the shards that `key` stands for.
    ///
    /// # Errors
    /// When it cannot be written; nothing is left under its name then.
    pub(crate) fn write(&self, path: &Path, key: u64) -> Result<()> {
        let mut body = Vec::with_capacity(self.places.len() * (64 + self.attributes.len()));
        let text = |body: &mut Vec<u8>, text: &str| {
            body.extend((text.len() as u32).to_le_bytes());
            body.extend(text.as_bytes());
        };
        body.extend((self.attributes.len() as u32).to_le_bytes());
        for name in &self.attributes {
            text(&mut body, name);
        }
        body.extend((self.places.len() as u32).to_le_bytes());
        for (row, place) in self.places.iter().enumerate() {
            body.extend(place.shard.to_le_bytes());
            body.extend((place.codec as u16).to_le_bytes());
            body.extend(place.start.to_le_bytes());
            for value in [place.packed, place.unpacked, place.skip, place.length, place.checksum] {
                body.extend(value.to_le_bytes());
            }
            body.extend(u16::from(self.names[row].is_some()).to_le_bytes());
            if let Some(name) = &self.names[row] {
                text(&mut body, name);
            }
            body.extend(self.identities[row].to_le_bytes());
            body.extend(u16::from(self.splits[row].code()).to_le_bytes());
        }
        body.extend(self.labels.iter().map(|&label| label as u8));
        let parts: [&[u8]; 4] = [MAGIC, &key.to_le_bytes(), &crc32fast::hash(&body).to_le_bytes(), &body];
        Ok(write_whole(path, &parts.concat())?)
    }
}

/// Little-endian numbers and texts from bytes that may end too early.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
    fn text(&mut self) -> Option<String> {
        let length = self.u32()? as usize;
        Some(std::str::from_utf8(self.take(length)?).ok()?.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> ShardIndex {
        let place = |shard, start| Place {
            shard,
            codec: Codec::Snappy,
            start,
            packed: 9,
            unpacked: 100,
            skip: 5,
            length: 90,
            checksum: 77,
        };
        ShardIndex {
            attributes: vec!["Smiling".into(), "Young".into()],
            places: vec![place(0, 4), place(24, 1 << 40)],
            names: vec![Some("000001.png".into()), None],
            identities: vec![0, u32::MAX],
            splits: vec![Split::Train, Split::Test],
            labels: vec![1, -1, -1, 1],
        }
    }

    #[test]
    fn an_index_comes_back_only_whole_and_for_its_shards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(ShardIndex::read(&path, 7), None);
        index().write(&path, 7).unwrap();
        assert_eq!(ShardIndex::read(&path, 7), Some(index()));
        assert_eq!(ShardIndex::read(&path, 8), None, "the index of other shards");
        let whole = std::fs::read(&path).unwrap();
        for position in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[position] ^= 1;
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(ShardIndex::read(&path, 7), None, "byte {position}");
            std::fs::write(&path, &whole[..position]).unwrap();
            assert_eq!(ShardIndex::read(&path, 7), None, "{position} bytes");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
