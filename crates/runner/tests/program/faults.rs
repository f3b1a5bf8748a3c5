//! What a user hears when something is wrong: one message that names it, and earlier results left whole.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::place::{Place, fails, succeeds};

#[test]
fn bad_requests_name_what_is_wrong() {
    let place = Place::new();
    for (settings, expected) in [
        (&["training.epoch=1"][..], &["--set training.epoch=1", "epochs"][..]),
        (&["data.source=celeba"], &["celeba", "mmlab"]),
        (&["measure.regions=nowhere.yaml"], &["nowhere.yaml"]),
        (&["figures.example_attributes=[Bold]"], &["Bold", "Bald"]),
        (
            &["training.precision=bf16"],
            &["training.precision: bf16", "float32 on this CPU", "--device cuda"],
        ),
        (&["training.precision=tf32"], &["training.precision: tf32"]),
        (
            &["training.precision=float16"],
            &["training.precision=float16", "float32", "tf32", "bf16"],
        ),
        (&["model.architecture=resnet20"], &["resnet20", "resnet18"]),
    ] {
        // Some processors compute in bf16; none does without AVX-512.
        let mut command = place.command("reproduce", settings);
        command.env("BIASCAM_SIMD", "avx2");
        let message = fails(&command.output().expect("the program starts"));
        for part in expected {
            assert!(message.contains(part), "{message:?} should contain {part:?}");
        }
        assert!(
            !place.results("experiment.yaml").exists(),
            "{settings:?} should be refused before anything is written"
        );
    }
    let usage = Command::new(env!("CARGO_BIN_EXE_biascam"))
        .arg("reprodce")
        .output()
        .expect("the program starts");
    assert_eq!(usage.status.code(), Some(2));
    let absent = Command::new(env!("CARGO_BIN_EXE_biascam"))
        .args(["reproduce", "absent.yaml"])
        .output();
    assert!(fails(&absent.expect("the program starts")).contains("absent.yaml"));
}

#[test]
fn a_held_folder_names_its_holder() {
    let place = Place::new();
    let mut first = place
        .command("train", &["training.epochs=1000"])
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    while !place.results("experiment.yaml").exists() && first.try_wait().expect("a status").is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = place.run("train", &[]);
    first.kill().expect("killed");
    first.wait().expect("ended");
    let message = String::from_utf8_lossy(&second.stderr);
    assert!(message.contains(&format!("process {}", first.id())), "{message}");
    // By which a sweep tells it from a run that failed.
    assert_eq!(second.status.code(), Some(75));
}

#[cfg(unix)]
#[test]
fn an_interrupted_explanation_leaves_the_earlier_table_and_no_part_of_another() {
    let place = Place::new();
    succeeds(&place.run("explain", &["explain.images=4"]));
    let table = place.results("unbalanced/energy.parquet");
    let earlier = fs::read(&table).expect("a table");
    // A method of many passes, which is stopped long before its last image.
    let mut run = place
        .command("explain", &["explain.method=score_cam", "explain.keep_maps=true"])
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let begun = place.results(&format!("unbalanced/raw_maps.safetensors.{}.part", run.id()));
    while !begun.exists() && run.try_wait().expect("a status").is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let parts = || {
        let files = fs::read_dir(table.parent().expect("a folder"))
            .expect("a folder")
            .flatten();
        let parts = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "part"));
        parts.count()
    };
    assert_eq!(parts(), 2, "rows and maps are written as they come");
    let asked = Command::new("kill").args(["-TERM", &run.id().to_string()]).status();
    assert!(asked.expect("starts").success());
    assert_eq!(run.wait().expect("ended").code(), Some(143));
    assert_eq!(parts(), 0);
    assert!(fs::read(&table).expect("a table") == earlier);
}

