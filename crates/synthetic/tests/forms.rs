//! The same faces in every form in which people have CelebA, and packed: identical batches.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use dataset::{Augmentation, Batch, CelebaFolder, CelebaParquet, Loader, LoaderConfig, PackedPixels, Packing, Source};
use synthetic::faces::{Attribute, Config, DIFFERENCES, Form, LEFT_OUT, Layout, PAIRS, Toggled, write_in};

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
        write(
            &folder(layout),
            images(),
            Form {
                layout,
                ..Form::default()
            },
        );
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
                ..Form::default()
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

/// Of every face and attribute there is either the pair, or the reason why there is none; what reads CelebA reads both pictures, and they
/// differ where the mask says.
#[test]
fn counterfactuals_stand_beside_their_faces() {
    let place = tempfile::tempdir().unwrap();
    let toggled = [Attribute::Bald, Attribute::Smiling, Attribute::Eyeglasses];
    for layout in [Layout::Nested, Layout::Flat, Layout::Zip] {
        let folder = place.path().join(layout.name());
        let form = Form {
            layout,
            counterfactuals: Some(Toggled::of(toggled)),
            ..Form::default()
        };
        write(&folder, 24, form);
        let source = CelebaFolder::open(&folder).unwrap();
        let annotations = source.annotations();
        let place_of = |name: &str| annotations.names.iter().position(|known| known == name).unwrap();
        let rows = |file: &str| -> Vec<Vec<String>> {
            let text = std::fs::read_to_string(folder.join(file)).unwrap();
            let cells = |line: &str| line.split(',').map(str::to_owned).collect();
            text.lines().skip(1).map(cells).collect()
        };
        let (pairs, left_out) = (rows(PAIRS), rows(LEFT_OUT));
        assert_eq!(pairs.len() + left_out.len(), 24 * toggled.len());
        assert_eq!(annotations.len(), 24 + pairs.len());
        assert!(
            !left_out.is_empty() && left_out.iter().all(|row| row[1] == "Bald"),
            "{left_out:?}"
        );
        for pair in &pairs {
            let [face, other] = [0, 1].map(|column| place_of(&pair[column]));
            let attribute = annotations.attributes.index(&pair[2]).unwrap();
            let [of_face, of_other] = [face, other].map(|place| annotations.labels_of(place));
            let differing: Vec<usize> = (0..of_face.len()).filter(|&i| of_face[i] != of_other[i]).collect();
            assert_eq!(differing, [attribute]);
            assert_eq!(
                [&pair[3], &pair[4]],
                [&of_face[attribute].to_string(), &of_other[attribute].to_string()]
            );
            assert_eq!(annotations.splits[face], annotations.splits[other]);
            let people = annotations.identities.as_ref().unwrap();
            assert_eq!(people[face], people[other]);
            let landmarks = annotations.landmarks.as_ref().unwrap();
            assert_eq!(landmarks[face], landmarks[other]);
            let mask = folder.join(DIFFERENCES).join(pair[1].replace("jpg", "png"));
            let mask = image::open(mask).unwrap().into_luma8();
            assert_eq!(mask.iter().filter(|&&value| value == 255).count().to_string(), pair[5]);
            let [face, other] = [face, other].map(|place| source.image(place).unwrap());
            let change = |inside: bool| {
                let pixels = mask
                    .enumerate_pixels()
                    .filter(|(_, _, value)| (value.0[0] > 0) == inside);
                let changes: Vec<f64> = pixels
                    .map(|(x, y, _)| {
                        let (a, b) = (face.get_pixel(x, y), other.get_pixel(x, y));
                        (0..3).map(|c| f64::from(a.0[c].abs_diff(b.0[c]))).sum()
                    })
                    .collect();
                changes.iter().sum::<f64>() / changes.len().max(1) as f64
            };
            // Outside there is what the compression spreads.
            assert!(
                change(true) > 5.0 * change(false),
                "{pair:?}: {} {}",
                change(true),
                change(false)
            );
        }
    }
    let refused = |form: Form| {
        let out = place.path().join("refused");
        write_in(&out, &config(24), form, &|_| ControlFlow::Continue(()))
            .unwrap_err()
            .to_string()
    };
    let counterfactuals = Some(Toggled::ALL);
    let message = refused(Form {
        layout: Layout::Parquet,
        counterfactuals,
        ..Form::default()
    });
    assert_eq!(
        message,
        "counterfactuals: in the layout parquet, expected the layout nested, flat or zip, and all faces distinct"
    );
    assert!(
        refused(Form {
            distinct: Some(3),
            counterfactuals,
            ..Form::default()
        })
        .contains("3 distinct faces")
    );
}
