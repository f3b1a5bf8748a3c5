//! Tables on disk, as people have them and with things wrong.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use dataset::{Error, Fit, Loader, LoaderConfig, Shares, Source, Split, TableConfig, TableFolder, TableSplit};
use image::{GrayImage, Luma, Rgb, RgbImage};
use tempfile::TempDir;

const ROWS: &str = "image,crack,wet,split\na.png,1,0,train\nsub/b.jpg,0,,val\nc,0,1,test\n";

/// A table, and images `a.png` (40 x 20), `sub/b.jpg` (30 x 30) and `c.png` (20 x 40).
fn folder(table: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("images/sub")).unwrap();
    fs::write(root.join("labels.csv"), table).unwrap();
    picture(40, 20).save(root.join("images/a.png")).unwrap();
    picture(30, 30).save(root.join("images/sub/b.jpg")).unwrap();
    picture(20, 40).save(root.join("images/c.png")).unwrap();
    folder
}

/// Red in the left half, blue in the right one.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| {
        if 2 * x < width {
            Rgb([200, 0, 0])
        } else {
            Rgb([0, 0, 200])
        }
    })
}

fn config(root: &Path) -> TableConfig {
    TableConfig {
        file: root.join("labels.csv"),
        images: root.join("images"),
        image_column: "image".to_owned(),
        attributes: None,
        group_column: None,
        split: TableSplit::Column("split".to_owned()),
        resize: Fit::Crop,
        landmarks: None,
        masks: None,
        boxes: None,
    }
}

fn open(folder: &TempDir) -> TableFolder {
    TableFolder::open(&config(folder.path())).unwrap()
}

/// The refusal of a table, with the folder's name cut out.
fn refusal(folder: &TempDir, config: &TableConfig) -> String {
    let message = TableFolder::open(config).unwrap_err().to_string();
    message.replace(&*folder.path().to_string_lossy(), "DIR")
}

#[test]
fn a_csv_file_is_read() {
    let folder = folder(ROWS);
    let table = open(&folder);
    let annotations = table.annotations();
    assert_eq!(annotations.attributes.names(), ["crack", "wet"]);
    assert_eq!(annotations.names, ["a.png", "sub/b.jpg", "c"]);
    assert_eq!(annotations.labels, [1, -1, -1, 0, -1, 1]);
    assert_eq!(annotations.splits, Split::ALL);
    let counts = annotations.class_counts(&[0, 1, 2]);
    assert_eq!(
        (counts[1].positives, counts[1].negatives),
        (1, 1),
        "an empty cell is in neither class"
    );
    for (index, size) in [(40, 20), (30, 30), (20, 40)].into_iter().enumerate() {
        assert_eq!(table.image(index).unwrap().dimensions(), size);
        assert_eq!(table.image_size(index).unwrap(), size);
        assert!(table.masks(index).unwrap().is_none());
    }
    assert!(table.fingerprint().starts_with("3 images "));
}

#[test]
fn a_batch_has_the_labels_and_squares() {
    let folder = folder(ROWS);
    for (resize, left, right) in [
        (Fit::Crop, [200, 0, 0], [0, 0, 200]),
        (Fit::Pad, [200, 0, 0], [0, 0, 200]),
        (Fit::Stretch, [200, 0, 0], [0, 0, 200]),
    ] {
        let table = TableFolder::open(&TableConfig {
            resize,
            ..config(folder.path())
        });
        let loader = Loader::new(Arc::new(table.unwrap()), vec![0, 2], LoaderConfig::in_order(10, 2, 1)).unwrap();
        let batch = loader.epoch(0, 0).next().unwrap().unwrap();
        assert_eq!(batch.labels, [1.0, -1.0, -1.0, 1.0]);
        for image in batch.images.chunks(300) {
            for row in image.chunks(30) {
                let byte = |pixel: usize| [0, 1, 2].map(|c| (row[3 * pixel + c] * 255.0).round() as u8);
                assert_eq!((byte(0), byte(9)), (left, right), "{resize:?}");
            }
        }
    }
}

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

