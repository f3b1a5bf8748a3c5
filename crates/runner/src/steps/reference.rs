//! `reference.safetensors`: the mean of a classifier's features over the scored test images, against which centred maps are made
//! and the constant part of a score is measured.
//!
//! - `mean_features` [C, h, w] float32
//! - `count` [1] int64: how many images they are
//!
//! The images are the scored ones because then the constant part of a score is exactly the mean of the scores in
//! `predictions.parquet`, and because prediction sees them anyway. An image's own part in the mean is 1 / count.

use std::path::Path;

use cam::Reference;
use candle_core::{Device, Tensor};

use crate::error::{Error, Result};

/// The file's bytes.
///
/// # Errors
/// None that its argument can cause.
pub fn to_bytes(reference: &Reference) -> Result<Vec<u8>> {
    let count = Tensor::new(&[reference.count() as i64], &Device::Cpu)?;
    let tensors = [("mean_features", reference.features().contiguous()?), ("count", count)];
    safetensors::serialize(tensors, None)
        .map_err(|error| Error::Request(format!("reference.safetensors cannot be written: {error}")))
}

/// Reads such a file.
///
/// # Errors
/// When it is absent or damaged.
pub fn read(path: &Path) -> Result<Reference> {
    let fault = |message: String| Error::artefact(path, message);
    let bytes = std::fs::read(path).map_err(Error::io(path, "reading the reference"))?;
    let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
        .map_err(|error| fault(format!("not safetensors: {error}")))?;
    let tensor = |name: &str| tensors.get(name).ok_or_else(|| fault(format!("no tensor `{name}`")));
    let count = tensor("count")?.flatten_all()?.to_vec1::<i64>()?;
    let count = count.first().copied().unwrap_or_default().max(0) as usize;
    Reference::from_mean(tensor("mean_features")?, count).map_err(|error| fault(error.to_string()))
}
