//! The Hugging Face hub's Parquet files: read as its own library writes them, and what is said when they are not right.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::{CelebaParquet, Error, Result, Source, Split};
use image::{Rgb, RgbImage};
use polars_arrow::array::{Array, BinaryArray, BooleanArray, PrimitiveArray, StructArray, Utf8Array};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field};
use polars_arrow::record_batch::RecordBatchT;
use polars_parquet::write::{
    CompressionOptions, Encoding, FileWriter, StatisticsOptions, Version, WriteOptions, row_group_iter,
};
use tempfile::TempDir;

fn open(folder: &Path) -> Result<CelebaParquet> {
    CelebaParquet::open(folder, &|_, _| ControlFlow::Continue(()))
}

fn refusal(folder: &TempDir) -> String {
    let error = open(folder.path()).unwrap_err();
    error.to_string().replace(&*folder.path().to_string_lossy(), "DIR")
}

/// The shards in `tests/data/shards/KIND`, which `export.py` there made with Hugging Face's `datasets` and pyarrow.
fn hub(kind: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shards = folder.path().join("img_align+identity+attr");
    fs::create_dir(&shards).unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/shards")
        .join(kind);
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), shards.join(file.file_name())).unwrap();
    }
    folder
}

fn shard(folder: &TempDir, split: &str) -> PathBuf {
    folder
        .path()
        .join(format!("img_align+identity+attr/{split}-00000-of-00001.parquet"))
}

#[test]
fn the_hub_s_own_files_are_read_whole() {
    // Plain: as the library writes images now. Snappy: as it did before, with a dictionary that overflows.
    for kind in ["plain", "snappy"] {
        let folder = hub(kind);
        for _ in ["through the shards", "through the index"] {
            let data = open(folder.path()).unwrap();
            let annotations = data.annotations();
            assert_eq!(annotations.attributes.names(), ["Smiling", "Young"]);
            assert_eq!(annotations.names[..2], ["000001.jpg", "000002.jpg"]);
            assert_eq!(annotations.identities.as_ref().unwrap()[8], 109);
            assert_eq!(annotations.indices(Split::Train), [0, 1, 2, 3, 4]);
            assert_eq!(annotations.indices(Split::Validation), [5, 6]);
            assert_eq!(annotations.landmarks, None);
            for index in 0..9 {
                let number = index as u8 + 1;
                let label = |positive: bool| if positive { 1 } else { -1 };
                let expected = [label(number.is_multiple_of(2)), label(number.is_multiple_of(3))];
                assert_eq!(annotations.labels_of(index), expected);
                let image = data.image(index).unwrap();
                assert_eq!(data.image_size(index).unwrap(), (178, 218));
                let drawn = RgbImage::from_fn(178, 218, |x, y| Rgb([10 * number, x as u8, y as u8]));
                let largest = image.iter().zip(drawn.iter()).map(|(a, b)| a.abs_diff(*b)).max();
                // Odd numbers are PNGs, which lose nothing; a smooth JPEG loses little.
                assert!(
                    largest <= Some(if number % 2 == 1 { 0 } else { 12 }),
                    "{kind} {number}: {largest:?}"
                );
            }
            assert!(data.image(9).is_err());
        }
        let index = folder.path().join("img_align+identity+attr/biascam-index-1");
        assert!(index.is_file());
    }
}