#[test]
fn without_a_split_column_the_split_is_stratified() {
    let mut rows = "image,crack\n".to_owned();
    let folder = folder(ROWS);
    for index in 0..100 {
        rows += &format!("{index}.png,{}\n", u8::from(index % 10 == 0));
    }
    fs::write(folder.path().join("labels.csv"), rows).unwrap();
    fs::write(folder.path().join("images/0.png"), "").unwrap();
    let table = TableFolder::open(&TableConfig {
        split: TableSplit::Stratified(Shares {
            validation: 0.2,
            test: 0.3,
            seed: 7,
        }),
        ..config(folder.path())
    })
    .unwrap();
    let annotations = table.annotations();
    for (split, positives, negatives) in [(Split::Train, 5, 45), (Split::Validation, 2, 18), (Split::Test, 3, 27)] {
        let counts = annotations.class_counts(&annotations.indices(split))[0];
        assert_eq!((counts.positives, counts.negatives), (positives, negatives), "{split}");
    }
}

/// A table of 90 images of 30 plants, in the order of their numbers; `plant` names one.
fn of_plants(plant: impl Fn(usize) -> String) -> String {
    let row = |index: usize| {
        format!(
            "{index}.png,{},{}\n",
            u8::from(index.is_multiple_of(9)),
            plant(index / 3)
        )
    };
    "image,crack,plant\n".to_owned() + &(0..90).map(row).collect::<String>()
}

#[test]
fn images_of_a_group_stay_together_and_know_its_name() {
    let folder = folder(&of_plants(|plant| format!("fern {plant}")));
    fs::write(folder.path().join("images/0.png"), "").unwrap();
    let of = |seed, group_column: Option<&str>| TableConfig {
        group_column: group_column.map(str::to_owned),
        split: TableSplit::Stratified(Shares {
            validation: 0.2,
            test: 0.3,
            seed,
        }),
        ..config(folder.path())
    };
    for seed in 1..6 {
        let table = TableFolder::open(&of(seed, Some("plant"))).unwrap();
        let annotations = table.annotations();
        assert_eq!(
            annotations.attributes.names(),
            ["crack"],
            "the groups' column is no attribute"
        );
        for plant in annotations.splits.chunks(3) {
            assert!(plant.iter().all(|split| *split == plant[0]));
        }
        for (split, positives, negatives) in [(Split::Train, 5, 40), (Split::Validation, 2, 16), (Split::Test, 3, 24)] {
            let counts = annotations.class_counts(&annotations.indices(split))[0];
            assert_eq!((counts.positives, counts.negatives), (positives, negatives), "{split}");
        }
        let people = annotations.people().unwrap();
        assert_eq!((people[0], people[2], people[3], people[89]), (0, 0, 1, 29));
        assert_eq!(table.person(5).unwrap(), "fern 1");
        assert_eq!(table.person(90), None);
    }
    // Without the column, and with a column that groups nothing, it is the split of single images.
    let ungrouped = of_plants(|_| String::new());
    fs::write(
        folder.path().join("labels.csv"),
        ungrouped.replace(",plant\n", "\n").replace(",\n", "\n"),
    )
    .unwrap();
    let alone = TableFolder::open(&of(1, None)).unwrap();
    assert!(alone.annotations().people().is_none() && alone.person(0).is_none());
    let named = TableFolder::open(&of(1, Some("image"))).unwrap();
    assert_eq!(named.annotations().splits, alone.annotations().splits);
    assert!(
        named.annotations().people().is_none(),
        "every image shows another plant"
    );
}

