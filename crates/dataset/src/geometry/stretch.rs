//! An image stretched or shrunk along one axis.
//!
//! `image` resizes both axes, by way of four floats a pixel of one side's new length and the other's old one: 400 MB for
//! 12,000 x 2,048. Along one axis the lines are independent, so it is given a strip of them at a time, to the same bytes.

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};

/// Pixels of a strip, before or after it is resized: 16 MB of floats.
const STRIP: usize = 1 << 20;

/// The image at another width.
pub(super) fn stretched_x(image: RgbImage, width: u32) -> RgbImage {
    if image.width() == width {
        return image;
    }
    let height = image.height();
    let mut rows = Vec::with_capacity(3 * width as usize * height as usize);
    for (from, count) in strips(height, width.max(image.width())) {
        let strip = crop_imm(&image, 0, from, image.width(), count).to_image();
        rows.extend_from_slice(resize(&strip, width, count, FilterType::Triangle).as_raw());
    }
    // The vector has as many bytes as that takes.
    RgbImage::from_raw(width, height, rows).unwrap_or_default()
}

/// The image at another height.
pub(super) fn stretched_y(image: RgbImage, height: u32) -> RgbImage {
    if image.height() == height {
        return image;
    }
    let mut stretched = RgbImage::new(image.width(), height);
    let row = 3 * image.width() as usize;
    for (from, count) in strips(image.width(), height.max(image.height())) {
        let strip = crop_imm(&image, from, 0, count, image.height()).to_image();
        let strip = resize(&strip, count, height, FilterType::Triangle);
        let (at, part) = (3 * from as usize, 3 * count as usize);
        for (to, from) in stretched.chunks_exact_mut(row).zip(strip.chunks_exact(part)) {
            to[at..at + part].copy_from_slice(from);
        }
    }
    stretched
}

/// Cuts `lines` of `length` pixels into strips: the first line of each and how many there are.
fn strips(lines: u32, length: u32) -> impl Iterator<Item = (u32, u32)> {
    let most = u32::try_from(STRIP / length.max(1) as usize).unwrap_or(u32::MAX).max(1);
    (0..lines)
        .step_by(most as usize)
        .map(move |from| (from, most.min(lines - from)))
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn strips_are_resized_to_the_bytes_of_the_whole() {
        let noise = |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).to_le_bytes();
        let image = RgbImage::from_fn(2_100, 1_203, |x, y| {
            let [a, b, c, _] = noise(x, y);
            Rgb([a, b, c])
        });
        assert!(strips(1_203, 2_100).count() > 2);
        let resized = |width, height| resize(&image, width, height, FilterType::Triangle);
        for length in [7, 1_203, 2_300] {
            assert!(stretched_x(image.clone(), length) == resized(length, 1_203), "{length}");
            assert!(stretched_y(image.clone(), length) == resized(2_100, length), "{length}");
        }
    }

    #[test]
    fn every_line_is_in_one_strip() {
        for (lines, length) in [(1, 1), (5, STRIP as u32), (3_000, 1_000), (7, u32::MAX)] {
            let mut next = 0;
            for (from, count) in strips(lines, length) {
                assert!(from == next && count > 0);
                next += count;
            }
            assert_eq!(next, lines);
        }
    }
}
