//! Tables and images as people have them.

use std::fs;
use std::sync::Arc;

use dataset::{Error, Fit, Loader, LoaderConfig, Source, Split, TableConfig, TableFolder, TableSplit};

use crate::{ROWS, config, folder, open, picture, refusal};

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

    let folder = self::folder("image,crack,split\nA.Png,1,train\nmore/b.png,0,test\n");
    let message = open(&folder).image(1).unwrap_err().to_string();
    assert!(
        message.starts_with("image more/b.png (of a similar name is there sub/b.jpg) not found"),
        "{message}"
    );
    fs::copy(folder.path().join("images/a.png"), folder.path().join("images/a.PNG")).unwrap();
    assert_eq!(
        refusal(&folder, &config(folder.path())),
        "DIR/labels.csv: image A.Png, which may be a.PNG or a.png, expected the exact name of one of them"
    );
}

#[test]
fn the_images_column_may_be_called_otherwise() {
    for (header, said) in [
        ("Image,crack,wet,Split", Some("`Image`")),
        ("IMAGE,crack,wet,split", Some("`IMAGE`")),
        ("filename,crack,wet,split", Some("`filename`")),
        ("image_id,crack,wet,SPLIT", Some("`image_id`")),
        ("image,crack,wet,split", None),
    ] {
        let folder = folder(&ROWS.replace("image,crack,wet,split", header));
        let table = open(&folder);
        assert_eq!(table.annotations().attributes.names(), ["crack", "wet"], "{header}");
        assert_eq!(table.annotations().names[0], "a.png");
        let notes = table.notes().join("; ");
        match said {
            Some(name) => assert!(notes.contains(&format!("from the column {name}")), "{notes}"),
            None => assert!(!notes.contains("column"), "{notes}"),
        }
    }
    // A name that was chosen is no other's.
    let folder = folder(ROWS);
    let chosen = TableConfig {
        image_column: "file".to_owned(),
        ..config(folder.path())
    };
    assert!(refusal(&folder, &chosen).contains("no column `file`"));
}

#[test]
fn folders_may_be_left_out_of_names() {
    let folder = folder(&ROWS.replace("sub/b.jpg", "b.png"));
    let table = open(&folder);
    assert_eq!(table.image(1).unwrap().dimensions(), (30, 30));
    assert!(
        table.notes().join("; ").contains("b.png is sub/b.jpg"),
        "{:?}",
        table.notes()
    );
    // Of two files nobody knows which is meant.
    fs::create_dir(folder.path().join("images/other")).unwrap();
    picture(10, 10).save(folder.path().join("images/other/b.jpg")).unwrap();
    let message = refusal(&folder, &config(folder.path()));
    assert!(message.contains("which may be other/b.jpg or sub/b.jpg"), "{message}");
}

/// A column that has another meaning is not taken for the images'.
#[test]
fn columns_that_are_named_are_not_guessed() {
    let folder = folder("name,crack,file,path,scan\nx,1,train,1,a.png\ny,0,val,0,sub/b.jpg\nz,0,test,1,c.png\n");
    let named = TableConfig {
        group_column: Some("name".to_owned()),
        split: TableSplit::Column("file".to_owned()),
        attributes: Some(vec!["crack".to_owned(), "path".to_owned()]),
        ..config(folder.path())
    };
    assert!(refusal(&folder, &named).contains("no column `image`"));
    let named = TableConfig {
        image_column: "scan".to_owned(),
        ..named
    };
    assert_eq!(TableFolder::open(&named).unwrap().annotations().names[1], "sub/b.jpg");
}

/// Reading a pipe would wait for ever; a socket stands for one here.
#[test]
fn what_is_no_file_is_no_image() {
    let folder = folder(ROWS);
    let place = folder.path().join("images/a.png");
    fs::remove_file(&place).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(&place).unwrap();
    let table = open(&folder);
    assert!(table.image_origin(0).is_none());
    let message = table.image(0).unwrap_err().to_string();
    assert!(
        message.contains("image a.png") && message.contains("not found"),
        "{message}"
    );
}
