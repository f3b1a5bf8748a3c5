//! What a batch holds never depends on threads, batch size, cache or where an epoch starts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dataset::{
    Alignment, Annotations, Attributes, Augmentation, Batch, Error, Landmarks, Loader, LoaderConfig, MemorySource,
    PixelBatch, Result, Source, Split, View, warp_into,
};
use image::{Rgb, RgbImage};

const IMAGES: usize = 23;

fn annotations(images: usize, landmarks: bool) -> Annotations {
    let face = |index: usize| {
        let shift = index as f32 / 2.0;
        Landmarks {
            left_eye: [66.0 + shift, 110.0],
            right_eye: [108.0, 108.0 + shift],
            nose: [88.0, 130.0],
            left_mouth: [72.0, 151.0 - shift],
            right_mouth: [104.0, 153.0],
        }
    };
    Annotations {
        attributes: Attributes::new(vec!["a".into(), "b".into(), "c".into()]).unwrap(),
        names: (0..images).map(|index| format!("{index}.png")).collect(),
        labels: (0..3 * images).map(|index| [1, -1, 0, 1, -1][index % 5]).collect(),
        splits: vec![Split::Train; images],
        landmarks: landmarks.then(|| (0..images).map(face).collect()),
        identities: None,
    }
}

fn picture(index: usize) -> RgbImage {
    RgbImage::from_fn(178, 218, |x, y| {
        Rgb([
            (index * 10) as u8,
            (x * 7 + y * y + index as u32) as u8,
            (x * y / 64) as u8,
        ])
    })
}

fn source() -> Arc<dyn Source> {
    let images = (0..IMAGES).map(picture).collect();
    Arc::new(MemorySource::new(annotations(IMAGES, true), images).unwrap())
}

fn config(threads: usize) -> LoaderConfig {
    LoaderConfig {
        seed: 7,
        augmentation: Augmentation {
            brightness: 0.1,
            contrast: 0.1,
            ..Augmentation::affact()
        },
        prefetch: 3,
        cache_bytes: 10 * 26 * 32 * 4,
        shuffle: true,
        ..LoaderConfig::in_order(24, 4, threads)
    }
}

fn loader(config: LoaderConfig) -> Loader {
    Loader::new(source(), (0..IMAGES).collect(), config).unwrap()
}

fn epoch(loader: &Loader, epoch: u64, first_batch: usize) -> Vec<Batch> {
    loader.epoch(epoch, first_batch).map(Result::unwrap).collect()
}

/// The batches' content by image.
fn by_image(batches: &[Batch]) -> Vec<(usize, Vec<f32>, Vec<f32>)> {
    let mut images = Vec::new();
    for batch in batches {
        let n = batch.indices.len();
        let (pixels, labels) = (batch.images.len() / n, batch.labels.len() / n);
        for (slot, &index) in batch.indices.iter().enumerate() {
            let image = batch.images[slot * pixels..(slot + 1) * pixels].to_vec();
            images.push((index, image, batch.labels[slot * labels..(slot + 1) * labels].to_vec()));
        }
    }
    images.sort_by_key(|(index, ..)| *index);
    images
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let expected: Vec<_> = (0..3).map(|number| epoch(&loader(config(0)), number, 0)).collect();
    for threads in [1, 2, 4, 9] {
        let loader = loader(config(threads));
        for (number, expected) in expected.iter().enumerate() {
            assert!(
                epoch(&loader, number as u64, 0) == *expected,
                "{threads} threads, epoch {number}"
            );
        }
    }
}

