//! Regions files, and the pictures that they name.
#![no_main]

use fuzz::{Folder, begin_with_words, bounded};
use libfuzzer_sys::fuzz_target;
use runner::experiment::RegionSource;
use runner::regions::choose;

const SIZE: usize = 16;

const FIRST: [&str; 2] = [
    "grid: 4\nside: 8\nregions:\n  a: {attributes: [A], include: [{rows: [0, 2], columns: [1, 3]}], exclude: [{rows: [0, 1], columns: [1, 2]}]}\n  \
     b: {attributes: [B], boxes: [{x: [1, 5], y: [2, 4]}]}\n  c: {attributes: [C]}\n",
    "regions:\n  a: {attributes: [A, B], local: true, boxes: [{x: [0, 0.5], y: [0.25, 1]}]}\n  c: {attributes: [C], mask: mask.png}\n",
];

const WORDS: [&str; 12] = [
    "grid: ",
    "side: ",
    "regions: ",
    "attributes: ",
    "local: ",
    "include: ",
    "exclude: ",
    "boxes: ",
    "mask: ",
    "rows: ",
    "columns: ",
    "mask.png",
];

fuzz_target!(
    init: begin_with_words(|| FIRST.map(Vec::from).to_vec(), || WORDS.map(str::to_owned).to_vec()),
    |bytes: &[u8]| {
        let folder = Folder::new();
        folder.write("mask.png", include_bytes!("../seeds/pictures/bits.png"));
        let path = folder.write("regions.yaml", bytes);
        let attributes = ["A", "B", "C"].map(str::to_owned);
        if let Ok(chosen) = bounded(|| choose(&RegionSource::File(path), &attributes, SIZE)) {
            drop(chosen);
        }
    }
);
