//! The data path, timed: `loader_peer FOLDER SIZE THREADS SECONDS [affact] [packed=FILE] [images=N]` prints one JSON line.
//!
//! From the files of CelebA in any form to shuffled batches of aligned images, as `benches/peers/torch_loader.py` does with
//! torchvision. THREADS 0 does all work on the one thread that asks for batches.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dataset::{Augmentation, CelebaFolder, CelebaParquet, Loader, LoaderConfig, PackedPixels, Source, Split};

fn open(folder: &Path) -> dataset::Result<Arc<dyn Source>> {
    Ok(if CelebaFolder::has_images(folder) {
        Arc::new(CelebaFolder::open(folder)?)
    } else {
        Arc::new(CelebaParquet::open(folder, &|_, _| ControlFlow::Continue(()))?)
    })
}

/// A line of `/proc/self/status` in MB: what is resident (`VmRSS`), and the most that ever was (`VmHWM`).
fn megabytes(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kilobytes = value.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) / 1024.0
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, size, threads, seconds, more @ ..] = arguments.as_slice() else {
        return Err("usage: loader_peer FOLDER SIZE THREADS SECONDS [affact] [packed=FILE] [images=N]".into());
    };
    let (size, threads, seconds): (usize, usize, f64) = (size.parse()?, threads.parse()?, seconds.parse()?);
    let option = |name: &str| more.iter().find_map(|word| word.strip_prefix(name));

    let start = Instant::now();
    let source = open(Path::new(folder))?;
    let opened = start.elapsed().as_secs_f64();

    let mut indices = source.annotations().indices(Split::Train);
    if let Some(images) = option("images=") {
        indices.truncate(images.parse()?);
    }
    let start = Instant::now();
    let packed = match option("packed=") {
        Some(path) => {
            let mut on = |_| ControlFlow::Continue(());
            let (packed, _) = PackedPixels::open(Path::new(path), source.as_ref(), &indices, size, &mut on)?;
            Some(Arc::new(packed))
        }
        None => None,
    };
    let packing = start.elapsed().as_secs_f64();

    let augmentation = if more.iter().any(|word| word == "affact") {
        Augmentation::affact()
    } else {
        Augmentation::none()
    };
    let config = LoaderConfig {
        shuffle: true,
        seed: 1,
        augmentation,
        ..LoaderConfig::in_order(size, 64, threads)
    };
    let loader = Loader::with_packed(source, indices, config, packed)?;
    let mut batches = (0..).flat_map(|epoch| loader.epoch(epoch, 0));
    let mut next = || batches.next().ok_or("an endless loader ended");
    // Until the memory of all batches under way is there.
    for _ in 0..2 * (threads + 1) {
        loader.recycle(next()??);
    }
    let before = megabytes("VmRSS");
    let (mut images, start) = (0, Instant::now());
    while start.elapsed() < Duration::from_secs_f64(seconds) {
        let batch = next()??;
        images += batch.indices.len();
        loader.recycle(batch);
    }
    let speed = images as f64 / start.elapsed().as_secs_f64();
    println!(
        "{{\"images_per_second\": {speed:.1}, \"open_seconds\": {opened:.3}, \"packing_seconds\": {packing:.3}, \
         \"megabytes\": {before:.1}, \"megabytes_after\": {:.1}, \"peak_megabytes\": {:.1}}}",
        megabytes("VmRSS"),
        megabytes("VmHWM")
    );
    Ok(())
}
