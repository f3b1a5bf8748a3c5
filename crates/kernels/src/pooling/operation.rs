//! Maximum and average pooling as candle operations.

#[cfg(feature = "cuda")]
use super::cuda;
use super::windows::Windows;
use crate::dims::Dims;
#[cfg(feature = "cuda")]
use crate::gpu::Operand;
use crate::host::{Shared, Unwritten, floats, host_floats};
use crate::parallel::Division;
use crate::simd::{InstructionSet, Kernel, LANES, Lanes};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use std::ops::Range;

/// Maximum over windows of `kernel` x `kernel` pixels, PyTorch's `max_pool2d`: padding never wins, and the gradient
/// goes to the first maximum in row-major order.
///
/// `x`: `[N, H, W, C]` float32. Returns `[N, (H + 2 padding - kernel) / stride + 1, .., C]`. Differentiable.
///
/// # Errors
/// Wrong rank or type, a kernel or stride of 0, padding of more than half the kernel, and a kernel larger than the
/// padded image.
pub fn max_pool2d(x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
    MaxPool::new(x, kernel, stride, padding, InstructionSet::detect())?.apply(x)
}

/// The gradient of [`max_pool2d`]'s `x` `[N, H, W, C]`, `[R, H, W, C]`, from its `result` and gradients `[R, H', W', C]` of it.
///
/// R is a multiple of N: row r belongs to image r / (R / N). All are float32. Not differentiable.
///
/// # Errors
/// As [`max_pool2d`], and shapes that do not belong together.
pub fn max_pool2d_gradient(
    x: &Tensor,
    result: &Tensor,
    gradient: &Tensor,
    [kernel, stride, padding]: [usize; 3],
) -> Result<Tensor> {
    let pool = MaxPool::new(x, kernel, stride, padding, InstructionSet::detect())?;
    let rows = Dims::of(gradient, MAX)?;
    let Windows { source, output, .. } = pool.windows;
    let images = rows.images;
    let fits = images.is_multiple_of(source.images) && (Dims { images, ..output }) == rows;
    if !fits || result.dims() != output.array() {
        bail!(
            "{MAX}: expected a result of shape {:?} and a multiple of it as gradient, got {:?} and {:?}",
            output.array(),
            result.dims(),
            gradient.dims()
        );
    }
    pool.gradient(x, result, gradient, images / source.images)
}

/// Mean over all pixels: `[N, H, W, C]` float32 to `[N, C]`. Differentiable.
///
/// # Errors
/// Wrong rank or type, or an empty input.
pub fn global_average_pool(x: &Tensor) -> Result<Tensor> {
    AveragePool::new(x)?.apply(x)
}

const MAX: &str = "max_pool2d (channels last)";
const AVERAGE: &str = "global_average_pool (channels last)";

/// A checked maximum pooling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaxPool {
    windows: Windows,
    set: InstructionSet,
}

impl MaxPool {
    pub(crate) fn new(x: &Tensor, kernel: usize, stride: usize, padding: usize, set: InstructionSet) -> Result<Self> {
        let windows = Windows::new(Dims::of(x, MAX)?, kernel, stride, padding, MAX)?;
        Ok(Self { windows, set })
    }

    pub(crate) fn apply(self, x: &Tensor) -> Result<Tensor> {
        x.contiguous()?.apply_op1(self)
    }

    fn lengths(&self) -> (usize, usize) {
        let len = |dims: Dims| dims.height * dims.width * dims.channels;
        (len(self.windows.source), len(self.windows.output))
    }

    /// Vector operations for a row of the output.
    fn row_cost(&self) -> usize {
        let output = self.windows.output;
        output.width * output.channels.div_ceil(LANES) * self.windows.kernel.pow(2)
    }

    /// Each image in bands of rows of the output.
    fn division(&self) -> Division {
        let output = self.windows.output;
        Division {
            pieces: output.images,
            units: output.height,
            cost: self.row_cost(),
        }
    }

    /// Each of so many images in bands of rows of the source. A window that two bands see is gone through for both.
    fn gradient_division(&self, images: usize) -> Division {
        Division {
            pieces: images,
            units: self.windows.source.height,
            cost: 2 * self.row_cost() / self.windows.stride,
        }
    }

