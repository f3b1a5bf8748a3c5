//! The same faces in every form in which people have CelebA, and packed: identical batches.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use dataset::{Augmentation, Batch, CelebaFolder, CelebaParquet, Loader, LoaderConfig, PackedPixels, Packing, Source};
use synthetic::faces::{Config, Form, Layout, write_in};

/// Number of faces; `BIASCAM_FORM_IMAGES=2000` for a longer look.
fn images() -> usize {
    std::env::var("BIASCAM_FORM_IMAGES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(160)
}

fn config(images: usize) -> Config {
    Config {
        images,
        seed: 3,
        validation: images / 10,
        test: images / 8,
    }
}

fn write(folder: &Path, images: usize, form: Form) {
    write_in(folder, &config(images), form, &|_| ControlFlow::Continue(())).unwrap();
}

fn open(folder: &Path) -> Arc<dyn Source> {
    if CelebaFolder::has_images(folder) {
        Arc::new(CelebaFolder::open(folder).unwrap())
    } else {
        Arc::new(CelebaParquet::open(folder, &|_, _| ControlFlow::Continue(())).unwrap())
    }
}

fn batches(source: &Arc<dyn Source>, size: usize, packed: Option<Arc<PackedPixels>>) -> Vec<Batch> {
    let indices: Vec<usize> = (0..source.annotations().len()).collect();
    let config = LoaderConfig {
        seed: 5,
        augmentation: Augmentation::affact(),
        shuffle: true,
        ..LoaderConfig::in_order(size, 16, 2)
    };
    let loader = Loader::with_packed(Arc::clone(source), indices, config, packed).unwrap();
    loader.epoch(1, 0).map(Result::unwrap).collect()
}

#[test]
fn every_form_gives_the_same_batches() {
    let place = tempfile::tempdir().unwrap();
    let folder = |layout: Layout| place.path().join(layout.name());
    for layout in Layout::ALL {
        write(&folder(layout), images(), Form { layout, distinct: None });
    }
    let official = open(&folder(Layout::Nested));
    let expected = batches(&official, 48, None);
    assert_eq!(
        expected.iter().map(|batch| batch.indices.len()).sum::<usize>(),
        images()
    );
    for layout in Layout::ALL {
        let source = open(&folder(layout));
        assert_eq!(source.annotations(), official.annotations(), "{layout:?}");
        assert_eq!(source.fingerprint(), official.fingerprint(), "{layout:?}");
        assert!(batches(&source, 48, None) == expected, "{layout:?}");
        assert_eq!(
            source.masks(0).unwrap().is_some(),
            layout != Layout::Parquet,
            "the hub's form has no masks"
        );
    }
}

#[test]
fn packed_images_give_the_same_batches_at_any_size() {
    let place = tempfile::tempdir().unwrap();
    write(&place.path().join("faces"), 40, Form::default());
    let source = open(&place.path().join("faces"));
    // At 48 the images are halved, at 224 they are not.
    for size in [48, 224] {
        let path = place.path().join(format!("{size}.pixels"));
        let all: Vec<usize> = (0..40).collect();
        let open = |indices: &[usize]| {
            let (packed, packing) =
                PackedPixels::open(
                    &path,
                    source.as_ref(),
                    indices,
                    size,
                    &mut |_| ControlFlow::Continue(()),
                )
                .unwrap();
            (Arc::new(packed), packing)
        };
        let (packed, packing) = open(&all);
        assert_eq!((packing, packed.images()), (Packing::Written, 40));
        assert!(batches(&source, size, Some(packed)) == batches(&source, size, None));
        assert_eq!(open(&all).1, Packing::AlreadyThere);
        let (some, packing) = open(&all[..9]);
        assert_eq!((packing, some.images()), (Packing::Replaced, 9), "of other images");
        assert!(
            batches(&source, size, Some(some)) == batches(&source, size, None),
            "the others come from the source"
        );
    }
}

#[test]
fn repeated_faces_are_second_names_of_the_first() {
    let place = tempfile::tempdir().unwrap();
    for layout in Layout::ALL {
        let folder = place.path().join(layout.name());
        write(
            &folder,
            23,
            Form {
                layout,
                distinct: Some(7),
            },
        );
        let source = open(&folder);
        for index in 0..23 {
            assert_eq!(
                source.image(index).unwrap(),
                source.image(index % 7).unwrap(),
                "{layout:?}"
            );
            assert_eq!(
                source.annotations().labels_of(index),
                source.annotations().labels_of(index % 7)
            );
        }
    }
}
