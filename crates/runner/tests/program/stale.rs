//! Which steps run again when something has changed: exactly those that read it, each with its reason; and what is recorded of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{Rgb, RgbImage};

use crate::place::{self, succeeds};

const EXPERIMENT: &str = "
seed: 1
data:
  source: table
  folder: set
  table: {file: labels.csv, images: images, masks: masks, split_column: split}
  image_size: 32
model:
  architecture:
    block: basic
    stem: {kernel: 3, stride: 2, max_pool: false}
    stages: [{width: 8, blocks: 1, stride: 1, kernel: 3}]
training: {epochs: 1, learning_rate: 0.01, optimiser: adamw, batch_size: 8, augmentation: {scale: 0, rotation: 0, shift: 0, blur: 0, mirror: 0}}
measure: {resamples: 100, faithfulness: {images: 4}, occlusion: {images: 4}, decomposed_images: 2, locality: {images: 2, fame_images: 0}}
figures: {which: [error_rates, examples], formats: [svg], examples: 1}
report: {examples: 1}
";

const CLASSIFIERS: [&str; 2] = ["unbalanced", "balanced"];

/// A table of a few squares, half of them red and half of them with a bright corner.
struct Set {
    folder: tempfile::TempDir,
}

impl Set {
    fn new() -> Self {
        let set = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        set.write("tiny.yaml", EXPERIMENT);
        let mut labels = "image,red,corner,split\n".to_owned();
        for number in 0..32_usize {
            let (red, corner) = (number % 2, number / 2 % 2);
            let split = match number {
                0..16 => 0,
                16..20 => 1,
                _ => 2,
            };
            labels += &format!("{number:02}.png,{red},{corner},{split}\n");
            set.paint(number, [40 + 150 * red as u8, 60, 60], corner == 1);
            set.mask(number, 8);
        }
        set.write("data/set/labels.csv", labels);
        set
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    }

