//! Resampling of an image into an output square.
//!
//! Bilinear interpolation reads four pixels, so it aliases when the transform shrinks. Therefore the source is first
//! halved by 2 x 2 box averages as often as brings the remaining scale closest to 1 (a nearest mipmap level): with
//! CelebA's images in a square of 112, once. The loader keeps the halved images, which are a quarter of the size.

use image::RgbImage;

use super::similarity::Similarity;

/// Fills `out`, a square `[size, size, 3]` (channels last, values in \[0, 1\]), with `image` seen through `transform`,
/// which maps the square's coordinates to the image's.
///
/// Interpolation is bilinear between pixel centres. Where the transform shrinks by 2^k (k rounded), the image is halved
/// k times by averages of 2 x 2 pixels before, against aliasing. Beyond its border the image is continued by its
/// outermost pixels.
///
/// # Panics
/// When `out` does not have `3 size²` elements or the image has no pixel.
pub fn warp_into(image: &RgbImage, transform: &Similarity, size: usize, out: &mut [f32]) {
    let (pixels, transform) = Pixels::for_transform(image, transform);
    pixels.sample(&transform, false, size, out);
}

/// An image with four bytes a pixel (the last is padding), so that a pixel is one load, and at least two pixels in
/// each direction, so that every pixel but the last has a neighbour.
pub(crate) struct Pixels {
    width: usize,
    height: usize,
    data: Vec<[u8; 4]>,
}

impl Pixels {
    /// The image halved as `transform` needs, and the transform into the halved image.
    ///
    /// # Panics
    /// When the image has no pixel.
    pub(crate) fn for_transform(image: &RgbImage, transform: &Similarity) -> (Self, Similarity) {
        let (pixels, halvings) = Self::halved_for(image, transform);
        (pixels, shrunk(transform, halvings))
    }

    /// The image halved as `transform` needs, and how often that is.
    ///
    /// # Panics
    /// When the image has no pixel.
    pub(crate) fn halved_for(image: &RgbImage, transform: &Similarity) -> (Self, u32) {
        let mut pixels = Self::new(image);
        for done in 0..halvings(transform.scale()) {
            if pixels.width.min(pixels.height) <= 2 {
                return (pixels, done);
            }
            pixels = pixels.halved();
        }
        (pixels, halvings(transform.scale()))
    }

    /// Width and height.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Four bytes a pixel, row after row; the last is 0.
    pub(crate) fn rgbx(&self) -> &[u8] {
        self.data.as_flattened()
    }