#[test]
fn images_come_in_the_order_of_their_names_and_any_order_of_reading() {
    let folder = hub("snappy");
    let data = open(folder.path()).unwrap();
    let forwards: Vec<RgbImage> = (0..9).map(|index| data.image(index).unwrap()).collect();
    let data = Arc::new(data);
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let data = Arc::clone(&data);
            std::thread::spawn(move || {
                let order = (0..9).rev().cycle().skip(thread).take(50);
                order
                    .map(|index| (index, data.image(index).unwrap()))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    for thread in threads {
        for (index, image) in thread.join().unwrap() {
            assert!(image == forwards[index]);
        }
    }
}

#[test]
fn a_missing_shard_or_split_is_named() {
    let folder = hub("plain");
    fs::rename(
        shard(&folder, "train"),
        shard(&folder, "train").with_file_name("train-00002-of-00004.parquet"),
    )
    .unwrap();
    assert_eq!(
        refusal(&folder),
        "train-00000-of-00004.parquet and 2 more, of 4 shards not found; looked for \
         DIR/img_align+identity+attr/train-00000-of-00004.parquet"
    );
    let folder = hub("plain");
    fs::remove_file(shard(&folder, "valid")).unwrap();
    assert!(
        refusal(&folder).starts_with("any shard of the split not found"),
        "{}",
        refusal(&folder)
    );
    assert!(!CelebaParquet::is_in(tempfile::tempdir().unwrap().path()));
}

#[test]
fn a_shard_cut_off_anywhere_is_one_message_and_leaves_no_index() {
    for kind in ["plain", "snappy"] {
        let folder = hub(kind);
        let path = shard(&folder, "train");
        let whole = fs::read(&path).unwrap();
        for end in (0..whole.len()).step_by(1009).chain([whole.len() - 1]) {
            fs::write(&path, &whole[..end]).unwrap();
            let message = refusal(&folder);
            assert!(
                message.starts_with("DIR/img_align+identity+attr/train-00000-of-00001.parquet: no whole Parquet file")
                    && message.ends_with("was the download or the copy cut off?"),
                "{end}: {message}"
            );
        }
        let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 3, "the shards alone");
    }
}

#[test]
fn damage_is_an_error_before_and_after_the_index_is_written() {
    for kind in ["plain", "snappy"] {
        let folder = hub(kind);
        let path = shard(&folder, "train");
        let whole = fs::read(&path).unwrap();
        let data = open(folder.path()).unwrap();
        // Behind the index's back: size and time of change stay as they were.
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let mut damaged = whole.clone();
        for byte in &mut damaged[1000..1200] {
            *byte ^= 0x55;
        }
        fs::write(&path, &damaged).unwrap();
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(time)
            .unwrap();
        let errors: Vec<Error> = (0..5).filter_map(|index| data.image(index).err()).collect();
        assert!(!errors.is_empty(), "{kind}");
        for error in errors {
            assert!(matches!(error, Error::Read { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains("train-00000-of-00001.parquet/00000"), "{text}");
        }
    }
    // Before: every byte in turn makes an error or a data set, never a panic.
    let folder = hub("snappy");
    let path = shard(&folder, "test");
    let whole = fs::read(&path).unwrap();
    for position in (0..whole.len()).step_by(37) {
        let mut damaged = whole.clone();
        damaged[position] ^= 0xff;
        fs::write(&path, &damaged).unwrap();
        if let Ok(data) = open(folder.path()) {
            for index in 0..data.annotations().len() {
                let _ = data.image(index);
            }
        }
    }
}

/// A shard of these columns, written in one row group.
fn write(path: &Path, columns: Vec<(&str, Box<dyn Array>)>) {
    let rows = columns[0].1.len();
    let fields = columns
        .iter()
        .map(|(name, array)| Field::new((*name).into(), array.dtype().clone(), true));
    let schema: ArrowSchema = fields.map(|field| (field.name.clone(), field)).collect();
    let encodings: Vec<Vec<Encoding>> = columns
        .iter()
        .map(|(_, array)| match array.dtype() {
            ArrowDataType::Struct(fields) => vec![Encoding::Plain; fields.len()],
            _ => vec![Encoding::Plain],
        })
        .collect();
    let options = WriteOptions {
        statistics: StatisticsOptions::empty(),
        version: Version::V2,
        compression: CompressionOptions::Zstd(None),
        data_page_size: None,
    };
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let mut writer = FileWriter::try_new(fs::File::create(path).unwrap(), schema.clone(), options).unwrap();
    let group = row_group_iter(
        RecordBatchT::new(rows, Arc::new(schema), arrays),
        encodings.into(),
        writer.parquet_schema().fields().to_vec(),
        options,
    );
    writer.write(rows as u64, group).unwrap();
    writer.end(None).unwrap();
}

fn picture(index: u8) -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    let image = RgbImage::from_fn(178, 218, |x, _| Rgb([index, x as u8, 0]));
    image.write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}

fn image(bytes: Vec<Option<Vec<u8>>>, paths: Vec<Option<String>>) -> Box<dyn Array> {
    let fields = vec![
        Field::new("bytes".into(), ArrowDataType::LargeBinary, true),
        Field::new("path".into(), ArrowDataType::LargeUtf8, true),
    ];
    let rows = bytes.len();
    let bytes: BinaryArray<i64> = bytes.into_iter().collect();
    let paths: Utf8Array<i64> = paths.into_iter().collect();
    StructArray::new(
        ArrowDataType::Struct(fields),
        rows,
        vec![bytes.boxed(), paths.boxed()],
        None,
    )
    .boxed()
}

/// Two images of a split, named from `first` on, as columns that a test changes.
fn columns(first: u8) -> Vec<(&'static str, Box<dyn Array>)> {
    let numbers = [first, first + 1];
    vec![
        (
            "image",
            image(
                numbers.map(|n| Some(picture(n))).to_vec(),
                numbers.map(|n| Some(format!("{n:06}.png"))).to_vec(),
            ),
        ),
        ("celeb_id", PrimitiveArray::<i64>::from_vec(vec![7, 8]).boxed()),
        ("Smiling", BooleanArray::from_slice([true, false]).boxed()),
    ]
}

/// A data set whose test shard has other columns.
fn with(change: impl FnOnce(&mut Vec<(&'static str, Box<dyn Array>)>)) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("img_align+identity+attr")).unwrap();
    let mut test = columns(1);
    change(&mut test);
    write(&shard(&folder, "train"), columns(5));
    write(&shard(&folder, "valid"), columns(3));
    write(&shard(&folder, "test"), test);
    folder
}

#[test]
fn other_versions_and_compressions_are_read_too() {
    let data = with(|_| {});
    let data = open(data.path()).unwrap();
    // The order is that of the names, wherever the shards have them.
    assert_eq!(data.annotations().splits[0], Split::Test);
    for index in 0..6 {
        assert_eq!(data.image(index).unwrap().get_pixel(0, 0)[0], index as u8 + 1);
    }
}

#[test]
fn another_schema_and_nulls_are_one_message_each() {
    let numbers = || PrimitiveArray::<i64>::from_vec(vec![1, 0]).boxed();
    let two = |bytes: Option<Vec<u8>>| {
        image(
            vec![Some(picture(1)), bytes],
            vec![Some("1.png".into()), Some("2.png".into())],
        )
    };
    let cases: Vec<(TempDir, &str)> = vec![
        (
            with(|c| c[2].1 = numbers()),
            "a column Smiling of type Int64, expected the hub's CelebA",
        ),
        (
            with(|c| c.push(("Young", BooleanArray::from_slice([true, true]).boxed()))),
            "other attributes, expected those of",
        ),
        (
            with(|c| drop(c.remove(1))),
            "no column celeb_id, expected the hub's CelebA",
        ),
        (with(|c| drop(c.remove(0))), "no column image.bytes"),
        (with(|c| drop(c.remove(2))), "no boolean column"),
        (
            with(|c| c[0].1 = two(None)),
            "a null, in column image.bytes of row group 0",
        ),
        (
            with(|c| c[1].1 = PrimitiveArray::<i64>::from([Some(1), None]).boxed()),
            "a null, in column celeb_id of row group 0",
        ),
        (
            with(|c| c[1].1 = PrimitiveArray::<i64>::from_vec(vec![1, -1]).boxed()),
            "the identity -1, in column celeb_id",
        ),
        (
            with(|c| c[2].1 = BooleanArray::from([Some(true), None]).boxed()),
            "a null, in column Smiling of row group 0",
        ),
        (
            with(|c| c[0].1 = image(vec![Some(picture(1)); 2], vec![None, Some("2.png".into())])),
            "1 of 6 images without a name",
        ),
        (
            with(|c| {
                c[0].1 = image(
                    vec![Some(picture(1)); 2],
                    vec![Some("5.png".into()), Some("a/5.jpg".into())],
                )
            }),
            "image 5.jpg twice",
        ),
    ];
    for (folder, expected) in cases {
        let message = refusal(&folder);
        assert!(
            message.starts_with("DIR/img_align+identity+attr") && message.contains(expected),
            "{message}"
        );
    }
}

const LANDMARKS: &str =
    "6\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n";

fn landmarks(names: &[String]) -> String {
    let row = |name: &String| format!("{name} 69 109 106 113 77 142 73 152 108 154\n");
    format!("{LANDMARKS}{}", names.iter().map(row).collect::<String>())
}

#[test]
fn landmarks_come_from_an_official_file() {
    let folder = with(|_| {});
    let names = open(folder.path()).unwrap().annotations().names.clone();
    for place in ["Anno", "", "img_align+identity+attr"] {
        let path = folder.path().join(place).join("list_landmarks_align_celeba.txt");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, landmarks(&names)).unwrap();
        let data = open(folder.path()).unwrap();
        assert_eq!(data.annotations().landmarks.as_ref().unwrap()[5].nose, [77.0, 142.0]);
        fs::write(&path, landmarks(&names).replace("000004.jpg", "000009.jpg")).unwrap();
        assert!(refusal(&folder).contains("\"000009.jpg\""), "{}", refusal(&folder));
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn shards_without_names_need_another_file_before_landmarks_are_believed() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("img_align+identity+attr")).unwrap();
    for (first, split) in [(1, "train"), (3, "valid"), (5, "test")] {
        let mut columns = columns(first);
        columns[0].1 = image([first, first + 1].map(|n| Some(picture(n))).to_vec(), vec![None, None]);
        write(&shard(&folder, split), columns);
    }
    let names = open(folder.path()).unwrap().annotations().names.clone();
    assert_eq!(names[..3], ["0-000001.jpg", "0-000002.jpg", "1-000001.jpg"]);
    fs::write(folder.path().join("list_landmarks_align_celeba.txt"), landmarks(&names)).unwrap();
    assert!(
        refusal(&folder).contains("identity_CelebA.txt or list_attr_celeba.txt beside it"),
        "{}",
        refusal(&folder)
    );
    let identities = |order: [usize; 6]| {
        let rows = names
            .iter()
            .zip(order)
            .map(|(name, identity)| format!("{name} {identity}\n"));
        fs::write(folder.path().join("identity_CelebA.txt"), rows.collect::<String>()).unwrap();
    };
    identities([7, 8, 7, 8, 8, 7]);
    assert!(
        refusal(&folder).contains("another order of images"),
        "{}",
        refusal(&folder)
    );
    identities([7, 8, 7, 8, 7, 8]);
    assert!(open(folder.path()).unwrap().annotations().landmarks.is_some());
}

#[test]
fn stopping_leaves_no_index() {
    let folder = hub("plain");
    let stopped = CelebaParquet::open(folder.path(), &|_, _| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert_eq!(
        fs::read_dir(folder.path().join("img_align+identity+attr"))
            .unwrap()
            .count(),
        3
    );
}
