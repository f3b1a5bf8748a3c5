//! The official layout on disk, as it should be and with things missing.

use std::fs;
use std::path::Path;

use dataset::{AttributeMasks, CelebaFolder, Error, Source, Split, decode};
use image::{ImageFormat, Rgb, RgbImage};
use proptest::prelude::*;
use tempfile::TempDir;

const LANDMARKS: &str = "3
lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y
000001.jpg 69 109 106 113 77 142 73 152 108 154
000002.jpg 69 110 107 112 81 135 70 151 108 153
000003.jpg 76 112 104 106 108 128 74 156 98 158
";

fn picture(seed: u8) -> RgbImage {
    RgbImage::from_fn(178, 218, |x, y| Rgb([seed, (x / 2) as u8, (y / 2) as u8]))
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Three images in the layout that the folder names (empty: flat) describe; the third is a PNG.
fn layout(anno: &str, eval: &str, img: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let rows = "3\nSmiling Young\n000001.jpg 1 -1\n000002.jpg -1 -1\n000003.jpg 1 1\n";
    write(&root.join(anno).join("list_attr_celeba.txt"), rows);
    write(&root.join(anno).join("list_landmarks_align_celeba.txt"), LANDMARKS);
    write(
        &root.join(anno).join("identity_CelebA.txt"),
        "000001.jpg 2880\n000002.jpg 2937\n000003.jpg 8692\n",
    );
    write(
        &root.join(eval).join("list_eval_partition.txt"),
        "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
    );
    let images = root.join(img).join("img_align_celeba");
    fs::create_dir_all(&images).unwrap();
    picture(10).save(images.join("000001.jpg")).unwrap();
    picture(20).save(images.join("000002.jpg")).unwrap();
    picture(30).save(images.join("000003.png")).unwrap();
    folder
}

fn open(folder: &TempDir) -> CelebaFolder {
    CelebaFolder::open(folder.path()).unwrap()
}

fn refusal(folder: &TempDir) -> String {
    CelebaFolder::open(folder.path())
        .unwrap_err()
        .to_string()
        .replace(&*folder.path().to_string_lossy(), "DIR")
}

#[test]
fn both_layouts_are_read() {
    for folder in [
        layout("Anno", "Eval", "Img"),
        layout("", "", ""),
        layout("Anno", "", "Img"),
    ] {
        let faces = open(&folder);
        let annotations = faces.annotations();
        assert_eq!(annotations.attributes.names(), ["Smiling", "Young"]);
        assert_eq!(annotations.splits, Split::ALL);
        assert_eq!(annotations.identities.as_deref(), Some([2880, 2937, 8692].as_slice()));
        assert_eq!(faces.person(1).unwrap(), "2937");
        assert_eq!(annotations.landmarks.as_ref().unwrap()[1].nose, [81.0, 135.0]);
        assert_eq!(annotations.labels_of(2), [1, 1]);
        for index in 0..3 {
            assert_eq!(faces.image(index).unwrap().dimensions(), (178, 218));
            assert_eq!(faces.image_size(index).unwrap(), (178, 218));
            assert_eq!(faces.masks(index).unwrap(), None);
        }
        assert_eq!(faces.image(2).unwrap(), picture(30), "a PNG loses nothing");
    }
}

#[test]
fn landmarks_and_identities_are_optional() {
    let folder = layout("", "", "");
    fs::remove_file(folder.path().join("list_landmarks_align_celeba.txt")).unwrap();
    fs::remove_file(folder.path().join("identity_CelebA.txt")).unwrap();
    let faces = open(&folder);
    assert_eq!(
        (&faces.annotations().landmarks, &faces.annotations().identities),
        (&None, &None)
    );
    assert_eq!(faces.person(1), None);
}

#[test]
fn masks_are_read_where_there_are_any() {
    let folder = layout("", "", "");
    let mut masks = AttributeMasks::new(89, 109, 2);
    masks.insert(1, 40, 60);
    let path = folder.path().join("masks/000001.png");
    write(&path, masks.to_png(&path).unwrap());
    let faces = open(&folder);
    assert_eq!(faces.masks(0).unwrap(), Some(masks));
    let message = faces.masks(1).unwrap_err().to_string();
    assert!(
        message.ends_with("masks/000002.png") && message.contains("000002.png not found"),
        "{message}"
    );
}

#[test]
fn missing_parts_are_named_with_the_places_looked_at() {
    let folder = layout("Anno", "Eval", "Img");
    let root = folder.path();
    fs::rename(root.join("Img/img_align_celeba"), root.join("Img/images")).unwrap();
    assert_eq!(
        refusal(&folder),
        "the folder or archive of images not found; looked for DIR/Img/img_align_celeba, DIR/img_align_celeba, \
         DIR/Img/img_align_celeba_png, DIR/img_align_celeba_png, DIR/Img/img_align_celeba.zip, DIR/img_align_celeba.zip, \
         DIR/Img/img_celeba, DIR/img_celeba"
    );
    fs::remove_file(root.join("Eval/list_eval_partition.txt")).unwrap();
    assert_eq!(
        refusal(&folder),
        "list_eval_partition.txt not found; looked for DIR/Eval/list_eval_partition.txt, DIR/list_eval_partition.txt, \
         DIR/Eval/list_eval_partition.csv, DIR/list_eval_partition.csv"
    );
    fs::remove_dir_all(root.join("Anno")).unwrap();
    assert_eq!(
        refusal(&folder),
        "list_attr_celeba.txt not found; looked for DIR/Anno/list_attr_celeba.txt, DIR/list_attr_celeba.txt, \
         DIR/Anno/list_attr_celeba.csv, DIR/list_attr_celeba.csv"
    );
    let message = CelebaFolder::open(&root.join("nowhere")).unwrap_err().to_string();
    assert_eq!(
        message,
        format!(
            "the data folder not found; looked for {}",
            root.join("nowhere").display()
        )
    );
}

#[test]
fn landmarks_missing_for_an_image_are_refused() {
    let folder = layout("", "", "");
    let two = LANDMARKS
        .replace("000002.jpg 69 110 107 112 81 135 70 151 108 153\n", "")
        .replace("3\nleft", "2\nleft");
    write(&folder.path().join("list_landmarks_align_celeba.txt"), two);
    assert_eq!(
        refusal(&folder),
        "DIR/list_landmarks_align_celeba.txt: no row for 000002.jpg, \
         expected one for each of the 3 images of DIR/list_attr_celeba.txt"
    );
}

#[test]
fn a_missing_image_is_an_error_with_its_places() {
    let folder = layout("", "", "");
    let images = folder.path().join("img_align_celeba");
    fs::remove_file(images.join("000001.jpg")).unwrap();
    let faces = open(&folder);
    let message = faces
        .image(0)
        .unwrap_err()
        .to_string()
        .replace(&*images.to_string_lossy(), "IMG");
    assert_eq!(
        message,
        "image 000001.jpg not found; looked for IMG/000001.jpg, IMG/000001.png, IMG/000001.jpeg"
    );
    assert!(faces.image(1).is_ok());
    assert!(faces.image(3).unwrap_err().to_string().contains("expected less than 3"));
}

#[test]
fn broken_images_are_errors_with_their_path() {
    let folder = layout("", "", "");
    let faces = open(&folder);
    let path = folder.path().join("img_align_celeba/000001.jpg");
    let whole = fs::read(&path).unwrap();
    let mut png = std::io::Cursor::new(Vec::new());
    picture(1).write_to(&mut png, ImageFormat::Png).unwrap();
    let png = png.into_inner();
    let mut cases: Vec<(String, Vec<u8>)> = vec![
        ("nothing".into(), Vec::new()),
        ("a text".into(), b"404 not found".to_vec()),
        ("zeros".into(), vec![0; whole.len()]),
        ("half a PNG".into(), png[..png.len() / 2].to_vec()),
    ];
    for part in 1..20 {
        cases.push((
            format!("{part}/20 of a JPEG"),
            whole[..whole.len() * part / 20].to_vec(),
        ));
    }
    cases.push((
        "a JPEG without its last bytes".into(),
        whole[..whole.len() - 2].to_vec(),
    ));
    for (name, bytes) in cases {
        fs::write(&path, bytes).unwrap();
        match faces.image(0) {
            Err(Error::Decode { path: named, .. }) => assert_eq!(named, path),
            other => panic!("{name}: {other:?}"),
        }
        if name == "nothing" || name == "zeros" {
            assert!(matches!(faces.image_size(0), Err(Error::Decode { .. })), "{name}");
        }
    }
    // Bytes after the end of the image do no harm, and the extension does not decide.
    for bytes in [[whole.as_slice(), &[0; 100]].concat(), png] {
        fs::write(&path, bytes).unwrap();
        assert!(faces.image(0).is_ok());
    }
}

#[test]
fn the_fingerprint_tells_data_sets_apart() {
    let (folder, same) = (layout("Anno", "Eval", "Img"), layout("", "", ""));
    let fingerprint = open(&folder).fingerprint();
    assert!(fingerprint.starts_with("3 images "), "{fingerprint}");
    assert_eq!(fingerprint, open(&same).fingerprint(), "the layout does not matter");
    // Other pictures under the same annotations.
    RgbImage::new(178, 218)
        .save(same.path().join("img_align_celeba/000002.jpg"))
        .unwrap();
    assert_ne!(fingerprint, open(&same).fingerprint());
}

#[test]
fn an_aligned_image_of_another_size_is_refused() {
    let folder = layout("", "", "");
    let path = folder.path().join("img_align_celeba/000002.jpg");
    RgbImage::new(178, 217).save(&path).unwrap();
    let faces = open(&folder);
    let expected = format!(
        "{}: an image of 178 x 217 pixels, expected 178 x 218, as all of CelebA's aligned images",
        path.display()
    );
    assert_eq!(faces.image(1).unwrap_err().to_string(), expected);
    assert_eq!(faces.image_size(1).unwrap_err().to_string(), expected);
}

#[test]
fn originals_have_any_size_and_landmarks_of_their_own() {
    let folder = layout("Anno", "Eval", "Img");
    let root = folder.path();
    fs::rename(root.join("Img/img_align_celeba"), root.join("Img/img_celeba")).unwrap();
    assert_eq!(
        open(&folder).annotations().landmarks,
        None,
        "those of the aligned images are not theirs"
    );
    let originals = LANDMARKS.replace("81 135", "381 335");
    write(&root.join("Anno/list_landmarks_celeba.txt"), originals);
    RgbImage::new(409, 687)
        .save(root.join("Img/img_celeba/000002.jpg"))
        .unwrap();
    let faces = open(&folder);
    assert_eq!(faces.annotations().landmarks.as_ref().unwrap()[1].nose, [381.0, 335.0]);
    assert_eq!(faces.image(1).unwrap().dimensions(), (409, 687));
}

proptest! {
    #[test]
    fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes, "image.jpg".as_ref()).is_err());
    }

    #[test]
    fn a_damaged_image_is_an_image_or_an_error(
        format in prop_oneof![Just(ImageFormat::Jpeg), Just(ImageFormat::Png)],
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = std::io::Cursor::new(Vec::new());
        RgbImage::from_fn(20, 12, |x, y| Rgb([(9 * x) as u8, (15 * y) as u8, 77])).write_to(&mut bytes, format).unwrap();
        let mut bytes = bytes.into_inner();
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Ok(image) = decode(&bytes, "image.jpg".as_ref()) {
            prop_assert!(image.width() > 0 && image.height() > 0);
        }
    }
}

