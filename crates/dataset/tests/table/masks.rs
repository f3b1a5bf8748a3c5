//! Where attributes are visible, as pictures.

use std::fs;

use dataset::{Fit, Source, TableConfig, TableFolder};
use image::{GrayImage, Luma};
use tempfile::TempDir;

use crate::{ROWS, config, folder, refusal};

#[test]
fn masks_follow_the_image_under_every_policy() {
    let folder = folder(ROWS);
    let masks = folder.path().join("masks");
    fs::create_dir_all(masks.join("crack/sub")).unwrap();
    // The red half; 0 and 1 as some tools write, 0 and 255 as others.
    GrayImage::from_fn(40, 20, |x, _| Luma([u8::from(x < 20)]))
        .save(masks.join("crack/a.png"))
        .unwrap();
    GrayImage::from_fn(20, 40, |x, _| Luma([if x < 10 { 255 } else { 0 }]))
        .save(masks.join("crack/c.png"))
        .unwrap();
    for resize in [Fit::Crop, Fit::Pad, Fit::Stretch] {
        let table = TableFolder::open(&TableConfig {
            resize,
            masks: Some(masks.clone()),
            ..config(folder.path())
        })
        .unwrap();
        assert!(table.has_masks());
        assert!(table.masks(1).unwrap().is_none(), "no file, no mask");
        for index in [0, 2] {
            let image_size = table.image_size(index).unwrap();
            let transform = table.alignment(index, image_size, 8).unwrap();
            let found = table.masks(index).unwrap().unwrap();
            let aligned = dataset::aligned_masks(&found, image_size, &transform, 8);
            let mut pixels = vec![0.0; 3 * 64];
            dataset::warp_into(&table.image(index).unwrap(), &transform, 8, &mut pixels);
            for (pixel, inside) in pixels.chunks(3).zip(&aligned) {
                // On the border between the halves neither colour is whole.
                if pixel[0] > 0.7 || pixel[2] > 0.7 {
                    assert_eq!(*inside, pixel[0] > 0.7, "{resize:?}");
                }
            }
            assert!(!aligned[64..].contains(&true), "wet has no masks");
        }
    }
    GrayImage::new(7, 7).save(masks.join("crack/c.png")).unwrap();
    let table = TableFolder::open(&TableConfig {
        masks: Some(masks.clone()),
        ..config(folder.path())
    });
    let message = table.unwrap().masks(2).unwrap_err().to_string();
    assert!(
        message.ends_with("crack/c.png: a mask of 7 x 7 pixels, expected 20 x 40, as the image"),
        "{message}"
    );
    let nowhere = TableConfig {
        masks: Some(folder.path().join("images")),
        ..config(folder.path())
    };
    assert!(refusal(&folder, &nowhere).starts_with("a folder of masks for any attribute not found"));
}

/// A table of two attributes, and folders of masks, each with as many pixels inside as its place in the list says.
fn with_folders(attributes: [&str; 2], folders: &[&str]) -> (TempDir, TableConfig) {
    let [one, other] = attributes;
    let folder = folder(&format!("image,{one},{other},split\na.png,1,0,train\n"));
    for (count, name) in (1..).zip(folders) {
        let place = folder.path().join("masks").join(name);
        fs::create_dir_all(&place).unwrap();
        let mask = GrayImage::from_fn(40, 20, |x, y| Luma([if y == 0 && x < count { 255 } else { 0 }]));
        mask.save(place.join("a.png")).unwrap();
    }
    let masks = Some(folder.path().join("masks"));
    let config = TableConfig {
        masks,
        ..config(folder.path())
    };
    (folder, config)
}

