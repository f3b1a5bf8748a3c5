//! `experiments/celeba-quick.yaml` as a person with CelebA runs it, on procedural faces in CelebA's official layout.

use std::fs;
use std::path::Path;
use std::process::Command;

use candle_core::Device;
use model::{Architecture, Checkpoint, Network};
use pipeline::ReadTable;
use runner::experiment::IMAGENET_MEAN;

use crate::place::succeeds;

const WIDTH: usize = 4;

fn biascam(arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_biascam"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    succeeds(&output)
}

#[test]
fn celeba_quick_runs_on_faces_in_the_official_layout() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path();
    biascam(
        &[
            "data",
            "procedural",
            "--out",
            "data/celeba",
            "--images",
            "600",
            "--seed",
            "1",
        ],
        folder,
    );
    // Random weights in the place of those that `biascam data fetch resnet50` brings, of a narrower network.
    let architecture = Architecture::preset("resnet50").expect("known").with_width(WIDTH);
    let network = Network::new(&architecture, 1000, 5, &Device::Cpu).expect("a network");
    fs::create_dir(folder.join("data/weights")).expect("made");
    let weights = folder.join("data/weights/resnet50.tv_in1k.safetensors");
    candle_core::safetensors::save(&network.named_tensors(), weights).expect("written");

    // Small enough for a test; the rest is the experiment as it stands.
    let width = format!("model.width={WIDTH}");
    let smaller = [
        &width,
        "data.image_size=64",
        "data.training_fraction=1",
        "training.epochs=1",
        "measure.resamples=100",
    ];
    let experiment = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/celeba-quick.yaml");
    let settings = smaller.iter().flat_map(|setting| ["--set", setting]);
    let arguments: Vec<&str> = ["reproduce", experiment, "--device", "cpu"]
        .into_iter()
        .chain(settings)
        .collect();
    let printed = biascam(&arguments, folder);

    for part in [
        "this run beside the paper",
        "unbalanced fnr",
        "balanced energy_predicted_negative",
        "report.html",
    ] {
        assert!(printed.contains(part), "the output should contain {part:?}:\n{printed}");
    }
    let results = folder.join("results/celeba-quick");
    let published = ReadTable::csv(&results.join("tables/published.csv")).expect("a table");
    let (ours, theirs) = (
        published.doubles("ours").expect("numbers"),
        published.doubles("published").expect("numbers"),
    );
    let differences = published.doubles("difference").expect("numbers");
    assert!(
        published.height() > 160,
        "errors and energies of both classifiers: {}",
        published.height()
    );
    for ((ours, theirs), difference) in ours.iter().zip(&theirs).zip(&differences) {
        let (ours, theirs, difference) = (
            ours.expect("ours"),
            theirs.expect("theirs"),
            difference.expect("a difference"),
        );
        assert!((ours - theirs - difference).abs() < 1e-9);
    }
    let checkpoint = fs::read(results.join("balanced/checkpoint.safetensors")).expect("a checkpoint");
    let checkpoint = Checkpoint::from_bytes(&checkpoint).expect("ours");
    assert_eq!(checkpoint.normalisation.expect("recorded").mean, IMAGENET_MEAN);
    assert_eq!(checkpoint.architecture, architecture);
}