#[test]
fn groups_are_told_by_what_cells_say_whatever_their_type() {
    let people = |cells: [&str; 4]| {
        let row = |(index, cell): (usize, &str)| format!("{index}.png,{},{cell},test\n", index % 2);
        let rows: String = cells.into_iter().enumerate().map(row).collect();
        let folder = folder(&format!("image,crack,who,split\n{rows}"));
        fs::write(folder.path().join("images/0.png"), "").unwrap();
        let table = TableFolder::open(&TableConfig {
            group_column: Some("who".to_owned()),
            ..config(folder.path())
        });
        table.unwrap().annotations().identities.clone().unwrap()
    };
    assert_eq!(people(["7", "8", "7", " 8"]), [0, 1, 0, 1]);
    assert_eq!(people(["7", "07", "7.0", "07"]), [0, 1, 2, 1]);
    assert_eq!(people(["true", "false", "Ann", "ann"]), [0, 1, 2, 3]);

    // As pandas writes them: whole numbers, words, truths.
    let folder = folder(ROWS);
    let path = folder.path().join("labels.parquet");
    fs::write(&path, include_bytes!("data/table/labels.parquet")).unwrap();
    let of = |column: &str| TableConfig {
        file: path.clone(),
        attributes: Some(vec!["crack".to_owned()]),
        group_column: Some(column.to_owned()),
        split: TableSplit::Stratified(Shares::default()),
        ..config(folder.path())
    };
    for (column, names, people) in [
        ("age", ["30", "31", "32"], [0, 1, 2]),
        ("kind", ["false", "true", "true"], [0, 1, 1]),
        ("crack", ["true", "false", "false"], [0, 1, 1]),
    ] {
        let attributes = Some(vec!["tiny".to_owned()]);
        let table = TableFolder::open(&TableConfig {
            attributes,
            ..of(column)
        })
        .unwrap();
        assert_eq!([0, 1, 2].map(|index| table.person(index).unwrap().into_owned()), names);
        assert_eq!(table.annotations().identities.as_deref(), Some(people.as_slice()));
    }
    let message = refusal(&folder, &of("nullable"));
    assert!(
        message.starts_with("DIR/labels.parquet:2: nullable is \"\", expected a name in every row"),
        "{message}"
    );
}

#[test]
fn faults_of_groups_name_line_and_setting() {
    let refused = |table: &str, group_column: &str, attributes: Option<&[&str]>| {
        let folder = folder(table);
        let config = TableConfig {
            group_column: Some(group_column.to_owned()),
            attributes: attributes.map(|all| all.iter().map(|&name| name.to_owned()).collect()),
            ..config(folder.path())
        };
        refusal(&folder, &config)
    };
    assert_eq!(
        refused(ROWS, "patient", None),
        "DIR/labels.csv:1: no column `patient`, expected one of image, crack, wet, split as group_column"
    );
    for cell in ["", " ", "NA", "nan", "None"] {
        let table = format!("image,crack,who,split\na.png,1,ann,train\nc,0,{cell},test\n");
        let message = refused(&table, "who", None);
        let expected = format!(
            "DIR/labels.csv:3: who is {:?}, expected a name in every row of the group_column",
            cell.trim()
        );
        assert!(message.starts_with(&expected), "{message}");
    }
    assert_eq!(
        refused(ROWS, "split", None),
        "group_column: split, expected another column than that of the splits"
    );
    assert_eq!(
        refused(ROWS, "wet", Some(&["crack", "wet"])),
        "group_column: wet, expected another column than that of an attribute"
    );
}