#[test]
fn masks_are_those_of_the_attribute_whose_name_their_folder_has() {
    for (attributes, folders, areas) in [
        (["a/b", "a b"], &["a/b", "a b"][..], [1, 2]),
        (["a/b", "a b"], &["a_b", "a b"], [1, 2]),
        (["a b", "a_b"], &["a_b"], [0, 1]),
        (["a b", "a_b"], &["a b"], [1, 0]),
        (["A", "a"], &["A"], [1, 0]),
        (["A", "c"], &["a", "c"], [1, 2]),
        (["A B", "a b"], &["A_B", "a_b"], [1, 2]),
        (["A/b", "c"], &["a/b", "c"], [1, 2]),
        (["..", "c"], &["c"], [0, 1]),
        (["50%", "c"], &["50_", "c"], [1, 2]),
    ] {
        let (_folder, config) = with_folders(attributes, folders);
        let masks = TableFolder::open(&config).unwrap().masks(0).unwrap().unwrap();
        assert_eq!([masks.area(0), masks.area(1)], areas, "{attributes:?} {folders:?}");
    }
    for (attributes, folders, expected) in [
        (
            ["a/b", "a:b"],
            &["a_b"][..],
            "DIR/masks/a_b: a folder of masks that may be that of two attributes, \"a/b\" and \"a:b\", expected",
        ),
        (
            ["a b", "c"],
            &["a:b", "a_b"],
            "DIR/masks: folders \"a:b\" and \"a_b\" for attribute \"a b\", expected",
        ),
    ] {
        let (folder, config) = with_folders(attributes, folders);
        let message = refusal(&folder, &config);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn a_misspelt_folder_of_masks_is_named() {
    for (folders, expected) in [
        (
            &["wet", "crakc"][..],
            Some("no folder is called `crack`, and no column of the table `crakc`"),
        ),
        (&["wet", "crack", "other"], None),
        (&["wet", ".hidden", "split"], None),
        (&["wet"], None),
    ] {
        let (_folder, config) = with_folders(["wet", "crack"], folders);
        let notes = TableFolder::open(&config).unwrap().notes();
        let found = notes.iter().find(|note| note.contains("no folder is called"));
        match expected {
            Some(expected) => assert!(found.is_some_and(|note| note.ends_with(expected)), "{notes:?}"),
            None => assert_eq!(found, None),
        }
    }
}

#[test]
fn one_mask_is_not_that_of_two_images() {
    let with = |images: [&str; 2], masks: &[&str]| {
        let [one, other] = images;
        let folder = folder(&format!("image,crack,split\n{one},1,train\n{other},0,test\n"));
        for (name, place) in images
            .iter()
            .map(|name| (name, "images"))
            .chain(masks.iter().map(|name| (name, "masks/crack")))
        {
            let path = folder.path().join(place).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            GrayImage::new(6, 6).save(path).unwrap();
        }
        let masks = Some(folder.path().join("masks"));
        let config = TableConfig {
            masks,
            ..config(folder.path())
        };
        (folder, config)
    };
    for (images, masks, file) in [
        (["x.png", "x.jpg"], &["x.png"][..], "x.png"),
        (["x.jpg", "x.png"], &["x.bmp"], "x.bmp"),
        (["p/x.png", "q/x.png"], &["x.png"], "x.png"),
    ] {
        let (folder, config) = with(images, masks);
        let [one, other] = images;
        let expected =
            format!("DIR/masks/crack/{file}: a mask that fits two images of the table, {one} and {other}, expected");
        let message = refusal(&folder, &config);
        assert!(message.starts_with(&expected), "{message}");
    }
    for (images, masks, expected) in [
        (
            ["x.png", "x.jpg"],
            &["x.png.png", "x.jpg.png"][..],
            [Some("x.png.png"), Some("x.jpg.png")],
        ),
        (
            ["x.png", "x.jpg"],
            &["x.png", "x.jpg.png"],
            [Some("x.png"), Some("x.jpg.png")],
        ),
        (["x.png", "x.jpg"], &["x.png", "x.jpg"], [Some("x.png"), Some("x.jpg")]),
        (["p/x.png", "q/x.png"], &["p/x.png"], [Some("p/x.png"), None]),
        (["x.png", "q/x.png"], &["x.png"], [Some("x.png"), None]),
        (
            ["p/x.png", "q/y.png"],
            &["x.png", "y.png"],
            [Some("x.png"), Some("y.png")],
        ),
    ] {
        let (folder, config) = with(images, masks);
        let table = TableFolder::open(&config).unwrap();
        for (index, expected) in expected.iter().enumerate() {
            let expected = expected.map(|name| folder.path().join("masks/crack").join(name));
            assert_eq!(table.mask_files(index), [expected], "{images:?} {masks:?}");
        }
    }
}

#[test]
fn labels_that_differ_from_file_to_file_are_refused() {
    for (values, is_one) in [
        ([1, 1], true),
        ([200, 255], true),
        ([1, 0], true),
        ([1, 2], false),
        ([1, 255], true),
        ([255, 1], true),
        ([2, 255], false),
        ([255, 3], false),
    ] {
        let folder = folder("image,crack,split\na.png,1,train\nc.png,0,test\n");
        let place = folder.path().join("masks/crack");
        fs::create_dir_all(&place).unwrap();
        for ((name, width, height), value) in [("a.png", 40, 20), ("c.png", 20, 40)].into_iter().zip(values) {
            let mask = GrayImage::from_fn(width, height, |x, _| Luma([if x < 9 { value } else { 0 }]));
            mask.save(place.join(name)).unwrap();
        }
        let masks = Some(folder.path().join("masks"));
        let table = TableFolder::open(&TableConfig {
            masks,
            ..config(folder.path())
        })
        .unwrap();
        table.masks(0).unwrap();
        match table.masks(1) {
            Ok(_) => assert!(is_one, "{values:?}"),
            Err(error) => {
                let message = error.to_string();
                assert!(
                    !is_one && message.contains("crack/a.png is one of") && message.contains("crack/c.png: a mask of"),
                    "{message}"
                );
            }
        }
    }
}
