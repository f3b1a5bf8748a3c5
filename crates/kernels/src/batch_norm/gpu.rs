//! Batch normalisation with residual and ReLU: the kernels of `batch_norm.cuh`.

use crate::dims::Dims;
use crate::gpu::{Address, Element, Machine, Matrix, arguments};
use candle_core::Result;

/// How `x` is normalised, and what follows: see `batch_norm.cuh`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    pub dims: Dims,
    /// Of `x`, the residual, the result, and their gradients.
    pub element: Element,
    /// `[C]` float32 each; both [`Address::NONE`] where scale and shift alone act.
    pub mean: Address,
    pub variance: Address,
    pub epsilon: f32,
    /// `[C]` float32 each.
    pub scale: Address,
    pub shift: Address,
    /// Of the layer's dimensions; [`Address::NONE`] for none.
    pub residual: Address,
    pub relu: bool,
}

/// What a backward pass reads and writes. All but the sums are of the layer's element and dimensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gradients {
    pub x: Address,
    /// The result's gradient; where the second is not [`Address::NONE`], their sum.
    pub of_result: [Address; 2],
    /// Written: the gradient of `x`.
    pub of_x: Address,
    /// Written: the gradient before the ReLU, which is the residual's. [`Address::NONE`] where nothing asks for it; two gradients of the
    /// result ask for it.
    pub before_relu: Address,
    /// Written: the gradients of scale and shift, `[C]` float32 each.
    pub of_scale: Address,
    pub of_shift: Address,
}

/// Statistics that follow those of the batches, as PyTorch's: by `momentum` from the old to the new.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    /// `[C]` float32 each.
    pub mean: Address,
    pub variance: Address,
    pub momentum: f32,
}

/// Mean and biased variance of each channel of `x`, `[C]` float32 each. Running ones, if there are any, move towards them; the variance
/// towards the unbiased one, which a single value does not have: there it is the biased one, 0.
///
/// # Safety
/// The addresses are those of such arrays.
pub(crate) unsafe fn statistics<M: Machine>(
    machine: &M,
    dims: Dims,
    element: Element,
    x: Address,
    [mean, variance]: [Address; 2],
    running: Option<Running>,
) -> Result<()> {
    let matrix = Matrix::of(dims)?;
    let Matrix { rows, channels } = matrix;
    let shares = matrix.shares(element, &[x]);
    let grid = shares.sums();
    let (_memory, partial) = machine.scratch(3 * grid[1] as usize * dims.channels)?;
    let running = running.unwrap_or(Running {
        mean: Address::NONE,
        variance: Address::NONE,
        momentum: 0.0,
    });
    let unbiased = (f64::from(rows) / f64::from(rows.saturating_sub(1).max(1))) as f32;
    // SAFETY: the kernels' own arguments; `partial` holds three numbers for each part and channel.
    unsafe {
        machine.launch(
            &shares.kernel("moments"),
            grid,
            arguments![x, partial, rows, channels, shares.lanes],
        )?;
        machine.launch(
            "moments_of_chunks",
            matrix.joined(),
            arguments![
                partial,
                grid[1],
                channels,
                Matrix::JOINING_LANES,
                mean,
                variance,
                running.mean,
                running.variance,
                running.momentum,
                unbiased
            ],
        )
    }
}

impl Layer {
    /// `y` of `x`.
    ///
    /// # Safety
    /// The addresses are those of arrays as the layer says.
    pub(crate) unsafe fn forward<M: Machine>(&self, machine: &M, x: Address, y: Address) -> Result<()> {
        let matrix = Matrix::of(self.dims)?;
        let Matrix { rows, channels } = matrix;
        let Self {
            mean,
            variance,
            epsilon,
            scale,
            shift,
            residual,
            relu,
            ..
        } = *self;
        let shares = matrix.shares(self.element, &[x, residual, y]);
        let arguments = arguments![
            x,
            mean,
            variance,
            epsilon,
            scale,
            shift,
            residual,
            relu,
            y,
            rows,
            channels,
            shares.lanes
        ];
        // SAFETY: the kernel's own arguments.
        unsafe { machine.launch(&shares.kernel("normalise"), shares.each_element(), arguments) }
    }

    /// All gradients.
    ///
    /// # Safety
    /// The addresses are those of arrays as the layer and [`Gradients`] say.
    pub(crate) unsafe fn backward<M: Machine>(&self, machine: &M, of: Gradients) -> Result<()> {
        let matrix = Matrix::of(self.dims)?;
        let Matrix { rows, channels } = matrix;
        let Self {
            mean,
            variance,
            epsilon,
            scale,
            shift,
            residual,
            relu,
            ..
        } = *self;
        let [gradient, other] = of.of_result;
        let shares = matrix.shares(
            self.element,
            &[of.x, residual, gradient, other, of.of_x, of.before_relu],
        );
        let grid = shares.sums();
        let (_memory, partial) = machine.scratch(2 * grid[1] as usize * self.dims.channels)?;
        let (_memory, coefficients) = machine.scratch(3 * self.dims.channels)?;
        // Once the gradient before the ReLU is written, the ReLU need not be asked again.
        let (direct, still_relu) = match of.before_relu {
            Address::NONE => (gradient, relu),
            before_relu => (before_relu, false),
        };
        // SAFETY: the kernels' own arguments; `partial` holds two numbers for each part and channel.
        unsafe {
            machine.launch(
                &shares.kernel("gradient_sums"),
                grid,
                arguments![
                    of.x,
                    mean,
                    variance,
                    epsilon,
                    scale,
                    shift,
                    residual,
                    relu,
                    gradient,
                    other,
                    of.before_relu,
                    partial,
                    rows,
                    channels,
                    shares.lanes
                ],
            )?;
            machine.launch(
                "sums_of_chunks",
                matrix.joined(),
                arguments![
                    partial,
                    grid[1],
                    rows,
                    channels,
                    Matrix::JOINING_LANES,
                    variance,
                    epsilon,
                    scale,
                    of.of_scale,
                    of.of_shift,
                    coefficients
                ],
            )?;
            machine.launch(
                &shares.kernel("input_gradient"),
                shares.each_element(),
                arguments![
                    of.x,
                    mean,
                    variance,
                    epsilon,
                    scale,
                    shift,
                    coefficients,
                    residual,
                    still_relu,
                    direct,
                    of.of_x,
                    rows,
                    channels,
                    shares.lanes
                ],
            )
        }
    }
}
