//! What the way from files to batches costs. `cargo bench -p dataset`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dataset::{
    Alignment, Attributes, Augmentation, CelebaFolder, Loader, LoaderConfig, Similarity, Source, decode, parse_labels,
    warp_into,
};
use image::{Rgb, RgbImage};
use tempfile::TempDir;

const IMAGES: usize = 256;

/// A smooth picture with some texture, which a JPEG of CelebA's usual 8 KB holds.
fn picture(seed: usize) -> RgbImage {
    RgbImage::from_fn(178, 218, |x, y| {
        let (x, y, seed) = (x as f32, y as f32, seed as f32);
        let wave = |period: f32| (127.0 + 90.0 * ((x + seed) / period).sin() * (y / period).cos()) as u8;
        let texture = ((x * 12.9898 + y * 78.233 + seed).sin() * 43_758.547).fract().abs() * 12.0;
        Rgb([wave(31.0) + texture as u8, wave(17.0), wave(53.0)])
    })
}

fn folder() -> (TempDir, Arc<dyn Source>) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let attributes = Attributes::celeba();
    let (mut labels, mut partition) = (format!("{IMAGES}\n{}\n", attributes.names().join(" ")), String::new());
    let images = folder.path().join("img_align_celeba");
    std::fs::create_dir(&images).expect("the folder is writable");
    for index in 0..IMAGES {
        let name = format!("{index:06}.jpg");
        writeln!(labels, "{name}{}", " -1".repeat(attributes.len())).expect("a string grows");
        writeln!(partition, "{name} 0").expect("a string grows");
        picture(index).save(images.join(name)).expect("the folder is writable");
    }
    std::fs::write(folder.path().join("list_attr_celeba.txt"), labels).expect("the folder is writable");
    std::fs::write(folder.path().join("list_eval_partition.txt"), partition).expect("the folder is writable");
    let source = CelebaFolder::open(folder.path()).expect("the layout is the official one");
    (folder, Arc::new(source))
}

fn one_image(c: &mut Criterion) {
    let image = picture(1);
    let mut jpeg = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut jpeg, image::ImageFormat::Jpeg)
        .expect("memory is writable");
    let jpeg = jpeg.into_inner();
    let mut group = c.benchmark_group("image");
    group.bench_function(format!("decode/{}_bytes", jpeg.len()), |b| {
        b.iter(|| decode(black_box(&jpeg), "a.jpg".as_ref()));
    });
    for size in [112, 224] {
        let aligned = Alignment { size }
            .transform(None, image.dimensions())
            .expect("no landmarks, no error");
        let middle = [size as f64 / 2.0; 2];
        let turned = aligned.compose(&Similarity::about(1.1, 0.3, middle, middle));
        let mut out = vec![0.0; 3 * size * size];
        for (name, transform) in [("align", aligned), ("turn", turned)] {
            group.bench_function(format!("{name}/{size}"), |b| {
                b.iter(|| warp_into(black_box(&image), &transform, size, &mut out));
            });
        }
    }
    group.finish();
}

fn epochs(c: &mut Criterion) {
    let (_folder, source) = folder();
    let mut group = c.benchmark_group("loader");
    group.throughput(Throughput::Elements(IMAGES as u64)).sample_size(10);
    let affact = Augmentation::affact();
    for (name, threads, cache_bytes, augmentation) in [
        ("plain/1_thread", 1, 0, Augmentation::none()),
        ("plain/2_threads", 2, 0, Augmentation::none()),
        ("plain_cached/1_thread", 1, usize::MAX, Augmentation::none()),
        (
            "mirror_shift_cached/1_thread",
            1,
            usize::MAX,
            Augmentation { blur: 0.0, ..affact },
        ),
        ("affact_cached/1_thread", 1, usize::MAX, affact),
    ] {
        let config = LoaderConfig {
            cache_bytes,
            augmentation,
            ..LoaderConfig::in_order(112, 32, threads)
        };
        let loader = Loader::new(Arc::clone(&source), (0..IMAGES).collect(), config).expect("valid settings");
        group.bench_function(name, |b| {
            b.iter(|| {
                loader
                    .epoch(0, 0)
                    .map(|batch| batch.map(|batch| batch.images.len()))
                    .collect::<Vec<_>>()
            });
        });
    }
    group.finish();
}

/// What one thread brings of the paper's augmentation at the paper's size: images for a CPU, pixels for a GPU.
fn feeds(c: &mut Criterion) {
    let (_folder, source) = folder();
    let mut group = c.benchmark_group("feed");
    group.throughput(Throughput::Elements(IMAGES as u64)).sample_size(10);
    for (name, cache_bytes) in [("decoded", 0), ("cached", usize::MAX)] {
        let config = LoaderConfig {
            cache_bytes,
            augmentation: Augmentation::affact(),
            ..LoaderConfig::in_order(224, 64, 1)
        };
        let loader = Loader::new(Arc::clone(&source), (0..IMAGES).collect(), config).expect("valid settings");
        group.bench_function(format!("images/{name}"), |b| {
            b.iter(|| {
                loader
                    .epoch(0, 0)
                    .for_each(|batch| loader.recycle(batch.expect("readable")))
            });
        });
        group.bench_function(format!("pixels/{name}"), |b| {
            b.iter(|| {
                let batches = loader.pixel_epoch(0, 0);
                batches.for_each(|batch| loader.recycle_pixels(batch.expect("readable")));
            });
        });
    }
    group.finish();
}

fn annotations(c: &mut Criterion) {
    let rows = 202_599;
    let attributes = Attributes::celeba();
    let mut text = format!("{rows}\n{}\n", attributes.names().join(" "));
    for index in 1..=rows {
        writeln!(text, "{index:06}.jpg{}", " -1  1".repeat(attributes.len() / 2)).expect("a string grows");
    }
    let mut group = c.benchmark_group("annotations");
    group.sample_size(10);
    group.bench_function("parse_labels/202599_rows", |b| {
        b.iter(|| parse_labels("labels", text.as_bytes()))
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = one_image, epochs, feeds, annotations
}
criterion_main!(benches);
