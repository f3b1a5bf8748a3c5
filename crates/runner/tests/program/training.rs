//! Trainings of one run beside each other.

use std::fs;

use crate::place::{Place, fails, succeeds};

/// When the first and the last line of a classifier's log were written, in seconds.
fn times(place: &Place, classifier: &str) -> [f64; 2] {
    let path = place.results(&format!("{classifier}/training.jsonl"));
    let text = fs::read_to_string(path).expect("a log");
    let time = |line: Option<&str>| {
        let line: serde_json::Value = serde_json::from_str(line.expect("a line")).expect("JSON");
        line["time"].as_f64().expect("a time")
    };
    [time(text.lines().next()), time(text.lines().last())]
}

#[test]
fn two_at_a_time_end_in_the_bytes_of_one_after_the_other() {
    let trained = |at_once: &str| {
        let place = Place::new();
        let mut command = place.command("train", &[at_once, "training.epochs=3"]);
        succeeds(
            &command
                .env("RAYON_NUM_THREADS", "2")
                .output()
                .expect("the program starts"),
        );
        let [mut first, mut second] = ["balanced", "unbalanced"].map(|name| times(&place, name));
        if first[0] > second[0] {
            std::mem::swap(&mut first, &mut second);
        }
        let overlap = first[1] > second[0];
        let weights = ["balanced", "unbalanced"].map(|name| {
            let path = place.results(&format!("{name}/checkpoint.safetensors"));
            fs::read(path).expect("a checkpoint")
        });
        (overlap, weights)
    };
    let (alone, expected) = trained("training.at_once=1");
    let (beside, found) = trained("training.at_once=2");
    assert!(!alone && beside, "one after the other, then beside each other");
    assert!(found == expected, "the same weights");
}

#[test]
fn one_that_fails_does_not_stop_the_other() {
    let place = Place::new();
    let unfinished = place.results("unbalanced/unfinished.safetensors");
    fs::create_dir_all(unfinished.parent().expect("a folder")).expect("made");
    fs::write(&unfinished, "damaged").expect("written");
    fs::write(place.results(".lock"), "").expect("a results folder");
    let run = || {
        let mut command = place.command("train", &[]);
        command
            .env("RAYON_NUM_THREADS", "2")
            .output()
            .expect("the program starts")
    };
    let message = fails(&run());
    assert!(
        message.contains("train/unbalanced") && message.contains("failed, the others go on"),
        "{message}"
    );
    let end = message.lines().last().expect("a line");
    assert!(
        end.starts_with("biascam: ") && end.contains("unfinished.safetensors"),
        "{end}"
    );
    assert!(place.results("balanced/checkpoint.safetensors").exists());

    fs::remove_file(&unfinished).expect("removed");
    let output = run();
    succeeds(&output);
    let said = String::from_utf8_lossy(&output.stderr);
    let unchanged: Vec<&str> = said.lines().filter(|line| line.ends_with("unchanged")).collect();
    assert!(
        unchanged.len() == 1 && unchanged[0].starts_with("train/balanced"),
        "{said}"
    );
}