    /// The gradient of `x`, so many rows an image.
    fn gradient(&self, x: &Tensor, result: &Tensor, gradient: &Tensor, each: usize) -> Result<Tensor> {
        // On a tape they are as the caller has them.
        let x = &x.contiguous()?;
        let result = &result.contiguous()?;
        let gradient = gradient.contiguous()?;
        let source = Dims {
            images: self.windows.source.images * each,
            ..self.windows.source
        };
        #[cfg(feature = "cuda")]
        if gradient.device().is_cuda() {
            let (images, height, width, channels) = self.windows.source.shape();
            let x = x.unsqueeze(1)?.broadcast_as((images, each, height, width, channels))?;
            let windows = self.windows.of_images(source.images);
            return cuda::maximum_gradient(windows, &x.contiguous()?.reshape(source.shape())?, &gradient);
        }
        let (x_storage, x_layout) = x.storage_and_layout();
        let (r_storage, r_layout) = result.storage_and_layout();
        let (g_storage, g_layout) = gradient.storage_and_layout();
        let values = host_floats(&x_storage, x_layout, MAX)?;
        let result = host_floats(&r_storage, r_layout, MAX)?;
        let gradient = host_floats(&g_storage, g_layout, MAX)?;
        let (source_len, output_len) = self.lengths();
        let mut output = Unwritten::new(source.elements());
        let pointer = output.pointer();
        self.gradient_division(source.images).for_each(|row, band| {
            let image = row / each;
            // SAFETY: within the output.
            let output = unsafe { pointer.at(row * source_len) };
            let kernel = Scatter {
                windows: self.windows,
                x: &values[image * source_len..][..source_len],
                result: &result[image * output_len..][..output_len],
                gradient: &gradient[row * output_len..][..output_len],
                band,
                output,
            };
            // SAFETY: the set is supported, the output is as long as the pool says, and its band is this task's alone.
            unsafe { self.set.run(kernel) }
        });
        // SAFETY: every band of every row has been written.
        let values = unsafe { output.finish() };
        Tensor::from_vec(values, source.shape(), x.device())
    }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        MAX
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = floats(x, layout, MAX)?;
        let (source_len, output_len) = self.lengths();
        let mut output = Unwritten::new(self.windows.output.elements());
        let pointer = output.pointer();
        self.division().for_each(|image, band| {
            // SAFETY: within the output.
            let output = unsafe { pointer.at(image * output_len) };
            let kernel = Maximum {
                windows: self.windows,
                x: &x[image * source_len..][..source_len],
                band,
                output,
            };
            // SAFETY: the set is supported, the output is as long as the pool says, and its band is this task's alone.
            unsafe { self.set.run(kernel) }
        });
        // SAFETY: every band of every image has been written.
        Ok((
            CpuStorage::F32(unsafe { output.finish() }),
            self.windows.output.shape().into(),
        ))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let output = cuda::maximum(self.windows, &Operand::new(x, layout)?)?;
        Ok((output, self.windows.output.shape().into()))
    }

    fn bwd(&self, x: &Tensor, result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        self.gradient(x, result, gradient, 1).map(Some)
    }
}

/// Maximum pooling of one image.
struct Maximum<'a> {
    windows: Windows,
    x: &'a [f32],
    /// Rows of the output.
    band: Range<usize>,
    output: *mut f32,
}

impl Kernel for Maximum<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let (source, output) = (self.windows.source, self.windows.output);
        let channels = source.channels;
        for y in self.band {
            let rows = self.windows.inside(y, source.height);
            for x in 0..output.width {
                let columns = self.windows.inside(x, source.width);
                let to = (y * output.width + x) * channels;
                for channel in (0..channels).step_by(LANES) {
                    let present = channels - channel;
                    // SAFETY: the window is inside the image and never empty.
                    unsafe {
                        let load = |row: usize, column: usize| {
                            let at = (row * source.width + column) * channels + channel;
                            V::load_partial(self.x.as_ptr().add(at), present)
                        };
                        let mut best = load(rows.start, columns.start);
                        for row in rows.clone() {
                            for column in columns.clone() {
                                best = best.greater_of(load(row, column));
                            }
                        }
                        best.store_partial(self.output.add(to + channel), present);
                    }
                }
            }
        }
    }
}

/// The gradient of maximum pooling of one image.
struct Scatter<'a> {
    windows: Windows,
    x: &'a [f32],
    result: &'a [f32],
    gradient: &'a [f32],
    /// Rows of the source.
    band: Range<usize>,
    output: *mut f32,
}

