//! Batch normalisation on the CPU.

use super::layer::BatchNorm;
use super::passes::{Apply, Chunks, Differentiate, Reduce};
use crate::dims::Dims;
use crate::host::{Shared, Unwritten};
#[cfg(test)]
use crate::parallel::Division;
use crate::simd::LANES;
use candle_core::Result;

/// Vector operations of each pass for a vector, loads and stores included, and of adding a chunk's sums to the others.
const APPLY: usize = 6;
const REDUCE: usize = 6;
const DIFFERENTIATE: usize = 7;
const JOIN: usize = 8;

/// What a layer's result and gradients are made of: one value a channel each.
struct Channels<'a> {
    mean: Vec<f32>,
    /// Reciprocal standard deviation.
    factor: Vec<f32>,
    scale: &'a [f32],
    shift: &'a [f32],
}

impl<'a> Channels<'a> {
    fn of(layer: &BatchNorm, [scale, shift]: [&'a [f32]; 2]) -> Result<Self> {
        let (mean, factor) = match &layer.of_batch {
            Some((statistics, epsilon)) => {
                let variance: Vec<f32> = statistics.variance.to_vec1()?;
                let reciprocal = |variance: f32| (1.0 / (f64::from(variance) + epsilon).sqrt()) as f32;
                (
                    statistics.mean.to_vec1()?,
                    variance.into_iter().map(reciprocal).collect(),
                )
            }
            None => (vec![0.0; layer.dims.channels], vec![1.0; layer.dims.channels]),
        };
        Ok(Self {
            mean,
            factor,
            scale,
            shift,
        })
    }
}

/// A channel vector, zeros behind it up to a multiple of [`LANES`].
fn padded(values: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut values: Vec<f32> = values.collect();
    values.resize(values.len().div_ceil(LANES) * LANES, 0.0);
    values
}

/// The result of `x`, of `[scale, shift]` and of the residual.
pub(super) fn forward(
    layer: &BatchNorm,
    x: &[f32],
    parameters: [&[f32]; 2],
    residual: Option<&[f32]>,
) -> Result<Vec<f32>> {
    let of = Channels::of(layer, parameters)?;
    let mean = padded(of.mean.iter().copied());
    let scale = padded(of.scale.iter().zip(&of.factor).map(|(scale, factor)| scale * factor));
    let shift = padded(of.shift.iter().copied());
    let chunks = Chunks::of(layer.dims);
    let mut output = Unwritten::new(layer.dims.elements());
    let pointer = output.pointer();
    chunks.division(APPLY).for_each(|chunk, vectors| {
        let range = chunks.floats(chunk);
        let kernel = Apply {
            channels: layer.dims.channels,
            vectors,
            x: &x[range.clone()],
            mean: &mean,
            scale: &scale,
            shift: &shift,
            residual: residual.map(|residual| &residual[range.clone()]),
            relu: layer.relu,
            // SAFETY: within the output.
            output: unsafe { pointer.at(range.start) },
        };
        // SAFETY: these channels of the chunk of the output are this task's alone.
        unsafe { layer.set.run(kernel) }
    });
    // SAFETY: the chunks cover the output.
    Ok(unsafe { output.finish() })
}

/// The loops of a training step, forward and backward.
#[cfg(test)]
pub(crate) fn loops(dims: Dims) -> [Division; 4] {
    let chunks = Chunks::of(dims);
    [
        chunks.division(APPLY),
        chunks.division(REDUCE),
        chunks.joining(JOIN),
        chunks.division(DIFFERENTIATE),
    ]
}

/// Gradients of the input, of scale and shift, and of the residual.
pub(super) struct Gradients {
    pub input: Vec<f32>,
    /// Where they are asked for.
    pub parameters: Option<[Vec<f32>; 2]>,
    /// The gradient before the ReLU, where it is asked for and there is a ReLU: without, it is the result's.
    pub residual: Option<Vec<f32>>,
}

/// What a backward pass reads.
#[derive(Clone, Copy)]
pub(super) struct Backward<'a> {
    pub x: &'a [f32],
    /// `[scale, shift]`.
    pub parameters: [&'a [f32]; 2],
    pub result: &'a [f32],
    /// Of the result.
    pub gradient: &'a [f32],
    pub with_parameters: bool,
    pub with_residual: bool,
}

/// All gradients, in two passes.
pub(super) fn backward(layer: &BatchNorm, of: Backward<'_>) -> Result<Gradients> {
    let Backward {
        x, result, gradient, ..
    } = of;
    let channels = Channels::of(layer, of.parameters)?;
    let chunks = Chunks::of(layer.dims);
    let mean = padded(channels.mean.iter().copied());
    let mut masked = (of.with_residual && layer.relu).then(|| Unwritten::new(layer.dims.elements()));
    let sums = match of.with_parameters || layer.of_batch.is_some() || masked.is_some() {
        true => sums(layer, &of, &channels, masked.as_mut().map(Unwritten::pointer)),
        false => Sums::zero(layer.dims),
    };
    // SAFETY: if it exists, the chunks of the sums have covered it.
    let masked = masked.map(|masked| unsafe { masked.finish() });
    let Coefficients {
        direct,
        slope,
        constant,
    } = Coefficients::of(layer, &channels, &sums);
    let mut input = Unwritten::new(layer.dims.elements());
    let pointer = input.pointer();
    chunks.division(DIFFERENTIATE).for_each(|chunk, vectors| {
        let range = chunks.floats(chunk);
        let kernel = Differentiate {
            channels: layer.dims.channels,
            vectors,
            x: &x[range.clone()],
            mean: &mean,
            direct: &direct,
            slope: &slope,
            constant: &constant,
            result: (layer.relu && masked.is_none()).then(|| &result[range.clone()]),
            gradient: &masked.as_deref().unwrap_or(gradient)[range.clone()],
            // SAFETY: within the output.
            output: unsafe { pointer.at(range.start) },
        };
        // SAFETY: these channels of the chunk of the output are this task's alone.
        unsafe { layer.set.run(kernel) }
    });
    let rounded = |sums: &[f64]| sums.iter().map(|sum| *sum as f32).collect();
    Ok(Gradients {
        // SAFETY: the chunks cover the output.
        input: unsafe { input.finish() },
        parameters: of
            .with_parameters
            .then(|| [rounded(&sums.product), rounded(&sums.gradient)]),
        residual: masked,
    })
}

/// Sums over the pixels of each channel, g being the gradient before the ReLU.
struct Sums {
    /// Of g: the gradient of the shift.
    gradient: Vec<f64>,
    /// Of g times the normalised input: the gradient of the scale.
    product: Vec<f64>,
}

impl Sums {
    fn zero(dims: Dims) -> Self {
        let zeros = vec![0.0; dims.channels];
        Self {
            gradient: zeros.clone(),
            product: zeros,
        }
    }
}

/// The sums of all chunks; `masked` becomes the gradient before the ReLU.
fn sums(layer: &BatchNorm, of: &Backward<'_>, channels: &Channels<'_>, masked: Option<Shared>) -> Sums {
    let chunks = Chunks::of(layer.dims);
    let mean = padded(channels.mean.iter().copied());
    let factor = padded(channels.factor.iter().copied());
    let lanes = factor.len();
    let mut partials = Unwritten::new(chunks.count() * 2 * lanes);
    let pointer = partials.pointer();
    chunks.division(REDUCE).for_each(|chunk, vectors| {
        let range = chunks.floats(chunk);
        let kernel = Reduce {
            channels: layer.dims.channels,
            vectors,
            x: &of.x[range.clone()],
            mean: &mean,
            factor: &factor,
            result: layer.relu.then(|| &of.result[range.clone()]),
            gradient: &of.gradient[range.clone()],
            // SAFETY: within the buffers.
            masked: masked.map(|masked| unsafe { masked.at(range.start) }),
            // SAFETY: as above.
            sums: unsafe { pointer.at(chunk * 2 * lanes) },
            lanes,
        };
        // SAFETY: sums and masked gradient of these channels of this chunk are this task's alone.
        unsafe { layer.set.run(kernel) }
    });
    // SAFETY: the chunks have written all their sums.
    let partials = unsafe { partials.finish() };
    let mut sums = Sums::zero(layer.dims);
    let (gradient, product) = (Shared::new(&mut sums.gradient), Shared::new(&mut sums.product));
    chunks.joining(JOIN).for_each(|_, vectors| {
        let of = vectors.start * LANES..(vectors.end * LANES).min(layer.dims.channels);
        // SAFETY: within the sums, of which these channels' are this task's alone.
        let channels = |sums: Shared<f64>| unsafe { std::slice::from_raw_parts_mut(sums.at(of.start), of.len()) };
        let (gradient, product) = (channels(gradient), channels(product));
        for partial in partials.chunks_exact(2 * lanes) {
            let (gradients, products) = partial.split_at(lanes);
            for (sum, value) in gradient.iter_mut().zip(&gradients[of.clone()]) {
                *sum += f64::from(*value);
            }
            for (sum, value) in product.iter_mut().zip(&products[of.clone()]) {
                *sum += f64::from(*value);
            }
        }
    });
    sums
}

/// What the input's gradient is made of, channel by channel: `dx = direct g + slope (x - mean) + constant`, g being the gradient before
/// the ReLU (Ioffe and Szegedy 2015, section 3). Each is padded with zeros to a multiple of [`LANES`].
struct Coefficients {
    /// `scale factor`.
    direct: Vec<f32>,
    /// Through the batch's variance: `-direct / pixels * factor * sum(g (x - mean) factor)`; 0 where the statistics are not the batch's.
    slope: Vec<f32>,
    /// Through the batch's mean: `-direct / pixels * sum(g)`; 0 as above.
    constant: Vec<f32>,
}

impl Coefficients {
    fn of(layer: &BatchNorm, channels: &Channels<'_>, sums: &Sums) -> Self {
        let by_batch = match layer.of_batch {
            Some(_) => 1.0 / layer.dims.pixels() as f64,
            None => 0.0,
        };
        let factor = |c: usize| f64::from(channels.factor[c]);
        let direct = |c: usize| f64::from(channels.scale[c]) * factor(c);
        let each = || 0..layer.dims.channels;
        Self {
            direct: padded(each().map(|c| direct(c) as f32)),
            slope: padded(each().map(|c| (-direct(c) * factor(c) * sums.product[c] * by_batch) as f32)),
            constant: padded(each().map(|c| (-direct(c) * sums.gradient[c] * by_batch) as f32)),
        }
    }
}