    /// Three bytes a pixel, row after row.
    pub(crate) fn rgb(&self) -> impl Iterator<Item = u8> + '_ {
        self.data.iter().flat_map(|pixel| pixel[..3].iter().copied())
    }

    /// What [`rgb`](Self::rgb) gave; `None` for another number of bytes, or a side below 2.
    pub(crate) fn from_rgb((width, height): (usize, usize), rgb: &[u8]) -> Option<Self> {
        let pixels = width.checked_mul(height)?;
        if width.min(height) < 2 || rgb.len() != pixels.checked_mul(3)? {
            return None;
        }
        let data = rgb.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2], 0]).collect();
        Some(Self { width, height, data })
    }

    fn new(image: &RgbImage) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        assert!(width > 0 && height > 0, "the image has no pixel");
        let mut data = Vec::with_capacity(width.max(2) * height.max(2));
        for row in image.as_raw().chunks_exact(3 * width) {
            data.extend(row.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2], 0]));
            if width == 1 {
                data.extend(data.last().copied());
            }
        }
        if height == 1 {
            data.extend_from_within(..);
        }
        Self {
            width: width.max(2),
            height: height.max(2),
            data,
        }
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.data.as_slice())
    }

    /// Averages of 2 x 2 pixels; an odd side counts its last pixels twice. For sides above 2.
    fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut data = Vec::with_capacity(width * height);
        for rows in self.data.chunks(2 * self.width) {
            let (upper, lower) = rows.split_at(self.width);
            let lower = if lower.is_empty() { upper } else { lower };
            let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            data.extend(pairs.map(|(p, q)| mean([p[0], p[1], q[0], q[1]])));
            if self.width % 2 == 1 {
                let (p, q) = (upper[self.width - 1], lower[self.width - 1]);
                data.push(mean([p, p, q, q]));
            }
        }
        Self { width, height, data }
    }

    /// Fills the square `out` by bilinear interpolation alone; `mirror` flips the square left to right.
    pub(crate) fn sample(&self, transform: &Similarity, mirror: bool, size: usize, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function was compiled for.
            return unsafe { self.sample_avx2(transform, mirror, size, out) };
        }
        self.sample_portable(transform, mirror, size, out);
    }

    /// The same operations in the same order, in wider registers: the same bytes.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn sample_avx2(&self, transform: &Similarity, mirror: bool, size: usize, out: &mut [f32]) {
        self.sample_portable(transform, mirror, size, out);
    }

    #[inline(always)]
    fn sample_portable(&self, transform: &Similarity, mirror: bool, size: usize, out: &mut [f32]) {
        assert_eq!(out.len(), 3 * size * size, "the output must be [size, size, 3]");
        let direction = if mirror { -1.0 } else { 1.0 };
        let (step_x, step_y) = ((direction * transform.a) as f32, (direction * transform.b) as f32);
        let start = if mirror { size as f64 - 0.5 } else { 0.5 };
        let last = |side: usize| (side - 1).min(LARGEST_POSITION) as f32;
        let (last_x, last_y) = (last(self.width), last(self.height));
        let width = self.width as u32;

        // Positions first, pixels second: the compiler turns the first loop into vector instructions.
        let mut taps = Taps {
            position: [0; CHUNK],
            right: [0.0; CHUNK],
            lower: [0.0; CHUNK],
        };
        let mut mixed = [[0.0; 4]; CHUNK];
        for (y, row) in out.chunks_exact_mut(3 * size).enumerate() {
            // The centre of the row's first pixel, in a frame where the image's pixel centres are whole numbers.
            let [first_x, first_y] = transform.apply([start, y as f64 + 0.5]);
            let (first_x, first_y) = ((first_x - 0.5) as f32, (first_y - 0.5) as f32);
            for (chunk, pixels) in row.chunks_mut(3 * CHUNK).enumerate() {
                for x in 0..CHUNK {
                    let step = (chunk * CHUNK + x) as i32 as f32;
                    // In this order, maximum and minimum also turn NaN into a position inside.
                    let source_x = (first_x + step * step_x).max(0.0).min(last_x);
                    let source_y = (first_y + step * step_y).max(0.0).min(last_y);
                    // With the left pixel at most the last but one, the right one exists and its weight is at most 1.
                    let (left, left_value) = whole(source_x, last_x - 1.0);
                    let (upper, upper_value) = whole(source_y, last_y - 1.0);
                    taps.position[x] = upper * width + left;
                    taps.right[x] = source_x - left_value;
                    taps.lower[x] = source_y - upper_value;
                }
                for (x, mixed) in mixed.iter_mut().enumerate().take(pixels.len() / 3) {
                    let at = taps.position[x] as usize;
                    let top = &self.data[at..at + 2];
                    let bottom = &self.data[at + self.width..at + self.width + 2];
                    let top = mix(top[0].map(f32::from), top[1].map(f32::from), taps.right[x]);
                    let bottom = mix(bottom[0].map(f32::from), bottom[1].map(f32::from), taps.right[x]);
                    *mixed = mix(top, bottom, taps.lower[x]).map(|value| value * (1.0 / 255.0));
                }
                for (pixel, mixed) in pixels.chunks_exact_mut(3).zip(&mixed) {
                    pixel.copy_from_slice(&mixed[..3]);
                }
            }
        }
    }
}

/// Pixels whose positions are found together.
const CHUNK: usize = 64;
/// The last pixel that [`whole`] can name: what lies beyond in an image of more than 4 million pixels a side is not seen.
const LARGEST_POSITION: usize = 1 << 22;

/// Where the four pixels around each position start, and the weights of those to the right and below.
struct Taps {
    position: [u32; CHUNK],
    right: [f32; CHUNK],
    lower: [f32; CHUNK],
}

/// A whole number at most 1 below `value` and not above it, nor above `largest`; as integer and as float. For values
/// from 0 to 2^22.
///
/// Adding 3 * 2^22 rounds to a whole number and leaves it in the low bits. A checked conversion would keep the compiler
/// from using vector instructions and take most of the time.
#[inline]
fn whole(value: f32, largest: f32) -> (u32, f32) {
    const SHIFT: f32 = (3 << 22) as f32;
    let shifted = (value - 0.5 + SHIFT).min(largest + SHIFT);
    (shifted.to_bits() - SHIFT.to_bits(), shifted - SHIFT)
}

