//! Sweeps.
#![no_main]

use fuzz::{Folder, begin_with_words, bounded, words_of};
use libfuzzer_sys::fuzz_target;
use runner::{experiment, sweep};

const FIRST: [&[u8]; 4] = [
    b"experiment: base.yaml\nset: {training.epochs: 2}\naxes:\n  training.loss: [euclidean, cross_entropy]\n  net:\n    \
      small: {model.width: 8}\n    large: {model.width: 16}\nexclude: [{training.loss: euclidean, net: large}]\n\
      runs: [{training.optimiser: sgd}]\nseeds: [1, 2]\nslurm: {cpus: 2}\n",
    include_bytes!("../../experiments/sweeps/arms.yaml"),
    include_bytes!("../../experiments/sweeps/class_weights.yaml"),
    include_bytes!("../../experiments/sweeps/class_weights_small.yaml"),
];

fn words() -> Vec<String> {
    let mut words = words_of(&sweep::schema());
    words.extend(words_of(&experiment::schema()));
    words
}

fuzz_target!(init: begin_with_words(|| FIRST.map(<[u8]>::to_vec).to_vec(), words), |bytes: &[u8]| {
    let folder = Folder::new();
    folder.write("base.yaml", include_bytes!("../../experiments/smoke.yaml"));
    let path = folder.write("sweep.yaml", bytes);
    if let Ok(plan) = bounded(|| sweep::Plan::load(&path, &[])) {
        for run in &plan.runs {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
            assert!(run.name.chars().all(plain) && !run.name.starts_with('.'), "{}", run.name);
        }
    }
});
