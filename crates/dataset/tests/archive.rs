//! CelebA's images in `img_align_celeba.zip`, whole and damaged.

use std::fs;

use dataset::{CelebaFolder, Source};
use image::{Rgb, RgbImage};
use tempfile::TempDir;

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
