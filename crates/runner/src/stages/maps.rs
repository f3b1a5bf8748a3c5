//! `maps.safetensors`: what is kept of a classifier's maps for drawing.
//!
//! - `average/maps` [A, 2, S, S] float32: mean final map of the images predicted positive and negative
//! - `average/faces` [A, 2, S, S, 3] uint8: mean of those images
//! - `average/count` [A, 2] int64: how many they are
//! - `examples/raw` [E, A, h, w] float32: raw maps of the example images
//! - `examples/index` [E] int64: their positions in the data set

use std::collections::HashMap;
use std::path::PathBuf;

use cam::{MapAverage, Maps};
use candle_core::{Device, Tensor};
use image::RgbImage;
use metrics::Class;

use crate::context::Context;
use crate::error::{Error, Result};

/// The averages over the images of one attribute that are predicted as one class.
pub struct Group<'a> {
    /// Of the maps, [S, S].
    pub map: &'a MapAverage,
    /// Of the images, [S, S, 3].
    pub face: &'a MapAverage,
}

/// The file's path in the results folder.
pub fn path(classifier: &str) -> String {
    format!("{classifier}/maps.safetensors")
}

/// The file's bytes. `groups`: positive and negative of each attribute in turn; `examples`: position in the data set, and
/// the maps of that one image.
///
/// # Errors
/// None that its arguments can cause.
pub fn to_bytes(groups: &[Group<'_>], examples: &[(usize, Maps)], size: usize) -> Result<Vec<u8>> {
    let mean = |average: &MapAverage, length: usize| average.mean().unwrap_or_else(|| vec![0.0; length]);
    let maps: Vec<f32> = groups.iter().flat_map(|group| mean(group.map, size * size)).collect();
    let faces: Vec<u8> = groups
        .iter()
        .flat_map(|group| mean(group.face, size * size * 3))
        .map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8)
        .collect();
    let counts: Vec<i64> = groups.iter().map(|group| group.map.count() as i64).collect();
    let attributes = groups.len() / 2;
    let mut tensors = vec![
        (
            "average/maps",
            Tensor::from_vec(maps, (attributes, 2, size, size), &Device::Cpu)?,
        ),
        (
            "average/faces",
            Tensor::from_vec(faces, (attributes, 2, size, size, 3), &Device::Cpu)?,
        ),
        (
            "average/count",
            Tensor::from_vec(counts, (attributes, 2), &Device::Cpu)?,
        ),
    ];
    if let Some((_, first)) = examples.first() {
        let shape = (examples.len(), attributes, first.height, first.width);
        let raw: Vec<f32> = examples
            .iter()
            .flat_map(|(_, maps)| maps.data.iter().copied())
            .collect();
        let index: Vec<i64> = examples.iter().map(|(index, _)| *index as i64).collect();
        tensors.push(("examples/raw", Tensor::from_vec(raw, shape, &Device::Cpu)?));
        tensors.push(("examples/index", Tensor::from_vec(index, examples.len(), &Device::Cpu)?));
    }
    safetensors::serialize(tensors, None)
        .map_err(|error| Error::Request(format!("maps.safetensors cannot be written: {error}")))
}

/// The file, read.
pub struct MapsFile {
    path: PathBuf,
    size: usize,
    maps: Vec<f32>,
    faces: Vec<u8>,
    counts: Vec<i64>,
    raw: Vec<f32>,
    /// (attributes, height, width) of `raw`.
    raw_shape: (usize, usize, usize),
    row_of: HashMap<usize, usize>,
}

impl MapsFile {
    /// Reads a classifier's file, which is of so many attributes.
    ///
    /// # Errors
    /// When it is absent or damaged.
    pub fn read(context: &Context, classifier: &str, attributes: usize) -> Result<Self> {
        let path = context.results.join(&path(classifier));
        let fault = |message: String| Error::artefact(&path, message);
        let bytes = std::fs::read(&path).map_err(Error::io(&path, "reading"))?;
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|error| fault(format!("not safetensors: {error}")))?;
        let tensor = |name: &str| tensors.get(name).ok_or_else(|| fault(format!("no tensor `{name}`")));
        let averages = tensor("average/maps")?;
        let size = averages.dims().last().copied().unwrap_or_default();
        let shaped = |found: &Tensor, expected: &[usize]| {
            let message = format!("a tensor of shape {:?}, expected {expected:?}", found.dims());
            if found.dims() == expected {
                Ok(())
            } else {
                Err(fault(message))
            }
        };
        shaped(averages, &[attributes, 2, size, size])?;
        shaped(tensor("average/faces")?, &[attributes, 2, size, size, 3])?;
        shaped(tensor("average/count")?, &[attributes, 2])?;
        let (raw, raw_shape, index) = match (tensors.get("examples/raw"), tensors.get("examples/index")) {
            (Some(raw), Some(index)) => {
                let (examples, _, height, width) = raw.dims4()?;
                shaped(raw, &[examples, attributes, height, width])?;
                shaped(index, &[examples])?;
                let shape = (attributes, height, width);
                (raw.flatten_all()?.to_vec1()?, shape, index.to_vec1::<i64>()?)
            }
            _ => (Vec::new(), (0, 0, 0), Vec::new()),
        };
        Ok(Self {
            size,
            maps: averages.flatten_all()?.to_vec1()?,
            faces: tensor("average/faces")?.flatten_all()?.to_vec1()?,
            counts: tensor("average/count")?.flatten_all()?.to_vec1()?,
            raw,
            raw_shape,
            row_of: index
                .into_iter()
                .enumerate()
                .map(|(row, index)| (index as usize, row))
                .collect(),
            path,
        })
    }

    /// Number of images, their mean face, and their mean map [S, S], of one attribute and predicted class.
    pub fn average(&self, attribute: usize, class: Class) -> (usize, Option<RgbImage>, Vec<f32>) {
        let group = 2 * attribute + usize::from(class == Class::Negative);
        let pixels = self.size * self.size;
        let side = self.size as u32;
        let face = self.faces[group * pixels * 3..(group + 1) * pixels * 3].to_vec();
        let map = self.maps[group * pixels..(group + 1) * pixels].to_vec();
        (
            self.counts[group].max(0) as usize,
            RgbImage::from_raw(side, side, face),
            map,
        )
    }

    /// The raw map of an example image and an attribute, with its height and width.
    ///
    /// # Errors
    /// When the file does not have that image.
    pub fn example(&self, index: usize, attribute: usize) -> Result<(&[f32], usize, usize)> {
        let row = self
            .row_of
            .get(&index)
            .ok_or_else(|| Error::artefact(&self.path, "an example image is missing"))?;
        let (attributes, height, width) = self.raw_shape;
        let start = (row * attributes + attribute) * height * width;
        Ok((&self.raw[start..start + height * width], height, width))
    }
}
