//! The chosen images' files, read.

use std::path::Path;

use candle_core::Device;

use crate::artefacts;
use crate::error::{Error, Result};
use pipeline::ReadTable;

/// Ways to choose, in the order in which they are shown.
pub const WAYS: [&str; 3] = ["best", "worst", "random"];

/// The chosen images with all that drawing them needs.
pub struct Chosen {
    /// Name of the attribute of each row.
    pub attributes: Vec<String>,
    /// How each was chosen: one of [`WAYS`].
    pub ways: Vec<String>,
    /// Names of the images.
    pub images: Vec<String>,
    /// 1, -1, or 0 for "not annotated".
    pub labels: Vec<i8>,
    /// Of each classifier asked for, in their order.
    pub scores: Vec<Vec<f32>>,
    /// The same.
    pub energies: Vec<Vec<Option<f64>>>,
    /// Side of the faces in pixels.
    pub size: usize,
    /// [E, S, S, 3].
    pub faces: Vec<u8>,
    /// [E, S, S] where each image has a region of its own: 1 inside.
    pub regions: Option<Vec<u8>>,
    /// [E, C, h, w] of all classifiers that the file has, and h and w.
    pub maps: Vec<f32>,
    /// C, h, w.
    pub shape: (usize, usize, usize),
    /// Where each classifier asked for is among the file's.
    pub positions: Vec<usize>,
}

impl Chosen {
    /// Reads what is there of some classifiers.
    ///
    /// # Errors
    /// When a file is absent or damaged, or a classifier is not in it.
    pub fn read(folder: &Path, classifiers: &[String]) -> Result<Self> {
        let path = folder.join(artefacts::CHOSEN);
        let table = ReadTable::parquet(&path)?;
        let complete = |value: Option<f64>| value.ok_or_else(|| Error::artefact(&path, "a score is missing"));
        let scores = classifiers.iter().map(|name| {
            let column = table.doubles(&format!("{name}_score"))?;
            column
                .into_iter()
                .map(|value| complete(value).map(|value| value as f32))
                .collect()
        });
        let energies = classifiers.iter().map(|name| table.doubles(&format!("{name}_energy")));
        // The classifiers of the file, in the order of its columns, which is that of its maps.
        let known: Vec<String> = table
            .columns()
            .iter()
            .filter_map(|column| column.strip_suffix("_score").map(str::to_owned))
            .collect();
        let (scores, energies) = (
            scores.collect::<Result<_>>()?,
            energies.collect::<pipeline::Result<_>>()?,
        );
        let positions = classifiers
            .iter()
            .filter_map(|name| known.iter().position(|one| one == name))
            .collect();

        let tensors_path = folder.join(artefacts::CHOSEN_TENSORS);
        let fault = |message: String| Error::artefact(&tensors_path, message);
        let bytes = std::fs::read(&tensors_path).map_err(Error::io(&tensors_path, "reading"))?;
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|error| fault(format!("not safetensors: {error}")))?;
        let tensor = |name: &str| tensors.get(name).ok_or_else(|| fault(format!("no tensor `{name}`")));
        let (images, maps) = (tensor("images")?, tensor("maps")?);
        let (rows, size) = (table.height(), images.dims().get(1).copied().unwrap_or_default());
        if images.dims() != [rows, size, size, 3] || maps.dims().len() != 4 || maps.dims()[..2] != [rows, known.len()] {
            return Err(fault(format!(
                "images {:?} and maps {:?} of {rows} rows and {} classifiers",
                images.dims(),
                maps.dims(),
                known.len()
            )));
        }
        let regions = tensors.get("regions");
        if let Some(regions) = regions.filter(|regions| regions.dims() != [rows, size, size]) {
            return Err(fault(format!(
                "regions {:?} of {rows} images of side {size}",
                regions.dims()
            )));
        }
        Ok(Self {
            attributes: table.texts("attribute")?,
            ways: table.texts("chosen")?,
            images: table.texts("image")?,
            labels: table
                .integers("label")?
                .into_iter()
                .map(|label| label.signum() as i8)
                .collect(),
            scores,
            energies,
            size,
            shape: (known.len(), maps.dims()[2], maps.dims()[3]),
            faces: images.flatten_all()?.to_vec1()?,
            regions: regions.map(|regions| regions.flatten_all()?.to_vec1()).transpose()?,
            maps: maps.flatten_all()?.to_vec1()?,
            positions,
        })
    }

    /// The raw map of a row and a classifier, which is counted among those asked for.
    pub fn map(&self, row: usize, classifier: usize) -> &[f32] {
        let (count, height, width) = self.shape;
        let start = (row * count + self.positions[classifier]) * height * width;
        &self.maps[start..start + height * width]
    }
}