/// The definition of a [`View`], in double precision and pixel by pixel.
fn seen(batch: &PixelBatch, view: &View) -> Vec<f32> {
    let side = batch.size;
    let pixel = |x: f64, y: f64, c: usize| {
        let x = x.clamp(0.0, (view.width - 1) as f64) as usize;
        let y = y.clamp(0.0, (view.height - 1) as f64) as usize;
        f64::from(batch.pixels[4 * (view.start + y * view.width + x) + c]) / 255.0
    };
    let sampled = |x: usize, y: usize, c: usize| {
        let x = if view.mirror { side - 1 - x } else { x };
        let [x, y] = view.transform.apply([x as f64 + 0.5, y as f64 + 0.5]).map(|v| v - 0.5);
        let (left, upper) = (x.floor(), y.floor());
        let row = |y: f64| pixel(left, y, c) + (x - left) * (pixel(left + 1.0, y, c) - pixel(left, y, c));
        row(upper) + (y - upper) * (row(upper + 1.0) - row(upper))
    };
    let blurred = |line: &dyn Fn(usize) -> f64, at: usize| match &batch.taps[view.taps.clone()] {
        [] => line(at),
        taps => (taps.iter().enumerate())
            .map(|(offset, &tap)| {
                let both = line(at.saturating_sub(offset)) + line((at + offset).min(side - 1));
                f64::from(tap) * if offset == 0 { both / 2.0 } else { both }
            })
            .sum(),
    };
    let mut image = Vec::new();
    for (y, x, c) in (0..side).flat_map(|y| (0..side).flat_map(move |x| (0..3).map(move |c| (y, x, c)))) {
        let value = blurred(&|x| blurred(&|y| sampled(x, y, c), y), x);
        let (contrast, brightness) = (f64::from(view.contrast), f64::from(view.brightness));
        image.push(((value - 0.5) * contrast + 0.5 + brightness).clamp(0.0, 1.0) as f32);
    }
    image
}

#[test]
fn pixels_and_views_define_the_same_images() {
    let loader = loader(LoaderConfig { size: 16, ..config(2) });
    let batches: Vec<PixelBatch> = loader.pixel_epoch(1, 2).map(Result::unwrap).collect();
    let expected = epoch(&loader, 1, 2);
    assert_eq!(batches.len(), expected.len());
    let (mut mirrored, mut blurred) = (0, 0);
    for (batch, expected) in batches.iter().zip(&expected) {
        assert_eq!(batch.indices, expected.indices);
        assert_eq!(batch.labels, expected.labels);
        assert_eq!(batch.views.len(), batch.indices.len());
        for (view, expected) in batch.views.iter().zip(expected.images.chunks_exact(3 * 16 * 16)) {
            mirrored += usize::from(view.mirror);
            blurred += usize::from(!view.taps.is_empty());
            for (ours, expected) in seen(batch, view).iter().zip(expected) {
                // Single precision positions up to 218 pixels: 2e-5 pixels, and a step of at most 1 per pixel.
                assert!((ours - expected).abs() < 5e-5, "{ours} {expected}");
            }
        }
    }
    assert!(mirrored > 0 && blurred > 0);
    for batch in batches {
        loader.recycle_pixels(batch);
    }
    assert_eq!(
        loader.pixel_epoch(1, 2).next().unwrap().unwrap().indices,
        expected[0].indices
    );
}

#[test]
fn batch_size_and_cache_change_no_image() {
    let expected = by_image(&epoch(&loader(config(1)), 2, 0));
    for changed in [
        LoaderConfig {
            batch_size: 7,
            ..config(2)
        },
        LoaderConfig {
            cache_bytes: 0,
            ..config(2)
        },
        LoaderConfig {
            cache_bytes: usize::MAX,
            ..config(2)
        },
        LoaderConfig {
            prefetch: 0,
            ..config(2)
        },
    ] {
        let loader = loader(changed);
        epoch(&loader, 0, 0);
        assert!(by_image(&epoch(&loader, 2, 0)) == expected, "{:?}", loader.config());
    }
}

#[test]
fn a_resumed_epoch_is_the_tail_of_the_whole() {
    for threads in [1, 3] {
        let whole = epoch(&loader(config(threads)), 5, 0);
        assert_eq!(whole.len(), 6);
        for first in 0..=7 {
            let tail = epoch(&loader(config(threads)), 5, first);
            assert!(
                tail == whole[first.min(6)..],
                "from batch {first} with {threads} threads"
            );
        }
    }
}

#[test]
fn every_epoch_shows_every_image_once_in_an_order_of_its_own() {
    let order = |loader: &Loader, number| -> Vec<usize> {
        epoch(loader, number, 0)
            .iter()
            .flat_map(|batch| batch.indices.clone())
            .collect()
    };
    let shuffled = loader(config(2));
    let orders = [
        order(&shuffled, 0),
        order(&shuffled, 1),
        order(&loader(LoaderConfig { seed: 8, ..config(2) }), 0),
    ];
    for (index, order) in orders.iter().enumerate() {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..IMAGES).collect::<Vec<_>>());
        assert!(!orders[..index].contains(order));
    }
    let in_order = loader(LoaderConfig {
        shuffle: false,
        ..config(2)
    });
    assert_eq!(order(&in_order, 3), (0..IMAGES).collect::<Vec<_>>());
}