#[test]
fn a_diverging_training_names_step_and_learning_rate_and_keeps_the_last_state() {
    let place = Place::new();
    let settings = [
        "training.optimiser=sgd",
        "training.learning_rate=1e5",
        "training.checkpoint_seconds=0",
    ];
    let message = fails(&place.run("train", &settings));
    assert!(
        message.contains("step") && message.contains("learning rate"),
        "{message}"
    );
    let state = fs::read(place.results("unbalanced/unfinished.safetensors")).expect("the last good state");
    let checkpoint = model::Checkpoint::from_bytes(&state).expect("a checkpoint");
    for (name, tensor) in &checkpoint.tensors {
        let values = tensor
            .flatten_all()
            .and_then(|tensor| tensor.to_vec1::<f32>())
            .expect("numbers");
        assert!(values.iter().all(|value| value.is_finite()), "{name}");
    }
    assert!(!place.results("unbalanced/checkpoint.safetensors").exists());
}

#[test]
fn broken_data_is_named_and_earlier_results_stay() {
    let place = Place::new();
    let whole = ["classifiers={unbalanced: {class_weights: none}}", "training.epochs=1"];
    succeeds(&place.run("predict", &whole));
    let before = fs::read(place.results("unbalanced/predictions.parquet")).expect("predictions");
    let data = fs::read_dir(place.folder.path().join("data"))
        .expect("a folder")
        .next()
        .expect("a data set");
    let data = data.expect("a data set").path();

    // An image cut short. The fingerprint of the data does not cover every byte of every image: ask for another training.
    let images = data.join("Img/img_align_celeba");
    let image = images.join("000007.jpg");
    let bytes = fs::read(&image).expect("an image");
    fs::write(&image, &bytes[..bytes.len() / 2]).expect("written");
    let again = [
        "classifiers={unbalanced: {class_weights: none}}",
        "training.epochs=1",
        "seed=2",
    ];
    assert!(fails(&place.run("predict", &again)).contains("000007.jpg"));
    fs::remove_file(&image).expect("removed");
    assert!(fails(&place.run("predict", &again)).contains("000007"));
    fs::write(&image, bytes).expect("written");

    // A label that is none, then a row of the wrong length.
    let labels = data.join("Anno/list_attr_celeba.txt");
    let text = fs::read_to_string(&labels).expect("labels");
    let broken: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, line)| {
            if i == 11 {
                line.replacen(" 1", " 2", 1)
            } else {
                line.to_owned()
            }
        })
        .collect();
    fs::write(&labels, broken.join("\n")).expect("written");
    let message = fails(&place.run("predict", &whole));
    assert!(
        message.contains("list_attr_celeba.txt:12") && message.contains('2'),
        "{message}"
    );
    let broken: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, line)| if i == 11 { format!("{line} 1") } else { line.to_owned() })
        .collect();
    fs::write(&labels, broken.join("\n")).expect("written");
    let message = fails(&place.run("predict", &whole));
    assert!(
        message.contains("list_attr_celeba.txt:12") && message.contains("41 values"),
        "{message}"
    );

    // No positive of an attribute among the training images.
    let none: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let mut cells: Vec<&str> = line.split_whitespace().collect();
            if i >= 2 {
                cells[5] = "-1";
            }
            cells.join(" ")
        })
        .collect();
    fs::write(&labels, none.join("\n")).expect("written");
    let message = fails(&place.run("predict", &whole));
    assert!(message.contains("Bald") && message.contains("0 positives"), "{message}");

    fs::write(&labels, text).expect("written");
    assert_eq!(
        fs::read(place.results("unbalanced/predictions.parquet")).expect("predictions"),
        before
    );
}

