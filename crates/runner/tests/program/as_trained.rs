//! `explain-images` with a run's own checkpoint: pictures are made as the run made them, and weights of other programs are read.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use candle_core::{DType, Device, Tensor};
use image::{Rgb, RgbImage};
use model::{Architecture, Network};
use pipeline::ReadTable;

use crate::place::{fails, succeeds};

const EXPERIMENT: &str = "
seed: 1
data:
  source: table
  table: {file: labels.csv, images: images, split_column: split}
  image_size: 32
model:
  architecture: {block: basic, stem: {kernel: 3, stride: 2, max_pool: false}, stages: [{width: 4, blocks: 1, stride: 1, kernel: 3}]}
  mean: [0.4, 0.5, 0.6]
training: {epochs: 1, optimiser: sgd, batch_size: 4, at_once: 1, augmentation: {scale: 0, rotation: 0, shift: 0, blur: 0, mirror: 0}}
classifiers: {one: {class_weights: none}}
measure: {resamples: 100}
";

/// Pictures of several shapes, the test images among them, of which `08.png` and `08.jpg` are two.
struct Set {
    folder: tempfile::TempDir,
}

impl Set {
    fn new(attributes: [&str; 3]) -> Self {
        let set = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        let mut labels = format!("image,{},split\n", attributes.join(","));
        let mut landmarks = "12\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n"
            .to_owned();
        fs::create_dir_all(set.path("data/images")).expect("made");
        for number in 0..12_u32 {
            let (width, height) = [(40, 64), (70, 44), (178, 218)][number as usize % 3];
            let picture = RgbImage::from_fn(width, height, |x, y| {
                Rgb([
                    (x * 3 + number * 9) as u8,
                    (y * 2) as u8,
                    ((x + y) * (number + 1)) as u8,
                ])
            });
            picture
                .save(set.path(&format!("data/images/{number:02}.png")))
                .expect("written");
            let split = [0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2][number as usize];
            let label = |bit: u32| number >> bit & 1;
            labels += &format!("{number:02}.png,{},{},{},{split}\n", label(0), label(1), label(0));
            let (x, y) = (width / 3, height / 3);
            let shift = number % 4;
            landmarks += &format!(
                "{number:02}.png {x} {} {} {y} {} {} {x} {} {} {}\n",
                y + shift,
                2 * x,
                width / 2,
                height / 2,
                2 * y,
                2 * x + shift,
                2 * y
            );
        }
        fs::write(set.path("data/labels.csv"), labels).expect("written");
        fs::write(set.path("data/landmarks.txt"), landmarks).expect("written");
        fs::write(set.path("mine.yaml"), EXPERIMENT).expect("written");
        set
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command.args(arguments).args(["--device", "cpu"]);
        command
            .current_dir(self.folder.path())
            .output()
            .expect("the program starts")
    }

    fn explain(&self, arguments: &[&str]) -> Output {
        let weights = "results/mine/one/checkpoint.safetensors";
        let all = ["explain-images", "--weights", weights, "--out", "out"];
        self.run(&[&all[..], arguments].concat())
    }

