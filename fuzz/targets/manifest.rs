//! What a results folder says of itself: the manifest and the facts of the data set.
#![no_main]

use fuzz::{Folder, begin, bounded};
use libfuzzer_sys::fuzz_target;
use pipeline::{MANIFEST, Manifest};
use runner::artefacts::FACTS;
use runner::commands::inspect;
use runner::measured::DataFacts;

const FIRST: [&str; 2] = [
    r#"{"program":"biascam 0.1.0","command":["biascam","reproduce"],"seed":1,"device":"cpu","data":"10 images 00ab",
    "stages":{"data":{"key":"ab","seconds":1.5,"artefacts":{"data.json":"cd"}}}}"#,
    r#"{"attributes":["A","B"],"counts":[[1,2],[3,4]],"training":10,"test":4,"filter":"all"}"#,
];

fuzz_target!(init: begin(|| FIRST.map(Vec::from).to_vec()), |bytes: &[u8]| {
    let folder = Folder::new();
    folder.write(MANIFEST, bytes);
    folder.write(FACTS, bytes);
    bounded(|| {
        if let Ok(manifest) = Manifest::read(folder.path()) {
            let _ = (manifest.command_line(), manifest.devices(), manifest.files());
            let _ = inspect::run(&inspect::Arguments {
                path: folder.path().to_owned(),
            });
        }
        if let Ok(facts) = DataFacts::read(folder.path()) {
            assert_eq!(facts.attributes.len(), facts.counts.len());
        }
    });
});
