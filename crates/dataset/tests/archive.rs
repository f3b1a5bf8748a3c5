//! CelebA's images in `img_align_celeba.zip`, whole and damaged.

use std::fs;
use std::io::{Cursor, Write};

use dataset::{CelebaFolder, Fit, Source, TableConfig, TableFolder, TableSplit};
use image::{ImageFormat, Rgb, RgbImage};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Three images' annotations beside the archive `bytes`.
fn with_archive(bytes: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write(
        "list_attr_celeba.txt",
        b"3\nSmiling\n000001.jpg 1\n000002.jpg -1\n000003.jpg 1\n",
    );
    write("list_eval_partition.txt", b"000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n");
    write("img_align_celeba.zip", bytes);
    folder
}

/// Written by Python's zipfile, deflated: three PNGs of a simple pattern, the first two named `.jpg`.
const DEFLATED: &[u8] = include_bytes!("data/deflated.zip");

#[test]
fn deflated_files_are_read_in_place() {
    let folder = with_archive(DEFLATED);
    let faces = CelebaFolder::open(folder.path()).unwrap();
    for (index, seed) in [10, 20, 30].into_iter().enumerate() {
        let expected = RgbImage::from_fn(178, 218, |x, y| Rgb([seed, (x / 2) as u8, (y / 2) as u8]));
        assert_eq!(faces.image(index).unwrap(), expected);
        assert_eq!(faces.image_size(index).unwrap(), (178, 218));
    }
}

#[test]
fn an_archive_cut_off_anywhere_is_one_message_at_opening() {
    for end in (0..DEFLATED.len()).step_by(97).chain([DEFLATED.len() - 1]) {
        let folder = with_archive(&DEFLATED[..end]);
        let message = CelebaFolder::open(folder.path()).unwrap_err().to_string();
        assert!(
            message.contains("img_align_celeba.zip: an archive without a whole index")
                && message.ends_with("expected a complete zip file; was the download or the copy cut off?"),
            "{end}: {message}"
        );
    }
}

#[test]
fn damage_inside_the_archive_is_an_error_of_that_image() {
    let mut bytes = DEFLATED.to_vec();
    // In the middle of the first image's deflated content, which follows the entry of the folder.
    bytes[200] ^= 0x10;
    let folder = with_archive(&bytes);
    let faces = CelebaFolder::open(folder.path()).unwrap();
    let message = faces.image(0).unwrap_err().to_string();
    assert!(
        message.ends_with("img_align_celeba.zip/000001.jpg: cannot be read"),
        "{message}"
    );
    assert!(faces.image(1).is_ok());
}

/// An archive of `files`, stored, with a picture of one colour for each, the number of the file.
fn archive(files: &[&str]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::STORE);
    for (number, name) in files.iter().enumerate() {
        let mut png = Cursor::new(Vec::new());
        RgbImage::from_pixel(8, 8, Rgb([number as u8; 3]))
            .write_to(&mut png, ImageFormat::Png)
            .unwrap();
        writer.start_file(*name, stored).unwrap();
        writer.write_all(png.get_ref()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The tone of each image that a table names, or the message.
fn tones(files: &[&str], names: &[&str]) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("images.zip"), archive(files)).unwrap();
    let rows: String = names.iter().map(|name| format!("{name},1,train\n")).collect();
    fs::write(folder.path().join("labels.csv"), format!("image,a,split\n{rows}")).unwrap();
    let table = TableFolder::open(&TableConfig {
        file: folder.path().join("labels.csv"),
        images: folder.path().join("images.zip"),
        masks: None,
        boxes: None,
        landmarks: None,
        image_column: "image".to_owned(),
        split: TableSplit::Column("split".to_owned()),
        attributes: None,
        resize: Fit::Crop,
        group_column: None,
    });
    let table = table.map_err(|error| error.to_string())?;
    let tone = |index| {
        let image = table.image(index).map_err(|error| error.to_string())?;
        Ok(image.get_pixel(0, 0)[0])
    };
    (0..names.len()).map(tone).collect()
}

#[test]
fn what_file_managers_add_to_an_archive_is_left_out() {
    let files = [
        "photos/.DS_Store",
        "photos/more/.DS_Store",
        "__MACOSX/photos/._a.png",
        "__MACOSX/photos/a.png",
        "photos/.ipynb_checkpoints/a.png",
        "photos/Thumbs.db",
        "Thumbs.db",
        "photos/a.png",
        "photos/more/b c.png",
    ];
    for named in ["b c.png", "b c"] {
        assert_eq!(tones(&files, &["a.png", named]), Ok(vec![7, 8]));
    }
}

#[test]
fn names_in_several_folders_matter_where_they_are_asked_for() {
    let files = [
        "x/a.png",
        "y/a.png",
        "x/README.txt",
        "y/README.txt",
        "x/b.png",
        "win\\c.png",
        "d.png",
        "x/d.png",
    ];
    let named = ["b.png", "x/a.png", "y/a.png", "c.png", "d.png", "x/d.png"];
    assert_eq!(tones(&files, &named), Ok(vec![4, 0, 1, 5, 6, 7]));
    let message = tones(&files, &["b.png", "a.png"]).unwrap_err();
    assert!(message.contains("which may be x/a.png or y/a.png"), "{message}");
}
