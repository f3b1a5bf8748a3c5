//! The average faces of the images that each attribute is predicted positive and negative for.

use rayon::prelude::*;

/// Values that are summed up together: sums of all attributes and the images of a batch then stay in the second-level cache.
const TILE: usize = 1024;

/// Running sums of images by the predicted class of each attribute.
///
/// Only the images predicted positive are added for each attribute, those predicted negative are the rest of all: most attributes
/// are rare. Sums run in float32 over the images of a batch and in float64 over the batches, always in one order.
pub struct AverageFaces {
    attributes: usize,
    /// `S S 3`.
    length: usize,
    /// One a stretch of the images.
    tiles: Vec<Tile>,
    images: usize,
    positives: Vec<usize>,
}

struct Tile {
    all: Vec<f64>,
    /// `[A, tile]`.
    positive: Vec<f64>,
}

impl AverageFaces {
    /// Of images of `length` values, none yet.
    pub fn new(attributes: usize, length: usize) -> Self {
        let tile = |start: usize| {
            let values = TILE.min(length - start);
            Tile {
                all: vec![0.0; values],
                positive: vec![0.0; values * attributes],
            }
        };
        Self {
            attributes,
            length,
            tiles: (0..length).step_by(TILE).map(tile).collect(),
            images: 0,
            positives: vec![0; attributes],
        }
    }

    /// Takes in images, each of `length` values, and whether each attribute of theirs is predicted positive, `[N, A]`.
    pub fn add(&mut self, images: &[&[f32]], positive: &[bool]) {
        let attributes = self.attributes;
        self.tiles.par_iter_mut().enumerate().for_each(|(index, tile)| {
            let values = tile.all.len();
            let part = |image: usize| &images[image][index * TILE..][..values];
            let mut batch = vec![0.0_f32; values];
            let mut add = |into: &mut [f64], chosen: &dyn Fn(usize) -> bool| {
                batch.fill(0.0);
                for image in (0..images.len()).filter(|&image| chosen(image)) {
                    batch.iter_mut().zip(part(image)).for_each(|(sum, value)| *sum += value);
                }
                into.iter_mut()
                    .zip(&batch)
                    .for_each(|(sum, value)| *sum += f64::from(*value));
            };
            add(&mut tile.all, &|_| true);
            for (attribute, sums) in tile.positive.chunks_exact_mut(values).enumerate() {
                add(sums, &|image| positive[image * attributes + attribute]);
            }
        });
        self.images += images.len();
        for row in positive.chunks_exact(attributes.max(1)) {
            self.positives
                .iter_mut()
                .zip(row)
                .for_each(|(count, &positive)| *count += usize::from(positive));
        }
    }

    /// The mean image of those predicted positive, or negative, for an attribute; `None` when there is none.
    pub fn mean(&self, attribute: usize, positive: bool) -> Option<Vec<f32>> {
        let positives = self.positives[attribute];
        let count = if positive { positives } else { self.images - positives };
        let mut mean = Vec::with_capacity(self.length);
        for tile in &self.tiles {
            let values = tile.all.len();
            let of_positive = &tile.positive[attribute * values..][..values];
            mean.extend(tile.all.iter().zip(of_positive).map(|(all, of_positive)| {
                let sum = if positive { *of_positive } else { all - of_positive };
                (sum / count as f64) as f32
            }));
        }
        (count > 0).then_some(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_means_of_both_classes() {
        let length = 2 * TILE + 5;
        let images: Vec<Vec<f32>> = (0..5)
            .map(|i| (0..length).map(|p| ((p * 7 + i * 13) % 11) as f32 / 10.0).collect())
            .collect();
        let positive = |image: usize, attribute: usize| image.is_multiple_of(attribute + 2);
        let mut faces = AverageFaces::new(3, length);
        for range in [0..2, 2..5] {
            let some: Vec<&[f32]> = images[range.clone()].iter().map(Vec::as_slice).collect();
            let positive: Vec<bool> = range
                .flat_map(|image| (0..3).map(move |attribute| positive(image, attribute)))
                .collect();
            faces.add(&some, &positive);
        }
        for attribute in 0..3 {
            for class in [true, false] {
                let chosen: Vec<usize> = (0..5).filter(|&image| positive(image, attribute) == class).collect();
                let found = faces.mean(attribute, class).unwrap();
                for (pixel, found) in found.into_iter().enumerate() {
                    let expected = chosen.iter().map(|&image| images[image][pixel]).sum::<f32>() / chosen.len() as f32;
                    assert!((found - expected).abs() < 1e-6);
                }
            }
        }
        let mut none = AverageFaces::new(1, 3);
        assert_eq!(none.mean(0, true), None);
        none.add(&[&[0.5; 3]], &[false]);
        assert_eq!((none.mean(0, true), none.mean(0, false)), (None, Some(vec![0.5; 3])));
    }
}
