//! The kinds of work that are disturbed. Each is a command that ends in certain bytes below a folder.

use std::collections::BTreeMap;

/// The smoke experiment in a second or two.
const SMALL: [&str; 9] = [
    "data.procedural={train: 240, validation: 16, test: 24}",
    "data.image_size=28",
    "training.epochs=1",
    // A state after every step: each is a rename.
    "training.checkpoint_seconds=0",
    "training.batch_size=60",
    "measure.resamples=100",
    "explain.keep_maps=true",
    "figures.which=[training_curves, examples]",
    "figures.formats=[svg]",
];

/// Further settings, with all steps in less than half a second.
const TINY: [&str; 5] = [
    "data.source=table",
    "data.table={file: labels.csv, images: images, image_column: file, masks: masks, \
     attributes: [dotted_disc, hollow_square], shapes: {images: 100, seed: 1}}",
    "training.batch_size=16",
    "measure.faithfulness.images=2",
    "measure.interventions.images=2",
];

/// Further ones, without the steps that cost most.
const TINIEST: [&str; 3] = [
    "measure.faithfulness.images=0",
    "measure.interventions.images=0",
    "measure.locality.images=0",
];

const SMOKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke.yaml");

/// A command, and where it ends.
#[derive(Clone)]
pub struct Work {
    pub arguments: Vec<String>,
    /// The folder that it writes, below the one in which it is started.
    pub root: &'static str,
    /// What has to be in the folder in which it is started.
    pub files: Vec<(&'static str, String)>,
    /// Whether its data are the same for all cases, and not disturbed.
    pub shares_data: bool,
    /// Names of files that are others while it is not at its end.
    pub passing: &'static [&'static str],
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn with_settings<'a>(mut arguments: Vec<String>, settings: impl IntoIterator<Item = &'a &'a str>) -> Vec<String> {
    for setting in settings {
        arguments.extend(words(&["--set", setting]));
    }
    arguments
}

impl Work {
    /// A run of an experiment with all its steps.
    pub fn run() -> Self {
        Self {
            arguments: with_settings(
                words(&["reproduce", SMOKE, "--device", "cpu", "--results", "results"]),
                &SMALL,
            ),
            root: "results/smoke",
            files: Vec::new(),
            shares_data: true,
            passing: &["manifest.json", "report.html", "unfinished.safetensors"],
        }
    }

    /// A smaller one.
    pub fn small_run() -> Self {
        Self {
            arguments: with_settings(Self::run().arguments, &TINY),
            ..Self::run()
        }
    }

    /// What a run does first where its data are not there: it writes them.
    pub fn data_of_a_run() -> Self {
        let arguments = words(&[
            "train",
            SMOKE,
            "--device",
            "cpu",
            "--results",
            "results",
            "--data",
            "data",
        ]);
        Self {
            arguments: with_settings(arguments, SMALL.iter().chain(&TINY).chain(&TINIEST)),
            ..Self::data()
        }
    }

    /// A sweep of two runs of one classifier, each with figures and a report of its own.
    pub fn sweep() -> Self {
        let mut settings = BTreeMap::new();
        for setting in SMALL.iter().chain(&TINY).chain(&TINIEST) {
            let (key, value) = setting.split_once('=').expect("a key and a value");
            settings.insert(key, value);
        }
        let settings: Vec<String> = settings
            .iter()
            .map(|(key, value)| format!("  {key}: {value}"))
            .collect();
        let text = format!(
            "experiment: {SMOKE}\nset:\n{}\n  classifiers: {{swept: {{class_weights: domain_adaptive}}}}\n\
             axes: {{classifiers.swept.exponent: [0, 1]}}\nuntil: report\n",
            settings.join("\n")
        );
        Self {
            arguments: words(&["sweep", "pair.yaml", "--device", "cpu", "--results", "results"]),
            root: "results/pair",
            files: vec![("pair.yaml", text)],
            shares_data: true,
            passing: &["manifest.json", "report.html", "unfinished.safetensors", "comparison/"],
        }
    }

    /// Procedural faces in one of their layouts.
    pub fn faces(layout: &str) -> Self {
        let arguments = [
            "data",
            "procedural",
            "--out",
            "data/faces",
            "--images",
            "8",
            "--layout",
            layout,
        ];
        let mut arguments = words(&arguments);
        if layout == "nested" {
            arguments.push("--counterfactuals=Eyeglasses".to_owned());
        }
        Self {
            arguments,
            ..Self::data()
        }
    }

    /// Pictures of shapes, their masks and counterfactuals.
    pub fn shapes() -> Self {
        Self {
            arguments: words(&[
                "data",
                "shapes",
                "--out",
                "data/shapes",
                "--images",
                "6",
                "--counterfactuals",
            ]),
            ..Self::data()
        }
    }

    fn data() -> Self {
        Self {
            arguments: Vec::new(),
            root: "data",
            files: Vec::new(),
            shares_data: false,
            passing: &[],
        }
    }
}