#[test]
fn an_image_is_augmented_anew_in_every_epoch() {
    let loader = loader(config(1));
    let (first, second) = (by_image(&epoch(&loader, 0, 0)), by_image(&epoch(&loader, 1, 0)));
    for ((_, one, labels), (_, other, same_labels)) in first.iter().zip(&second) {
        assert_ne!(one, other);
        assert_eq!(labels, same_labels);
    }
}

#[test]
fn without_augmentation_a_batch_holds_the_aligned_images() {
    let source = source();
    let batches = epoch(&loader(LoaderConfig::in_order(24, 5, 2)), 0, 0);
    assert_eq!(
        batches.iter().map(|batch| batch.indices.len()).collect::<Vec<_>>(),
        [5, 5, 5, 5, 3]
    );
    let annotations = source.annotations();
    for (index, image, labels) in by_image(&batches) {
        let face = &annotations.landmarks.as_ref().unwrap()[index];
        let transform = Alignment { size: 24 }.transform(Some(face), (178, 218)).unwrap();
        let mut expected = vec![0.0; 24 * 24 * 3];
        warp_into(&source.image(index).unwrap(), &transform, 24, &mut expected);
        // The loader composes the alignment with the identity, which may round differently.
        for (value, expected) in image.iter().zip(&expected) {
            assert!((value - expected).abs() < 1e-5);
        }
        let expected: Vec<f32> = annotations
            .labels_of(index)
            .iter()
            .map(|&label| f32::from(label))
            .collect();
        assert_eq!(labels, expected);
    }
}

#[test]
fn a_last_small_batch_can_be_left_out() {
    let loader = loader(LoaderConfig {
        drop_last: true,
        ..config(2)
    });
    assert_eq!(loader.batches_per_epoch(), 5);
    let batches = epoch(&loader, 0, 0);
    assert!(batches.len() == 5 && batches.iter().all(|batch| batch.indices.len() == 4));
}

/// Image 6 is broken, image 13 makes its thread panic; counts what is decoded.
struct Troubled {
    annotations: Annotations,
    decoded: AtomicUsize,
}

impl Troubled {
    fn new(images: usize) -> Arc<Self> {
        Arc::new(Self {
            annotations: annotations(images, false),
            decoded: AtomicUsize::new(0),
        })
    }
}

impl Source for Troubled {
    fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    fn image(&self, index: usize) -> Result<RgbImage> {
        self.decoded.fetch_add(1, Ordering::Relaxed);
        match index {
            6 => Err(Error::Missing {
                what: "image 6".into(),
                looked_for: vec!["6.png".into()],
            }),
            13 => panic!("a defect in the source (this message belongs to a test)"),
            _ => Ok(picture(index)),
        }
    }
}

#[test]
fn a_broken_image_fails_its_batch_alone() {
    for threads in [0, 1, 2, 4] {
        let loader = Loader::new(
            Troubled::new(12),
            (0..12).collect(),
            LoaderConfig::in_order(8, 2, threads),
        )
        .unwrap();
        let batches: Vec<_> = loader.epoch(0, 0).collect();
        assert_eq!(batches.len(), 6);
        for (number, batch) in batches.into_iter().enumerate() {
            match batch {
                Ok(batch) => assert_eq!(batch.indices, [2 * number, 2 * number + 1]),
                Err(error) => {
                    assert_eq!(
                        (number, error.to_string().as_str()),
                        (3, "image 6 not found; looked for 6.png")
                    );
                }
            }
        }
    }
}

#[test]
fn a_panicking_worker_is_an_error_not_a_hang() {
    let loader = Loader::new(Troubled::new(14), vec![0, 13, 1, 2], LoaderConfig::in_order(8, 1, 2)).unwrap();
    let outcomes: Vec<_> = loader
        .epoch(0, 0)
        .map(|batch| batch.map(|batch| batch.indices))
        .collect();
    assert!(matches!(outcomes[0], Ok(ref indices) if *indices == [0]));
    assert!(matches!(outcomes[1], Err(Error::Worker { batch: 1 })));
    assert!(matches!(outcomes[2], Ok(ref indices) if *indices == [1]));
    assert!(matches!(outcomes[3], Err(Error::Worker { batch: 3 })));
}

