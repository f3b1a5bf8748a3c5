//! Resampling of an image into an output square.
//!
//! Bilinear interpolation reads four pixels, so it aliases when the transform shrinks. Therefore the source is first
//! halved by 2 x 2 box averages as often as brings the remaining scale closest to 1 (a nearest mipmap level): with
//! CelebA's images in a square of 112, once. The loader keeps the halved images, which are a quarter of the size.

use std::borrow::Cow;

use image::RgbImage;

use crate::Similarity;

/// Fills `out`, a square `[size, size, 3]` (channels last, values in \[0, 1\]), with `image` seen through `transform`,
/// which maps the square's coordinates to the image's.
///
/// Interpolation is bilinear between pixel centres, after halving where the transform shrinks to less than
/// 1/sqrt(2) (see the module's source). Beyond its border the image is continued by its outermost pixels.
///
/// # Panics
/// When `out` does not have `3 size²` elements or the image has no pixel.
pub fn warp_into(image: &RgbImage, transform: &Similarity, size: usize, out: &mut [f32]) {
    let halvings = halvings(transform.scale());
    let image = halve(image, halvings);
    bilinear(
        &image,
        &transform.into_shrunk(f64::from(1u32 << halvings)),
        false,
        size,
        out,
    );
}

/// How often to halve an image before it is sampled with a step of `scale` pixels: the nearest integer to log2(scale),
/// at least 0.
pub(crate) fn halvings(scale: f64) -> u32 {
    // The cast saturates, and NaN becomes 0. No image has more than 2^31 pixels a side.
    (scale.log2().round() as u32).min(31)
}

/// The image halved `times` times by averages of 2 x 2 pixels. An odd side counts its last pixels twice.
pub(crate) fn halve(image: &RgbImage, times: u32) -> Cow<'_, RgbImage> {
    let mut image = Cow::Borrowed(image);
    for _ in 0..times {
        if image.dimensions() == (1, 1) {
            break;
        }
        image = Cow::Owned(halve_once(&image));
    }
    image
}

fn halve_once(image: &RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let row = |y: u32| {
        let stride = width as usize * 3;
        &image.as_raw()[y.min(height - 1) as usize * stride..][..stride]
    };
    let mut data = Vec::with_capacity(half_width as usize * half_height as usize * 3);
    for y in 0..half_height {
        let (upper, lower) = (row(2 * y), row(2 * y + 1));
        let mut pairs = upper.chunks_exact(6).zip(lower.chunks_exact(6));
        for (p, q) in pairs.by_ref() {
            for c in 0..3 {
                let sum = u16::from(p[c]) + u16::from(p[c + 3]) + u16::from(q[c]) + u16::from(q[c + 3]);
                data.push(((sum + 2) / 4) as u8);
            }
        }
        if width % 2 == 1 {
            let last = upper.len() - 3;
            for c in last..last + 3 {
                data.push((u16::from(upper[c]) + u16::from(lower[c])).div_ceil(2) as u8);
            }
        }
    }
    match RgbImage::from_raw(half_width, half_height, data) {
        Some(image) => image,
        None => unreachable!("one pixel is pushed per pixel of the halved image"),
    }
}

/// Samples `image` through `transform` without a filter before; `mirror` flips the square left to right.
pub(crate) fn bilinear(image: &RgbImage, transform: &Similarity, mirror: bool, size: usize, out: &mut [f32]) {
    assert_eq!(out.len(), 3 * size * size, "the output must be [size, size, 3]");
    let (width, height) = (image.width() as usize, image.height() as usize);
    assert!(width > 0 && height > 0, "the image has no pixel");
    let data = image.as_raw().as_slice();
    let stride = 3 * width;
    // Offsets of the pixel to the right and of the one below: none where the image is one pixel wide or high.
    let (right, below) = (if width > 1 { 3 } else { 0 }, if height > 1 { stride } else { 0 });
    let (last_x, last_y) = ((width - 1) as f32, (height - 1) as f32);
    let (last_left, last_upper) = (width.saturating_sub(2), height.saturating_sub(2));
    let (step_x, step_y) = match mirror {
        false => (transform.a as f32, transform.b as f32),
        true => (-transform.a as f32, -transform.b as f32),
    };
    let start = if mirror { size as f64 - 0.5 } else { 0.5 };

    for (y, row) in out.chunks_exact_mut(3 * size).enumerate() {
        // The centre of the row's first pixel, in a frame where the image's pixel centres are whole numbers.
        let [first_x, first_y] = transform.apply([start, y as f64 + 0.5]);
        let (first_x, first_y) = ((first_x - 0.5) as f32, (first_y - 0.5) as f32);
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let source_x = (first_x + x as f32 * step_x).clamp(0.0, last_x);
            let source_y = (first_y + x as f32 * step_y).clamp(0.0, last_y);
            // With the left pixel at most the last but one, the right pixel exists and its weight is at most 1.
            let left = (source_x as usize).min(last_left);
            let upper = (source_y as usize).min(last_upper);
            let (wx, wy) = (source_x - left as f32, source_y - upper as f32);
            let at = upper * stride + 3 * left;
            let (top, bottom) = (&data[at..at + right + 3], &data[at + below..at + below + right + 3]);
            for c in 0..3 {
                let (tl, tr) = (f32::from(top[c]), f32::from(top[right + c]));
                let (bl, br) = (f32::from(bottom[c]), f32::from(bottom[right + c]));
                let (t, b) = (tl + wx * (tr - tl), bl + wx * (br - bl));
                pixel[c] = (t + wy * (b - t)) * (1.0 / 255.0);
            }
        }
    }
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
        let half = halve(&image, 1);
        assert_eq!(half.dimensions(), (2, 2));
        // (0 + 10 + 1 + 11) / 4 = 5.5; the right column counts its pixels twice.
        assert_eq!(half.get_pixel(0, 0), &Rgb([6, 0, 255]));
        assert_eq!(half.get_pixel(1, 0), &Rgb([21, 0, 255]));
        assert_eq!(half.get_pixel(1, 1), &Rgb([22, 0, 255]));
        assert_eq!(halve(&image, 9).dimensions(), (1, 1));
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
    fn a_transform_that_is_no_number_does_no_harm() {
        let broken = Similarity {
            a: f64::NAN,
            b: f64::INFINITY,
            tx: f64::NAN,
            ty: f64::NEG_INFINITY,
        };
        assert_eq!(warp(&noise(3, 3), &broken, 2).len(), 12);
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
            bilinear(&image, &transform, true, size, &mut mirrored);
            let plain = warp(&image, &transform, size);
            for (index, value) in mirrored.iter().enumerate() {
                let (x, c, row) = (index / 3 % size, index % 3, index / (3 * size));
                let other = plain[3 * (row * size + size - 1 - x) + c];
                prop_assert!((value - other).abs() < 1e-5);
            }
        }
    }
}
