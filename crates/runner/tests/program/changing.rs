//! Changing settings, figures and names without losing what is there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::place::{fails, succeeds};

/// The smallest run that there is: 24 pictures of 16 x 16 pixels with one attribute.
struct Small {
    folder: tempfile::TempDir,
}

const SMALL: &str = "seed: 1
data:
  source: table
  table: {file: labels.csv, images: images, split_column: split}
  image_size: 16
model:
  architecture: {block: basic, stem: {kernel: 3, stride: 2, max_pool: false}, stages: [{width: 4, blocks: 1, stride: 1, kernel: 3}]}
training: {epochs: 1, batch_size: 4, at_once: 1, augmentation: {scale: 0, rotation: 0, shift: 0, blur: 0, mirror: 0}}
measure: {resamples: 100, occlusion: {images: 0}, decomposed_images: 0, faithfulness: {images: 0}}
";

impl Small {
    fn new(attribute: &str) -> Self {
        let small = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        let images = small.path("data/images");
        fs::create_dir_all(&images).expect("made");
        let mut table = format!("image,{attribute},split\n");
        for index in 0..24_u8 {
            let picture = image::RgbImage::from_fn(20, 20, |x, y| {
                let bright = if index % 2 == 0 { 200 } else { 40 };
                image::Rgb([bright, (x * 12) as u8, (y * 12) as u8])
            });
            picture.save(images.join(format!("{index}.png"))).expect("written");
            let split = ["train", "train", "validation", "test"][usize::from(index / 2 % 4)];
            table += &format!("{index}.png,{},{split}\n", 1 - index % 2);
        }
        fs::write(small.path("data/labels.csv"), table).expect("written");
        fs::write(small.path("small.yaml"), SMALL).expect("written");
        small
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command.args(arguments).current_dir(self.folder.path());
        command.output().expect("the program starts")
    }

    fn reproduce(&self, arguments: &[&str]) -> Output {
        self.run(&[&["reproduce", "small.yaml", "--device", "cpu"], arguments].concat())
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn letters_that_the_font_lacks_are_named_once() {
    let small = Small::new("微笑");
    let output = small.reproduce(&[]);
    succeeds(&output);
    let said = said(&output);
    assert_eq!(
        said.matches("has no picture of 微 笑: PDF and PNG show a box").count(),
        1,
        "{said}"
    );
    let plain = Small::new("Lächeln");
    let output = plain.reproduce(&[]);
    succeeds(&output);
    assert!(
        !self::said(&output).contains("no picture of"),
        "{}",
        self::said(&output)
    );
}

/// What a folder holds, file by file.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).expect("readable"));
        }
    }
    files
}

#[test]
fn finished_results_are_replaced_only_where_that_is_asked_for() {
    let small = Small::new("bright");
    succeeds(&small.reproduce(&[]));
    let before = contents(&small.path("results/small"));
    let two = ["--set", "training.epochs=2"];
    let refused = fails(&small.reproduce(&two));
    for part in [
        "results/small",
        "training.epochs 1 -> 2",
        "train/balanced",
        "--name NAME",
        "--replace",
    ] {
        assert!(refused.contains(part), "{refused:?} should contain {part:?}");
    }
    let lock = small.path("results/small/.lock");
    let but_lock = |mut files: BTreeMap<PathBuf, Vec<u8>>| {
        files.remove(&lock);
        files
    };
    assert!(but_lock(contents(&small.path("results/small"))) == but_lock(before));
    // A folder of its own, the same again, and how figures look are no cases of it.
    succeeds(&small.reproduce(&[&two[..], &["--name", "two"]].concat()));
    succeeds(&small.reproduce(&[&two[..], &["--name", "two"]].concat()));
    succeeds(&small.reproduce(&["--set", "figures.palette=grey"]));
    // What a `--set` has made is as little replaced by a command without it.
    assert!(fails(&small.reproduce(&["--name", "two"])).contains("training.epochs 2 -> 1"));
    succeeds(&small.reproduce(&[&two[..], &["--replace"]].concat()));
    succeeds(&small.reproduce(&["--fresh"]));
}

