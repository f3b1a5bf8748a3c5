use super::planes::AttributeMasks;
use crate::Similarity;

/// The masks of all attributes as the aligned square of side `size` shows them: `[A, size, size]`.
///
/// `transform` maps the square to the image of `image_size` (width, height), whose masks these are. Each pixel takes
/// the mask's value at its centre. Beyond the image's border the masks are continued like the image itself
/// ([`warp_into`](crate::warp_into)), so that they cover what the network sees.
///
/// # Panics
/// When the masks have no pixel.
pub fn aligned_masks(masks: &AttributeMasks, image_size: (u32, u32), transform: &Similarity, size: usize) -> Vec<bool> {
    let cells = cells(masks, image_size, transform, size);
    let mut aligned = Vec::with_capacity(masks.attributes() * cells.len());
    for attribute in 0..masks.attributes() {
        aligned.extend(cells.iter().map(|&(x, y)| masks.contains(attribute, x, y)));
    }
    aligned
}

/// Calls `each` with attribute, x and y for every pixel of [`aligned_masks`] that is inside: cheaper than the masks, of which
/// most is outside.
///
/// # Panics
/// When the masks have no pixel.
pub fn for_each_aligned(
    masks: &AttributeMasks,
    image_size: (u32, u32),
    transform: &Similarity,
    size: usize,
    mut each: impl FnMut(usize, usize, usize),
) {
    for (pixel, (x, y)) in cells(masks, image_size, transform, size).into_iter().enumerate() {
        masks.for_each_at(x, y, |attribute| each(attribute, pixel % size, pixel / size));
    }
}

/// The masks' grid cell under the centre of each pixel of the square, the nearest one beyond the border.
fn cells(masks: &AttributeMasks, image_size: (u32, u32), transform: &Similarity, size: usize) -> Vec<(u32, u32)> {
    let (width, height) = (masks.width(), masks.height());
    // The cast saturates at 0.
    let cell =
        |point: f64, image: u32, cells: u32| ((point * f64::from(cells) / f64::from(image)) as u32).min(cells - 1);
    let mut found = Vec::with_capacity(size * size);
    for y in 0..size {
        for x in 0..size {
            let [source_x, source_y] = transform.apply([x as f64 + 0.5, y as f64 + 0.5]);
            found.push((
                cell(source_x, image_size.0, width),
                cell(source_y, image_size.1, height),
            ));
        }
    }
    found
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
            let all = aligned_masks(&masks, (178, 218), &transform, size);
            let (none, mask) = all.split_at(size * size);
            // Pixels that are clearly inside or outside; those on the edge are mixed.
            let (mut inside, mut outside) = (0, 0);
            for (value, &member) in pixels.iter().step_by(3).zip(mask) {
                if *value > 0.95 {
                    assert!(member);
                    inside += 1;
                } else if *value < 0.05 {
                    assert!(!member);
                    outside += 1;
                }
            }
            assert!(inside > 300 && outside > 2000, "{inside} {outside}");

            assert!(!none.contains(&true));
            let mut listed = vec![false; 2 * size * size];
            for_each_aligned(&masks, (178, 218), &transform, size, |attribute, x, y| {
                listed[(attribute * size + y) * size + x] = true;
            });
            assert_eq!(listed, all);
        }
    }

    #[test]
    fn points_of_the_image_fall_on_the_coarser_grid() {
        let mut masks = AttributeMasks::new(89, 109, 1);
        masks.insert(0, 88, 108);
        // The square's pixels are the image's from (174, 214) on, and two more beyond its border.
        let corner = Similarity {
            a: 1.0,
            b: 0.0,
            tx: 174.0,
            ty: 214.0,
        };
        let aligned = aligned_masks(&masks, (178, 218), &corner, 6);
        let expected = (0..36).map(|pixel| pixel % 6 >= 2 && pixel / 6 >= 2);
        assert_eq!(aligned, expected.collect::<Vec<_>>());
    }
}
