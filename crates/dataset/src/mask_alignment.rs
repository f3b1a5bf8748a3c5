use crate::{AttributeMasks, Similarity};

/// The mask of `attribute` as the aligned square of side `size` shows it: `[size, size]`, row after row.
///
/// `transform` maps the square to the image of `image_size` (width, height), whose masks these are. Each pixel takes
/// the mask's value at its centre. Beyond the image's border the mask is continued like the image itself
/// ([`warp_into`](crate::warp_into)), so that it covers what the network sees.
///
/// # Panics
/// When the masks have no such attribute or no pixel.
pub fn aligned_mask(
    masks: &AttributeMasks,
    attribute: usize,
    image_size: (u32, u32),
    transform: &Similarity,
    size: usize,
) -> Vec<bool> {
    let (width, height) = (masks.width(), masks.height());
    let cell = |point: f64, image: u32, cells: u32| {
        // The cast saturates at 0.
        ((point * f64::from(cells) / f64::from(image)) as u32).min(cells - 1)
    };
    let mut mask = Vec::with_capacity(size * size);
    for y in 0..size {
        for x in 0..size {
            let [source_x, source_y] = transform.apply([x as f64 + 0.5, y as f64 + 0.5]);
            let (x, y) = (
                cell(source_x, image_size.0, width),
                cell(source_y, image_size.1, height),
            );
            mask.push(masks.contains(attribute, x, y));
        }
    }
    mask
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::{Alignment, warp_into};

    #[test]
    fn the_mask_follows_the_image() {
        // A white rectangle on black, and its mask on a grid of half the resolution.
        let white = |x: u32, y: u32| (60..100).contains(&x) && (90..150).contains(&y) || x < 10;
        let image = RgbImage::from_fn(178, 218, |x, y| Rgb([if white(x, y) { 255 } else { 0 }; 3]));
        let mut masks = AttributeMasks::new(89, 109, 2);
        for (x, y) in (0..89).flat_map(|x| (0..109).map(move |y| (x, y))) {
            if white(2 * x, 2 * y) {
                masks.insert(1, x, y);
            }
        }
        let size = 64;
        let plain = Alignment { size }.transform(None, (178, 218)).unwrap();
        let turned = plain.compose(&Similarity::about(1.1, 0.4, [32.0, 32.0], [30.0, 33.0]));
        for transform in [plain, turned] {
            let mut pixels = vec![0.0; 3 * size * size];
            warp_into(&image, &transform, size, &mut pixels);
            let mask = aligned_mask(&masks, 1, (178, 218), &transform, size);
            // Pixels that are clearly inside or outside; those on the edge are mixed.
            let (mut inside, mut outside) = (0, 0);
            for (value, &member) in pixels.iter().step_by(3).zip(&mask) {
                if *value > 0.95 {
                    assert!(member);
                    inside += 1;
                } else if *value < 0.05 {
                    assert!(!member);
                    outside += 1;
                }
            }
            assert!(inside > 300 && outside > 2000, "{inside} {outside}");
            assert!(!aligned_mask(&masks, 0, (178, 218), &transform, size).contains(&true));
        }
    }
}