#[test]
fn figures_for_a_paper_leave_the_results_as_they_are() {
    let small = Small::new("bright");
    succeeds(&small.reproduce(&["--set", "figures.formats=[svg]"]));
    let results = small.path("results/small");
    let before = contents(&results);
    let draw = |more: &[&str]| small.run(&[&["draw", "results/small"], more].concat());
    succeeds(&draw(&[
        "--out",
        "paper",
        "--set",
        "figures.formats=[pdf]",
        "--set",
        "figures.which=[error_rates]",
    ]));
    let drawn: Vec<String> = contents(&small.path("paper"))
        .keys()
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(drawn, ["error_rates.pdf"]);
    assert!(contents(&results) == before, "the results are as they were");
    assert!(fails(&draw(&["--out", "results/small/figures"])).contains("holds results"));
    let missing = small.run(&["draw", "small.yaml", "--name", "none", "--out", "other"]);
    assert!(fails(&missing).contains("not finished"));
    // Fewer files, but nothing less in the report.
    let shown = || {
        let report = fs::read_to_string(results.join("report.html")).expect("a report");
        let links: Vec<&str> = report
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|link| link.starts_with("figures/"))
            .collect();
        for link in &links {
            assert!(results.join(link).is_file(), "{link} is linked");
        }
        report.matches("<figure id=").count()
    };
    let all = shown();
    succeeds(&draw(&[
        "--set",
        "figures.which=[error_rates]",
        "--set",
        "figures.formats=[pdf]",
    ]));
    assert_eq!(shown(), all);
    assert_eq!(contents(&results.join("figures")).len(), 1);
}

#[test]
fn no_old_figure_stays_beside_new_ones() {
    let small = Small::new("bright");
    succeeds(&small.reproduce(&["--set", "figures.formats=[svg]"]));
    let results = small.path("results/small");
    let figures = || contents(&results.join("figures"));
    assert!(figures().keys().any(|path| path.ends_with("training_curves.svg")));
    fs::write(results.join("balanced/training.parquet"), "damaged").expect("written");
    let message = fails(&small.run(&["draw", "results/small", "--set", "figures.palette=grey"]));
    assert!(message.contains("training_curves"), "{message}");
    assert!(message.contains("no longer drawn, removed"), "{message}");
    assert!(!figures().keys().any(|path| path.ends_with("training_curves.svg")));
    assert!(figures().keys().any(|path| path.ends_with("error_rates.svg")));
}

