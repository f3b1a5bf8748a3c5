//! A run whose standard error nobody reads any more, as after `2>&1 | head` or in a terminal that was closed: it does its work, saves its
//! state and ends with the status that it would have anyway.

use std::io::PipeWriter;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::place::{Place, fails, succeeds};
use crate::sweep::Sweep;

/// A pipe that nobody reads.
fn unread() -> PipeWriter {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer
}

const SHORT: [&str; 2] = ["classifiers={unbalanced: {class_weights: none}}", "training.epochs=1"];

#[test]
fn a_run_does_its_work() {
    let place = Place::new();
    let mut command = place.command("train", &SHORT);
    // It says as much as it can.
    command.env("BIASCAM_PROGRESS_SECONDS", "0").env("BIASCAM_LOG", "trace");
    succeeds(&command.stderr(unread()).output().expect("the program starts"));
    assert!(place.results("unbalanced/checkpoint.safetensors").exists());
}

#[test]
fn a_run_without_standard_error_does_its_work() {
    let place = Place::new();
    let run = place.command("train", &SHORT);
    let mut closed = Command::new("sh");
    closed.args(["-c", r#"exec "$@" 2>&-"#, "sh"]).arg(run.get_program());
    succeeds(&closed.args(run.get_args()).output().expect("a shell"));
    assert!(place.results("unbalanced/checkpoint.safetensors").exists());
}

#[test]
fn a_stop_saves_the_state() {
    let place = Place::new();
    let state = place.results("unbalanced/unfinished.safetensors");
    let mut run = place
        .command("train", &["training.epochs=1000", "training.checkpoint_seconds=0"])
        .stderr(unread())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    while !state.exists() && run.try_wait().expect("a status").is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let asked = Command::new("kill").args(["-TERM", &run.id().to_string()]).status();
    assert!(asked.expect("starts").success());
    assert_eq!(run.wait().expect("ended").code(), Some(143));
    assert!(state.exists());
}

#[test]
fn a_failure_keeps_its_status() {
    let place = Place::new();
    let mut command = place.command("train", &["training.epoch=1"]);
    fails(&command.stderr(unread()).output().expect("the program starts"));
}

#[test]
fn a_sweep_does_its_work() {
    let sweep = Sweep::new("axes: {classifiers.swept.exponent: [1]}\nseeds: [1]\nuntil: measure\n");
    succeeds(
        &sweep
            .command(&[])
            .stderr(unread())
            .output()
            .expect("the program starts"),
    );
    assert!(sweep.results("run-1/tables/attributes.csv").exists());
}
