//! `raw_maps.safetensors`: the raw maps of every explained image and attribute, kept on request (`explain.keep_maps`).
//!
//! - `maps` [N, A, h, w] float32, before ReLU, scaling and resize; NaN where there is no map, for want of a label
//! - in the metadata: `images` and `attributes`, names separated by commas, and the settings that made the maps
//!
//! Maps of the image's size are made of them on demand ([`cam::PostProcessing`]; `docs/understand/methods.md` has the lines of Python). The file is
//! written as the maps come, so that they need no memory.

use std::path::Path;

use disk::PartFile;

use crate::error::{Error, Result};

/// A file under construction.
pub struct Writer {
    file: PartFile,
    /// Bytes still to come.
    rest: u64,
}

impl Writer {
    /// Begins the file at `path` for maps of this shape.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(path: &Path, shape: [usize; 4], about: &[(&str, String)]) -> Result<Self> {
        let mut file = PartFile::begin(path)?;
        let rest = size(shape);
        let about: serde_json::Map<String, serde_json::Value> = about
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.as_str().into()))
            .collect();
        let header = serde_json::json!({
            "__metadata__": about,
            "maps": {"dtype": "F32", "shape": shape, "data_offsets": [0, rest]},
        });
        let mut header = header.to_string();
        // The numbers begin at a multiple of eight bytes.
        header.extend(std::iter::repeat_n(
            ' ',
            header.len().next_multiple_of(8) - header.len(),
        ));
        file.write(&(header.len() as u64).to_le_bytes())?;
        file.write(header.as_bytes())?;
        Ok(Self { file, rest })
    }

    /// Adds maps.
    ///
    /// # Errors
    /// When they cannot be written, or are more than was said.
    pub fn add(&mut self, maps: &[f32]) -> Result<()> {
        let bytes: Vec<u8> = maps.iter().flat_map(|value| value.to_le_bytes()).collect();
        let more = || Error::artefact(self.file.path(), "more maps than there are images");
        self.rest = self.rest.checked_sub(bytes.len() as u64).ok_or_else(more)?;
        Ok(self.file.write(&bytes)?)
    }

    /// Puts the complete file in its place.
    ///
    /// # Errors
    /// When it cannot be written, or maps are missing.
    pub fn finish(self) -> Result<()> {
        if self.rest > 0 {
            return Err(Error::artefact(self.file.path(), "fewer maps than there are images"));
        }
        Ok(self.file.finish()?)
    }
}

/// Bytes of the maps of this shape.
pub fn size(shape: [usize; 4]) -> u64 {
    shape.iter().map(|&length| length as u64).product::<u64>() * 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn the_file_is_safetensors() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/raw_maps.safetensors");
        let mut writer = Writer::begin(&path, [2, 3, 1, 2], &[("images", "a.jpg,b.jpg".to_owned())]).unwrap();
        writer.add(&[1.0, 2.0, 3.0, 4.0, 5.0, f32::NAN]).unwrap();
        assert!(!path.exists(), "not before it is complete");
        writer.add(&[7.0, 8.0, 9.0, 10.0, 11.0, 12.0]).unwrap();
        writer.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(header.metadata().as_ref().unwrap()["images"], "a.jpg,b.jpg");
        let maps = candle_core::safetensors::load(&path, &Device::Cpu)
            .unwrap()
            .remove("maps")
            .unwrap();
        assert_eq!(maps.dims(), [2, 3, 1, 2]);
        let maps = maps.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!((maps[4], maps[11]), (5.0, 12.0));
        assert!(maps[5].is_nan());
    }

    #[test]
    fn an_unfinished_file_goes_away() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("raw_maps.safetensors");
        let mut writer = Writer::begin(&path, [1, 1, 1, 2], &[]).unwrap();
        assert!(writer.add(&[0.0; 3]).is_err());
        let mut short = Writer::begin(&path, [1, 1, 1, 2], &[]).unwrap();
        short.add(&[0.0]).unwrap();
        assert!(short.finish().is_err());
        drop(writer);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