#[test]
fn a_stop_is_answered_at_once_in_a_pipe_too() {
    let small = Small::new("bright");
    let mut child = Command::new(env!("CARGO_BIN_EXE_biascam"))
        .args([
            "train",
            "small.yaml",
            "--device",
            "cpu",
            "--set",
            "training.epochs=1000000",
        ])
        .current_dir(small.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe"))
        .lines()
        .map_while(Result::ok);
    assert!(
        lines.by_ref().any(|line| line.starts_with("train/")),
        "a training begins"
    );
    let stopped = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(stopped.is_ok_and(|status| status.success()));
    let rest: Vec<String> = lines.collect();
    assert_eq!(
        rest.iter()
            .filter(|line| *line == "stopping; what is finished is kept; again to stop now")
            .count(),
        1,
        "{rest:?}"
    );
    assert_eq!(child.wait().expect("ends").code(), Some(130));
}

#[test]
fn sweeps_of_a_table_know_how_many_images_it_has() {
    let small = Small::new("bright");
    fs::write(
        small.path("sweep.yaml"),
        "experiment: small.yaml\naxes: {training.learning_rate: [0.1, 0.01]}\n",
    )
    .expect("written");
    let listed = succeeds(&small.run(&["sweep", "sweep.yaml", "--list", "--device", "cpu"]));
    let row = listed
        .lines()
        .find(|line| line.contains("learning-rate-0.1"))
        .expect("a run");
    assert!(row.split_whitespace().any(|cell| cell == "12"), "{listed}");
}

#[test]
fn nothing_that_is_read_is_in_the_program_s_own_terms() {
    let small = Small::new("bright");
    let check = |setting: &str| fails(&small.run(&["check", "small.yaml", "--set", setting]));
    for (setting, words) in [
        ("training.epochs=99999999999999999999999", "expected a whole number"),
        ("training.epochs=-99999999999999999999999", "expected a whole number"),
        ("training.augmentation=3", "expected the keys"),
        ("model.mean=[1]", "1 value, expected a list of 3"),
        ("explain.layer=stage9", "stage1"),
    ] {
        let said = check(setting);
        assert!(said.contains(words), "{said}");
        for term in ["usize", "u64", "u128", "i128", "struct", "invalid type", "layer1"] {
            assert!(!said.contains(term), "{said}");
        }
    }
    succeeds(&small.reproduce(&["--set", "figures.formats=[svg]"]));
    let manifest = small.path("results/small/manifest.json");
    fs::write(&manifest, "{\"seed\": \"one\"}").expect("written");
    let said = fails(&small.reproduce(&[]));
    assert!(
        said.contains("line 1, column 14: \"one\", expected a whole number"),
        "{said}"
    );
}

#[test]
fn a_report_of_images_speaks_of_images_and_explains_energy_first() {
    let small = Small::new("bright");
    succeeds(&small.reproduce(&["--set", "figures.formats=[svg]"]));
    let report = fs::read_to_string(small.path("results/small/report.html")).expect("a report");
    let without = |text: &str, open: &str, close: &str| -> String {
        let mut parts = text.split(open);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |all, part| {
            all + part.split_once(close).map_or("", |(_, rest)| rest)
        })
    };
    let read = without(&without(&report, "<style", "</style>"), "<script", "</script>").to_lowercase();
    // The settings' names are those of the file.
    let said = without(&read, "<details", "</details>");
    assert!(said.contains("calibration"), "what follows is not cut off");
    for word in [" face", "frontal"] {
        assert!(!said.contains(word), "{word:?} in the report");
    }
    let words = said.split("</header>").nth(1).unwrap_or_default();
    let (first, explained) = (words.find("energ"), words.find("energy: the share of a map"));
    assert!(first.is_some() && first == explained, "{first:?} {explained:?}");
}

#[test]
fn with_few_images_the_default_network_and_the_costly_checks_are_scaled() {
    let small = Small::new("bright");
    let model = SMALL.find("model:").expect("a section");
    let training = SMALL.find("training:").expect("a section");
    let measure = SMALL.find("measure:").expect("a section");
    fs::write(
        small.path("small.yaml"),
        format!(
            "{}{}measure: {{resamples: 100}}\n",
            &SMALL[..model],
            &SMALL[training..measure]
        ),
    )
    .expect("written");
    let output = small.reproduce(&[]);
    succeeds(&output);
    let first: Vec<String> = said(&output).lines().take(2).map(str::to_owned).collect();
    assert!(
        first[1].starts_with("12 training images are few") && first[1].contains("model.width"),
        "{first:?}"
    );
    // Who reads the report alone is told too that a map has next to no cells.
    let report = fs::read_to_string(small.path("results/small/report.html")).expect("a report");
    assert!(said(&output).contains("maps have 1 x 1 cells"), "{}", said(&output));
    assert!(report.contains("Caution: maps have 1 x 1 cells"));
    let resolved = fs::read_to_string(small.path("results/small/experiment.yaml")).expect("the experiment");
    for line in ["  width: 16", "  decomposed_images: 4", "    images: 16"] {
        assert!(resolved.lines().any(|found| found == line), "{line:?} in {resolved}");
    }
    // Whoever asks next judges by the same.
    assert!(succeeds(&small.reproduce(&["--dry-run"])).contains("0 of "));
    let drawn = small.run(&["draw", "small.yaml", "--set", "figures.palette=grey"]);
    succeeds(&drawn);
    assert!(said(&drawn).contains("nothing is computed again"), "{}", said(&drawn));
    let chosen = small.reproduce(&["--dry-run", "--set", "model.width=8"]);
    assert!(!succeeds(&chosen).contains("are few"));
}
