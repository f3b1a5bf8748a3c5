//! Tables as Parquet, and pictures inside them.

use std::fs;

use dataset::{Shares, Source, TableConfig, TableFolder, TableSplit};

use crate::{ROWS, config, folder, open, refusal};

#[test]
fn parquet_as_pandas_writes_it_says_the_same_as_csv() {
    let folder = folder(ROWS);
    let path = folder.path().join("labels.parquet");
    let bytes = include_bytes!("../data/table/labels.parquet").as_slice();
    fs::write(&path, bytes).unwrap();
    let of = |attributes: &[&str]| TableConfig {
        file: path.clone(),
        attributes: Some(attributes.iter().map(|&name| name.to_owned()).collect()),
        split: TableSplit::Stratified(Shares {
            validation: 0.0,
            test: 0.4,
            seed: 1,
        }),
        ..config(folder.path())
    };
    let table = TableFolder::open(&of(&["wet", "crack"])).unwrap();
    let csv = TableFolder::open(&TableConfig {
        file: folder.path().join("labels.csv"),
        ..of(&["wet", "crack"])
    })
    .unwrap();
    assert_eq!(table.annotations(), csv.annotations());
    assert_eq!(
        table.annotations().labels,
        [-1, 1, 0, -1, 1, -1],
        "in the order asked for"
    );
    let table = TableFolder::open(&of(&["tiny", "nullable", "kind"])).unwrap();
    assert_eq!(table.annotations().labels, [-1, 1, -1, 1, 0, 1, 1, -1, 1]);

    let message = refusal(&folder, &of(&["age"]));
    assert!(
        message.starts_with("DIR/labels.parquet:1: age is \"30\", expected 1, yes or true"),
        "{message}"
    );
    let message = refusal(&folder, &of(&["list.list.element"]));
    assert!(
        message.starts_with(
            "DIR/labels.parquet: lists or parts in the column `list.list.element`, expected one text, number or truth"
        ),
        "{message}"
    );
    for length in [0, 4, 100, bytes.len() / 2, bytes.len() - 20] {
        fs::write(&path, &bytes[..length]).unwrap();
        let message = refusal(&folder, &of(&["crack"]));
        assert!(
            message.starts_with("DIR/labels.parquet: no whole Parquet file") && message.ends_with("the copy cut off?"),
            "{message}"
        );
    }
    fs::write(folder.path().join("labels.csv"), bytes).unwrap();
    let message = refusal(&folder, &config(folder.path()));
    assert_eq!(
        message,
        "DIR/labels.csv: a Parquet file, expected the extension .parquet"
    );
}

#[test]
fn pictures_inside_a_table_are_read_in_place() {
    for kind in ["plain", "snappy"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data.parquet");
        let shard = format!(
            "{}/tests/data/shards/{kind}/train-00000-of-00001.parquet",
            env!("CARGO_MANIFEST_DIR")
        );
        let bytes = fs::read(shard).unwrap();
        fs::write(&file, &bytes).unwrap();
        let of = |attributes: &[&str]| TableConfig {
            file: file.clone(),
            // Not there, and not looked for.
            images: folder.path().join("images"),
            attributes: Some(attributes.iter().map(|&name| name.to_owned()).collect()),
            group_column: Some("celeb_id".to_owned()),
            split: TableSplit::Stratified(Shares::default()),
            ..config(folder.path())
        };
        let table = TableFolder::open(&of(&["Smiling", "Young"])).unwrap();
        let annotations = table.annotations();
        assert!(annotations.len() > 1);
        for (index, name) in annotations.names.iter().enumerate() {
            assert_eq!(table.image(index).unwrap().dimensions(), (178, 218), "{name}");
            let bytes = table.image_bytes(index).unwrap();
            let found = fs::read(&file).unwrap();
            assert!(
                kind == "snappy" || found.windows(bytes.len()).any(|part| part == bytes),
                "{name}"
            );
            assert_eq!(table.image_origin(index).unwrap().file, file);
        }
        let contents = table.contents();
        assert_eq!(
            TableFolder::open(&of(&["Smiling", "Young"])).unwrap().contents(),
            contents
        );
        for length in [bytes.len() / 2, bytes.len() - 20] {
            fs::write(&file, &bytes[..length]).unwrap();
            assert!(refusal(&folder, &of(&["Smiling"])).starts_with("DIR/data.parquet: no whole Parquet file"));
        }
    }
}

/// `pictures.parquet` has the bytes of PNG files in its column `image`, as pandas writes a column of `bytes`.
#[test]
fn a_column_of_plain_bytes_holds_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.parquet");
    fs::write(&file, include_bytes!("../data/table/pictures.parquet")).unwrap();
    let table = TableFolder::open(&TableConfig {
        file,
        images: folder.path().join("images"),
        attributes: None,
        split: TableSplit::Column("split".to_owned()),
        ..config(folder.path())
    })
    .unwrap();
    let annotations = table.annotations();
    assert!(!annotations.attributes.names().iter().any(|name| name == "image"));
    assert_eq!(annotations.names[0], "row-000001");
    for index in 0..annotations.len() {
        assert!(table.image(index).unwrap().width() > 0);
    }
}

/// `paths.parquet` has null in place of each picture, and its path beside it.
#[test]
fn pictures_that_are_not_in_the_table_are_in_their_files() {
    let folder = folder(ROWS);
    let file = folder.path().join("data.parquet");
    fs::write(&file, include_bytes!("../data/table/paths.parquet")).unwrap();
    let with_paths = TableConfig {
        file,
        ..config(folder.path())
    };
    let table = TableFolder::open(&with_paths).unwrap();
    assert_eq!(table.annotations().attributes.names(), ["crack"]);
    assert_eq!(table.annotations().names, ["a.png", "sub/b.jpg", "c.png"]);
    let notes = table.notes();
    assert!(notes[0].ends_with("taken from the column `image.path`"), "{notes:?}");
    for index in 0..3 {
        assert_eq!(table.image(index).unwrap(), open(&folder).image(index).unwrap());
    }
    let columns = dataset::label_columns(&with_paths.file, None).unwrap();
    assert_eq!(columns, ["crack"]);
    let message = refusal(
        &folder,
        &TableConfig {
            images: folder.path().join("elsewhere"),
            ..with_paths
        },
    );
    assert!(message.contains("the folder or archive of images"), "{message}");
}

/// What cannot be read is not what is not there.
#[test]
fn damaged_pictures_are_refused_and_not_looked_for_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.parquet");
    let shard = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/shards/plain/train-00000-of-00001.parquet"
    );
    let mut bytes = fs::read(shard).unwrap();
    // The first page's header follows the file's mark.
    bytes[4..40].fill(0);
    fs::write(&file, &bytes).unwrap();
    let damaged = TableConfig {
        file,
        images: folder.path().to_owned(),
        attributes: Some(vec!["Smiling".to_owned()]),
        split: TableSplit::Stratified(Shares::default()),
        ..config(folder.path())
    };
    let message = refusal(&folder, &damaged);
    assert!(message.contains("expected a picture in each row of image"), "{message}");
}