#[test]
fn kaggle_s_copy_says_the_same_as_the_official_files() {
    let official = layout("Anno", "Eval", "Img");
    let kaggle = tempfile::tempdir().unwrap();
    let root = kaggle.path();
    let csv = |text: &str, head: &str| {
        let rows = text.lines().map(|line| line.replace(' ', ",") + "\r\n");
        format!("\u{feff}image_id,{head}\r\n") + &rows.collect::<String>()
    };
    let (columns, rows) = LANDMARKS.split_once('\n').unwrap().1.split_once('\n').unwrap();
    for (name, text) in [
        (
            "list_attr_celeba.csv",
            csv("000001.jpg 1 -1\n000002.jpg -1 -1\n000003.jpg 1 1", "Smiling,Young"),
        ),
        (
            "list_eval_partition.csv",
            csv("000001.jpg 0\n000002.jpg 1\n000003.jpg 2", "partition"),
        ),
        (
            "list_landmarks_align_celeba.csv",
            csv(rows.trim_end(), &columns.replace(' ', ",")),
        ),
    ] {
        write(&root.join(name), text);
    }
    let nested = root.join("img_align_celeba/img_align_celeba");
    fs::create_dir_all(&nested).unwrap();
    for name in ["000001.jpg", "000002.jpg", "000003.png"] {
        let from = official.path().join("Img/img_align_celeba").join(name);
        fs::copy(from, nested.join(name)).unwrap();
    }
    let (found, expected) = (open(&kaggle), open(&official));
    let mut annotations = expected.annotations().clone();
    // Kaggle's copy does not say who is in an image.
    annotations.identities = None;
    assert_eq!(found.annotations(), &annotations);
    for index in 0..3 {
        assert_eq!(found.image(index).unwrap(), expected.image(index).unwrap());
    }
    fs::remove_file(root.join("list_eval_partition.csv")).unwrap();
    assert_eq!(
        refusal(&kaggle),
        "list_eval_partition.txt not found; looked for DIR/Eval/list_eval_partition.txt, DIR/list_eval_partition.txt, \
         DIR/Eval/list_eval_partition.csv, DIR/list_eval_partition.csv"
    );
}
