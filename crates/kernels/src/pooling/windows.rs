//! The sizes of a maximum pooling, for all that compute it.

use crate::dims::Dims;
use candle_core::{Result, bail};
use std::ops::Range;

/// Square windows of a source whose sizes fit each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    pub source: Dims,
    pub output: Dims,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
}

impl Windows {
    pub(crate) fn new(source: Dims, kernel: usize, stride: usize, padding: usize, op: &str) -> Result<Self> {
        if kernel == 0 || stride == 0 {
            bail!("{op}: expected a kernel and a stride of at least 1, got {kernel} and {stride}");
        }
        if padding > kernel / 2 {
            bail!("{op}: expected a padding of at most half the kernel {kernel}, got {padding}");
        }
        let extent = |size: usize| (size + 2 * padding).checked_sub(kernel).map(|room| room / stride + 1);
        let (Some(height), Some(width)) = (extent(source.height), extent(source.width)) else {
            bail!(
                "{op}: the kernel {kernel} exceeds the input {} x {} with padding {padding}",
                source.height,
                source.width
            );
        };
        let output = Dims {
            height,
            width,
            ..source
        };
        Ok(Self {
            source,
            output,
            kernel,
            stride,
            padding,
        })
    }

    /// The same for another number of images.
    #[cfg(feature = "cuda")]
    pub(crate) fn of_images(self, images: usize) -> Self {
        Self {
            source: Dims { images, ..self.source },
            output: Dims { images, ..self.output },
            ..self
        }
    }

    /// The part inside the image of the window of output row or column `index`.
    pub(crate) fn inside(&self, index: usize, size: usize) -> Range<usize> {
        let start = index * self.stride;
        start.saturating_sub(self.padding)..(start + self.kernel - self.padding).min(size)
    }
}
