//! Dimensions of channels-last tensors, and what layers demand of their arguments.

use candle_core::{DType, Result, Tensor, bail};

/// Dimensions of a channels-last tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Dims {
    pub images: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

impl Dims {
    /// Reads them off `x`, which must be a four-dimensional tensor of a type that [`check_float`] takes, without empty dimensions.
    pub(crate) fn of(x: &Tensor, op: &str) -> Result<Self> {
        let (images, height, width, channels) = match *x.dims() {
            [n, h, w, c] if n > 0 && h > 0 && w > 0 && c > 0 => (n, h, w, c),
            ref other => bail!("{op}: expected a non-empty input [N, H, W, C], got shape {other:?}"),
        };
        check_float(x, op, "input")?;
        Ok(Self {
            images,
            height,
            width,
            channels,
        })
    }

    pub(crate) fn pixels(&self) -> usize {
        self.images * self.height * self.width
    }

    pub(crate) fn elements(&self) -> usize {
        self.pixels() * self.channels
    }

    pub(crate) fn array(&self) -> [usize; 4] {
        [self.images, self.height, self.width, self.channels]
    }

    pub(crate) fn shape(&self) -> (usize, usize, usize, usize) {
        (self.images, self.height, self.width, self.channels)
    }
}

/// Refuses tensors that are not float32, or on a GPU bfloat16.
pub(crate) fn check_float(x: &Tensor, op: &str, what: &str) -> Result<()> {
    let coarse = x.dtype() == DType::BF16 && x.device().is_cuda();
    if x.dtype() != DType::F32 && !coarse {
        bail!("{op}: expected {what} of type float32, got {:?}", x.dtype());
    }
    Ok(())
}

/// Refuses anything but a tensor of the result's dimensions, and of a type that [`check_float`] takes.
pub(crate) fn check_residual(residual: &Tensor, result: Dims, op: &str) -> Result<()> {
    check_float(residual, op, "residual")?;
    if residual.dims() != result.array() {
        bail!(
            "{op}: expected a residual of the result's shape {:?}, got {:?}",
            result.array(),
            residual.dims()
        );
    }
    Ok(())
}

/// Refuses anything but a vector with one element per channel, of a type that [`check_float`] takes.
pub(crate) fn check_channels(vector: &Tensor, channels: usize, op: &str, what: &str) -> Result<()> {
    check_float(vector, op, what)?;
    if vector.dims() != [channels] {
        bail!(
            "{op}: expected {what} of shape [{channels}], one value a channel, got {:?}",
            vector.dims()
        );
    }
    Ok(())
}
