//! Safetensors: checkpoints, weights of other programs, references, and images to explain.
#![no_main]

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use fuzz::{Folder, begin, bounded};
use libfuzzer_sys::fuzz_target;
use model::{Architecture, Block, Checkpoint, InputNormalisation, Network, OptimiserState, Stage, Stem};
use runner::commands::explain_images::read_tensors;
use runner::commands::inspect;
use runner::steps::read_reference;
use runner::weights::WeightsFile;

fn architecture() -> Architecture {
    Architecture {
        block: Block::Basic,
        stem: Stem {
            kernel: 1,
            stride: 1,
            max_pool: false,
        },
        stages: vec![Stage {
            width: 1,
            blocks: 1,
            stride: 1,
            kernel: 1,
            entry_kernel: None,
        }],
    }
}

fn network() -> Network {
    Network::new(&architecture(), 2, 1, &Device::Cpu).expect("a network")
}

/// A training under way, plain weights, a reference, and images.
fn first() -> Vec<Vec<u8>> {
    let network = network().with_normalisation(Some(InputNormalisation {
        mean: [0.5; 3],
        deviation: [0.25; 3],
    }));
    let mut checkpoint = Checkpoint::of(&network, &["A", "B"].map(str::to_owned)).expect("a checkpoint");
    let tensors: BTreeMap<_, _> = checkpoint.tensors.clone().into_iter().take(1).collect();
    checkpoint.optimiser = Some(OptimiserState { steps: 3, tensors });
    let file =
        |tensors: Vec<(&str, Tensor)>| safetensors(tensors.into_iter().map(|(name, one)| (name.to_owned(), one)));
    let zeros = |shape: &[usize]| Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).expect("zeros");
    vec![
        checkpoint.to_bytes().expect("bytes"),
        safetensors(network.named_tensors()),
        file(vec![
            ("mean_features", zeros(&[1, 2, 2])),
            ("count", Tensor::new(&[3_i64], &Device::Cpu).expect("a count")),
        ]),
        file(vec![("images", zeros(&[1, 3, 2, 2]))]),
    ]
}

fn safetensors(tensors: impl IntoIterator<Item = (String, Tensor)>) -> Vec<u8> {
    let tensors: Vec<(String, Tensor)> = tensors.into_iter().collect();
    ::safetensors::serialize(tensors, None).expect("bytes")
}

/// The same file with the length that its header has: up to the last brace. Otherwise few changes of a header would be looked at.
fn repaired(bytes: &[u8]) -> Option<Vec<u8>> {
    let end = bytes.iter().rposition(|&byte| byte == b'}')? + 1;
    let length = u64::try_from(end.checked_sub(8)?).ok()?;
    let repaired = [&length.to_le_bytes(), bytes.get(8..)?].concat();
    (repaired != bytes).then_some(repaired)
}

fn read(bytes: &[u8]) {
    let folder = Folder::new();
    let path = folder.write("file.safetensors", bytes);
    bounded(|| {
        if let Ok(read) = Checkpoint::from_bytes(bytes) {
            assert!(Checkpoint::is_in(bytes));
            let _ = read.network(&Device::Cpu);
            let written = read.to_bytes();
            assert!(written.map_or(true, |bytes| Checkpoint::from_bytes(&bytes).is_ok()));
        }
        let _ = (
            model::tensors_from_bytes(bytes),
            read_tensors(&path),
            read_reference(&path),
        );
        if let Ok(file) = WeightsFile::read(&path) {
            let _ = file.foreign();
            let _ = file.backbone(&architecture(), 2, 1, &Device::Cpu);
        }
        let _ = inspect::run(&inspect::Arguments { path });
    });
}

fuzz_target!(init: begin(first), |bytes: &[u8]| {
    read(bytes);
    if let Some(repaired) = repaired(bytes) {
        read(&repaired);
    }
});
