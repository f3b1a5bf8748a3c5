//! Tables as Parquet: of other programs and of a run.
#![no_main]

use dataset::TextColumns;
use fuzz::{begin, on_file, open_table, read_scores};
use libfuzzer_sys::fuzz_target;
use pipeline::{ReadTable, RowKeys};
use runner::measured::Predictions;

fn predictions() -> Vec<u8> {
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    let keys = RowKeys {
        images: names(["1.jpg", "2.jpg"]),
        attributes: names(["A", "B"]),
    };
    let scores = [Some(0.5), Some(-0.25), Some(1.0), Some(0.0)];
    let table = keys.keys().labels("label", &[1, -1, 1, 1]).doubles("score", &scores);
    let table = table.texts(RowKeys::PERSON, &["ann", "ann", "bo", "bo"]);
    table.to_parquet().expect("a table")
}

fn first() -> Vec<Vec<u8>> {
    vec![
        predictions(),
        include_bytes!("../../crates/dataset/tests/data/table/labels.parquet").to_vec(),
        include_bytes!("../../crates/dataset/tests/data/table/paths.parquet").to_vec(),
        include_bytes!("../../crates/dataset/tests/data/table/pictures.parquet").to_vec(),
    ]
}

fuzz_target!(init: begin(first), |bytes: &[u8]| {
    open_table("labels.parquet", bytes, |_| ());
    read_scores("scores.parquet", bytes);
    on_file("predictions.parquet", bytes, |path| {
        if let Ok(columns) = TextColumns::open(path) {
            for column in 0..columns.names().len() {
                let _ = columns.column(column);
            }
        }
        if let Ok(table) = ReadTable::parquet(path) {
            for name in table.columns() {
                let _ = (table.texts(name), table.integers(name), table.doubles(name));
            }
            if let Ok(keys) = RowKeys::of(&table) {
                assert_eq!(keys.images.len() * keys.attributes.len(), table.height());
            }
        }
        if let Ok(read) = Predictions::read(path) {
            let rows = read.keys.images.len() * read.keys.attributes.len();
            assert_eq!((read.labels.len(), read.scores.len()), (rows, rows));
        }
    });
});
