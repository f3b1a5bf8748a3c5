//! Pictures of shapes drawn a second time with one attribute toggled.

use std::path::PathBuf;

use image::GrayImage;

use super::store::{drawn, encoded, file_name};
use crate::Result;
use crate::counterfactual::{Counterfactual, difference};

/// The picture `index` of the data set with this seed, drawn with an attribute (by its place in [`ATTRIBUTES`](super::ATTRIBUTES))
/// toggled. Every attribute is a property of another shape, so each can be toggled alone.
///
/// # Errors
/// When it cannot be encoded.
///
/// # Panics
/// When there is no such attribute.
pub fn counterfactual(seed: u64, index: usize, attribute: usize) -> Result<Counterfactual> {
    let (row, picture) = drawn(seed, index, Some(attribute), None);
    Ok(Counterfactual {
        bytes: encoded(&picture, &PathBuf::from(file_name(index)))?,
        label: -row.labels[attribute],
    })
}

/// The picture `index` of the data set with this seed with other noise of the sensor, as the bytes of a file.
///
/// # Errors
/// When it cannot be encoded.
pub fn with_other_noise(seed: u64, index: usize, number: u64) -> Result<Vec<u8>> {
    encoded(
        &drawn(seed, index, None, Some(number)).1,
        &PathBuf::from(file_name(index)),
    )
}

/// Where the picture `index` and the same with the attribute toggled differ: 255 there, 0 elsewhere.
///
/// # Panics
/// When there is no such attribute.
pub fn difference_mask(seed: u64, index: usize, attribute: usize) -> GrayImage {
    difference(
        &drawn(seed, index, None, None).1.image,
        &drawn(seed, index, Some(attribute), None).1.image,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes::ATTRIBUTES;

    #[test]
    fn other_noise_changes_every_part_by_little() {
        let (face, other) = (drawn(2, 1, None, None).1.image, drawn(2, 1, None, Some(0)).1.image);
        let changes: Vec<u8> = face.iter().zip(other.iter()).map(|(a, b)| a.abs_diff(*b)).collect();
        let mean = changes.iter().map(|&change| f64::from(change)).sum::<f64>() / changes.len() as f64;
        assert!((0.5..20.0).contains(&mean), "{mean} grey levels");
        assert!(changes.iter().filter(|&&change| change > 0).count() * 2 > changes.len());
    }

    /// Nothing is blurred here: what differs lies in the toggled shape's mask, which every class of the attribute has.
    #[test]
    fn pictures_differ_in_the_shape_alone() {
        for index in 0..6 {
            for (attribute, name) in ATTRIBUTES.iter().enumerate() {
                let (row, picture) = drawn(2, index, None, None);
                let mask = difference_mask(2, index, attribute);
                let toggled = drawn(2, index, Some(attribute), None).1;
                let mut count = 0;
                for (x, y, pixel) in mask.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] > 0) {
                    count += 1;
                    let inside = [&picture, &toggled]
                        .iter()
                        .any(|one| one.masks[attribute].get_pixel(x, y) != &image::Luma([0]));
                    assert!(inside, "{} of picture {index} at {x}, {y}: {pixel:?}", name);
                }
                assert!(count > 10, "{} of picture {index} changes {count} pixels", name);
                let made = counterfactual(2, index, attribute).unwrap();
                assert_eq!(made.label, row.labels[attribute]);
                let size = image::load_from_memory(&made.bytes).unwrap();
                assert_eq!((size.width(), size.height()), mask.dimensions());
            }
        }
    }
}