/// The mean of four pixels, rounded; two bytes at a time in the halves of a word.
#[inline]
fn mean(pixels: [[u8; 4]; 4]) -> [u8; 4] {
    const LOW: u32 = 0x00ff_00ff;
    let words = pixels.map(u32::from_le_bytes);
    let even: u32 = words.iter().map(|word| word & LOW).sum();
    let odd: u32 = words.iter().map(|word| word >> 8 & LOW).sum();
    let quarter = |sum: u32| (sum + 0x0002_0002) >> 2 & LOW;
    (quarter(even) | quarter(odd) << 8).to_le_bytes()
}

/// `(1 - weight) p + weight q`.
#[inline]
fn mix(p: [f32; 4], q: [f32; 4], weight: f32) -> [f32; 4] {
    std::array::from_fn(|c| p[c] + weight * (q[c] - p[c]))
}

/// The transform into an image that was halved.
pub(crate) fn shrunk(transform: &Similarity, halvings: u32) -> Similarity {
    (0..halvings).fold(*transform, |transform, _| transform.into_shrunk(2.0))
}

/// How often to halve an image before it is sampled with a step of `scale` pixels: the nearest integer to log2(scale),
/// at least 0.
fn halvings(scale: f64) -> u32 {
    // The cast saturates, and NaN becomes 0.
    (scale.log2().round() as u32).min(31)
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use proptest::prelude::*;

    use super::*;

    fn noise(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            let hash = (x * 7919 + y * 104_729 + 13).wrapping_mul(2_654_435_761);
            Rgb([(hash >> 8) as u8, (hash >> 16) as u8, (hash >> 24) as u8])
        })
    }

    fn warp(image: &RgbImage, transform: &Similarity, size: usize) -> Vec<f32> {
        let mut out = vec![f32::NAN; 3 * size * size];
        warp_into(image, transform, size, &mut out);
        out
    }

    /// The definition, in double precision and pixel by pixel.
    fn naive(image: &RgbImage, transform: &Similarity, size: usize) -> Vec<f32> {
        let (width, height) = (i64::from(image.width()), i64::from(image.height()));
        let pixel = |x: i64, y: i64, c: usize| {
            f64::from(image.get_pixel(x.clamp(0, width - 1) as u32, y.clamp(0, height - 1) as u32)[c])
        };
        let mut out = Vec::new();
        for j in 0..size {
            for i in 0..size {
                let [x, y] = transform.apply([i as f64 + 0.5, j as f64 + 0.5]);
                let (x, y) = (x - 0.5, y - 0.5);
                let (left, upper) = (x.floor() as i64, y.floor() as i64);
                let (wx, wy) = (x - x.floor(), y - y.floor());
                for c in 0..3 {
                    let value = (1.0 - wx) * (1.0 - wy) * pixel(left, upper, c)
                        + wx * (1.0 - wy) * pixel(left + 1, upper, c)
                        + (1.0 - wx) * wy * pixel(left, upper + 1, c)
                        + wx * wy * pixel(left + 1, upper + 1, c);
                    out.push((value / 255.0) as f32);
                }
            }
        }
        out
    }

    #[test]
    fn the_identity_copies() {
        let image = noise(5, 5);
        let expected: Vec<f32> = image
            .as_raw()
            .iter()
            .map(|&byte| f32::from(byte) * (1.0 / 255.0))
            .collect();
        assert_eq!(warp(&image, &Similarity::IDENTITY, 5), expected);
    }

    #[test]
    fn halving_averages_two_by_two() {
        let image = RgbImage::from_fn(3, 3, |x, y| Rgb([(10 * x + y) as u8, 0, 255]));
        let half = Pixels::new(&image).halved();
        // (0 + 10 + 1 + 11) / 4 = 5.5; the right column and the lower row count their pixels twice.
        assert_eq!(
            half.data,
            [[6, 0, 255, 0], [21, 0, 255, 0], [7, 0, 255, 0], [22, 0, 255, 0]]
        );
    }

    #[test]
    fn shrinking_by_two_is_the_mean_of_four() {
        let image = noise(8, 8);
        let shrink = Similarity {
            a: 2.0,
            ..Similarity::IDENTITY
        };
        let small = warp(&image, &shrink, 4);
        for (index, &value) in small.iter().enumerate() {
            let (x, y, c) = (index as u32 / 3 % 4, index as u32 / 12, index % 3);
            let mean = [(0, 0), (1, 0), (0, 1), (1, 1)]
                .map(|(dx, dy)| f32::from(image.get_pixel(2 * x + dx, 2 * y + dy)[c]))
                .iter()
                .sum::<f32>()
                / (4.0 * 255.0);
            // Halved images are kept in bytes.
            assert!((value - mean).abs() <= 0.5 / 255.0 + 1e-6, "{value} {mean}");
        }
    }

    #[test]
    fn a_checkerboard_finer_than_the_square_turns_gray() {
        let board = RgbImage::from_fn(64, 64, |x, y| Rgb([if (x + y) % 2 == 0 { 0 } else { 254 }; 3]));
        let transform = Similarity::about(2.0, 0.3, [16.0, 16.0], [32.3, 31.8]);
        assert!(
            warp(&board, &transform, 32)
                .iter()
                .all(|value| (value - 127.0 / 255.0).abs() < 1e-6)
        );
    }

    #[test]
    fn halvings_bring_the_scale_nearest_to_one() {
        for (scale, expected) in [
            (0.1, 0),
            (1.0, 0),
            (1.4, 0),
            (1.5, 1),
            (2.0, 1),
            (2.8, 1),
            (2.9, 2),
            (1e300, 31),
        ] {
            assert_eq!(halvings(scale), expected, "{scale}");
        }
        assert_eq!(halvings(f64::NAN), 0);
        assert_eq!(halvings(0.0), 0);
    }

    #[test]
    fn whole_numbers_leave_a_weight_between_zero_and_one() {
        for value in [
            0.0,
            0.25,
            0.5,
            0.75,
            1.0,
            1.5,
            2.0,
            2.5,
            176.99,
            177.0,
            4_194_303.5,
            4_194_304.0,
        ] {
            let (integer, float) = whole(value, 4_194_303.0);
            assert_eq!(integer as f32, float);
            assert!((0.0..=1.0).contains(&(value - float)), "{value}: {float}");
        }
        assert_eq!(whole(7.0, 6.0), (6, 6.0));
        assert_eq!(whole(0.0, 0.0), (0, 0.0));
    }

    #[test]
    fn a_transform_that_is_no_number_does_no_harm() {
        let broken = Similarity {
            a: f64::NAN,
            b: f64::INFINITY,
            tx: f64::NAN,
            ty: f64::NEG_INFINITY,
        };
        assert_eq!(warp(&noise(3, 3), &broken, 2).len(), 12);
    }

    #[test]
    fn every_processor_gives_the_same_bytes() {
        let pixels = Pixels::new(&noise(61, 47));
        let transform = Similarity::about(0.8, 0.4, [50.0, 50.0], [30.0, 20.0]);
        let (mut here, mut portable) = (vec![0.0; 3 * 100 * 100], vec![0.0; 3 * 100 * 100]);
        for mirror in [false, true] {
            pixels.sample(&transform, mirror, 100, &mut here);
            pixels.sample_portable(&transform, mirror, 100, &mut portable);
            assert!(here == portable);
        }
    }

    proptest! {
        #[test]
        fn bilinear_agrees_with_its_definition(
            (width, height, size) in (1u32..9, 1u32..9, 1usize..12),
            (scale, angle) in (0.2f64..1.4, -4.0f64..4.0),
            to in [-3.0f64..12.0, -3.0..12.0],
        ) {
            let image = noise(width, height);
            let middle = size as f64 / 2.0;
            let transform = Similarity::about(scale, angle, [middle, middle], to);
            for (ours, naive) in warp(&image, &transform, size).iter().zip(naive(&image, &transform, size)) {
                // Single precision positions up to 20 pixels: 2e-6 pixels, and a step of at most 1 per pixel.
                prop_assert!((ours - naive).abs() < 1e-5, "{ours} {naive}");
            }
        }

        #[test]
        fn mirroring_swaps_left_and_right(
            (size, angle) in (1usize..12, -4.0f64..4.0),
            to in [-3.0f64..12.0, -3.0..12.0],
        ) {
            let image = noise(7, 6);
            let transform = Similarity::about(0.9, angle, [0.0, 0.0], to);
            let mut mirrored = vec![0.0; 3 * size * size];
            Pixels::new(&image).sample(&transform, true, size, &mut mirrored);
            let plain = warp(&image, &transform, size);
            for (index, value) in mirrored.iter().enumerate() {
                let (x, c, row) = (index / 3 % size, index % 3, index / (3 * size));
                let other = plain[3 * (row * size + size - 1 - x) + c];
                prop_assert!((value - other).abs() < 1e-5);
            }
        }
    }
}