#[test]
fn a_checkpoint_of_another_network_is_refused() {
    let place = Place::new();
    let settings = ["classifiers={unbalanced: {class_weights: none}}", "training.epochs=1"];
    succeeds(&place.run("train", &settings));
    for other in [&["--architecture", "resnet18", "--width", "16"][..], &["--width", "5"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_biascam"))
            .args(["explain-images", "--weights"])
            .arg(place.results("unbalanced/checkpoint.safetensors"))
            .args(other)
            .arg("--tensors")
            .arg(place.folder.path().join("absent.safetensors"))
            .arg("--out")
            .arg(place.folder.path().join("out.safetensors"))
            .output();
        let message = fails(&output.expect("the program starts"));
        assert!(
            message.contains("checkpoint.safetensors") && message.contains("--architecture"),
            "{message}"
        );
    }
}

#[test]
fn images_without_a_score_are_counted() {
    let place = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [
        ("labels.txt", "3\nBald\n000001.jpg 1\n000002.jpg -1\n000003.jpg 1\n"),
        ("scores.csv", "000001,0.5\n000002,-1\n"),
        ("list.txt", "000001.jpg\n000003.jpg\n"),
    ] {
        fs::write(place.path().join(name), text).expect("written");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    command.args([
        "measure-scores",
        "--scores",
        "scores.csv",
        "--labels",
        "labels.txt",
        "--images",
        "list.txt",
    ]);
    let output = command.current_dir(place.path()).output().expect("the program starts");
    assert!(succeeds(&output).contains("\n1 image; a score"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("left out, without a score: 1 image of the list, such as `000003`"),
        "{said}"
    );
}

#[test]
fn a_damaged_manifest_is_named() {
    let place = Place::new();
    let folder = place.results("manifest.json");
    fs::create_dir_all(folder.parent().expect("a folder")).expect("made");
    fs::write(&folder, "{").expect("written");
    let message = fails(&place.run("train", &[]));
    assert!(
        message.contains("manifest.json") && message.contains("--fresh"),
        "{message}"
    );
}

#[test]
fn a_command_without_the_options_of_a_run_does_not_advise_them() {
    let place = Place::new();
    let folder = place.folder.path();
    let biascam = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
        command.args(arguments.split_whitespace()).current_dir(folder);
        command.output().expect("the program starts")
    };
    succeeds(&biascam(
        "data procedural --images 20 --seed 1 --layout flat --out faces",
    ));
    fs::write(folder.join("manifest.json"), "{").expect("written");
    fs::write(folder.join("scores.parquet"), "PAR1").expect("written");
    for (arguments, file) in [
        ("inspect .", "manifest.json"),
        ("report . --out page.html", "manifest.json"),
        (
            "measure-scores --labels faces/list_attr_celeba.txt --scores scores.parquet",
            "scores.parquet",
        ),
    ] {
        let message = fails(&biascam(arguments));
        assert!(message.contains(file) && !message.contains("--fresh"), "{message}");
    }
}

#[test]
fn a_signal_saves_the_state_and_ends_with_its_status() {
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let place = Place::new();
        let settings = ["training.epochs=1000", "training.checkpoint_seconds=0"];
        let mut command = place.command("train", &settings);
        // SAFETY: the call is one that is allowed between fork and exec.
        unsafe {
            // The test may itself have been started by `nohup`, and what is ignored is inherited.
            command.pre_exec(|| {
                libc::signal(libc::SIGHUP, libc::SIG_DFL);
                Ok(())
            });
        }
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        while !place.results("unbalanced/unfinished.safetensors").exists()
            && child.try_wait().expect("a status").is_none()
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = Command::new("sh")
            .args(["-c", &format!("kill -{signal} {}", child.id())])
            .status();
        assert!(kill.expect("a shell").success());
        let output = child.wait_with_output().expect("ended");
        assert_eq!(output.status.code(), Some(status));
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains("goes on from what is finished"), "{message}");
        assert!(place.results("unbalanced/unfinished.safetensors").exists());
    }
}

#[test]
fn a_log_that_cannot_be_written_ends_no_training() {
    let place = Place::new();
    // In the log's place lies what cannot be written, whoever runs this.
    fs::create_dir_all(place.results("unbalanced/training.jsonl")).expect("made");
    fs::write(place.results(".lock"), "").expect("a results folder");
    let settings = ["classifiers={unbalanced: {class_weights: none}}", "training.epochs=1"];
    let output = place.run("train", &settings);
    succeeds(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("goes on without its log") && said.contains("training.jsonl"),
        "{said}"
    );
    assert!(place.results("unbalanced/checkpoint.safetensors").exists());
}
