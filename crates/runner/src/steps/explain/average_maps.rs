//! `maps.safetensors`: what is kept of a classifier's maps for drawing.
//!
//! - `average/maps` [A, 7, h, w] float32: the mean final map over the explained images of each filter, in its cells: enlarged
//!   bilinearly to the image ([`PostProcessing::enlarge`]; OpenCV's `resize` where `explain.resize` is `half_pixel`) they are the mean of
//!   the final maps; NaN without images
//! - `average/count` [A, 7] int64: how many images they are
//! - `average/faces` [A, 2, S, S, 3] uint8: mean of the images predicted positive and negative; 0 without images
//! - in the metadata `filters`, the names of the seven, separated by spaces

use std::collections::HashMap;
use std::path::Path;

use cam::{ExplainerConfig, MapAverage, PostProcessing};
use candle_core::{Device, Tensor};
use image::RgbImage;
use metrics::{Class, Filter};

use crate::artefacts;
use crate::error::{Error, Result};
use crate::recorded::Recorded;

/// The averages of one attribute.
pub struct Group<'a> {
    /// Of the maps' cells, one for each filter.
    pub maps: &'a [MapAverage],
    /// Of the images predicted positive and negative, [S, S, 3].
    pub faces: [Option<Vec<f32>>; 2],
}

/// The file's bytes. `groups`: one an attribute; `post_processing`: of the maps.
///
/// # Errors
/// None that its arguments can cause.
pub fn to_bytes(groups: &[Group<'_>], post_processing: Option<&PostProcessing>) -> Result<Vec<u8>> {
    let (attributes, filters) = (groups.len(), Filter::ALL.len());
    let post_processing = post_processing.ok_or_else(|| Error::Request("no image was explained".to_owned()))?;
    let (size, [height, width]) = (post_processing.size(), post_processing.shape());
    let averages = || groups.iter().flat_map(|group| group.maps);
    let maps: Vec<f32> = averages()
        .flat_map(|average| average.mean().unwrap_or_else(|| vec![f32::NAN; post_processing.len()]))
        .collect();
    let counts: Vec<i64> = averages().map(|average| average.count() as i64).collect();
    let faces: Vec<u8> = groups
        .iter()
        .flat_map(|group| &group.faces)
        .flat_map(|face| face.clone().unwrap_or_else(|| vec![0.0; size * size * 3]))
        .map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8)
        .collect();
    let tensors = [
        (
            "average/maps",
            Tensor::from_vec(maps, (attributes, filters, height, width), &Device::Cpu)?,
        ),
        (
            "average/faces",
            Tensor::from_vec(faces, (attributes, 2, size, size, 3), &Device::Cpu)?,
        ),
        (
            "average/count",
            Tensor::from_vec(counts, (attributes, filters), &Device::Cpu)?,
        ),
    ];
    let about = HashMap::from([("filters".to_owned(), Filter::ALL.map(Filter::name).join(" "))]);
    safetensors::serialize(tensors, Some(about))
        .map_err(|error| Error::Request(format!("maps.safetensors cannot be written: {error}")))
}

/// The file, read.
pub struct MapsFile {
    size: usize,
    post_processing: PostProcessing,
    maps: Vec<f32>,
    faces: Vec<u8>,
    counts: Vec<i64>,
}

impl MapsFile {
    /// Reads a classifier's file, which is of so many attributes.
    ///
    /// # Errors
    /// When it is absent or damaged.
    pub fn read(recorded: &Recorded<'_>, classifier: &str, attributes: usize) -> Result<Self> {
        let path = recorded.folder.join(artefacts::maps(classifier));
        let experiment = recorded.experiment;
        Self::at(
            &path,
            &experiment.explain.config(),
            experiment.data.image_size,
            attributes,
        )
    }

    /// Reads a file of maps of images of side `size` that were made as `config` says, which is of so many attributes.
    ///
    /// # Errors
    /// When it is absent or damaged.
    pub fn at(path: &Path, config: &ExplainerConfig, size: usize, attributes: usize) -> Result<Self> {
        let fault = |message: String| Error::artefact(path, message);
        let bytes = std::fs::read(path).map_err(Error::io(path, "reading"))?;
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|error| fault(format!("not safetensors: {error}")))?;
        let tensor = |name: &str| tensors.get(name).ok_or_else(|| fault(format!("no tensor `{name}`")));
        let averages = tensor("average/maps")?;
        let (_, _, height, width) = averages
            .dims4()
            .map_err(|_| fault("`average/maps` is no [A, F, h, w]".to_owned()))?;
        let shaped = |found: &Tensor, expected: &[usize]| {
            let message = format!("a tensor of shape {:?}, expected {expected:?}", found.dims());
            if found.dims() == expected {
                Ok(())
            } else {
                Err(fault(message))
            }
        };
        let filters = Filter::ALL.len();
        shaped(averages, &[attributes, filters, height, width])?;
        shaped(tensor("average/faces")?, &[attributes, 2, size, size, 3])?;
        shaped(tensor("average/count")?, &[attributes, filters])?;
        Ok(Self {
            size,
            post_processing: PostProcessing::new(config.method, config.resize, [height, width], size)?,
            maps: averages.flatten_all()?.to_vec1()?,
            faces: tensor("average/faces")?.flatten_all()?.to_vec1()?,
            counts: tensor("average/count")?.flatten_all()?.to_vec1()?,
        })
    }

    /// The mean final map [S, S] of the images predicted as a class of an attribute; not numbers where there are none.
    pub fn mean_map(&self, attribute: usize, class: Class) -> Vec<f32> {
        let group = Self::group(attribute, class);
        let cells = &self.maps[group * self.post_processing.len()..][..self.post_processing.len()];
        let mut map = vec![0.0; self.size * self.size];
        self.post_processing.enlarge(cells, &mut map);
        map
    }

    /// Which of the averages is that of an attribute's images predicted as a class.
    fn group(attribute: usize, class: Class) -> usize {
        let filter = Filter::predicted(class);
        let place = Filter::ALL.iter().position(|known| *known == filter);
        attribute * Filter::ALL.len() + place.unwrap_or_default()
    }

    /// Number of images, their mean face, and their mean map [S, S], of one attribute and predicted class.
    pub fn average(&self, attribute: usize, class: Class) -> (usize, Option<RgbImage>, Vec<f32>) {
        let map = self.mean_map(attribute, class);
        let group = Self::group(attribute, class);
        let (side, bytes) = (self.size as u32, self.size * self.size * 3);
        let face = 2 * attribute + usize::from(class == Class::Negative);
        let face = self.faces[face * bytes..][..bytes].to_vec();
        (
            self.counts[group].max(0) as usize,
            RgbImage::from_raw(side, side, face),
            map,
        )
    }
}
