//! `locality.safetensors`, read: the influence on each cell of a classifier's maps.

use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use render::Outline;
use render::figures::LocalityCell;

use crate::artefacts;
use crate::error::{Error, Result};
use crate::recorded::Recorded;

/// Kinds of influence, the one that is shown if it is there first, with what it is in words.
const KINDS: [(&str, &str); 2] = [
    ("fame", "influence on each cell by FAME, on this image"),
    (
        "gradient",
        "influence on each cell by the expected gradient, over one of the images",
    ),
];

/// What a classifier's file holds.
pub struct LocalityPictures {
    /// The first image.
    pub image: RgbImage,
    /// The kind of influence.
    pub influence: &'static str,
    words: &'static str,
    /// `[cells, s * s]`.
    maps: Vec<Vec<f32>>,
    /// Of each pixel of the image the cell whose square it is in.
    cell_of_pixels: Vec<u32>,
    size: usize,
}

impl LocalityPictures {
    /// Reads a classifier's file.
    ///
    /// # Errors
    /// When it is absent or damaged.
    pub fn read(recorded: &Recorded<'_>, classifier: &str) -> Result<Self> {
        let [_, path] = artefacts::locality(classifier).map(|path| recorded.folder.join(path));
        let fault = |message: String| Error::artefact(&path, message);
        let bytes = std::fs::read(&path).map_err(Error::io(&path, "reading"))?;
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|error| fault(format!("not safetensors: {error}")))?;
        let tensor = |name: &str| tensors.get(name).ok_or_else(|| fault(format!("no tensor `{name}`")));
        let image = tensor("image")?;
        let (size, width, channels) = image.dims3().map_err(|_| fault("`image` is no [S, S, 3]".to_owned()))?;
        let found = KINDS
            .iter()
            .find_map(|&(kind, words)| Some((kind, words, tensors.get(&format!("maps/{kind}"))?)));
        let (influence, words, maps) = found.ok_or_else(|| fault("no tensor `maps/gradient`".to_owned()))?;
        let maps: Vec<Vec<Vec<f32>>> = maps
            .to_vec3()
            .map_err(|_| fault("maps that are no [cells, s, s]".to_owned()))?;
        let cell_of_pixels: Vec<u32> = tensor("cell_of_pixels")?
            .flatten_all()?
            .to_dtype(DType::U32)?
            .to_vec1()?;
        let last = cell_of_pixels.iter().max().map_or(0, |cell| *cell as usize);
        if (width, channels) != (size, 3) || cell_of_pixels.len() != size * size || last >= maps.len() {
            return Err(fault("its tensors do not belong together".to_owned()));
        }
        Ok(Self {
            image: picture(image, size)?,
            influence,
            words,
            maps: maps.into_iter().map(|map| map.concat()).collect(),
            cell_of_pixels,
            size,
        })
    }

    /// What is shown, in words.
    pub fn in_words(&self) -> &'static str {
        self.words
    }

    /// Cells of a row: those that the image's first row of pixels lies in.
    pub fn columns(&self) -> usize {
        let first = &self.cell_of_pixels[..self.size];
        first.iter().max().map_or(1, |cell| *cell as usize + 1)
    }

    /// The cells, row by row.
    pub fn cells(&self) -> Vec<LocalityCell> {
        let cell = |(number, map): (usize, &Vec<f32>)| LocalityCell {
            map: map.iter().any(|value| *value > 0.0).then(|| map.clone()),
            square: Outline {
                side: self.size,
                inside: self
                    .cell_of_pixels
                    .iter()
                    .map(|&cell| cell as usize == number)
                    .collect(),
            },
        };
        self.maps.iter().enumerate().map(cell).collect()
    }
}

fn picture(image: &Tensor, size: usize) -> Result<RgbImage> {
    let values: Vec<f32> = image.flatten_all()?.to_vec1()?;
    let bytes = values
        .into_iter()
        .map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8)
        .collect();
    Ok(RgbImage::from_raw(size as u32, size as u32, bytes).unwrap_or_else(|| RgbImage::new(1, 1)))
}
