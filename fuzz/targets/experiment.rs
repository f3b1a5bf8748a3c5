//! Experiments: what is read is written into the results folder, and says the same when it is read from there.
#![no_main]

use fuzz::{Folder, begin_with_words, bounded, words_of};
use libfuzzer_sys::fuzz_target;
use runner::experiment::{load, schema, settings_of, to_yaml};

const FIRST: [&[u8]; 5] = [
    include_bytes!("../../experiments/smoke.yaml"),
    include_bytes!("../../experiments/embedded.yaml"),
    include_bytes!("../../experiments/celeba.yaml"),
    include_bytes!("../../experiments/celeba-quick.yaml"),
    include_bytes!("../../experiments/table-example.yaml"),
];

fuzz_target!(
    init: begin_with_words(|| FIRST.map(<[u8]>::to_vec).to_vec(), || words_of(&schema())),
    |bytes: &[u8]| {
        let folder = Folder::new();
        let path = folder.write("a.yaml", bytes);
        bounded(|| {
            let _ = settings_of(&String::from_utf8_lossy(bytes));
            if let Ok(read) = load(&path, &[]) {
                let mut experiment = read.experiment;
                let written = to_yaml(&experiment, folder.path()).expect("it was read");
                let again = load(&folder.write("b.yaml", &written), &[]).map_err(|error| error.to_string());
                let again = again.expect(&written).experiment;
                // What is written says everything.
                experiment.unset = again.unset.clone();
                assert_eq!(again, experiment);
            }
        });
    }
);
