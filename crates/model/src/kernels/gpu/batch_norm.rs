//! Batch normalisation with residual and ReLU: the kernels of `batch_norm.cuh`.

use super::{Address, Element, Machine, Matrix, arguments};
use crate::kernels::storage::Dims;
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
    /// `[C]` float32.
    pub scale: Address,
    pub relu: bool,
}

/// What a backward pass reads and writes. All but the sums are of the layer's element and dimensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gradients {
    pub x: Address,
    pub result: Address,
    pub gradient: Address,
    /// Written: the gradient of `x`.
    pub of_x: Address,
    /// Written: the gradient of the residual. [`Address::NONE`] where nothing asks for it, and where without a ReLU it is `gradient`.
    pub of_residual: Address,
    /// Written: the gradients of scale and shift, `[2, C]` float32.
    pub of_parameters: Address,
}

/// Mean and biased variance of each channel of `x`, `[C]` float32 each.
///
/// # Safety
/// The addresses are those of such arrays.
pub(crate) unsafe fn statistics<M: Machine>(
    machine: &M,
    dims: Dims,
    element: Element,
    x: Address,
    [mean, variance]: [Address; 2],
) -> Result<()> {
    let matrix = Matrix::of(dims)?;
    let Matrix { rows, channels } = matrix;
    let grid = matrix.sums();
    let (_memory, partial) = machine.scratch(3 * grid[1] as usize * dims.channels)?;
    // SAFETY: the kernels' own arguments; `partial` holds three numbers for each part and channel.
    unsafe {
        machine.launch(&element.kernel("moments"), grid, arguments![x, partial, rows, channels])?;
        machine.launch(
            "moments_of_chunks",
            matrix.joined(),
            arguments![partial, grid[1], channels, mean, variance],
        )
    }
}

impl Layer {
    /// `y` of `x`; a residual of [`Address::NONE`] is none.
    ///
    /// # Safety
    /// The addresses are those of arrays as the layer says.
    pub(crate) unsafe fn forward<M: Machine>(
        &self,
        machine: &M,
        x: Address,
        shift: Address,
        residual: Address,
        y: Address,
    ) -> Result<()> {
        let matrix = Matrix::of(self.dims)?;
        let Matrix { rows, channels } = matrix;
        let Self {
            mean,
            variance,
            epsilon,
            scale,
            relu,
            ..
        } = *self;
        let arguments = arguments![
            x, mean, variance, epsilon, scale, shift, residual, relu, y, rows, channels
        ];
        // SAFETY: the kernel's own arguments.
        unsafe { machine.launch(&self.element.kernel("normalise"), matrix.each_element(), arguments) }
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
            ..
        } = *self;
        let result = if self.relu { of.result } else { Address::NONE };
        let grid = matrix.sums();
        let (_memory, partial) = machine.scratch(2 * grid[1] as usize * self.dims.channels)?;
        let (_memory, coefficients) = machine.scratch(3 * self.dims.channels)?;
        let (of_scale, of_shift) = (of.of_parameters, of.of_parameters.behind(self.dims.channels));
        // Once the gradient before the ReLU is written, the result need not be read again.
        let (masked, gradient) = match of.of_residual {
            Address::NONE => (result, of.gradient),
            of_residual => (Address::NONE, of_residual),
        };
        // SAFETY: the kernels' own arguments; `partial` holds two numbers for each part and channel.
        unsafe {
            machine.launch(
                &self.element.kernel("gradient_sums"),
                grid,
                arguments![
                    of.x,
                    mean,
                    variance,
                    epsilon,
                    result,
                    of.gradient,
                    of.of_residual,
                    partial,
                    rows,
                    channels
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
                    variance,
                    epsilon,
                    scale,
                    of_scale,
                    of_shift,
                    coefficients
                ],
            )?;
            machine.launch(
                &self.element.kernel("input_gradient"),
                matrix.each_element(),
                arguments![of.x, mean, coefficients, masked, gradient, of.of_x, rows, channels],
            )
        }
    }
}
