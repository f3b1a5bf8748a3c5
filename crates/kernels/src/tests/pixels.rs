//! The loader's batches in both forms, as images and as pixels.

use std::sync::Arc;

use dataset::{Annotations, Attributes, Augmentation, Batch, Loader, LoaderConfig, MemorySource, PixelBatch, Split};
use image::{Rgb, RgbImage};

use crate::{SampledView, SamplerInput};

/// Batches of augmented images of several sizes, in squares of `size`.
pub(super) fn batches(size: usize, batch_size: usize) -> Vec<(PixelBatch, Batch)> {
    // The last has one pixel, its neighbours fewer than the square, the others more.
    let sides = [
        (178, 218),
        (60, 40),
        (33, 70),
        (5, 3),
        (90, 90),
        (218, 178),
        (2, 7),
        (1, 1),
    ];
    let pictures = sides.map(|(width, height)| {
        RgbImage::from_fn(width, height, |x, y| {
            Rgb([x * 7 + y * y, x * y / 16, 255 - 3 * (x ^ y)].map(|value| value as u8))
        })
    });
    let annotations = Annotations {
        attributes: Attributes::new(vec!["A".into(), "B".into(), "C".into()]).unwrap(),
        names: (0..sides.len()).map(|index| format!("{index}.png")).collect(),
        labels: (0..3 * sides.len()).map(|index| [1, -1, 0, 1, -1][index % 5]).collect(),
        splits: vec![Split::Train; sides.len()],
        landmarks: None,
        identities: None,
    };
    let config = LoaderConfig {
        seed: 3,
        augmentation: Augmentation {
            brightness: 0.2,
            contrast: 0.2,
            ..Augmentation::affact()
        },
        ..LoaderConfig::in_order(size, batch_size, 0)
    };
    let source = Arc::new(MemorySource::new(annotations, pictures.to_vec()).unwrap());
    let loader = Loader::new(source, (0..sides.len()).collect(), config).unwrap();
    let both = loader.pixel_epoch(0, 0).zip(loader.epoch(0, 0));
    both.map(|(pixels, images)| (pixels.unwrap(), images.unwrap()))
        .collect()
}

pub(super) fn views(batch: &PixelBatch) -> Vec<SampledView> {
    let view = |view: &dataset::View| SampledView {
        start: view.start,
        width: view.width,
        height: view.height,
        transform: [view.transform.a, view.transform.b, view.transform.tx, view.transform.ty],
        mirror: view.mirror,
        taps: view.taps.clone(),
        contrast: view.contrast,
        brightness: view.brightness,
    };
    batch.views.iter().map(view).collect()
}

pub(super) fn borrowed<'a>(batch: &'a PixelBatch, views: &'a [SampledView]) -> SamplerInput<'a> {
    SamplerInput {
        size: batch.size,
        pixels: &batch.pixels,
        views,
        taps: &batch.taps,
        labels: &batch.labels,
    }
}
