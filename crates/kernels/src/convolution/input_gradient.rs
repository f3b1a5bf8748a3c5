//! The gradient of a convolution with respect to its input: the transposed convolution.

#[cfg(feature = "cuda")]
use super::cuda;
#[cfg(feature = "cuda")]
use super::geometry::Engines;
use super::geometry::{Filter, Geometry};
use super::implicit_gemm::{ImplicitGemm, OutputPhase};
use super::packing::{Direction, pack, pack_forward};
use super::pairing::{pair_weights, pairs_of};
use super::products::Products;
use crate::dims::{Dims, check_channels, check_float};
use crate::host::host_floats;
use crate::parallel::for_each_piece;
use crate::simd::{InstructionSet, LANES};
use candle_core::{Result, Tensor, bail};

const NAME: &str = "input gradient of conv2d (channels last)";

/// The backward pass of a convolution and of the scale behind it, with respect to its input, prepared once for many gradients: of
/// `y = conv2d(x) * scale + shift` it gives dL/dx from dL/dy.
///
/// The map is linear and does not depend on `x`, so any number of gradients go through it in one batch. The scale is multiplied into
/// the weights. It holds a copy of them, and so does not see what happens to the tensors it was made of. Not differentiable.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
///
/// # fn main() -> candle_core::Result<()> {
/// let weight = Tensor::randn(0f32, 0.1, (16, 3, 3, 3), &Device::Cpu)?;
/// let scale = Tensor::ones(16, DType::F32, &Device::Cpu)?;
/// let transposed = kernels::InputGradient::new(&weight, &scale, 2, 1)?;
/// let of_y = Tensor::randn(0f32, 1.0, (5, 4, 4, 16), &Device::Cpu)?;
/// assert_eq!(transposed.apply(&of_y, [8, 8])?.dims(), [5, 8, 8, 3]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct InputGradient {
    filter: Filter,
    stride: usize,
    padding: usize,
    weights: Weights,
    set: InstructionSet,
}

#[derive(Debug)]
enum Weights {
    Packed(Packed),
    /// On a GPU, in torchvision's layout.
    #[cfg_attr(not(feature = "cuda"), allow(dead_code))]
    Tensor(Tensor),
}

impl InputGradient {
    /// `weight`: `[Cout, Cin, kh, kw]`; `scale`: `[Cout]`; both float32. Stride and padding as in [`conv2d`](crate::conv2d).
    ///
    /// # Errors
    /// Wrong ranks, types or channel counts, a stride of 0.
    pub fn new(weight: &Tensor, scale: &Tensor, stride: usize, padding: usize) -> Result<Self> {
        let filter = Filter::of(weight, NAME)?;
        check_channels(scale, filter.outputs, NAME, "the scale")?;
        if stride == 0 {
            bail!("{NAME}: expected a stride of at least 1, got 0");
        }
        let scaled = weight
            .detach()
            .broadcast_mul(&scale.detach().reshape((filter.outputs, 1, 1, 1))?)?
            .contiguous()?;
        let weights = match weight.device().is_cpu() {
            true => {
                let (storage, layout) = scaled.storage_and_layout();
                let values = host_floats(&storage, layout, NAME)?;
                Weights::Packed(Packed::new(values, filter, stride, padding))
            }
            false => Weights::Tensor(scaled),
        };
        Ok(Self {
            filter,
            stride,
            padding,
            weights,
            set: InstructionSet::detect(),
        })
    }

    /// dL/dx `[R, H, W, Cin]` from `gradient` dL/dy `[R, H', W', Cout]`, for an input of `[H, W]` pixels.
    ///
    /// # Errors
    /// A gradient that is not one of the output that such an input has.
    pub fn apply(&self, gradient: &Tensor, [height, width]: [usize; 2]) -> Result<Tensor> {
        check_float(gradient, NAME, "gradient")?;
        let source = Dims {
            height,
            width,
            channels: self.filter.inputs,
            ..Dims::of(gradient, NAME)?
        };
        let of = Geometry::new(source, self.filter, self.stride, self.padding, NAME)?;
        if gradient.dims() != of.output.array() {
            bail!(
                "{NAME}: expected a gradient of shape {:?}, got {:?}",
                of.output.array(),
                gradient.dims()
            );
        }
        let gradient = gradient.contiguous()?;
        match &self.weights {
            Weights::Packed(packed) => {
                let (storage, layout) = gradient.storage_and_layout();
                let values = run(
                    of,
                    packed,
                    host_floats(&storage, layout, NAME)?,
                    Products::Float32(self.set),
                );
                Tensor::from_vec(values, source.shape(), gradient.device())
            }
            #[cfg(feature = "cuda")]
            Weights::Tensor(weight) => cuda::input_gradient(of, Engines::default(), weight, &gradient),
            #[cfg(not(feature = "cuda"))]
            Weights::Tensor(_) => bail!("{NAME}: expected tensors in the memory of the CPU"),
        }
    }
}