    fn logits(&self, name: &str) -> Vec<f32> {
        let maps = candle_core::safetensors::load(self.path(&format!("out/{name}/maps.safetensors")), &Device::Cpu);
        maps.expect("maps")["logits"].to_vec1().expect("numbers")
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn scores_are_those_of_the_run_however_its_images_were_made() {
    let set = Set::new(["a", "b", "c"]);
    let pictures = ["08", "09", "10", "11"].map(|name| format!("data/images/{name}.png"));
    let pictures: Vec<&str> = pictures.iter().map(String::as_str).collect();
    let plain = ["--sheets", "none"];
    let landmarks = ["--landmarks", "data/landmarks.txt", "--sheets", "none"];
    for (setting, options, words) in [
        ("data.table.resize=crop", &plain[..], "cropped"),
        ("data.table.resize=pad", &plain, "padded"),
        ("data.table.resize=stretch", &plain, "stretched"),
        (
            "data.table.landmarks=landmarks.txt",
            &landmarks,
            "aligned by the landmarks",
        ),
    ] {
        // Landmarks are there to align by; not to leave images out.
        succeeds(&set.run(&[
            "predict",
            "mine.yaml",
            "--replace",
            "--set",
            setting,
            "--set",
            "data.frontal_threshold=null",
        ]));
        let table = ReadTable::parquet(&set.path("results/mine/one/predictions.parquet")).expect("predictions");
        let scores = table.doubles("score").expect("scores");
        let output = set.explain(&[&pictures[..], options].concat());
        succeeds(&output);
        assert_eq!(
            said(&output).lines().filter(|line| line.contains("trained on")).count(),
            0
        );
        let found: Vec<f32> = ["08", "09", "10", "11"]
            .iter()
            .flat_map(|name| set.logits(name))
            .collect();
        assert_eq!(found.len(), scores.len());
        for (found, score) in found.iter().zip(&scores) {
            let score = score.expect("a score");
            assert!((f64::from(*found) - score).abs() < 1e-4, "{setting}: {found} {score}");
        }
        let shown = succeeds(&set.run_without_device(&["inspect", "results/mine/one/checkpoint.safetensors"]));
        assert!(shown.contains(&format!("32 x 32 pixels, {words}")), "{shown}");
        assert!(shown.contains("mean 0.4, 0.5, 0.6"), "{shown}");
    }
    // What an option says otherwise is done, and said.
    let before = set.logits("08");
    for (options, words) in [
        (&["--fit", "pad"][..], "are padded to a square, as asked for"),
        (&[], "without --landmarks"),
        (&["--landmarks", "data/landmarks.txt", "--size", "48"], "--size 48"),
        (
            &["--landmarks", "data/landmarks.txt", "--normalisation", "none"],
            "--normalisation: images go in as they are",
        ),
    ] {
        let output = set.explain(&[&[pictures[0], "--sheets", "none"], options].concat());
        succeeds(&output);
        assert!(said(&output).contains(words), "{}", said(&output));
        assert_ne!(set.logits("08"), before, "{options:?}");
    }
}

impl Set {
    fn run_without_device(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("the program starts")
    }

    fn files(&self, below: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.path(below)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                match path.is_dir() {
                    true => folders.push(path),
                    false if path.extension().is_some_and(|ending| ending == "png") => {
                        found.push(path.file_name().expect("a name").to_string_lossy().to_lowercase());
                    }
                    false => (),
                }
            }
        }
        found.sort();
        found
    }
}

#[test]
fn attributes_and_pictures_of_like_names_have_files_of_their_own() {
    let set = Set::new(["a/b", "a:b", "A:B"]);
    succeeds(&set.run(&["train", "mine.yaml"]));
    let picture = image::open(set.path("data/images/08.png")).expect("a picture");
    picture.to_rgb8().save(set.path("data/images/08.jpg")).expect("written");
    succeeds(&set.explain(&["data/images/08.png", "data/images/08.jpg", "--sheets", "attribute"]));
    for name in ["08", "08-2"] {
        let mut files = set.files(&format!("out/{name}"));
        files.dedup();
        assert_eq!(files.len(), 3, "{files:?}");
    }
    let mut sheets = set.files("out/sheets");
    sheets.dedup();
    assert_eq!(sheets.len(), 3, "{sheets:?}");
}

#[test]
fn a_training_that_diverges_says_so_and_leaves_no_checkpoint() {
    let set = Set::new(["a", "b", "c"]);
    let settings = [
        "--set",
        "training.learning_rate=1e6",
        "--set",
        "training.schedule=constant",
    ];
    let more = ["--set", "training.epochs=3"];
    for split in ["", "without validation"] {
        if !split.is_empty() {
            let labels = fs::read_to_string(set.path("data/labels.csv")).expect("read");
            fs::write(set.path("data/labels.csv"), labels.replace(",1\n", ",0\n")).expect("written");
        }
        let message = fails(&set.run(&[&["train", "mine.yaml"], &settings[..], &more].concat()));
        let end = message.lines().last().expect("a line");
        for part in ["classifiers.one", "diverged", "training.learning_rate=100000`"] {
            assert!(end.contains(part), "{end}");
        }
        assert!(!set.path("results/mine/one/checkpoint.safetensors").exists());
    }
}

/// What is behind each name of a small ResNet-18, for the tensors of another program.
fn foreign(rename: impl Fn(&str) -> String) -> (Network, HashMap<String, Tensor>) {
    let architecture = Architecture::preset("resnet18").expect("a preset").with_width(2);
    let network = Network::new(&architecture, 3, 5, &Device::Cpu).expect("a network");
    let tensors = network.named_tensors();
    let renamed = tensors
        .iter()
        .map(|(name, tensor)| (rename(name), tensor.clone()))
        .collect();
    (network, renamed)
}

