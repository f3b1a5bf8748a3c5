//! The hub's shards of CelebA: they are gone through, which makes their index, and read.
#![no_main]

use std::ops::ControlFlow;

use dataset::{CelebaParquet, Source};
use fuzz::{Folder, begin, bounded, stays_inside};
use libfuzzer_sys::fuzz_target;

const OTHERS: [(&str, &[u8]); 2] = [
    (
        "valid",
        include_bytes!("../../crates/dataset/tests/data/shards/snappy/valid-00000-of-00001.parquet"),
    ),
    (
        "test",
        include_bytes!("../../crates/dataset/tests/data/shards/snappy/test-00000-of-00001.parquet"),
    ),
];

fn first() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../crates/dataset/tests/data/shards/plain/train-00000-of-00001.parquet").to_vec(),
        include_bytes!("../../crates/dataset/tests/data/shards/snappy/train-00000-of-00001.parquet").to_vec(),
        OTHERS[0].1.to_vec(),
    ]
}

fuzz_target!(init: begin(first), |bytes: &[u8]| {
    let folder = Folder::new();
    folder.write("train-00000-of-00001.parquet", bytes);
    for (split, bytes) in OTHERS {
        folder.write(&format!("{split}-00000-of-00001.parquet"), bytes);
    }
    bounded(|| {
        if let Ok(faces) = CelebaParquet::open(folder.path(), &|_, _| ControlFlow::Continue(())) {
            let annotations = faces.annotations();
            assert_eq!(annotations.labels.len(), annotations.names.len() * annotations.attributes.len());
            assert!(annotations.names.iter().all(|name| stays_inside(name)), "{:?}", annotations.names);
            let _ = (faces.image(0), faces.image_bytes(annotations.names.len().saturating_sub(1)));
        }
    });
});
