//! Every reader of files that others wrote, on valid files that were damaged and on arbitrary bytes: an error or a value, never a
//! panic, and no more memory than the file warrants. `PROPTEST_CASES` sets the number of cases of each test.

mod damage;

use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;

use dataset::{
    Annotations, AttributeMasks, CelebaFolder, CelebaParquet, Fit, MemorySource, PackedPixels, Shares, Source, Split,
    TableConfig, TableFolder, TableSplit, decode, parse_identities, parse_labels, parse_landmarks, parse_partition,
};
use image::{ImageFormat, Rgb, RgbImage};
use proptest::prelude::*;

use damage::{bounded, bytes_of, damage, damaged};

const NAMES: [&str; 3] = ["000001.jpg", "000002.jpg", "000003.jpg"];
const LABELS: &str = "3\nSmiling Young\n000001.jpg 1 -1\n000002.jpg -1 -1\n000003.jpg 1 1\n";
const PARTITION: &str = "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n";
const IDENTITIES: &str = "000001.jpg 2880\n000002.jpg 2937\n000003.jpg 8692\n";
const LANDMARKS: &str = "3
lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y
000001.jpg 69 109 106 113 77 142 73 152 108 154
000002.jpg 69 110 107 112 81 135 70 151 108 153
000003.jpg 76 112 104 106 108 128 74 156 98 158
";

fn stays_inside(name: &str) -> bool {
    !name.contains("..") && !name.contains(['/', '\\', ':', '\0'])
}

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = RgbImage::from_fn(width, height, |x, y| Rgb([(9 * x) as u8, (5 * y) as u8, (x * y) as u8]));
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn masks() -> Vec<u8> {
    let mut masks = AttributeMasks::new(12, 9, 11);
    masks.insert(10, 3, 4);
    masks.to_png("m.png".as_ref()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn label_files(bytes in bytes_of(LABELS.into())) {
        if let Ok(table) = bounded(|| parse_labels("file", &bytes)) {
            prop_assert_eq!(table.labels.len(), table.names.len() * table.attributes.len());
            prop_assert!(table.names.iter().all(|name| stays_inside(name)));
        }
    }

    #[test]
    fn partition_files(bytes in bytes_of(PARTITION.into())) {
        if let Ok(rows) = bounded(|| parse_partition("file", &bytes)) {
            prop_assert!(rows.rows().iter().all(|(name, _)| stays_inside(name)));
        }
    }

    #[test]
    fn identity_files(bytes in bytes_of(IDENTITIES.into())) {
        if let Ok(rows) = bounded(|| parse_identities("file", &bytes)) {
            prop_assert!(rows.rows().iter().all(|(name, _)| stays_inside(name)));
        }
    }

    #[test]
    fn landmark_files(bytes in bytes_of(LANDMARKS.into())) {
        if let Ok(rows) = bounded(|| parse_landmarks("file", &bytes)) {
            prop_assert!(rows.rows().iter().all(|(name, face)| stays_inside(name) && face.nose[0].is_finite()));
        }
    }

    #[test]
    fn jpegs(bytes in bytes_of(picture(40, 30, ImageFormat::Jpeg))) {
        let _ = bounded(|| decode(&bytes, "image.jpg".as_ref()));
    }

    #[test]
    fn pngs(bytes in bytes_of(picture(40, 30, ImageFormat::Png))) {
        let _ = bounded(|| decode(&bytes, "image.jpg".as_ref()));
    }

    #[test]
    fn mask_files(bytes in bytes_of(masks())) {
        let _ = bounded(|| AttributeMasks::from_png(&bytes, 11, "m.png".as_ref()));
    }
}

/// Files of a few hundred bytes whose headers are in order and declare 60,000 x 60,000 pixels, which random damage seldom makes.
#[test]
fn images_that_declare_gigabytes_are_refused() {
    let side = 60_000_u16.to_be_bytes();
    let mut png = picture(40, 30, ImageFormat::Png);
    for at in [16, 20] {
        png[at..at + 4].copy_from_slice(&[0, 0, side[0], side[1]]);
    }
    let checksum = crc32fast::hash(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&checksum);
    let mut jpeg = picture(40, 30, ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    for at in [frame + 5, frame + 7] {
        jpeg[at..at + 2].copy_from_slice(&side);
    }
    for bytes in [png, jpeg] {
        bounded(|| decode(&bytes, "image".as_ref())).unwrap_err();
    }
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Three PNGs, deflated by Python's zipfile.
const ARCHIVE: &[u8] = include_bytes!("data/deflated.zip");

/// Each image of the archive is to have 200 MB, packed and unpacked.
#[test]
fn an_archive_that_declares_more_than_it_has_is_refused() {
    let mut archive = ARCHIVE.to_vec();
    let entries: Vec<usize> = (0..archive.len())
        .filter(|&at| archive[at..].starts_with(b"PK\x01\x02"))
        .collect();
    for at in entries {
        archive[at + 20..at + 24].copy_from_slice(&(200_u32 << 20).to_le_bytes());
        archive[at + 24..at + 28].copy_from_slice(&(200_u32 << 20).to_le_bytes());
    }
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("list_attr_celeba.txt"), LABELS);
    write(&folder.path().join("list_eval_partition.txt"), PARTITION);
    write(&folder.path().join("img_align_celeba.zip"), archive);
    let faces = CelebaFolder::open(folder.path()).unwrap();
    for index in 0..3 {
        bounded(|| faces.image(index)).unwrap_err();
    }
}

fn shard(kind: &str, split: &str) -> Vec<u8> {
    let name = format!("tests/data/shards/{kind}/{split}-00000-of-00001.parquet");
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn memory() -> MemorySource {
    let annotations = Annotations {
        attributes: parse_labels("labels", LABELS.as_bytes()).unwrap().attributes,
        names: NAMES.map(str::to_owned).to_vec(),
        labels: vec![1; 6],
        splits: Split::ALL.to_vec(),
        landmarks: None,
        identities: None,
    };
    MemorySource::new(annotations, vec![RgbImage::new(24, 24); 3]).unwrap()
}

fn packed() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("packed");
    PackedPixels::open(&path, &memory(), &[0, 1, 2], 12, &mut |_| ControlFlow::Continue(())).unwrap();
    fs::read(path).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn archives(bytes in bytes_of(ARCHIVE.into())) {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("list_attr_celeba.txt"), LABELS);
        write(&folder.path().join("list_eval_partition.txt"), PARTITION);
        write(&folder.path().join("img_align_celeba.zip"), bytes);
        bounded(|| {
            if let Ok(faces) = CelebaFolder::open(folder.path()) {
                for index in 0..3 {
                    let _ = faces.image(index);
                    let _ = faces.image_size(index);
                }
                let _ = (faces.fingerprint(), faces.contents());
            }
        });
    }

    #[test]
    fn shards(kind in prop_oneof![Just("plain"), Just("snappy")], damage in damage()) {
        let folder = tempfile::tempdir().unwrap();
        for split in ["valid", "test"] {
            write(&folder.path().join(format!("{split}-00000-of-00001.parquet")), shard(kind, split));
        }
        let train = damaged(&shard(kind, "train"), &damage);
        write(&folder.path().join("train-00000-of-00001.parquet"), train);
        bounded(|| {
            if let Ok(faces) = CelebaParquet::open(folder.path(), &|_, _| ControlFlow::Continue(())) {
                let _ = faces.image(0);
                let names = &faces.annotations().names;
                assert!(names.iter().all(|name| stays_inside(name)), "{names:?}");
            }
        });
    }

    #[test]
    fn packed_pixels(bytes in bytes_of(packed())) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("packed");
        write(&path, bytes);
        let source = memory();
        let opened = bounded(|| PackedPixels::open(&path, &source, &[0, 1, 2], 12, &mut |_| ControlFlow::Continue(())));
        prop_assert_eq!(opened.unwrap().0.images(), 3);
    }

    #[test]
    fn tables_as_text(bytes in bytes_of(TABLE.into())) {
        table("labels.csv", &bytes);
    }

    #[test]
    fn tables_as_parquet(bytes in bytes_of(shard("plain", "train"))) {
        table("labels.parquet", &bytes);
        table("pictures.parquet", &bytes);
    }
}