#[test]
fn parquet_as_pandas_writes_it_says_the_same_as_csv() {
    let folder = folder(ROWS);
    let path = folder.path().join("labels.parquet");
    let bytes = include_bytes!("data/table/labels.parquet").as_slice();
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
        message.starts_with("DIR/labels.parquet: several values in a row, in column list.list.element of row group 0"),
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
fn faults_name_the_line() {
    for (table, expected) in [
        (
            "",
            "DIR/labels.csv: an empty file, expected a header and a row for each image",
        ),
        (
            "image,crack,split\n",
            "DIR/labels.csv: a header and no rows, expected a row for each image",
        ),
        (
            "file,crack,split\na.png,1,train\n",
            "DIR/labels.csv:1: no column `image`, expected one of file, crack, split",
        ),
        (
            "image,crack\na.png,1\n",
            "DIR/labels.csv:1: no column `split`, expected one of image, crack",
        ),
        (
            "image,crack,split,image\na.png,1,train,b\n",
            "DIR/labels.csv:1: column `image` twice, expected each name once",
        ),
        (
            "image,crack,crack,split\na.png,1,1,train\n",
            "DIR/labels.csv:1: attribute names: crack twice, expected each name once",
        ),
        (
            "image,split\na.png,train\n",
            "DIR/labels.csv:1: attribute names: no name, expected at least one",
        ),
        (
            "image,crack,split\na.png,1\n",
            "DIR/labels.csv:2: 2 cells, expected 3, one for each name of the header",
        ),
        (
            "image,crack,split\na.png,1,train\n../b.png,1,test\n",
            "DIR/labels.csv:3: image name \"../b.png\", expected a path below",
        ),
        (
            "image,crack,split\n/etc/passwd,1,test\n",
            "image passwd not found; looked for DIR/images/passwd,",
        ),
        (
            "image,crack,split\na\\..\\..\\b.jpg,1,test\n",
            "DIR/labels.csv:2: image name \"a\\\\..\\\\..\\\\b.jpg\", expected a path below",
        ),
        (
            "image,crack,split\nsub/b.jpg,1,train\nsub\\b.jpg,1,test\n",
            "DIR/labels.csv: image sub\\b.jpg, whose file is sub/b.jpg, as that of sub/b.jpg, expected a file of its own for each image",
        ),
        (
            "image,crack,split\n,1,test\n",
            "DIR/labels.csv:2: image name \"\", expected a path below",
        ),
        (
            "image,crack,split\na.png,1,train\n\na.png,0,test\n",
            "DIR/labels.csv:4: \"a.png\" again, after line 2, expected each image once",
        ),
        (
            "image,crack,split\na.png,1,hold\n",
            "DIR/labels.csv:2: split \"hold\", expected train, validation or test (or 0, 1, 2)",
        ),
        (
            "image,crack,split\na.png,maybe,train\n",
            "DIR/labels.csv:2: crack is \"maybe\", expected 1, yes or true; 0, -1, no or false",
        ),
        (
            "image,crack,split\na.png,0,train\nc,-1,test\n",
            "DIR/labels.csv:3: crack is -1, after another word for no in line 2",
        ),
        (
            "image,\"has\ncrack\",split\na.png,1,train\n",
            "DIR/labels.csv:1: attribute names: \"has\\ncrack\" in column 1, expected a name in one line",
        ),
    ] {
        let folder = folder(table);
        let message = refusal(&folder, &config(folder.path()));
        assert!(
            message.starts_with(expected),
            "{message:?} should start with {expected:?}"
        );
    }
    let folder = folder(ROWS);
    fs::write(
        folder.path().join("labels.csv"),
        b"image,crack,split\na.png,1,train\n\xff.png,1,test\n",
    )
    .unwrap();
    assert_eq!(
        refusal(&folder, &config(folder.path())),
        "DIR/labels.csv:3: bytes that are no text, expected a text file in UTF-8 (Excel: \"CSV UTF-8\")"
    );
}

#[test]
fn common_exports_are_read() {
    for table in [
        "\u{feff}image;crack;split\na.png;1;train\nsub/b.jpg;0;test\n",
        "image\tcrack\tsplit\r\na.png\t1\ttrain\r\nsub/b.jpg\t0\ttest\r\n",
        ",image,crack,split\n0,a.png,1.0,0\n1,\"sub/b.jpg\",0.0,2\n",
        "image, crack, split\na.png, True, train\nsub/b.jpg, False, test\n",
        "sep=;\r\nimage;crack;split\r\na.png;1,0;train\r\nsub/b.jpg;0,0;test\r\n;;\r\n\r\n",
        "image,crack,split\na.png,YES,train\nsub/b.jpg,no,test\n,,\n",
        "\"image\";\"crack\";\"kind, of; all\";\"split\"\n\"a.png\";1;;train\n\"sub/b.jpg\";0;;test\n",
    ] {
        let folder = folder(table);
        let attributes = Some(vec!["crack".to_owned()]);
        let table = TableFolder::open(&TableConfig {
            attributes,
            ..config(folder.path())
        })
        .unwrap();
        assert_eq!(table.annotations().labels, [1, -1]);
        assert_eq!(table.annotations().splits, [Split::Train, Split::Test]);
        table.image(1).unwrap();
    }
}

#[test]
fn missing_files_are_named_with_where_they_were_looked_for() {
    let folder = folder("image,crack,split\nx,1,train\ny,0,test\n");
    let message = refusal(&folder, &config(folder.path()));
    assert!(
        message.starts_with("image x not found; looked for DIR/images/x, DIR/images/x.jpg"),
        "{message}"
    );
    let absent = TableConfig {
        images: folder.path().join("pictures"),
        ..config(folder.path())
    };
    assert_eq!(
        refusal(&folder, &absent),
        "the folder or archive of images not found; looked for DIR/pictures"
    );
    let absent = TableConfig {
        file: folder.path().join("labels.parquet"),
        ..config(folder.path())
    };
    assert_eq!(
        refusal(&folder, &absent),
        "labels.parquet not found; looked for DIR/labels.parquet"
    );
    // One that is missing among others is found out when it is read.
    let folder = self::folder("image,crack,split\na.png,1,train\ny,0,test\n");
    let table = open(&folder);
    table.image(0).unwrap();
    assert!(matches!(table.image(1), Err(Error::Missing { .. })));
    fs::write(folder.path().join("images/y"), "no image").unwrap();
    assert!(matches!(table.image(1), Err(Error::Decode { .. })));
    assert!(matches!(table.image_size(1), Err(Error::Decode { .. })));
}

#[test]
fn faces_with_landmarks_are_aligned_by_them() {
    let folder = folder("image,smile,split\na.png,1,train\nc,0,test\n");
    let landmarks = folder.path().join("landmarks.txt");
    let columns =
        "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y";
    fs::write(
        &landmarks,
        format!("2\n{columns}\na.png 10 10 20 10 15 12 10 15 20 15\nc 5 5 5 5 5 5 5 5 5 5\n"),
    )
    .unwrap();
    let table = TableFolder::open(&TableConfig {
        landmarks: Some(landmarks),
        ..config(folder.path())
    })
    .unwrap();
    let transform = table.alignment(0, (40, 20), 55).unwrap();
    assert_eq!(
        transform.inverse().unwrap().apply([15.0, 10.0]).map(f64::round),
        [28.0, 25.0]
    );
    let message = table.alignment(1, (20, 40), 55).unwrap_err().to_string();
    assert!(message.starts_with("c: landmarks"), "{message}");
}

#[test]
fn images_are_found_under_other_spellings_and_that_is_said() {
    let table =
        "image,crack , Lung Opacity,split\nA.PNG,1,0,train\nsub\\b.png,0,1,val\n/home/me/images/c.jpeg,0,1,test\n";
    let folder = folder(&table.replace("crack ", "\"crack \""));
    let table = open(&folder);
    assert_eq!(table.annotations().attributes.names(), ["crack", "Lung Opacity"]);
    for (index, size) in [(40, 20), (30, 30), (20, 40)].into_iter().enumerate() {
        assert_eq!(table.image(index).unwrap().dimensions(), size);
    }
    // No name leads out of a folder of results.
    assert_eq!(table.annotations().names, ["A.PNG", "sub/b.jpg", "c.png"]);
    let notes = table
        .notes()
        .join("\n")
        .replace(&*folder.path().to_string_lossy(), "DIR");
    assert_eq!(
        notes,
        "DIR/labels.csv: the blanks at the end of the column name \"crack \" are left out\n3 images were found under other names: A.PNG \
         is a.png"
    );
    assert!(open(&self::folder(ROWS)).notes().is_empty());

    let folder = self::folder("image,crack,split\nA.Png,1,train\nb.png,0,test\n");
    let message = open(&folder).image(1).unwrap_err().to_string();
    assert!(
        message.starts_with("image b.png (of a similar name is there sub/b.jpg) not found"),
        "{message}"
    );
    fs::copy(folder.path().join("images/a.png"), folder.path().join("images/a.PNG")).unwrap();
    assert_eq!(
        refusal(&folder, &config(folder.path())),
        "DIR/labels.csv: image A.Png, which may be a.PNG or a.png, expected the exact name of one of them"
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

/// `pictures.parquet` has the bytes of PNG files in its column `image`, as pandas writes a column of `bytes`.
#[test]
fn a_column_of_plain_bytes_holds_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.parquet");
    fs::write(&file, include_bytes!("data/table/pictures.parquet")).unwrap();
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

/// A table with boxes instead of masks.
fn with_boxes(folder: &TempDir, boxes: &str) -> TableConfig {
    fs::write(folder.path().join("boxes.csv"), boxes).unwrap();
    TableConfig {
        boxes: Some(folder.path().join("boxes.csv")),
        ..config(folder.path())
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    /// Energies are sums over the squares that the masks become: where those are the same, energies are.
    #[test]
    fn a_box_is_the_mask_of_its_pixels(
        boxes in proptest::collection::vec((0_u32..2, 0_u32..40, 0_u32..20, 1_u32..50, 1_u32..30), 1..4),
        resize in proptest::sample::select(vec![Fit::Crop, Fit::Pad, Fit::Stretch]),
        map in proptest::collection::vec(0.0_f64..1.0, 64),
    ) {
        let folder = folder(ROWS);
        let (mut rows, mut masks) = ("image,attribute,x,y,width,height\n".to_owned(), [GrayImage::new(40, 20), GrayImage::new(40, 20)]);
        for &(attribute, x, y, width, height) in &boxes {
            rows += &format!("a.png,{},{x},{y},{width},{height}\n", ["crack", "wet"][attribute as usize]);
            for (column, row) in (x..(x + width).min(40)).flat_map(|x| (y..(y + height).min(20)).map(move |y| (x, y))) {
                masks[attribute as usize].put_pixel(column, row, Luma([255]));
            }
        }
        for (mask, attribute) in masks.iter().zip(["crack", "wet"]) {
            let place = folder.path().join("masks").join(attribute);
            fs::create_dir_all(&place).unwrap();
            mask.save(place.join("a.png")).unwrap();
        }
        let of_masks = TableConfig { resize, masks: Some(folder.path().join("masks")), ..config(folder.path()) };
        let of_boxes = TableConfig { resize, ..with_boxes(&folder, &rows) };
        let energies = [of_masks, of_boxes].map(|config| {
            let table = TableFolder::open(&config).unwrap();
            let transform = table.alignment(0, table.image_size(0).unwrap(), 8).unwrap();
            let masks = table.masks(0).unwrap().unwrap();
            let aligned = dataset::aligned_masks(&masks, table.image_size(0).unwrap(), &transform, 8);
            let inside = |mask: &[bool]| mask.iter().zip(&map).filter(|(inside, _)| **inside).map(|(_, value)| value).sum::<f64>();
            let total: f64 = map.iter().sum();
            aligned.chunks(64).map(|mask| inside(mask) / total).collect::<Vec<_>>()
        });
        proptest::prop_assert_eq!(&energies[0], &energies[1]);
    }
}

#[test]
fn boxes_are_found_and_their_faults_named() {
    let folder = folder(ROWS);
    let head = "image,attribute,x,y,width,height\n";
    // Another spelling, parts of pixels, an image without boxes, and rows of what is not in the table.
    let boxes =
        format!("{head}./A.PNG,crack,1.5,0,2,1\nc,wet,-5,-5,6,6\nother.png,crack,1,2,3,4\na.png,Bald,1,2,3,4\n");
    let table = TableFolder::open(&with_boxes(&folder, &boxes)).unwrap();
    let masks = table.masks(0).unwrap().unwrap();
    assert_eq!(
        (masks.area(0), masks.contains(0, 1, 0), masks.contains(0, 2, 0)),
        (2, true, true)
    );
    assert!(table.masks(1).unwrap().is_none());
    let masks = table.masks(2).unwrap().unwrap();
    assert_eq!((masks.area(1), masks.contains(1, 0, 0)), (1, true));
    assert_eq!(
        table.mask_files(0).last().unwrap().as_deref(),
        Some(folder.path().join("boxes.csv").as_path())
    );
    let notes = table
        .notes()
        .join("\n")
        .replace(&*folder.path().to_string_lossy(), "DIR");
    assert_eq!(
        notes,
        "DIR/boxes.csv: 1 row is of images that the table does not have, such as other.png\nDIR/boxes.csv: 1 row is of attributes that \
         the table does not have, such as Bald"
    );
    for (row, expected) in [
        (
            "a.png,crack,1,2,0,4",
            "DIR/boxes.csv:2: width is \"0\", expected a number of pixels above 0",
        ),
        (
            "a.png,crack,one,2,3,4",
            "DIR/boxes.csv:2: x is \"one\", expected a number of pixels",
        ),
        (
            "a.png,crack,0.1,0.2,0.5,0.5",
            "DIR/boxes.csv: no number above 1 in any box, as if they were fractions",
        ),
        (
            "b.png,crack,1,2,3,4",
            "DIR/boxes.csv: 1 row is of images that the table does not have, such as b.png, expected boxes of",
        ),
        (
            "",
            "DIR/boxes.csv: no row, expected boxes of its images, such as a.png, and attributes, crack, wet",
        ),
    ] {
        let message = refusal(&folder, &with_boxes(&folder, &format!("{head}{row}\n")));
        assert!(message.starts_with(expected), "{message}");
    }
    let message = refusal(
        &folder,
        &with_boxes(&folder, "image,attribute,xmin,ymin\na.png,crack,1,2\n"),
    );
    assert!(
        message.starts_with(
            "DIR/boxes.csv:1: the columns image, attribute, xmin, ymin, expected image, attribute, x, y, width, height"
        ),
        "{message}"
    );
    // Names that differ in case are one; a slip that leaves an attribute without any box is refused.
    let table = TableFolder::open(&with_boxes(&folder, &format!("{head}a.png,Crack,1,2,3,4\n"))).unwrap();
    assert!(table.masks(0).unwrap().is_some_and(|masks| masks.area(0) == 12));
    assert!(
        table
            .notes()
            .join("\n")
            .contains("boxes of Crack are taken as those of crack")
    );
    let slip = format!("{head}a.png,crack,1,2,3,4\na.png,wett,1,2,3,4\n");
    let message = refusal(&folder, &with_boxes(&folder, &slip));
    assert!(
        message.contains("boxes of `wett`, which the table does not have, and none of `wet`, which it has"),
        "{message}"
    );
    let table = TableFolder::open(&with_boxes(&folder, &format!("{head}a.png,crack,40,2,3,4\n"))).unwrap();
    let message = table.masks(0).unwrap_err().to_string();
    assert!(
        message.ends_with("with no pixel of the image in it, expected one within the image's 40 x 20 pixels"),
        "{message}"
    );
}
