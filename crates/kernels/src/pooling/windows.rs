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
    /// The output rows whose windows see any of these rows of the source.
    pub(crate) fn seeing(&self, rows: &Range<usize>) -> Range<usize> {
        let start = (rows.start + self.padding + 1)
            .saturating_sub(self.kernel)
            .div_ceil(self.stride);
        let end = (rows.end + self.padding).div_ceil(self.stride).min(self.output.height);
        start.min(end)..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_seen_by_the_windows_that_hold_them() {
        for (height, kernel, stride, padding) in [(7, 3, 2, 1), (8, 3, 1, 1), (9, 2, 3, 0), (5, 1, 1, 0), (10, 3, 3, 1)]
        {
            let source = Dims {
                images: 1,
                height,
                width: height,
                channels: 1,
            };
            let windows = Windows::new(source, kernel, stride, padding, "test").unwrap();
            for start in 0..height {
                for end in start + 1..=height {
                    let sees = |y: &usize| {
                        let inside = windows.inside(*y, height);
                        inside.start < end && inside.end > start
                    };
                    let found: Vec<usize> = windows.seeing(&(start..end)).collect();
                    let expected: Vec<usize> = (0..windows.output.height).filter(sees).collect();
                    assert_eq!(found, expected, "{windows:?}, rows {start}..{end}");
                }
            }
        }
    }
}