#[test]
fn dropping_an_epoch_ends_its_threads() {
    for (threads, taken) in [(1, 0), (2, 1), (4, 3)] {
        let source = Troubled::new(2000);
        let indices = (20..2000).collect();
        let loader = Loader::new(source.clone(), indices, LoaderConfig::in_order(8, 2, threads)).unwrap();
        let mut batches = loader.epoch(0, 0);
        for _ in 0..taken {
            batches.next().unwrap().unwrap();
        }
        drop(batches);
        // All threads have ended: nothing more is decoded, and only this test still holds the source.
        drop(loader);
        assert_eq!(Arc::strong_count(&source), 1);
        assert!(source.decoded.load(Ordering::Relaxed) < 100);
    }
}

#[test]
fn a_batch_that_takes_its_time_is_waited_for_in_parts() {
    let annotations = annotations(1, false);
    let (shown, wait) = std::sync::mpsc::channel();
    let source = Arc::new(Slow {
        annotations,
        wait: Mutex::new(wait),
    });
    let loader = Loader::new(source, vec![0], LoaderConfig::in_order(8, 1, 1)).unwrap();
    let mut batches = loader.epoch(0, 0);
    assert!(!batches.is_ready_within(Duration::from_millis(20)));
    assert_eq!(batches.len(), 1);
    shown.send(()).unwrap();
    while !batches.is_ready_within(Duration::from_millis(20)) {}
    assert!(batches.is_ready_within(Duration::ZERO));
    assert_eq!(batches.next().unwrap().unwrap().indices, [0]);
    assert!(batches.is_ready_within(Duration::ZERO) && batches.next().is_none());
}

/// Images come when they are sent for.
struct Slow {
    annotations: Annotations,
    wait: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Source for Slow {
    fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    fn image(&self, index: usize) -> Result<RgbImage> {
        self.wait.lock().unwrap().recv().unwrap();
        Ok(picture(index))
    }
}

#[test]
fn the_cache_keeps_images_up_to_its_size() {
    let decoded = |cache_bytes: usize| {
        let source = Troubled::new(6);
        let config = LoaderConfig {
            cache_bytes,
            ..LoaderConfig::in_order(112, 2, 2)
        };
        let loader = Loader::new(source.clone(), (0..6).collect(), config).unwrap();
        for number in 0..3 {
            epoch(&loader, number, 0);
        }
        source.decoded.load(Ordering::Relaxed)
    };
    // A square of 112 needs the image at half its resolution.
    let image = 89 * 109 * 4 + 200;
    assert_eq!(decoded(0), 18);
    assert_eq!(decoded(2 * image), 6 + 4 + 4);
    assert_eq!(decoded(6 * image), 6);
}

#[test]
fn wrong_settings_are_refused() {
    let refusal = |indices: Vec<usize>, config: LoaderConfig| {
        Loader::new(source(), indices, config)
            .err()
            .expect("these settings are wrong")
            .to_string()
    };
    let plain = || LoaderConfig::in_order(8, 4, 1);
    assert_eq!(
        refusal(vec![], plain()),
        "images to load: 0, expected at least 1; is the split empty?"
    );
    assert_eq!(refusal(vec![0, 23], plain()), "image index: 23, expected less than 23");
    assert_eq!(
        refusal(
            vec![0],
            LoaderConfig {
                batch_size: 0,
                ..plain()
            }
        ),
        "batch size: 0, expected at least 1"
    );
    assert_eq!(
        refusal(vec![0], LoaderConfig { size: 0, ..plain() }),
        "image size: 0, expected 1 to 8192 pixels"
    );
    assert_eq!(
        refusal(
            vec![0],
            LoaderConfig {
                drop_last: true,
                ..plain()
            }
        ),
        "batch size: 4, expected at most 1, as no smaller batch is kept"
    );
}

#[test]
fn unusable_landmarks_name_their_image() {
    let mut annotations = annotations(2, true);
    let faces = annotations.landmarks.as_mut().unwrap();
    faces[1].right_eye = faces[1].left_eye;
    let source = MemorySource::new(annotations, vec![picture(0), picture(1)]).unwrap();
    let loader = Loader::new(Arc::new(source), vec![0, 1], LoaderConfig::in_order(8, 1, 1)).unwrap();
    let outcomes: Vec<_> = loader.epoch(0, 0).collect();
    assert!(outcomes[0].is_ok());
    let message = outcomes[1].as_ref().unwrap_err().to_string();
    assert!(message.starts_with("1.png: landmarks with eyes at"), "{message}");
}