    fn paint(&self, number: usize, colour: [u8; 3], corner: bool) {
        let image = RgbImage::from_fn(32, 32, |x, y| match corner && x < 8 && y < 8 {
            true => Rgb([250, 250, 250]),
            false => Rgb(colour),
        });
        let path = self.path(&format!("data/set/images/{number:02}.png"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        image.save(path).expect("written");
    }

    /// A mask of the corner so many pixels wide.
    fn mask(&self, number: usize, side: u32) {
        let mask = image::GrayImage::from_fn(32, 32, |x, y| image::Luma([if x < side && y < side { 255 } else { 0 }]));
        let path = self.path(&format!("data/set/masks/corner/{number:02}.png"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        mask.save(path).expect("written");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command.args(arguments).args(["--device", "cpu"]);
        // A sweep's folders are its own.
        if arguments.first() != Some(&"sweep") {
            command.arg("--replace");
        }
        command
            .current_dir(self.folder.path())
            .output()
            .expect("the program starts")
    }

    /// The steps that would run for a reason of their own, and what would be said of each step.
    fn would_run(&self, settings: &[&str]) -> (BTreeSet<String>, String) {
        let mut arguments = vec!["reproduce", "tiny.yaml", "--dry-run"];
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        let said = succeeds(&self.run(&arguments));
        (of_their_own(&said), said)
    }

    fn reads(&self, relative: &str) -> Vec<u8> {
        fs::read(self.path(relative)).expect(relative)
    }
}

/// The steps of a dry run that would run whatever becomes of those before them.
fn of_their_own(said: &str) -> BTreeSet<String> {
    let lines = said.lines().filter_map(|line| line.split_once(' '));
    let own = lines.filter(|(_, reason)| {
        let reason = reason.trim_start();
        !reason.starts_with("unchanged") && !reason.starts_with("after ") && !reason.contains("steps would run")
    });
    own.map(|(step, _)| step.to_owned()).collect()
}

/// Steps by their kinds: `train` is that of every classifier, `train/balanced` one.
fn steps(kinds: &str) -> BTreeSet<String> {
    let of_kind = |kind: &str| match kind {
        "train" | "predict" | "explain" | "occlude" | "faithfulness" | "locality" | "intervene" => {
            CLASSIFIERS.map(|name| format!("{kind}/{name}")).to_vec()
        }
        one => vec![one.to_owned()],
    };
    kinds.split_whitespace().flat_map(of_kind).collect()
}

/// Everything that looks at a test image.
const IMAGES: &str = "predict explain occlude faithfulness locality choose examples";

/// A file, what is done to it, and the steps that run again for it.
type Change<'a> = (&'a str, &'a dyn Fn(&Set), &'a str);

#[test]
fn each_input_reruns_exactly_the_steps_that_read_it() {
    let set = Set::new();
    succeeds(&set.run(&["reproduce", "tiny.yaml"]));
    let (nothing, said) = set.would_run(&[]);
    assert!(nothing.is_empty(), "{said}");

    // What is made of all results reads all of them.
    let manifest: serde_json::Value = serde_json::from_slice(&set.reads("results/tiny/manifest.json")).expect("JSON");
    for (step, file) in [
        ("predict", "predictions"),
        ("explain", "energy"),
        ("occlude", "occlusion"),
        ("faithfulness", "faithfulness"),
        ("faithfulness", "sanity"),
        ("locality", "locality"),
    ] {
        for name in CLASSIFIERS {
            for reader in ["measure", "draw"] {
                let read = &manifest["stages"][reader]["reads"]["artefacts"][format!("{step}/{name}")];
                assert!(
                    read[format!("{name}/{file}.parquet")].is_string(),
                    "{reader} does not read {name}/{file}"
                );
            }
        }
    }

    // The report shows the whole experiment, so that every setting draws again.
    let settings = [
        (
            "seed=2",
            "train occlude faithfulness locality measure choose examples draw",
        ),
        ("training.epochs=2", "train draw"),
        ("training.loss=cross_entropy", "train draw"),
        ("training.augmentation.mirror=0.5", "train draw"),
        ("training.checkpoint_seconds=7", "draw"),
        ("training.tensorboard=false", "draw"),
        ("training.at_once=1", "draw"),
        (
            "classifiers={unbalanced: {class_weights: none}, balanced: {class_weights: domain_adaptive, exponent: 0.5}}",
            "train/balanced draw",
        ),
        ("data.frontal_threshold=0.2", "draw"),
        ("data.cache_megabytes=10", "draw"),
        ("data.bad_images_limit=1", "draw"),
        ("data.table.split.seed=5", "draw"),
        ("data.procedural.seed=5", "draw"),
        ("data.training_fraction=0.75", "train measure choose examples draw"),
        (
            "data.table.resize=stretch",
            "train predict explain occlude faithfulness locality choose examples draw",
        ),
        (
            "data.image_size=40",
            "train predict explain occlude faithfulness locality choose examples draw",
        ),
        ("model.mean=[0.5, 0.5, 0.5]", "train draw"),
        ("explain.method=grad_cam", "explain faithfulness choose examples draw"),
        ("explain.images=4", "explain draw"),
        ("explain.keep_maps=true", "explain draw"),
        ("measure.resamples=110", "measure draw"),
        ("measure.published=true", "measure draw"),
        (
            "measure.regions=none",
            "explain occlude faithfulness choose examples measure draw",
        ),
        ("measure.occlusion.images=5", "occlude draw"),
        ("measure.decomposed_images=3", "occlude draw"),
        ("measure.faithfulness.images=5", "faithfulness draw"),
        ("measure.locality.images=3", "locality draw"),
        // Of images that the program does not draw nothing is toggled.
        ("measure.interventions.images=5", "draw"),
        ("figures.palette=grey", "draw"),
        ("figures.examples=2", "choose draw"),
        ("report.examples=2", "examples draw"),
    ];
    for (setting, expected) in settings {
        let (found, said) = set.would_run(&[setting]);
        assert_eq!(found, steps(expected), "{setting}:\n{said}");
    }
    let (_, said) = set.would_run(&["training.epochs=2"]);
    assert!(said.contains("training.epochs 1 -> 2; took "), "{said}");
    assert!(
        said.contains("after train/balanced, if their files come out otherwise; took "),
        "{said}"
    );

    // Files, told by what is in them: each is changed, looked at, and put back as it was.
    let of_images = "data/set/images";
    let sizes = |set: &Set, file: &str| set.reads(file).len();
    let changes: [Change<'_>; 7] = [
        (
            "data/set/images/24.png",
            &|set| set.paint(24, [41, 60, 60], false),
            IMAGES,
        ),
        (
            "data/set/images/04.png",
            &|set| set.paint(4, [41, 60, 60], false),
            "train",
        ),
        (
            "data/set/images/17.png",
            &|set| set.paint(17, [191, 60, 60], false),
            "train",
        ),
        (
            "data/set/masks/corner/24.png",
            &|set| set.mask(24, 12),
            "explain occlude faithfulness choose examples",
        ),
        ("data/set/masks/corner/04.png", &|set| set.mask(4, 12), ""),
        (
            "data/set/labels.csv",
            &|set| {
                let labels = String::from_utf8(set.reads("data/set/labels.csv")).expect("text");
                set.write("data/set/labels.csv", labels.replace("24.png,0,0,2", "24.png,1,0,2"));
            },
            "predict explain faithfulness choose examples",
        ),
        (
            "data/set/labels.csv",
            &|set| {
                let labels = String::from_utf8(set.reads("data/set/labels.csv")).expect("text");
                set.write("data/set/labels.csv", labels.replace("04.png,0,0,0", "04.png,1,0,0"));
            },
            "train measure choose examples",
        ),
    ];
    for (file, change, expected) in changes {
        let before = set.reads(file);
        change(&set);
        assert_ne!(set.reads(file), before, "{file}");
        if file.starts_with(of_images) {
            assert_eq!(sizes(&set, file), before.len(), "{file}: a change that its size shows");
        }
        let (found, said) = set.would_run(&[]);
        assert_eq!(found, steps(expected), "{file}:\n{said}");
        set.write(file, before);
    }
    let (nothing, said) = set.would_run(&[]);
    assert!(nothing.is_empty(), "{said}");
    // Another name is no other data.
    fs::rename(set.path("data/set"), set.path("data/other")).expect("renamed");
    let (found, said) = set.would_run(&["data.folder=other"]);
    assert_eq!(found, steps("draw"), "{said}");
}

#[test]
fn who_is_in_the_images_trains_again_only_where_it_makes_the_split() {
    let set = Set::new();
    let labels = String::from_utf8(set.reads("data/set/labels.csv")).expect("text");
    // Two images of each; who is tested is in no other split.
    let with_people = |name: &dyn Fn(usize) -> String| {
        let rows = labels.lines().skip(1).enumerate();
        let rows = rows.map(|(row, line)| format!("{line},{}\n", name(row)));
        set.write(
            "data/set/labels.csv",
            "image,red,corner,split,who\n".to_owned() + &rows.collect::<String>(),
        );
    };
    with_people(&|row| format!("plant {}", row / 2));
    let attributes = "data.table.attributes=[red, corner]";
    let grouped = [attributes, "data.table.group_column=who"];
    let run = |settings: &[&str]| {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<&str> = ["reproduce", "tiny.yaml"].into_iter().chain(settings).collect();
        let output = set.run(&arguments);
        succeeds(&output);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    run(&[attributes]);
    let (found, said) = set.would_run(&grouped);
    assert_eq!(found, steps("predict draw"), "{said}");
    assert!(said.contains("people in test images new"), "{said}");
    run(&grouped);

    // Which words name them does not train, and who is in training images is nobody's business here.
    with_people(&|row| format!("tree {}", row / 2));
    let (found, said) = set.would_run(&grouped);
    assert_eq!(found, steps("predict"), "{said}");
    assert!(said.contains("people in test images changed"), "{said}");
    with_people(&|row| format!("plant {}", if row < 16 { 100 + row } else { row / 2 }));
    let (found, said) = set.would_run(&grouped);
    assert_eq!(found, steps(""), "{said}");

    // In a split that is made, who belongs together decides which images are trained on.
    let made = [&grouped[..], &["data.table.split_column=null"]].concat();
    with_people(&|row| format!("plant {}", row / 2));
    let said = run(&made);
    assert!(!said.contains("are in training images too"), "{said}");
    let (nothing, said) = set.would_run(&made);
    assert!(nothing.is_empty(), "{said}");
    with_people(&|row| format!("tree {}", row / 2));
    let (found, said) = set.would_run(&made);
    assert_eq!(found, steps("predict"), "other names are no other split: {said}");
    with_people(&|row| format!("plant {}", row / 4));
    let (found, said) = set.would_run(&made);
    assert!(found.is_superset(&steps("train predict")), "{said}");
}

#[test]
fn a_file_of_regions_edited_in_place_is_noticed_and_named() {
    let set = Set::new();
    let regions = |height: f64| {
        let file = "regions: {all: {attributes: [red, corner], boxes: [{x: [0, 0.5], y: [0, HEIGHT]}]}}\n";
        set.write("regions.yaml", file.replace("HEIGHT", &height.to_string()));
    };
    regions(0.25);
    let one = ["explain", "tiny.yaml", "--set", "measure.regions=regions.yaml"];
    succeeds(&set.run(&one));
    let before = set.reads("results/tiny/unbalanced/energy.parquet");
    regions(0.75);
    let output = set.run(&one);
    succeeds(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("explain/unbalanced       regions.yaml changed"), "{said}");
    assert!(said.contains("train/unbalanced         unchanged"), "{said}");
    assert_ne!(set.reads("results/tiny/unbalanced/energy.parquet"), before);
}

#[test]
fn adopted_weights_are_told_by_content_and_normalisation() {
    let set = Set::new();
    let one = "classifiers={unbalanced: {class_weights: none}}";
    succeeds(&set.run(&["train", "tiny.yaml", "--set", one, "--name", "first"]));
    let checkpoint = set.reads("results/first/unbalanced/checkpoint.safetensors");
    set.write("weights.safetensors", &checkpoint);
    let adopted = "classifiers={unbalanced: {weights: weights.safetensors}}";
    succeeds(&set.run(&["predict", "tiny.yaml", "--set", adopted]));
    let train = |more: &[&str]| {
        let (found, said) = set.would_run(&[&[adopted], more].concat());
        (found.contains("train/unbalanced"), said)
    };
    assert!(!train(&[]).0);
    assert!(!train(&["seed=3"]).0);
    assert!(train(&["model.mean=[0.5, 0.5, 0.5]"]).0);
    // Of the same size and under the same name.
    succeeds(&set.run(&["train", "tiny.yaml", "--set", one, "--name", "first", "--set", "seed=4"]));
    let other = set.reads("results/first/unbalanced/checkpoint.safetensors");
    assert_eq!(other.len(), checkpoint.len());
    set.write("weights.safetensors", other);
    let (trains, said) = train(&[]);
    assert!(
        trains && said.contains("classifiers.unbalanced.weights changed"),
        "{said}"
    );
}

#[test]
fn the_frontal_filter_and_masks_do_not_train_again() {
    let place = place::Place::new();
    succeeds(&place.run("measure", &[]));
    let dry = |settings: &[&str]| {
        let mut command = place.command("measure", settings);
        let said = succeeds(&command.arg("--dry-run").output().expect("the program starts"));
        (of_their_own(&said), said)
    };
    assert!(dry(&[]).0.is_empty());
    let (found, said) = dry(&["data.frontal_threshold=0.2"]);
    assert_eq!(
        found,
        steps("predict explain occlude faithfulness locality intervene measure"),
        "{said}"
    );
    assert!(said.contains("number of test images"), "{said}");

    let data = fs::read_dir(place.folder.path().join("data"))
        .expect("a folder")
        .flatten();
    let faces = data
        .map(|entry| entry.path())
        .find(|path| path.is_dir())
        .expect("faces");
    let masks = faces.join("masks");
    blank_all(&masks);
    let (found, said) = dry(&[]);
    assert_eq!(found, steps("explain faithfulness"), "{said}");
    assert!(said.contains("masks of test images changed"), "{said}");
    fs::remove_dir_all(&masks).expect("removed");
    let (found, said) = dry(&[]);
    assert_eq!(found, steps("explain faithfulness"), "{said}");
    assert!(said.contains("masks of test images gone"), "{said}");
}

/// Turns every mask of a folder into one of nothing.
fn blank_all(masks: &Path) {
    for entry in fs::read_dir(masks).expect("a folder").flatten() {
        let mask = image::open(entry.path()).expect("a mask");
        let blank = image::DynamicImage::new(mask.width(), mask.height(), mask.color());
        blank.save(entry.path()).expect("written");
    }
}

#[test]
fn what_another_plan_made_goes_and_who_made_a_step_stays() {
    let set = Set::new();
    succeeds(&set.run(&["reproduce", "tiny.yaml"]));
    set.write("results/tiny/balanced/notes.txt", "mine");
    let one = "classifiers={unbalanced: {class_weights: none}}";
    let less = ["measure.faithfulness.images=0", "figures.which=[error_rates]"];
    let mut arguments = vec!["reproduce", "tiny.yaml", "--set", one];
    less.iter().for_each(|setting| arguments.extend(["--set", setting]));
    let before: serde_json::Value = serde_json::from_slice(&set.reads("results/tiny/manifest.json")).expect("JSON");
    let output = set.run(&arguments);
    succeeds(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("of an earlier plan, moved to earlier.plan: balanced/checkpoint.safetensors"),
        "{said}"
    );
    let there = |relative: &str| set.path("results/tiny").join(relative).exists();
    for gone in [
        "balanced/checkpoint.safetensors",
        "balanced/energy.parquet",
        "unbalanced/faithfulness.parquet",
        "unbalanced/sanity.parquet",
        "figures/examples.svg",
    ] {
        assert!(!there(gone), "{gone} is still there");
    }
    assert!(
        there("earlier.plan/balanced/checkpoint.safetensors"),
        "it may have taken days"
    );
    assert!(there("balanced/notes.txt") && there("figures/error_rates.svg"));
    let after: serde_json::Value = serde_json::from_slice(&set.reads("results/tiny/manifest.json")).expect("JSON");
    assert_eq!(
        after["stages"]["train/unbalanced"],
        before["stages"]["train/unbalanced"]
    );
    let made = &after["stages"]["train/unbalanced"]["provenance"];
    assert_eq!(made["device"], "cpu");
    assert!(
        made["threads"].as_u64() > Some(0) && !made["host"].as_str().expect("a name").is_empty(),
        "{made}"
    );
    assert!(after["stages"].get("train/balanced").is_none());
    let shown = succeeds(
        &Command::new(env!("CARGO_BIN_EXE_biascam"))
            .args(["inspect", "results/tiny"])
            .current_dir(set.folder.path())
            .output()
            .expect("the program starts"),
    );
    assert!(
        shown.contains(" UTC by version ") && shown.contains(", cpu, "),
        "{shown}"
    );
}

#[test]
fn hashes_are_believed_until_asked_to_be_verified() {
    let set = Set::new();
    succeeds(&set.run(&["train", "tiny.yaml"]));
    // Files that were only just written are read again the next time, and their hashes kept from then.
    std::thread::sleep(std::time::Duration::from_millis(2100));
    succeeds(&set.run(&["train", "tiny.yaml"]));
    let kept = String::from_utf8(set.reads("data/.content-hashes")).expect("text");
    assert!(kept.contains("images/04.png"), "{kept}");
    let output = set.run(&["train", "tiny.yaml", "--verify"]);
    succeeds(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.matches("unchanged").count(), 2, "{said}");
    // Damaged hashes are only slower.
    set.write("data/.content-hashes", "nonsense");
    let output = set.run(&["train", "tiny.yaml"]);
    succeeds(&output);
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches("unchanged").count(), 2);
}

#[test]
fn a_sweep_sees_a_label_that_was_edited() {
    let set = Set::new();
    set.write(
        "s.yaml",
        "experiment: tiny.yaml\nset: {classifiers: {x: {class_weights: domain_adaptive}}}\naxes: {classifiers.x.exponent: [0.5, 1]}\nseeds: [1]\nuntil: measure\n",
    );
    let sweep = |more: &str| set.run(&["sweep", "s.yaml", more]);
    succeeds(&set.run(&["sweep", "s.yaml"]));
    let status = succeeds(&sweep("--status"));
    assert!(status.contains("2 finished"), "{status}");
    let labels = String::from_utf8(set.reads("data/set/labels.csv")).expect("text");
    set.write("data/set/labels.csv", labels.replace("24.png,0,0,2", "24.png,1,0,2"));
    let status = succeeds(&sweep("--status"));
    assert!(status.contains(" 0 finished"), "{status}");
    // Where the data set is not, what is recorded of it is believed.
    set.write("data/set/labels.csv", labels);
    fs::rename(set.path("data"), set.path("elsewhere")).expect("renamed");
    let status = succeeds(&sweep("--status"));
    assert!(status.contains("2 finished"), "{status}");
}

#[test]
fn drawing_again_draws_results_of_one_plan_and_of_this_one() {
    let set = Set::new();
    succeeds(&set.run(&["reproduce", "tiny.yaml"]));
    let said = |arguments: &[&str]| {
        let output = set.run(arguments);
        succeeds(&output);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let computed = |said: &str| !said.contains("nothing is computed again");
    assert!(!computed(&said(&[
        "draw",
        "tiny.yaml",
        "--set",
        "figures.formats=[png]"
    ])));
    for other in ["measure.regions=none", "data.training_fraction=0.5"] {
        assert!(computed(&said(&["draw", "tiny.yaml", "--set", other])), "{other}");
        said(&["reproduce", "tiny.yaml"]);
    }
    said(&["train", "tiny.yaml", "--set", "training.epochs=2"]);
    let refused = place::fails(&set.run(&["draw", "results/tiny"]));
    assert!(
        refused.contains("not all of it is of one plan: predict/unbalanced"),
        "{refused}"
    );
}

#[test]
fn what_a_failed_step_has_left_goes_with_the_next_run() {
    let set = Set::new();
    succeeds(&set.run(&["reproduce", "tiny.yaml"]));
    let figures = set.path("results/tiny/figures");
    fs::create_dir(figures.join("examples.png")).expect("made");
    place::fails(&set.run(&["reproduce", "tiny.yaml", "--set", "figures.formats=[png]"]));
    fs::remove_dir(figures.join("examples.png")).expect("removed");
    let left = || {
        let files = fs::read_dir(&figures).expect("a folder").flatten();
        files
            .filter(|file| file.path().extension().is_some_and(|end| end == "png"))
            .count()
    };
    assert!(left() > 0, "the step wrote some before it failed");
    succeeds(&set.run(&["reproduce", "tiny.yaml"]));
    assert_eq!(left(), 0);
}

#[test]
fn what_would_be_refused_later_is_refused_before_anything_is_written() {
    let set = Set::new();
    succeeds(&set.run(&["reproduce", "tiny.yaml"]));
    let before = set.reads("results/tiny/experiment.yaml");
    for (setting, reason) in [
        ("training.batch_size=999", "batch"),
        ("model.pretrained=tiny.yaml", "tiny.yaml"),
        ("classifiers.balanced={weights: tiny.yaml}", "tiny.yaml"),
    ] {
        let refused = place::fails(&set.run(&["reproduce", "tiny.yaml", "--set", setting]));
        assert!(refused.contains(reason), "{refused}");
        assert_eq!(set.reads("results/tiny/experiment.yaml"), before, "{setting}");
        assert!(set.path("results/tiny/balanced/energy.parquet").exists(), "{setting}");
    }
    // A test image that is not there is missed before the first training.
    fs::remove_file(set.path("data/set/images/25.png")).expect("removed");
    let output = set.run(&["reproduce", "tiny.yaml", "--name", "other"]);
    let refused = place::fails(&output);
    assert!(
        refused.contains("25.png") && refused.contains("data.on_bad_image: skip"),
        "{refused}"
    );
    assert!(!set.path("results/other/experiment.yaml").exists());
}
