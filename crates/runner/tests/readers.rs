//! Every reader of the program's own files and of others', on valid files that were damaged and on arbitrary bytes: an error or a
//! value, never a panic, and no more memory than the file warrants. `PROPTEST_CASES` sets the number of cases of each test.

#[path = "../../dataset/tests/damage/mod.rs"]
mod damage;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::Device;
use damage::{bounded, bytes_of};
use model::{Architecture, Checkpoint, Network, OptimiserState};
use pipeline::Manifest;
use pipeline::ResultsFolder;
use pipeline::{ReadTable, RowKeys};
use proptest::prelude::*;
use runner::commands::measure_scores;
use runner::experiment::{RegionSource, load, settings_of};
use runner::measured::{DataFacts, Predictions};
use runner::regions;
use runner::steps::read_reference;
use runner::sweep::Plan;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Runs a reader on a file of these bytes.
fn on_file<T>(name: &str, bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("written");
    bounded(|| read(&path))
}

fn experiment() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments/smoke.yaml")).expect("an experiment")
}

const SWEEP: &str = "experiment: base.yaml\nset: {training.epochs: 2}\naxes:\n  training.loss: [euclidean, cross_entropy]\n  \
                     net:\n    small: {model.width: 8}\n    large: {model.width: 16}\nexclude: [{training.loss: euclidean, net: large}]\n\
                     runs: [{training.optimiser: sgd}]\nseeds: [1, 2]\nslurm: {cpus: 2}\n";

const REGIONS: &str = "grid: 4\nside: 8\nregions:\n  a: {attributes: [A], include: [{rows: [0, 2], columns: [1, 3]}]}\n  \
                       b: {attributes: [B], boxes: [{x: [1, 5], y: [2, 4]}]}\n  c: {attributes: [C]}\n";

/// A training under way.
fn checkpoint() -> Vec<u8> {
    let mut architecture = Architecture::preset("resnet18").expect("known").with_width(4);
    architecture.stages.truncate(1);
    let network = Network::new(&architecture, 2, 1, &Device::Cpu).expect("a network");
    let mut copy = Checkpoint::of(&network, &names(&["A", "B"])).expect("a checkpoint");
    let tensors: BTreeMap<_, _> = copy
        .tensors
        .iter()
        .take(3)
        .map(|(name, one)| (name.clone(), one.clone()))
        .collect();
    copy.optimiser = Some(OptimiserState { steps: 3, tensors });
    copy.to_bytes().expect("bytes")
}

fn per_attribute() -> Vec<u8> {
    let keys = RowKeys {
        images: names(&["1.jpg", "2.jpg"]),
        attributes: names(&["A", "B"]),
    };
    let scores = [Some(0.5), Some(-0.25), Some(1.0), Some(0.0)];
    let table = keys.keys().labels("label", &[1, -1, 1, 1]).doubles("score", &scores);
    let table = table.texts(RowKeys::PERSON, &["ann", "ann", "bo", "bo"]);
    table.to_parquet().expect("a table")
}

const LABELS: &str = "2\nA B\n1.jpg 1 -1\n2.jpg -1 1\n";

fn measure(scores: &Path) -> Result<(), runner::error::Error> {
    let labels = scores.with_file_name("labels.txt");
    fs::write(&labels, LABELS).expect("written");
    measure_scores::run(&measure_scores::Arguments {
        scores: scores.to_owned(),
        labels,
        images: None,
        image_column: None,
        threshold: None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn experiments(bytes in bytes_of(experiment())) {
        let _ = on_file("a.yaml", &bytes, |path| load(path, &[]));
        let _ = bounded(|| settings_of(&String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn sweeps(bytes in bytes_of(SWEEP.into())) {
        let plan = on_file("sweep.yaml", &bytes, |path| {
            fs::write(path.with_file_name("base.yaml"), experiment()).expect("written");
            Plan::load(path, &[])
        });
        if let Ok(plan) = plan {
            for run in &plan.runs {
                let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
                prop_assert!(run.name.chars().all(plain) && !run.name.starts_with('.'), "{}", run.name);
            }
        }
    }

    #[test]
    fn regions_files(bytes in bytes_of(REGIONS.into())) {
        let _ = on_file("regions.yaml", &bytes, |path| regions::choose(&RegionSource::File(path.to_owned()), &names(&["A", "B", "C"]), 16));
    }

    #[test]
    fn checkpoints(bytes in bytes_of(checkpoint())) {
        bounded(|| {
            if let Ok(read) = Checkpoint::from_bytes(&bytes) {
                let _ = read.network(&Device::Cpu);
            }
            let _ = model::tensors_from_bytes(&bytes);
        });
    }

    #[test]
    fn tables_of_the_program(bytes in bytes_of(per_attribute())) {
        on_file("predictions.parquet", &bytes, |path| {
            if let Ok(table) = ReadTable::parquet(path) {
                let _ = (RowKeys::of(&table), table.integers("label"), table.doubles("score"));
                let _ = Predictions::read(path);
            }
        });
    }

    #[test]
    fn scores_as_parquet(bytes in bytes_of(per_attribute())) {
        let _ = on_file("scores.parquet", &bytes, measure);
    }

    #[test]
    fn scores_as_text(bytes in bytes_of(b"image,A,B\n1.png,0.5,-0.5\n2.png,-1,2\n".into())) {
        let _ = on_file("scores.csv", &bytes, measure);
    }

    #[test]
    fn manifests_and_facts(manifest in bytes_of(MANIFEST.into()), facts in bytes_of(FACTS.into())) {
        on_file("manifest.json", &manifest, |path| {
            let folder = path.parent().expect("a folder");
            fs::write(folder.join("data.json"), &facts).expect("written");
            let _ = Manifest::read(folder);
            let results = ResultsFolder::open(folder).expect("a folder");
            if let Ok(facts) = DataFacts::read(results.path()) {
                assert_eq!(facts.attributes.len(), facts.counts.len());
            }
        });
    }

    #[test]
    fn reference_inputs(bytes in bytes_of(checkpoint())) {
        let _ = on_file("reference.safetensors", &bytes, read_reference);
    }
}

const MANIFEST: &str = r#"{"program":"biascam 0.1.0","command":["biascam","reproduce"],"seed":1,"device":"cpu","data":"10 images 00ab",
    "stages":{"data":{"key":"ab","seconds":1.5,"artefacts":{"data.json":"cd"}}}}"#;
const FACTS: &str = r#"{"attributes":["A","B"],"counts":[[1,2],[3,4]],"training":10,"test":4,"filter":"all"}"#;
