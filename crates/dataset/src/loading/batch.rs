use std::ops::Range;

use super::augmentation::Draw;
use crate::Similarity;
use crate::geometry::Pixels;

/// Images and labels, ready for a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The images' indices in the source, N of them.
    pub indices: Vec<usize>,
    /// Aligned images `[N, S, S, 3]`, channels last, values in \[0, 1\].
    pub images: Vec<f32>,
    /// Labels `[N, A]`: 1, -1, or 0 where not annotated.
    pub labels: Vec<f32>,
}

/// A batch before its images are sampled: what a GPU needs to make the images of a [`Batch`] itself. A quarter of the
/// bytes, and none of the arithmetic but the decoding.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelBatch {
    /// The images' indices in the source, N of them.
    pub indices: Vec<usize>,
    /// Side of the squares, pixels.
    pub size: usize,
    /// All images' pixels, image after image and row after row: red, green, blue and 0.
    pub pixels: Vec<u8>,
    /// How each image is seen, N of them.
    pub views: Vec<View>,
    /// The weights of all blurs.
    pub taps: Vec<f32>,
    /// Labels `[N, A]`: 1, -1, or 0 where not annotated.
    pub labels: Vec<f32>,
}

/// How a square of the batch shows an image.
///
/// The square's pixel centre p takes the image at `transform` (p), mirrored left to right first where `mirror` says so,
/// interpolated bilinearly between pixel centres and continued by its outermost pixels; in \[0, 1\]. It is blurred along columns and rows with
/// replicated edges. Last, a value v becomes `(v - 0.5) contrast + 0.5 + brightness`, held to \[0, 1\].
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Number of the image's first pixel among the batch's.
    pub start: usize,
    /// Width of the image, pixels, at least 2.
    pub width: usize,
    /// Height of the image, pixels, at least 2.
    pub height: usize,
    /// From the square to the image.
    pub transform: Similarity,
    /// Whether the square is mirrored.
    pub mirror: bool,
    /// Where in the batch's `taps` the blur's weights are, from the middle outwards to one side; empty without one.
    pub taps: Range<usize>,
    /// Factor on the distance to 0.5; 1 changes nothing.
    pub contrast: f32,
    /// What is added; 0 changes nothing.
    pub brightness: f32,
}

impl PixelBatch {
    /// Without images, in memory of an earlier batch.
    pub(crate) fn new(size: usize, mut pixels: Vec<u8>) -> Self {
        pixels.clear();
        Self {
            indices: Vec::new(),
            size,
            pixels,
            views: Vec::new(),
            taps: Vec::new(),
            labels: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, index: usize, pixels: &Pixels, alignment: &Similarity, draw: &Draw) {
        let (width, height) = pixels.size();
        let first_tap = self.taps.len();
        self.taps.extend(draw.taps(self.size));
        self.views.push(View {
            start: self.pixels.len() / 4,
            width,
            height,
            transform: draw.transform(alignment, self.size),
            mirror: draw.mirror,
            taps: first_tap..self.taps.len(),
            contrast: draw.contrast,
            brightness: draw.brightness,
        });
        self.pixels.extend_from_slice(pixels.rgbx());
        self.indices.push(index);
    }
}
