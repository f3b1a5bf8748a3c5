//! Packed images that are stale, damaged or only half written.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use dataset::{
    Annotations, Attributes, Error, Loader, LoaderConfig, MemorySource, PackedPixels, Packing, Result, Source, Split,
};
use image::{Rgb, RgbImage};

const IMAGES: usize = 6;

fn source(shade: u8) -> Arc<MemorySource> {
    let annotations = Annotations {
        attributes: Attributes::new(vec!["a".into()]).unwrap(),
        names: (0..IMAGES).map(|index| format!("{shade}-{index}.png")).collect(),
        labels: vec![1; IMAGES],
        splits: vec![Split::Train; IMAGES],
        landmarks: None,
        identities: None,
    };
    let image = |index: usize| RgbImage::from_fn(178, 218, |x, y| Rgb([shade, (x + index as u32) as u8, y as u8]));
    Arc::new(MemorySource::new(annotations, (0..IMAGES).map(image).collect()).unwrap())
}

fn pack(path: &Path, source: &dyn Source) -> Result<(PackedPixels, Packing)> {
    let all: Vec<usize> = (0..IMAGES).collect();
    PackedPixels::open(path, source, &all, 112, &mut |_| ControlFlow::Continue(()))
}

fn load(source: &Arc<MemorySource>, packed: PackedPixels) -> Vec<Result<dataset::Batch>> {
    let config = LoaderConfig::in_order(112, 1, 0);
    let loader = Loader::with_packed(source.clone(), (0..IMAGES).collect(), config, Some(Arc::new(packed))).unwrap();
    loader.epoch(0, 0).collect()
}

#[test]
fn a_file_of_other_images_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("packed/faces.pixels");
    assert_eq!(pack(&path, source(1).as_ref()).unwrap().1, Packing::Written);
    assert_eq!(pack(&path, source(1).as_ref()).unwrap().1, Packing::AlreadyThere);
    assert_eq!(pack(&path, source(2).as_ref()).unwrap().1, Packing::Replaced);
    let (packed, packing) = pack(&path, source(2).as_ref()).unwrap();
    assert_eq!(packing, Packing::AlreadyThere);
    let other = LoaderConfig::in_order(64, 1, 0);
    assert!(matches!(
        Loader::with_packed(source(2), vec![0], other, Some(Arc::new(packed))),
        Err(Error::Invalid { .. })
    ));
}

#[test]
fn a_file_that_is_not_whole_is_written_anew_and_damage_inside_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.pixels");
    let source = source(3);
    pack(&path, source.as_ref()).unwrap();
    let whole = fs::read(&path).unwrap();
    for end in [0, 10, 40, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..end]).unwrap();
        assert_eq!(
            pack(&path, source.as_ref()).unwrap().1,
            Packing::Replaced,
            "{end} bytes"
        );
        assert!(fs::read(&path).unwrap() == whole, "the same images give the same file");
    }
    let mut damaged = whole.clone();
    damaged[100] ^= 1;
    fs::write(&path, damaged).unwrap();
    let (packed, packing) = pack(&path, source.as_ref()).unwrap();
    assert_eq!(packing, Packing::AlreadyThere, "not all is read to open it");
    let batches = load(&source, packed);
    assert!(matches!(&batches[0], Err(Error::Read { path: named, .. }) if *named == path));
    assert!(batches[1..].iter().all(Result::is_ok));
}

#[test]
fn interrupted_or_refused_writing_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.pixels");
    let source = source(4);
    let stopped = PackedPixels::open(&path, source.as_ref(), &[0, 1], 112, &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(
        pack(&file.join("faces.pixels"), source.as_ref()),
        Err(Error::Write { .. })
    ));
}

/// A source one of whose images cannot be read.
struct Broken(Arc<MemorySource>);

impl Source for Broken {
    fn annotations(&self) -> &Annotations {
        self.0.annotations()
    }
    fn image(&self, index: usize) -> Result<RgbImage> {
        if index == 2 {
            let looked_for = Vec::new();
            return Err(Error::Missing {
                what: "image 2".to_owned(),
                looked_for,
            });
        }
        self.0.image(index)
    }
}

#[test]
fn an_image_that_cannot_be_read_is_the_sources_error() {
    let folder = tempfile::tempdir().unwrap();
    let source: Arc<dyn Source> = Arc::new(Broken(source(5)));
    let (packed, _) = pack(&folder.path().join("faces.pixels"), source.as_ref()).unwrap();
    assert_eq!(packed.images(), IMAGES - 1);
    let config = LoaderConfig::in_order(112, 1, 0);
    let loader = Loader::with_packed(source, (0..IMAGES).collect(), config, Some(Arc::new(packed))).unwrap();
    let batches: Vec<_> = loader.epoch(0, 0).collect();
    assert!(matches!(&batches[2], Err(Error::Missing { .. })));
    assert_eq!(batches.iter().filter(|batch| batch.is_ok()).count(), IMAGES - 1);
}