/// The taps of the filter that meet the input rows (or columns) `i = parity + stride r`: input pixel `i` meets output pixel `o` through
/// tap `k` where `i + padding = stride o + k`. These are the taps `k = first, first + stride, ..` and the outputs
/// `o = nearest + r, nearest + r - 1, ..`: a window of stride 1 over the output's gradient, its taps reversed.
#[derive(Debug)]
struct Axis {
    parity: usize,
    nearest: usize,
    taps: Vec<usize>,
}

impl Axis {
    fn each(kernel: usize, stride: usize, padding: usize) -> Vec<Self> {
        let axis = |parity: usize| {
            let first = (parity + padding) % stride;
            let mut taps: Vec<usize> = (first..kernel).step_by(stride).collect();
            taps.reverse();
            Self {
                parity,
                nearest: (parity + padding) / stride,
                taps,
            }
        };
        (0..stride).map(axis).collect()
    }

    /// Zeros in front of the output's gradient, so that no window starts before them.
    fn margin(axes: &[Self]) -> usize {
        let missing = |axis: &Self| axis.taps.len().saturating_sub(axis.nearest + 1);
        axes.iter().map(missing).max().unwrap_or(0)
    }

    /// Where the first window starts behind such a margin.
    fn start(&self, margin: usize) -> usize {
        margin + self.nearest + 1 - self.taps.len().max(1)
    }

    /// How many of `size` input pixels there are.
    fn pixels(&self, size: usize, stride: usize) -> usize {
        size.saturating_sub(self.parity).div_ceil(stride)
    }
}

/// Weights in the order in which the backward pass reads them, for inputs of any size.
#[derive(Debug)]
pub(crate) struct Packed {
    vertical: Vec<Axis>,
    horizontal: Vec<Axis>,
    weights: Order,
}

#[derive(Debug)]
enum Order {
    /// A convolution for each pair of a vertical and a horizontal axis, the latter innermost: no tap is read in vain.
    Apart(Vec<Vec<f32>>),
    /// One convolution whose channels are all pairs' channels, over a window that holds every pair's: where the input has few channels, as
    /// an image's colours, they fill a vector together (Shi et al. 2016, the efficient sub-pixel convolution).
    Together(Vec<f32>),
}

/// Where the windows of some axes start behind a margin, and how long a window holds them all.
fn span(axes: &[Axis], margin: usize) -> (usize, usize) {
    let used = || axes.iter().filter(|axis| !axis.taps.is_empty());
    let start = used().map(|axis| axis.start(margin)).min().unwrap_or(margin);
    let end = used().map(|axis| axis.start(margin) + axis.taps.len()).max();
    (start, end.unwrap_or(start) - start)
}

impl Packed {
    pub(crate) fn new(weight: &[f32], filter: Filter, stride: usize, padding: usize) -> Self {
        let vertical = Axis::each(filter.height, stride, padding);
        let horizontal = Axis::each(filter.width, stride, padding);
        let together = Filter {
            outputs: filter.inputs * stride * stride,
            inputs: filter.outputs,
            height: span(&vertical, Axis::margin(&vertical)).1,
            width: span(&horizontal, Axis::margin(&horizontal)).1,
        };
        // Vectors of products for each pixel of the output's gradient.
        let cost = |filter: Filter, channels: usize| filter.taps() * channels.div_ceil(LANES);
        let weights = match cost(together, together.outputs) < cost(filter, filter.inputs) {
            true => Order::Together(join(weight, filter, together, &vertical, &horizontal)),
            false => {
                let pairs = vertical.iter().flat_map(|y| horizontal.iter().map(move |x| (y, x)));
                let packed = pairs.map(|(y, x)| pack(weight, filter, Direction::Backward, &y.taps, &x.taps));
                Order::Apart(packed.collect())
            }
        };
        Self {
            vertical,
            horizontal,
            weights,
        }
    }

    /// The same weights as [pairs](super::pairing) of the `read` channels of the output.
    pub(super) fn paired(self, read: usize) -> Self {
        let weights = match self.weights {
            Order::Apart(weights) => Order::Apart(weights.iter().map(|weights| pair_weights(weights, read)).collect()),
            Order::Together(weights) => Order::Together(pair_weights(&weights, read)),
        };
        Self { weights, ..self }
    }
}