#[test]
fn weights_of_other_programs_are_read_and_what_was_assumed_is_said() {
    let set = Set::new(["a", "b", "c"]);
    let explain = |options: &[&str]| {
        let all = [
            "explain-images",
            "data/images/08.png",
            "--weights",
            "w.safetensors",
            "--sheets",
            "none",
            "--out",
            "out",
        ];
        set.run(&[&all[..], &["--size", "64"], options].concat())
    };
    let save = |tensors: &HashMap<String, Tensor>| {
        candle_core::safetensors::save(tensors, set.path("w.safetensors")).expect("written");
    };
    let (_, plain) = foreign(str::to_owned);
    save(&plain);
    let output = explain(&[]);
    succeeds(&output);
    let expected = set.logits("08");
    for part in [
        "resnet18 of width 2 with 3 outputs",
        "as they are, in [0, 1]",
        "--normalisation imagenet",
        "--fit",
    ] {
        assert!(said(&output).contains(part), "{}", said(&output));
    }
    for (rename, words) in [
        ((|name| format!("module.{name}")) as fn(&str) -> String, "`module.`"),
        (|name| format!("state_dict.{name}"), "`state_dict.`"),
        (|name| name.replace("fc.", "fc.1."), "`fc.1`"),
    ] {
        save(&foreign(rename).1);
        let output = explain(&["--architecture", "resnet18"]);
        succeeds(&output);
        assert_eq!(set.logits("08"), expected);
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    let half = plain
        .iter()
        .map(|(name, tensor)| (name.clone(), tensor.to_dtype(DType::F16).expect("half")));
    save(&half.collect());
    let output = explain(&[]);
    succeeds(&output);
    assert!(said(&output).contains("F16 converted to float32"), "{}", said(&output));

    let (name, bias) = plain
        .iter()
        .find(|(name, _)| name.as_str() == "fc.bias")
        .expect("a head");
    let endless = (bias / 0.0).expect("divided");
    save(
        &plain
            .iter()
            .map(|(name, tensor)| (name.clone(), tensor.clone()))
            .chain([(name.clone(), endless)])
            .collect(),
    );
    let message = fails(&explain(&[]));
    assert!(
        message.contains("`fc.bias` holds a number that is not finite"),
        "{message}"
    );

    save(&plain);
    succeeds(&explain(&["--normalisation", "imagenet"]));
    let normalised = set.logits("08");
    assert_ne!(normalised, expected);
    succeeds(&explain(&["--normalisation", "0.485,0.456,0.406/0.229,0.224,0.225"]));
    assert_eq!(set.logits("08"), normalised);

    let message = fails(&explain(&["--architecture", "resnet34"]));
    for part in [
        "missing",
        "layer1.2",
        "look like those of a resnet18 of width 2 with 3 outputs",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let mut headless = plain.clone();
    headless.retain(|name, _| !name.starts_with("fc."));
    save(&headless);
    assert!(fails(&explain(&[])).contains("no last linear layer"));
    save(&HashMap::from([(
        "patch.weight".to_owned(),
        plain["fc.weight"].clone(),
    )]));
    let message = fails(&explain(&[]));
    for part in ["no residual network", "`patch.weight` [3, 16]", "layer1.0.conv1.weight"] {
        assert!(message.contains(part), "{message}");
    }
    fs::write(set.path("w.safetensors"), b"PK\x03\x04").expect("written");
    let message = fails(&explain(&[]));
    assert!(
        message.contains("PyTorch") && message.contains("save_file"),
        "{message}"
    );
}

#[test]
fn what_is_given_in_place_of_a_checkpoint_or_results_leads_to_them() {
    let set = Set::new(["a", "b", "c"]);
    succeeds(&set.run(&["train", "mine.yaml"]));
    let explain = |weights: &str| {
        let arguments = [
            "explain-images",
            "data/images/08.png",
            "--out",
            "out",
            "--sheets",
            "none",
        ];
        set.run(&[&arguments[..], &["--weights", weights]].concat())
    };
    let output = explain("results/mine/one");
    succeeds(&output);
    assert!(
        said(&output).contains("its checkpoint is results/mine/one/checkpoint.safetensors"),
        "{}",
        said(&output)
    );
    for (message, parts) in [
        (
            fails(&explain("results/mine")),
            ["a folder, expected one of", "results/mine/one/checkpoint.safetensors"],
        ),
        (
            fails(&explain("data")),
            ["data: a folder without a checkpoint", "such as results/NAME"],
        ),
        (
            fails(&explain("data/images/08.png")),
            ["a picture", "a checkpoint after --weights"],
        ),
        (
            fails(&set.run_without_device(&["inspect", "data/images/08.png"])),
            ["a picture", "a results folder or a checkpoint"],
        ),
        (fails(&set.run_without_device(&["draw", "nope"])), ["nope", "biascam"]),
    ] {
        for part in parts {
            assert!(message.contains(part), "{message} should contain {part}");
        }
    }
}