const TABLE: &str = "image,crack,wet,split,plant\na.png,1,0,train,fern\nsub/b.jpg,0,,val,2\nc,0,1,test,fern\n";

/// Opens a table, and looks for its images.
fn table(name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    write(&file, bytes);
    fs::create_dir(folder.path().join("images")).unwrap();
    let parquet = name.ends_with("parquet");
    let config = TableConfig {
        file,
        images: folder.path().join("images"),
        image_column: if name == "labels.parquet" {
            "image.path"
        } else {
            "image"
        }
        .to_owned(),
        attributes: parquet.then(|| vec!["Smiling".to_owned(), "Young".to_owned()]),
        group_column: Some(if parquet { "celeb_id" } else { "plant" }.to_owned()),
        split: if parquet {
            TableSplit::Stratified(Shares {
                validation: 0.2,
                test: 0.2,
                seed: 1,
            })
        } else {
            TableSplit::Column("split".to_owned())
        },
        resize: Fit::Crop,
        landmarks: None,
        masks: None,
        boxes: None,
    };
    bounded(|| {
        if let Ok(table) = TableFolder::open(&config) {
            for (index, name) in table.annotations().names.iter().enumerate() {
                let climbs = name.split('/').any(|part| part == "..");
                assert!(
                    !climbs && !Path::new(name).is_absolute() && !name.contains(['\0', '\\', ':']),
                    "{name:?}"
                );
                let _ = table.image(index);
            }
        }
    });
}
