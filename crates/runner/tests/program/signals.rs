//! Stopping the program in the middle of what takes long, and doing nothing twice.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::place::{Place, succeeds};

/// What a stopped program takes less than, on the slowest of machines; what is stopped would take several times as long.
const SOON: Duration = Duration::from_secs(10);

/// What little of measuring there can be.
const LITTLE: [&str; 9] = [
    "training.epochs=1",
    "measure.resamples=100",
    "measure.occlusion.images=0",
    "measure.decomposed_images=0",
    "measure.faithfulness.images=0",
    "measure.faithfulness.road_images=0",
    "measure.interventions.images=0",
    "measure.locality.images=0",
    "measure.locality.fame_images=0",
];

/// Asks a program to stop as soon as it has said a line that begins so; what else it says.
fn stopped_at(mut command: Command, begins: &str, signal: &str, status: i32) -> Vec<String> {
    let mut child: Child = command
        .env("BIASCAM_PROGRESS_SECONDS", "0")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe"))
        .lines()
        .map_while(Result::ok);
    let said: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with(begins)).collect();
    let asked = Instant::now();
    let kill = Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status();
    assert!(kill.is_ok_and(|status| status.success()), "ended before: {said:?}");
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().expect("ended").code(), Some(status), "{rest:?}");
    let took = asked.elapsed();
    assert!(took < SOON, "{took:?}: {rest:?}");
    for (words, times) in [
        ("stopping; what is finished is kept; again to stop now", 1),
        ("biascam: stopped; the same command goes on from what is finished", 1),
    ] {
        assert_eq!(rest.iter().filter(|line| *line == words).count(), times, "{rest:?}");
    }
    rest
}

/// The files below a folder that are only begun.
fn begun(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(begun(&path));
        } else if path.extension().is_some_and(|extension| extension == "part") {
            found.push(path);
        }
    }
    found
}

#[test]
fn drawing_in_print_quality_is_left_where_it_is() {
    let place = Place::new();
    succeeds(&place.run("reproduce", &LITTLE));
    let report = fs::read(place.results("report.html")).expect("a report");
    let mut draw = Command::new(env!("CARGO_BIN_EXE_biascam"));
    draw.arg("draw").arg(place.results(""));
    draw.args(["--set", "figures.resolution=1200", "--set", "figures.formats=[png]"]);
    stopped_at(draw, "drawing:", "TERM", 143);
    assert_eq!(begun(&place.results("")), [] as [PathBuf; 0]);
    assert!(fs::read(place.results("report.html")).expect("a report") == report);
}

#[test]
fn a_training_saves_its_state_while_it_waits_for_a_large_picture() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let images = folder.path().join("data/images");
    fs::create_dir_all(&images).expect("made");
    let large = images.join("0.png");
    image::GrayImage::new(12_000, 12_000).save(&large).expect("written");
    let mut table = "image,bright,split\n".to_owned();
    for index in 0..32 {
        if index > 0 {
            fs::hard_link(&large, images.join(format!("{index}.png"))).expect("linked");
        }
        let split = if index < 28 { "train" } else { "test" };
        table += &format!("{index}.png,{},{split}\n", index % 2);
    }
    fs::write(folder.path().join("data/labels.csv"), table).expect("written");
    fs::write(
        folder.path().join("large.yaml"),
        "data:
  source: table
  table: {file: labels.csv, images: images, split_column: split, resize: pad}
  image_size: 16
  cache_megabytes: 0
model:
  architecture: {block: basic, stem: {kernel: 3, stride: 2, max_pool: false}, stages: [{width: 4, blocks: 1, stride: 1, kernel: 3}]}
training: {epochs: 1000, batch_size: 14, at_once: 1}
",
    )
    .expect("written");
    let mut train = Command::new(env!("CARGO_BIN_EXE_biascam"));
    train
        .args(["train", "large.yaml", "--device", "cpu"])
        .current_dir(folder.path());
    stopped_at(train, "train/", "INT", 130);
    let results = folder.path().join("results/large");
    assert!(results.join("unbalanced/unfinished.safetensors").exists());
    assert_eq!(begun(&results), [] as [PathBuf; 0]);
}

#[test]
fn what_is_measured_is_measured_once() {
    let place = Place::new();
    let run = |stage: &str, settings: &[&str]| {
        let output = place
            .command(stage, &[&LITTLE, settings].concat())
            .env("BIASCAM_PROGRESS_SECONDS", "0")
            .output()
            .expect("the program starts");
        let measured = String::from_utf8_lossy(&output.stderr).contains("measuring:");
        (succeeds(&output), measured)
    };
    let (said, measured) = run("measure", &[]);
    assert!(measured && said.contains("the majority class"), "{said}");
    assert_eq!(run("measure", &[]), (said.clone(), false));
    let (drawn, measured) = run("reproduce", &[]);
    assert!(measured, "figures are made of all numbers");
    assert_eq!(run("reproduce", &[]), (drawn, false));
    let (other, measured) = run("measure", &["measure.resamples=200"]);
    assert!(measured);
    assert_ne!(other, said);
}
