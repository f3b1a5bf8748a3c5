//! CelebA's images in `img_align_celeba.zip`, and the same batches from every form of the official files.

use std::fs::{self, File};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use dataset::{Augmentation, Batch, CelebaFolder, Loader, LoaderConfig, Source};
use synthetic::faces::{Config, write};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const IMAGES: usize = 24;

/// Procedural faces in the official layout.
fn faces() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        images: IMAGES,
        validation: 4,
        test: 4,
        seed: 3,
    };
    write(folder.path(), &config, &|_| ControlFlow::Continue(())).unwrap();
    folder
}

/// The same files in one folder, without the images.
fn flat(from: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["Anno", "Eval"] {
        for file in fs::read_dir(from.join(part)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
    }
    folder
}

/// Packs the images, not compressed: JPEGs are.
fn pack(images: &Path, archive: &Path) {
    let mut writer = ZipWriter::new(File::create(archive).unwrap());
    for file in fs::read_dir(images).unwrap() {
        let file = file.unwrap();
        let name = format!("img_align_celeba/{}", file.file_name().to_string_lossy());
        writer
            .start_file(
                name,
                SimpleFileOptions::default().compression_method(zip::CompressionMethod::STORE),
            )
            .unwrap();
        writer.write_all(&fs::read(file.path()).unwrap()).unwrap();
    }
    writer.finish().unwrap();
}

fn batches(folder: &Path) -> Vec<Batch> {
    let source = CelebaFolder::open(folder).unwrap();
    let config = LoaderConfig {
        seed: 5,
        augmentation: Augmentation::affact(),
        shuffle: true,
        ..LoaderConfig::in_order(32, 5, 3)
    };
    let loader = Loader::new(Arc::new(source), (0..IMAGES).collect(), config).unwrap();
    loader.epoch(1, 0).map(Result::unwrap).collect()
}

#[test]
fn every_form_of_the_files_gives_the_same_batches() {
    let official = faces();
    let images = official.path().join("Img/img_align_celeba");
    let (unpacked, nested, zipped) = (flat(official.path()), flat(official.path()), flat(official.path()));
    for (folder, target) in [
        (&unpacked, "img_align_celeba"),
        (&nested, "img_align_celeba/img_align_celeba"),
    ] {
        let target = folder.path().join(target);
        fs::create_dir_all(&target).unwrap();
        for file in fs::read_dir(&images).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), target.join(file.file_name())).unwrap();
        }
    }
    pack(&images, &zipped.path().join("img_align_celeba.zip"));

    let expected = batches(official.path());
    assert_eq!(expected.iter().map(|batch| batch.indices.len()).sum::<usize>(), IMAGES);
    let fingerprint = |folder: &Path| CelebaFolder::open(folder).unwrap().fingerprint();
    for (form, folder) in [("flat", &unpacked), ("nested", &nested), ("zip", &zipped)] {
        assert!(batches(folder.path()) == expected, "{form}");

        assert_eq!(fingerprint(folder.path()), fingerprint(official.path()), "{form}");
    }
}

#[test]
fn an_image_that_the_archive_lacks_is_named() {
    let official = faces();
    let images = official.path().join("Img/img_align_celeba");
    fs::remove_file(images.join("000004.jpg")).unwrap();
    let folder = flat(official.path());
    pack(&images, &folder.path().join("img_align_celeba.zip"));
    let faces = CelebaFolder::open(folder.path()).unwrap();
    assert!(faces.image(2).is_ok());
    let message = faces.image(3).unwrap_err().to_string();
    assert!(
        message.starts_with("image 000004.jpg not found; looked for "),
        "{message}"
    );
    assert!(message.contains("img_align_celeba.zip/000004.jpg"), "{message}");
}
