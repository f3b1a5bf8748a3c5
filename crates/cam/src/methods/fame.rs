//! FAME.

use candle_core::Tensor;
use rayon::prelude::*;

use super::masking::to_vec;
use crate::explainable::Objective;
use crate::{Error, Explainable, Result};

/// Shares of red, green and blue in grey.
const GREY: [f32; 3] = [0.2989, 0.587, 0.114];
/// The least divisor of a gradient and of a map; the authors'.
const LEAST: f32 = 1e-12;

/// The way on which FAME moves an image.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FameConfig {
    /// T, steps, each a forward and a backward pass for each image and attribute. The paper takes 500 and finds 75 to 200 enough.
    pub steps: usize,
    /// What a step changes the image's most changed value by, in the network's normalised units; the paper's 1/255.
    pub step_size: f64,
}

impl Default for FameConfig {
    fn default() -> Self {
        Self {
            steps: 100,
            step_size: 1.0 / 255.0,
        }
    }
}

impl FameConfig {
    pub(crate) fn check(&self) -> Result<()> {
        let fault = |field, found: String, expected| Err(Error::Setting { field, found, expected });
        if self.steps == 0 {
            return fault("fame.steps", self.steps.to_string(), "at least 1");
        }
        // It is used in single precision, in which it has to be a number above 0 too.
        let step_size = self.step_size as f32;
        if !(step_size > 0.0 && step_size.is_finite()) {
            return fault("fame.step_size", self.step_size.to_string(), "above 0");
        }
        Ok(())
    }
}

/// Raw maps `[R, S, S]` of the rows of an objective on images `[N, 3, S, S]`: how far descending the loss of a row has moved each pixel,
/// in grey, over the largest such move (Zhang & Günther 2026, *FAME*; the steps are those of LOTS, Rozsa et al. 2017).
///
/// From x_0, the image in the network's normalised units, T times: x <- x - eta g / max|g|, g the loss's gradient by x and the maximum
/// over the row's pixels and colours. The loss is the objective's value times `sign(row, value)`. Nothing keeps x in the range of images.
pub(crate) fn maps(
    network: &dyn Explainable,
    images: &Tensor,
    objective: Objective<'_>,
    config: FameConfig,
    sign: impl Fn(usize, f32) -> f32 + Sync,
) -> Result<Vec<f32>> {
    let start = network.normalise(images)?;
    let (count, _, height, width) = start.dims4()?;
    let rows = objective.rows();
    if count == 0 || !rows.is_multiple_of(count) {
        return Err(Error::Shape {
            what: "rows of an objective",
            found: vec![rows],
            expected: format!("a multiple of the {count} images"),
        });
    }
    // [N, S, S, 3], and [R, S, S, 3]: channels last, as the network wants them.
    let first = to_vec(&start.permute((0, 2, 3, 1))?)?;
    let length = height * width * 3;
    let image = |row: usize| &first[row / (rows / count).max(1) * length..][..length];
    let mut moved: Vec<f32> = (0..rows).flat_map(|row| image(row).iter().copied()).collect();
    for step in 0..config.steps {
        // The first gradients of all rows of an image are at the same place: one forward pass.
        let input = match step {
            0 => start.clone(),
            _ => Tensor::from_slice(&moved, (rows, height, width, 3), start.device())?.permute((0, 3, 1, 2))?,
        };
        let found = network.input_gradients(&input, objective)?;
        let gradients = to_vec(&found.gradients.permute((0, 2, 3, 1))?)?;
        let pairs = moved
            .par_chunks_exact_mut(length)
            .zip(gradients.par_chunks_exact(length));
        pairs.zip(&found.values).enumerate().for_each(|(row, ((x, g), value))| {
            let largest = g.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            let factor = sign(row, *value) * (config.step_size as f32 / largest.max(LEAST));
            x.iter_mut().zip(g).for_each(|(x, g)| *x -= g * factor);
        });
    }
    let grey = |pixel: &[f32]| pixel[0] * GREY[0] + pixel[1] * GREY[1] + pixel[2] * GREY[2];
    let map = |(row, x): (usize, &[f32])| {
        let pixels = x.chunks_exact(3).zip(image(row).chunks_exact(3));
        let mut map: Vec<f32> = pixels.map(|(x, start)| (grey(x) - grey(start)).abs()).collect();
        let largest = map.iter().fold(LEAST, |most, value| most.max(*value));
        map.iter_mut().for_each(|value| *value /= largest);
        map
    };
    let maps: Vec<Vec<f32>> = moved.par_chunks_exact(length).enumerate().map(map).collect();
    Ok(maps.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let config = FameConfig::default();
        assert!(config.check().is_ok());
        let message = FameConfig { steps: 0, ..config }.check().unwrap_err().to_string();
        assert_eq!(message, "fame.steps: 0, expected at least 1");
        for step_size in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e39, 1e-50] {
            let message = FameConfig { step_size, ..config }.check().unwrap_err().to_string();
            assert!(message.starts_with("fame.step_size: "), "{message}");
        }
    }
}
