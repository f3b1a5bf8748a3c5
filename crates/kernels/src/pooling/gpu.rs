//! Pooling: the kernels of `pooling.cuh`.

use super::windows::Windows;
use crate::dims::Dims;
use crate::gpu::{Address, BLOCK, Element, Machine, Matrix, arguments};
use candle_core::{Result, bail};

/// Mean over the pixels of `x`: `y` `[N, C]` float32.
///
/// # Safety
/// The addresses are those of such arrays.
pub(crate) unsafe fn average<M: Machine>(
    machine: &M,
    dims: Dims,
    element: Element,
    x: Address,
    y: Address,
) -> Result<()> {
    let Matrix { rows, channels } = Matrix::of(dims)?;
    let images = images(dims, rows)?;
    let grid = [channels.div_ceil(BLOCK[0]), images];
    // SAFETY: the kernel's own arguments.
    unsafe {
        machine.launch(
            &element.kernel("average_pool"),
            grid,
            arguments![x, y, rows / images, channels],
        )
    }
}

/// The gradient of [`average`]'s input, of the result's gradient `[N, C]` float32.
///
/// # Safety
/// The addresses are those of such arrays.
pub(crate) unsafe fn average_gradient<M: Machine>(
    machine: &M,
    dims: Dims,
    element: Element,
    gradient: Address,
    of_x: Address,
) -> Result<()> {
    let matrix = Matrix::of(dims)?;
    let Matrix { rows, channels } = matrix;
    let images = images(dims, rows)?;
    let arguments = arguments![gradient, of_x, images, rows / images, channels];
    // SAFETY: the kernel's own arguments.
    unsafe {
        machine.launch(
            &element.kernel("average_pool_gradient"),
            matrix.each_element(),
            arguments,
        )
    }
}

/// A grid has at most 2^16 - 1 rows.
fn images(dims: Dims, rows: u32) -> Result<u32> {
    match u16::try_from(dims.images) {
        Ok(images) => Ok(images.into()),
        Err(_) => bail!(
            "expected fewer than 2^16 images at once, got {} with {rows} pixels",
            dims.images
        ),
    }
}

/// The largest of each window of `x`.
///
/// # Safety
/// The addresses are those of arrays of the source's and the output's dimensions.
pub(crate) unsafe fn maximum<M: Machine>(
    machine: &M,
    windows: Windows,
    element: Element,
    x: Address,
    y: Address,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { find(machine, windows, element, [x, y, Address::NONE]) }
}

/// The largest of each window, and its place in it, a byte each; either may be [`Address::NONE`].
unsafe fn find<M: Machine>(
    machine: &M,
    windows: Windows,
    element: Element,
    [x, y, winners]: [Address; 3],
) -> Result<()> {
    let [height, width, output_height, output_width, kernel, stride, padding] = sizes(windows)?;
    let shares = Matrix::of(windows.output)?.shares(element, &[x, y, winners]);
    let arguments = arguments![
        x,
        y,
        winners,
        height,
        width,
        output_height,
        output_width,
        kernel,
        stride,
        padding,
        Matrix::new(windows.source.images, 1)?.rows,
        Matrix::of(windows.source)?.channels,
        shares.lanes
    ];
    // SAFETY: the kernel's own arguments.
    unsafe { machine.launch(&shares.kernel("max_pool"), shares.each_element(), arguments) }
}

/// The gradient of [`maximum`]'s input, of the result's `gradient`. Who has won each window is found again: that takes less than to have
/// kept it.
///
/// # Safety
/// The addresses are those of arrays of the source's and the output's dimensions.
pub(crate) unsafe fn maximum_gradient<M: Machine>(
    machine: &M,
    windows: Windows,
    element: Element,
    [x, gradient, of_x]: [Address; 3],
) -> Result<()> {
    let [height, width, output_height, output_width, kernel, stride, padding] = sizes(windows)?;
    let (_memory, winners) = machine.scratch(windows.output.elements().div_ceil(4))?;
    let shares = Matrix::of(windows.source)?.shares(element, &[winners, gradient, of_x]);
    let arguments = arguments![
        winners,
        gradient,
        of_x,
        height,
        width,
        output_height,
        output_width,
        kernel,
        stride,
        padding,
        Matrix::new(windows.source.images, 1)?.rows,
        Matrix::of(windows.source)?.channels,
        shares.lanes
    ];
    // SAFETY: the kernels' own arguments; `winners` has a byte for each element of the output.
    unsafe {
        find(machine, windows, element, [x, Address::NONE, winners])?;
        machine.launch(&shares.kernel("max_pool_gradient"), shares.each_element(), arguments)
    }
}

fn sizes(windows: Windows) -> Result<[u32; 7]> {
    let Windows {
        source,
        output,
        kernel,
        stride,
        padding,
    } = windows;
    if kernel > 15 {
        bail!("max pooling: expected windows of at most 15 x 15 on a GPU, got {kernel} x {kernel}");
    }
    let sizes = [
        source.height,
        source.width,
        output.height,
        output.width,
        kernel,
        stride,
        padding,
    ];
    let mut counts = [0; 7];
    for (count, size) in counts.iter_mut().zip(sizes) {
        *count = Matrix::new(size, 1)?.rows;
    }
    Ok(counts)
}
