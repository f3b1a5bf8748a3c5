//! What a user, a machine or a folder from elsewhere may do to the program: one message with a limit or a way out, and nothing of anybody else's is
//! touched (docs/develop/robustness.md).
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use crate::place::{Place, fails, succeeds};

const FEW: [&str; 3] = [
    "classifiers={unbalanced: {class_weights: none}, balanced: {class_weights: domain_adaptive}}",
    "training.epochs=1",
    "measure.resamples=100",
];

/// An experiment of a small table.
const TABLE: &str = "
data: {source: table, folder: ., image_size: 32, table: {file: labels.csv, images: images, split_column: split}}
model:
  architecture:
    block: basic
    stem: {kernel: 3, stride: 2, max_pool: true}
    stages: [{width: 8, blocks: 1, stride: 1, kernel: 3}]
training: {epochs: 1, batch_size: 4}
";

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_biascam"))
}

/// The program under a limit of the shell.
fn limited(limit: &str, arguments: &str, folder: &Path) -> Output {
    let command = format!("{limit}; exec {} {arguments}", env!("CARGO_BIN_EXE_biascam"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).current_dir(folder);
    shell.output().expect("a shell")
}

/// One message and no panic.
fn one_message(output: &Output) -> String {
    let message = fails(output);
    assert_eq!(message.matches("biascam: ").count(), 1, "{message}");
    assert!(!message.contains("panicked"), "{message}");
    message
}

#[test]
fn nothing_is_written_through_links_nor_into_foreign_folders() {
    let place = Place::new();
    succeeds(&place.run("reproduce", &FEW));
    let mine = place.folder.path().join("mine");
    fs::create_dir(&mine).expect("made");
    let diary = mine.join("diary");
    let untouched = || {
        assert_eq!(fs::read_to_string(&diary).expect("there"), "mine");
        assert_eq!(fs::read_dir(&mine).expect("a folder").count(), 1);
    };
    fs::write(&diary, "mine").expect("written");

    // Files that are changed in place, by links and by second names, and the temporary name of one that is replaced.
    let draw = || program().arg("draw").arg(place.results("")).output().expect("starts");
    for (name, link) in [
        (".lock", true),
        (".lock", false),
        (".written", true),
        ("report.html", true),
    ] {
        let path = place.results(name);
        fs::remove_file(&path).ok();
        match link {
            true => symlink(&diary, &path).expect("linked"),
            false => fs::hard_link(&diary, &path).expect("linked"),
        }
        succeeds(&draw());
        untouched();
    }
    // A folder.
    let figures = place.results("figures");
    fs::rename(&figures, place.results("kept")).expect("moved");
    symlink(&mine, &figures).expect("linked");
    let message = one_message(&draw());
    assert!(message.contains("figures: a link to another folder"), "{message}");
    untouched();
    fs::remove_file(&figures).expect("removed");
    fs::rename(place.results("kept"), &figures).expect("moved");
    // A pipe.
    let pipe = place.results("figures/pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    assert!(one_message(&draw()).contains("pipe: neither a file nor a folder"));
    fs::remove_file(&pipe).expect("removed");

    // A folder of somebody's.
    let results = place.folder.path().join("results/smoke");
    let aside = place.folder.path().join("aside");
    fs::rename(&results, &aside).expect("moved");
    symlink(&mine, &results).expect("linked");
    let message = one_message(&place.run("train", &FEW));
    assert!(
        message.contains("holds `diary` and no results") && message.contains("--name"),
        "{message}"
    );
    untouched();
    // The user's own link to a folder of results is as good as that.
    fs::remove_file(&results).expect("removed");
    symlink(&aside, &results).expect("linked");
    let said = place.run("train", &FEW);
    assert!(String::from_utf8_lossy(&said.stderr).contains("unchanged"));
}

#[test]
fn a_record_leads_out_of_no_folder() {
    let place = Place::new();
    succeeds(&place.run("train", &FEW));
    let victim = place.folder.path().join("results/victim");
    fs::write(&victim, "mine").expect("written");
    let path = place.results("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("there")).expect("JSON");
    // As an older program wrote it, without a checksum.
    manifest["format"] = 1.into();
    let mut ghost = manifest["stages"]["train/unbalanced"].clone();
    ghost["artefacts"] = serde_json::json!({ "../victim": disk::hash_of(b"mine") });
    manifest["stages"]["train/ghost"] = ghost;
    fs::write(&path, manifest.to_string()).expect("written");
    let message = one_message(&place.run("train", &FEW));
    assert!(message.contains("manifest.json: names ../victim"), "{message}");
    assert!(victim.exists());
}

#[test]
fn a_finished_training_is_not_lost_for_a_file_beside_it() {
    let place = Place::new();
    let table = place.results("unbalanced/training.parquet");
    fs::create_dir_all(table.join("in the way")).expect("made");
    fs::write(place.results(".lock"), "").expect("a results folder");
    let one = ["classifiers={unbalanced: {class_weights: none}}", "training.epochs=2"];
    let message = one_message(&place.run("train", &one));
    assert!(message.contains("training.parquet"), "{message}");
    fs::remove_dir_all(&table).expect("removed");
    let again = place.run("train", &one);
    succeeds(&again);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("going on after epoch 2 and 0 steps"), "{said}");
    // To the bytes of a training that was not disturbed.
    let other = Place::new();
    succeeds(&other.run("train", &one));
    for file in ["checkpoint.safetensors", "training.parquet"] {
        let file = format!("unbalanced/{file}");
        assert!(fs::read(place.results(&file)).expect("there") == fs::read(other.results(&file)).expect("there"));
    }
    assert!(!place.results("unbalanced/unfinished.safetensors").exists());
}

#[test]
fn a_refused_run_leaves_no_folder() {
    let place = Place::new();
    let settings = ["model.pretrained=absent.safetensors"];
    one_message(&place.run("train", &settings));
    assert!(!place.results("").exists());
}

#[test]
fn sizes_have_limits() {
    let place = Place::empty();
    let folder = place.folder.path();
    let write = |name: &str, text: String| fs::write(folder.join(name), text).expect("written");
    write("nested.yaml", format!("data: {}", "[".repeat(100_000)));
    write("faults.yaml", (0..5_000).map(|key| format!("k{key}: 1\n")).collect());
    let axis = |key: usize| {
        format!(
            "  v{key}: {{{}}}\n",
            (0..10).map(|n| format!("n{n}: {{seed: {n}}}, ")).collect::<String>()
        )
    };
    write(
        "sweep.yaml",
        format!("experiment: smoke\naxes:\n{}", (0..9).map(axis).collect::<String>()),
    );
    write("columns.csv", format!("{}\n", vec!["a"; 20_000].join(",")));
    let long = format!("check smoke --set {}=1", ["a"; 60_000].join("."));
    let mut header = (60_u64 << 20).to_le_bytes().to_vec();
    header.resize(61 << 20, b' ');
    fs::write(folder.join("header.safetensors"), header).expect("written");
    for (arguments, expected) in [
        (
            "check nested.yaml",
            "nested.yaml:1: too many values in each other, expected at most 128",
        ),
        ("train nested.yaml", "too many values in each other"),
        ("sweep nested.yaml --list", "too many values in each other"),
        ("check faults.yaml", "50 faults are shown"),
        (
            "sweep sweep.yaml --list",
            "1000000000 runs by its axes, `runs` and seeds, expected at most",
        ),
        (&long, "60000 keys in each other, expected at most 64"),
        ("check smoke --set measure.resamples=1000000000000", "at most 1000000"),
        ("check /dev/zero", "/dev/zero: "),
        ("audit columns.csv", "20000 columns, expected at most 10000"),
        ("inspect header.safetensors", "a header of 62914560 bytes"),
    ] {
        let output = limited("ulimit -v 2000000", arguments, folder);
        let message = one_message(&output);
        assert!(message.contains(expected) && message.len() < 20_000, "{:.300}", message);
    }
}

#[test]
fn without_threads_or_memory_there_is_one_message() {
    let place = Place::empty();
    let folder = place.folder.path();
    let large = folder.join("large.safetensors");
    let file = fs::File::create(&large).expect("made");
    file.set_len(1 << 30).expect("without bytes on the disk");
    for (limit, expected) in [
        (
            "ulimit -v 2000000; export RAYON_NUM_THREADS=50000",
            "no thread can be started",
        ),
        ("ulimit -v 400000", "out of memory"),
    ] {
        let command = match expected {
            "out of memory" => "inspect large.safetensors",
            _ => "data procedural --out faces --images 20",
        };
        let message = one_message(&limited(limit, command, folder));
        assert!(message.contains(expected), "{limit}: {message}");
    }
    fs::remove_file(&large).expect("removed");
    // A file that may not grow.
    let message = one_message(&limited(
        "ulimit -f 1",
        "data procedural --out faces --images 20",
        folder,
    ));
    assert!(
        message.contains("faces") && message.contains("File too large"),
        "{message}"
    );
    assert_eq!(fs::read_dir(folder).expect("a folder").count(), 0);
}

#[test]
fn what_a_terminal_would_obey_is_shown() {
    let place = Place::empty();
    let folder = place.folder.path();
    let escape = "x\u{1b}]0;owned\u{7}\u{202e}y";
    fs::write(
        folder.join("labels.csv"),
        format!("image,split,a\n{escape}.png,train,1\n"),
    )
    .expect("written");
    fs::write(folder.join("names.csv"), "image,split,a\u{202e}b\nx.png,train,1\n").expect("written");
    fs::create_dir(folder.join("images")).expect("made");
    let table = |file: &str| format!("data.table={{file: {file}, images: images, split_column: split}}");
    let (labels, names) = (table("labels.csv"), table("names.csv"));
    let set = format!("training.{escape}=1");
    fs::write(folder.join("table.yaml"), TABLE).expect("written");
    let base = ["train", "table.yaml", "--set"];
    for (arguments, expected) in [
        (
            vec!["train", "smoke", "--set", &set],
            "x\\u{1b}]0;owned\\u{7}\\u{202e}y",
        ),
        (vec!["inspect", escape], "x\\u{1b}]0;owned"),
        (vec!["check", escape], "x\\u{1b}]0;owned"),
        (vec![escape], "\\u{202e}y"),
        ([&base[..], &[&labels]].concat(), "x\\u{1b}]0;owned"),
        ([&base[..], &[&names]].concat(), "characters that nobody sees"),
    ] {
        let output = program().args(&arguments).current_dir(folder).output().expect("starts");
        let said = [&output.stdout[..], &output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!output.status.success());
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said:?}");
    }
}

#[test]
fn an_image_of_one_line_is_stretched_in_little_memory() {
    let place = Place::empty();
    let folder = place.folder.path();
    fs::create_dir(folder.join("images")).expect("made");
    let mut table = "image,split,a\n".to_owned();
    for index in 0..12_u32 {
        let line = image::RgbImage::from_fn(12_000, 1, |x, _| image::Rgb([(x / 47) as u8, (index * 20) as u8, 0]));
        line.save(folder.join(format!("images/{index}.png"))).expect("written");
        let split = ["train", "train", "train", "train", "validation", "test"][index as usize % 6];
        table.push_str(&format!("{index}.png,{split},{}\n", index / 6));
    }
    fs::write(folder.join("labels.csv"), table).expect("written");
    fs::write(folder.join("table.yaml"), TABLE).expect("written");
    let arguments = "train table.yaml --device cpu --set data.image_size=32 --set training.epochs=1 \
        --set 'data.table={file: labels.csv, images: images, split_column: split, resize: stretch}'";
    // A crop takes 0.2 GB.
    succeeds(&limited(
        "export RAYON_NUM_THREADS=1; ulimit -v 1000000",
        arguments,
        folder,
    ));
}