/// The weights of one convolution for all pairs of axes; zero where a pair has no tap.
fn join(weight: &[f32], filter: Filter, together: Filter, vertical: &[Axis], horizontal: &[Axis]) -> Vec<f32> {
    let mut joined = vec![0.0; together.elements()];
    let taps = |axes: &[Axis]| {
        let margin = Axis::margin(axes);
        let (start, _) = span(axes, margin);
        let of = |axis: &Axis| -> Vec<(usize, usize)> {
            let first = axis.start(margin).saturating_sub(start);
            let places = axis.taps.iter().enumerate();
            places.map(|(place, tap)| (first + place, *tap)).collect()
        };
        axes.iter().map(of).collect::<Vec<_>>()
    };
    let (rows, columns) = (taps(vertical), taps(horizontal));
    for (pair, (rows, columns)) in rows
        .iter()
        .flat_map(|y| columns.iter().map(move |x| (y, x)))
        .enumerate()
    {
        for channel in 0..filter.inputs {
            for read in 0..filter.outputs {
                let to = ((pair * filter.inputs + channel) * filter.outputs + read) * together.taps();
                let from = (read * filter.inputs + channel) * filter.taps();
                for (y, row) in rows {
                    for (x, column) in columns {
                        joined[to + y * together.width + x] = weight[from + row * filter.width + column];
                    }
                }
            }
        }
    }
    pack_forward(&joined, together)
}

/// The gradient of the source, from that of the output; weights and gradient are floats or pairs, as the products are.
pub(crate) fn run(of: Geometry, packed: &Packed, gradient: &[f32], products: Products) -> Vec<f32> {
    let read = match products {
        Products::Float32(_) => of.output,
        Products::Bf16(_) => Dims {
            channels: pairs_of(of.output.channels),
            ..of.output
        },
    };
    let product = product(of, packed, read);
    let found = product.run(gradient, products);
    match packed.weights {
        Order::Apart(_) => found,
        Order::Together(_) => unfold(&found, product.output, of),
    }
}

/// The product that the gradient is, of the output's gradient, which is read as `read` says.
fn product(of: Geometry, packed: &Packed, read: Dims) -> ImplicitGemm<'_> {
    let padding = (Axis::margin(&packed.vertical), Axis::margin(&packed.horizontal));
    let gemm = |output, output_step, phases| ImplicitGemm {
        source: read,
        output,
        padding,
        source_step: 1,
        output_step,
        phases,
        epilogue: None,
    };
    match &packed.weights {
        Order::Apart(weights) => {
            let pairs = packed
                .vertical
                .iter()
                .flat_map(|y| packed.horizontal.iter().map(move |x| (y, x)));
            let phases = pairs
                .zip(weights)
                // In a source smaller than the stride some pixels do not exist.
                .filter(|((y, x), _)| y.parity < of.source.height && x.parity < of.source.width)
                .map(|((y, x), weights)| OutputPhase {
                    output: (y.parity, x.parity),
                    size: (
                        y.pixels(of.source.height, of.stride),
                        x.pixels(of.source.width, of.stride),
                    ),
                    source: (y.start(padding.0), x.start(padding.1)),
                    window: (y.taps.len(), x.taps.len()),
                    weights: weights.as_slice().into(),
                });
            gemm(of.source, of.stride, phases.collect())
        }
        Order::Together(weights) => {
            let (rows, columns) = (span(&packed.vertical, padding.0), span(&packed.horizontal, padding.1));
            let size = (
                of.source.height.div_ceil(of.stride),
                of.source.width.div_ceil(of.stride),
            );
            let output = Dims {
                images: of.source.images,
                height: size.0,
                width: size.1,
                channels: of.source.channels * of.stride * of.stride,
            };
            let phase = OutputPhase {
                output: (0, 0),
                size,
                source: (rows.0, columns.0),
                window: (rows.1, columns.1),
                weights: weights.as_slice().into(),
            };
            gemm(output, 1, vec![phase])
        }
    }
}

/// Vector operations of each task of a training step's gradient, on the threads of the pool that asks.
#[cfg(test)]
pub(crate) fn costs(of: Geometry) -> Vec<usize> {
    let packed = Packed::new(&vec![0.0; of.filter.elements()], of.filter, of.stride, of.padding);
    product(of, &packed, of.output).costs()
}

/// Pixels from the channels of joined ones.
fn unfold(joined: &[f32], dims: Dims, of: Geometry) -> Vec<f32> {
    let (source, stride) = (of.source, of.stride);
    let mut pixels = vec![0.0; source.elements()];
    for_each_piece(&mut pixels, source.width * source.channels, |row, to| {
        let (image, y) = (row / source.height, row % source.height);
        let start = (image * dims.height + y / stride) * dims.width * dims.channels;
        let first = start + y % stride * stride * source.channels;
        let runs = to.chunks_mut(stride * source.channels);
        for (run, from) in runs.zip(joined[first..].chunks(dims.channels)) {
            run.copy_from_slice(&from[..run.len()]);
        }
    });
    pixels
}
