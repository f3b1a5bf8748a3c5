//! Classifiers that start from, or are, weights made elsewhere; and what a run says that lacks its data and weights.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use model::{Checkpoint, Network};
use runner::experiment::{IMAGENET_DEVIATION, IMAGENET_MEAN, load};

use crate::place::{Place, fails, succeeds};

/// The tensors of the smoke experiment's network with as many outputs as ImageNet has classes.
fn backbone() -> HashMap<String, Tensor> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke.yaml");
    let architecture = load(Path::new(path), &[])
        .expect("loads")
        .experiment
        .model
        .architecture();
    let network = Network::new(&architecture.expect("valid"), 1000, 77, &Device::Cpu).expect("a network");
    network.named_tensors()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|flat| flat.to_vec1()).expect("numbers")
}

#[test]
fn training_starts_from_pretrained_weights_and_imagenet_s_normalisation() {
    let place = Place::new();
    let file = place.folder.path().join("backbone.safetensors");
    let tensors = backbone();
    candle_core::safetensors::save(&tensors, &file).expect("written");
    let pretrained = |file: &Path| format!("model.pretrained={}", file.display());
    let (first, one) = (pretrained(&file), "classifiers={unbalanced: {class_weights: none}}");
    // A step too small to change a weight shows the weights that training began with.
    let still = [
        "training.epochs=1",
        "training.optimiser=sgd",
        "training.learning_rate=1e-30",
        "training.weight_decay=0",
        one,
    ];
    let run = |pretrained: &str| place.run("train", &[&still[..], &[pretrained]].concat());
    succeeds(&run(&first));
    let checkpoint = fs::read(place.results("unbalanced/checkpoint.safetensors")).expect("a checkpoint");
    let checkpoint = Checkpoint::from_bytes(&checkpoint).expect("ours");
    for name in ["conv1.weight", "layer2.0.conv2.weight", "layer2.0.downsample.0.weight"] {
        assert_eq!(values(&checkpoint.tensors[name]), values(&tensors[name]), "{name}");
    }
    assert_eq!(
        checkpoint.tensors["fc.weight"].dims(),
        [40, 16],
        "the head is a new one"
    );
    let normalisation = checkpoint.normalisation.expect("recorded");
    assert_eq!(
        (normalisation.mean, normalisation.deviation),
        (IMAGENET_MEAN, IMAGENET_DEVIATION)
    );

    // What counts is what is in the file, not where it is.
    let moved = place.folder.path().join("moved.safetensors");
    fs::rename(&file, &moved).expect("moved");
    let unchanged = |pretrained: &str| {
        let output = run(pretrained);
        succeeds(&output);
        String::from_utf8_lossy(&output.stderr).contains("unchanged")
    };
    assert!(unchanged(&pretrained(&moved)));
    let mut other = tensors.clone();
    other.insert(
        "conv1.weight".to_owned(),
        (&tensors["conv1.weight"] * 2.0).expect("doubled"),
    );
    candle_core::safetensors::save(&other, &moved).expect("written");
    assert!(!unchanged(&pretrained(&moved)));

    other.remove("bn1.weight");
    other.insert("layer9.weight".to_owned(), tensors["conv1.weight"].clone());
    candle_core::safetensors::save(&other, &moved).expect("written");
    let message = fails(&run(&pretrained(&moved)));
    for part in ["moved.safetensors", "missing (bn1.weight)", "unknown (layer9.weight)"] {
        assert!(message.contains(part), "{message:?} should contain {part:?}");
    }
}

#[test]
fn weights_from_elsewhere_are_scored_and_explained_without_training() {
    let place = Place::new();
    succeeds(&place.run(
        "predict",
        &["classifiers={unbalanced: {class_weights: none}}", "training.epochs=1"],
    ));
    let scores = fs::read(place.results("unbalanced/predictions.parquet")).expect("predictions");
    let kept = place.folder.path().join("kept.safetensors");
    fs::copy(place.results("unbalanced/checkpoint.safetensors"), &kept).expect("copied");
    let checkpoint = Checkpoint::from_bytes(&fs::read(&kept).expect("read")).expect("ours");
    let plain = place.folder.path().join("plain.safetensors");
    let tensors: HashMap<String, Tensor> = checkpoint.tensors.into_iter().collect();
    candle_core::safetensors::save(&tensors, &plain).expect("written");

    let classifiers = format!(
        "classifiers={{kept: {{weights: {}}}, plain: {{weights: {}}}}}",
        kept.display(),
        plain.display()
    );
    let output = place.run("reproduce", &[&classifiers]);
    succeeds(&output);
    for name in ["kept", "plain"] {
        let found = fs::read(place.results(&format!("{name}/predictions.parquet"))).expect("predictions");
        assert_eq!(found, scores, "{name}");
        assert!(!place.results(&format!("{name}/training.parquet")).exists());
    }
    let report = fs::read_to_string(place.results("report.html")).expect("a report");
    assert!(!report.contains("training.parquet"));

    let message = fails(&place.run("reproduce", &["classifiers={given: {weights: nowhere.safetensors}}"]));
    assert!(
        message.contains("classifiers.given.weights") && message.contains("nowhere.safetensors"),
        "{message}"
    );
}

#[test]
fn without_data_and_weights_celeba_says_at_once_what_is_missing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for experiment in ["celeba", "celeba-quick", "celeba-cross-entropy"] {
        let started = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_biascam"))
            .arg("reproduce")
            .arg(format!(
                "{}/../../experiments/{experiment}.yaml",
                env!("CARGO_MANIFEST_DIR")
            ))
            .args(["--device", "cpu", "--results"])
            .arg(folder.path().join("results"))
            .arg("--data")
            .arg(folder.path().join("data"))
            .env("HF_HOME", folder.path().join("hf"))
            .env_remove("HF_HUB_CACHE")
            .output()
            .expect("the program starts");
        let (message, took) = (fails(&output), started.elapsed());
        for part in [
            "mmlab",
            "1.4 GB",
            "data/celeba",
            "biascam data fetch resnet50",
            "102 MB",
        ] {
            assert!(message.contains(part), "{message:?} should contain {part:?}");
        }
        // A second on a quiet machine; one that runs other tests beside this may take some.
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}