impl Kernel for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let (source, output) = (self.windows.source, self.windows.output);
        let channels = source.channels;
        let row_len = source.width * channels;
        // SAFETY: the output is one image of the source's size; the band and the windows are inside of it.
        unsafe {
            let band = self.output.add(self.band.start * row_len);
            band.write_bytes(0, self.band.len() * row_len);
            for y in self.windows.seeing(&self.band) {
                // Rows above the band only tell what has been taken; rows below it are for others.
                let rows = self.windows.inside(y, source.height);
                let within = rows.start.max(self.band.start)..rows.end.min(self.band.end);
                let above = rows.start..within.start;
                for x in 0..output.width {
                    let columns = self.windows.inside(x, source.width);
                    let from = (y * output.width + x) * channels;
                    for channel in (0..channels).step_by(LANES) {
                        let present = channels - channel;
                        let maximum = V::load_partial(self.result.as_ptr().add(from + channel), present);
                        // What the first tap with the maximum takes is no longer there for the next.
                        let mut left = V::load_partial(self.gradient.as_ptr().add(from + channel), present);
                        for row in above.clone() {
                            for column in columns.clone() {
                                let at = (row * source.width + column) * channels + channel;
                                let value = V::load_partial(self.x.as_ptr().add(at), present);
                                left = left.where_unequal(value, maximum);
                            }
                        }
                        for row in within.clone() {
                            for column in columns.clone() {
                                let at = (row * source.width + column) * channels + channel;
                                let value = V::load_partial(self.x.as_ptr().add(at), present);
                                let sum = V::load_partial(self.output.add(at), present);
                                sum.add(left.where_equal(value, maximum))
                                    .store_partial(self.output.add(at), present);
                                left = left.where_unequal(value, maximum);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A checked global average pooling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AveragePool {
    dims: Dims,
}

impl AveragePool {
    pub(crate) fn new(x: &Tensor) -> Result<Self> {
        Ok(Self {
            dims: Dims::of(x, AVERAGE)?,
        })
    }

    pub(crate) fn apply(self, x: &Tensor) -> Result<Tensor> {
        x.contiguous()?.apply_op1(self)
    }

    /// Each image in some vectors of channels.
    fn division(&self) -> Division {
        let Dims { images, channels, .. } = self.dims;
        Division {
            pieces: images,
            units: channels.div_ceil(LANES),
            cost: self.dims.height * self.dims.width,
        }
    }

    /// Each image in some pixels.
    fn gradient_division(&self) -> Division {
        let Dims { images, channels, .. } = self.dims;
        Division {
            pieces: images,
            units: self.dims.height * self.dims.width,
            cost: channels.div_ceil(LANES),
        }
    }
}

impl CustomOp1 for AveragePool {
    fn name(&self) -> &'static str {
        AVERAGE
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = floats(x, layout, AVERAGE)?;
        let Dims {
            images,
            height,
            width,
            channels,
        } = self.dims;
        let factor = 1.0 / (height * width) as f32;
        let mut output = vec![0f32; images * channels];
        let pointer = Shared::new(&mut output);
        let image_len = height * width * channels;
        self.division().for_each(|image, vectors| {
            let of = vectors.start * LANES..(vectors.end * LANES).min(channels);
            // SAFETY: these channels of this image are within the output, and this task's alone.
            let sums = unsafe { std::slice::from_raw_parts_mut(pointer.at(image * channels + of.start), of.len()) };
            for pixel in x[image * image_len..][..image_len].chunks_exact(channels) {
                for (sum, value) in sums.iter_mut().zip(&pixel[of.clone()]) {
                    *sum += value;
                }
            }
            for sum in sums {
                *sum *= factor;
            }
        });
        Ok((CpuStorage::F32(output), (images, channels).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let output = cuda::average_pool(self.dims, &Operand::new(x, layout)?)?;
        Ok((output, (self.dims.images, self.dims.channels).into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        #[cfg(feature = "cuda")]
        if gradient.device().is_cuda() {
            return Ok(Some(cuda::average_pool_gradient(self.dims, x, &gradient)?));
        }
        let (storage, layout) = gradient.storage_and_layout();
        let gradient = host_floats(&storage, layout, AVERAGE)?;
        let channels = self.dims.channels;
        let pixels = self.dims.height * self.dims.width;
        let factor = 1.0 / pixels as f32;
        let mut output = Unwritten::new(self.dims.elements());
        let pointer = output.pointer();
        self.gradient_division().for_each(|image, of| {
            let gradient = &gradient[image * channels..][..channels];
            for pixel in of {
                // SAFETY: this pixel is within the output, and this task's alone.
                let to = unsafe { pointer.at((image * pixels + pixel) * channels) };
                for (channel, value) in gradient.iter().enumerate() {
                    // SAFETY: as above.
                    unsafe { to.add(channel).write(value * factor) };
                }
            }
        });
        // SAFETY: every pixel of every image has been written.
        let values = unsafe { output.finish() };
        Ok(Some(Tensor::from_vec(values, x.shape(), x.device())?))
    }
}

#[cfg(test)]
impl MaxPool {
    /// The pooling of such a source.
    pub(crate) fn of(source: Dims, kernel: usize, stride: usize, padding: usize) -> Result<Self> {
        let windows = Windows::new(source, kernel, stride, padding, MAX)?;
        let set = InstructionSet::Portable;
        Ok(Self { windows, set })
    }

    /// Vector operations of each task on so many threads.
    pub(crate) fn costs(&self, threads: usize) -> Vec<usize> {
        self.division().costs(threads)
    }

    /// As [`Self::costs`], of the gradient.
    pub(crate) fn gradient_costs(&self, threads: usize) -> Vec<usize> {
        let tasks = self.gradient_division(self.windows.source.images).tasks(threads);
        tasks
            .map(|band| 2 * self.windows.seeing(&band).len() * self.row_cost())
            .collect()
    }
}

#[cfg(test)]
impl AveragePool {
    /// The loops of the pooling of such a source, forward and backward.
    pub(crate) fn loops(dims: Dims) -> [Division; 2] {
        let this = Self { dims };
        [this.division(), this.gradient_division()]
    }
}
