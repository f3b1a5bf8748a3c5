//! Decoded images, and how they are seen.

use std::ops::Range;

/// Decoded images, how each is seen, and their labels: `dataset`'s batch of pixels.
#[derive(Clone, Copy, Debug)]
pub struct SamplerInput<'a> {
    /// Side S of the squares, pixels.
    pub size: usize,
    /// All images' pixels, image after image and row after row: red, green, blue and one byte that is not looked at.
    pub pixels: &'a [u8],
    /// N of them.
    pub views: &'a [SampledView],
    /// The weights of all blurs.
    pub taps: &'a [f32],
    /// `[N, A]`, -1, 0 or +1.
    pub labels: &'a [f32],
}

/// How a square shows an image: sampled bilinearly at the transformed pixel centres, continued by its outermost pixels, in \[0, 1\]; blurred
/// along columns and rows with replicated edges; and lit, `(v - 0.5) contrast + 0.5 + brightness`, held to \[0, 1\].
#[derive(Clone, Debug, PartialEq)]
pub struct SampledView {
    /// Number of the image's first pixel in the batch.
    pub start: usize,
    /// Width of the image, pixels, at least 2.
    pub width: usize,
    /// Height of the image, pixels, at least 2.
    pub height: usize,
    /// a, b, tx, ty: the square's point (x, y) is the image's (a x - b y + tx, b x + a y + ty). Pixel centres are at halves.
    pub transform: [f64; 4],
    /// Whether the square is mirrored left to right.
    pub mirror: bool,
    /// The blur's weights in the batch's `taps`, from the middle outwards to one side; empty without a blur.
    pub taps: Range<usize>,
    /// Factor on the distance to 0.5.
    pub contrast: f32,
    /// What is added.
    pub brightness: f32,
}
