//! Aligned images in a safetensors file, and their maps in another.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use model::Network;

use super::way::{BATCH, SHOWN, Way, maps_of};
use crate::error::{Error, Result};
use pipeline::Progress;

/// `images` of a safetensors file, [N, 3, S, S].
///
/// # Errors
/// When the file cannot be read, is no safetensors file, or has no such tensor of that shape.
pub fn read(path: &Path) -> Result<Tensor> {
    let fault = |message: String| Error::Request(format!("{}: {message}", path.display()));
    let bytes = std::fs::read(path).map_err(Error::io(path, "reading the images"))?;
    let mut tensors = model::tensors_from_bytes(&bytes).map_err(|error| fault(error.to_string()))?;
    let images = tensors.remove("images").ok_or_else(|| {
        let mut names: Vec<&str> = tensors.keys().map(String::as_str).collect();
        names.sort_unstable();
        let more = if names.len() > SHOWN { ", ..." } else { "" };
        names.truncate(SHOWN);
        fault(format!("no tensor `images`; found {}{more}", names.join(", ")))
    })?;
    match *images.dims() {
        [n, 3, height, width] if height == width && n > 0 && images.dtype() == DType::F32 => Ok(images),
        _ => Err(fault(format!(
            "`images` is {:?} {:?}, expected [N, 3, S, S] float32",
            images.dims(),
            images.dtype()
        ))),
    }
}

/// `logits` [N, A], and of every method `METHOD/raw` [N, chosen, h, w] and `METHOD/final` [N, chosen, S, S].
///
/// # Errors
/// Those of the network and of the methods.
pub fn explain(network: &Network, images: &Tensor, way: &Way<'_>, device: &Device) -> Result<Vec<u8>> {
    let (count, _, size, _) = images.dims4()?;
    way.announce(&Progress::new(), count);
    let mut logits = Vec::new();
    let mut raw = vec![Vec::new(); way.methods.len()];
    let mut finals = vec![Vec::new(); way.methods.len()];
    let mut sides = vec![(0, 0); way.methods.len()];
    let mut map = vec![0.0; size * size];
    for start in (0..count).step_by(BATCH) {
        let batch = images.narrow(0, start, BATCH.min(count - start))?;
        let (output, maps) = maps_of(network, &batch, &[], way, device, |image| {
            format!("image {} of `images`", start + image)
        })?;
        logits.extend(output.logits.flatten_all()?.to_vec1::<f32>()?);
        for (method, maps) in maps.iter().enumerate() {
            let post_processing = way.post_processing(way.methods[method], maps, size)?;
            sides[method] = (maps.height, maps.width);
            raw[method].extend_from_slice(&maps.data);
            for image in 0..maps.images {
                for chosen in 0..way.chosen.len() {
                    post_processing.finalise(maps.map(image, chosen), &mut map);
                    finals[method].extend_from_slice(&map);
                }
            }
        }
    }
    let chosen = way.chosen.len();
    let tensor = |values: Vec<f32>, shape: &[usize]| Tensor::from_vec(values, shape, &Device::Cpu);
    let mut tensors = vec![("logits".to_owned(), tensor(logits, &[count, network.outputs()])?)];
    for (method, (raw, (finals, (height, width)))) in way
        .methods
        .iter()
        .zip(raw.into_iter().zip(finals.into_iter().zip(sides)))
    {
        tensors.push((format!("{method}/raw"), tensor(raw, &[count, chosen, height, width])?));
        tensors.push((format!("{method}/final"), tensor(finals, &[count, chosen, size, size])?));
    }
    safetensors::serialize(tensors, None).map_err(|error| Error::Request(format!("--out: {error}")))
}
