//! The index beside the hub's shards, whatever is in it: its checksum is made to fit, as only a fuzzer's is.
#![no_main]

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::LazyLock;

use dataset::{CelebaParquet, Source};
use fuzz::{Folder, begin, bounded, stays_inside};
use libfuzzer_sys::fuzz_target;

/// The magic and the key of the shards; a checksum of the rest follows.
const HEAD: usize = 24;

struct Shards {
    folder: Folder,
    index: PathBuf,
    head: Vec<u8>,
    body: Vec<u8>,
}

/// Shards, and the index that was made of them.
static SHARDS: LazyLock<Shards> = LazyLock::new(|| {
    let folder = Folder::new();
    let shard = include_bytes!("../../crates/dataset/tests/data/shards/snappy/test-00000-of-00001.parquet");
    let shards = ["train", "valid", "test"].map(|split| format!("{split}-00000-of-00001.parquet"));
    for name in &shards {
        folder.write(name, shard);
    }
    // The names are the same in all of them.
    let _ = open(&folder);
    let files = fs::read_dir(folder.path()).expect("a folder");
    let index = files
        .map(|file| file.expect("a file").path())
        .find(|path| path.extension().is_none());
    let index = index.expect("an index");
    let bytes = fs::read(&index).expect("an index");
    Shards {
        head: bytes[..HEAD].to_vec(),
        body: bytes[HEAD + 4..].to_vec(),
        folder,
        index,
    }
});

fn open(folder: &Folder) -> Option<CelebaParquet> {
    CelebaParquet::open(folder.path(), &|_, _| ControlFlow::Continue(())).ok()
}

fuzz_target!(init: begin(|| vec![SHARDS.body.clone()]), |body: &[u8]| {
    let Shards { folder, index, head, .. } = &*SHARDS;
    fs::write(index, [head.as_slice(), &crc32fast::hash(body).to_le_bytes(), body].concat()).expect("written");
    bounded(|| {
        if let Some(faces) = open(folder) {
            let annotations = faces.annotations();
            assert_eq!(annotations.labels.len(), annotations.names.len() * annotations.attributes.len());
            assert!(annotations.names.iter().all(|name| stays_inside(name)), "{:?}", annotations.names);
            for index in 0..annotations.names.len().min(3) {
                let _ = (faces.image_bytes(index), faces.image_origin(index));
            }
        }
    });
});
