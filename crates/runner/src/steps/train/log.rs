//! `NAME/training.jsonl` and `NAME/training.tfevents`: how a training goes, to be followed while it does.
//!
//! One JSON object a line, appended as it happens: `{"event":"step",...}` about twenty times an epoch, `{"event":"epoch",...}` at its
//! end. TensorBoard's file has the same numbers. Both hold times, so they are no results: no step depends on them, and the manifest
//! does not list them. A training that goes on after an interruption first drops the lines of steps that it will take again.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use disk::write_whole;
use serde::{Deserialize, Serialize};

use super::tfevents::{self, Scalar};
use crate::error::{Error, Result};

/// Lines of steps in an epoch.
pub const LINES_AN_EPOCH: usize = 20;

/// What a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Some steps were taken.
    Step,
    /// An epoch ended.
    Epoch,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it tells.
    pub event: Event,
    /// The epoch, from 1.
    pub epoch: usize,
    /// Optimiser steps since the training's start.
    pub step: u64,
    /// Mean loss: of the steps since the line before in this epoch, or of the epoch's.
    pub loss: f64,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// Error among the minority class of the validation images, mean over attributes; of epochs only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_minority_error: Option<f64>,
    /// The same for the majority class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_majority_error: Option<f64>,
    /// Training images a second since the program's start, without validation.
    pub images_per_second: f64,
    /// Seconds since 1970.
    pub time: f64,
}

impl Line {
    fn scalars(&self) -> Vec<Scalar> {
        let scalar = |tag, value: f64| Scalar {
            tag,
            value: value as f32,
        };
        let validation = |tag, value: Option<f64>| value.map(|value| scalar(tag, value));
        match self.event {
            Event::Step => vec![
                scalar("training/loss", self.loss),
                scalar("training/learning_rate", self.learning_rate),
                scalar("training/images_per_second", self.images_per_second),
            ],
            Event::Epoch => [
                Some(scalar("epoch/loss", self.loss)),
                validation("validation/minority_error", self.validation_minority_error),
                validation("validation/majority_error", self.validation_majority_error),
            ]
            .into_iter()
            .flatten()
            .collect(),
        }
    }

    fn to_json(&self) -> String {
        // Plain numbers: their serialisation cannot fail.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    fn to_event(&self) -> Vec<u8> {
        tfevents::scalars(self.time, self.step, &self.scalars())
    }
}

/// Now, as lines say it.
pub fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64())
}

/// A log that is being written.
#[derive(Debug)]
pub struct TrainingLog {
    lines: PathBuf,
    events: Option<PathBuf>,
}

impl TrainingLog {
    /// The log of the training whose files are in `folder`, of which `epochs` epochs and `steps` steps are done; later lines are
    /// dropped. `tensorboard` says whether TensorBoard's file is written too.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn open(folder: &Path, epochs: usize, steps: u64, tensorboard: bool) -> Result<Self> {
        let lines = folder.join("training.jsonl");
        let events = folder.join("training.tfevents");
        let text = match std::fs::read_to_string(&lines) {
            Ok(text) if steps > 0 => text,
            Ok(_) => String::new(),
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::io(&lines, "reading")(error)),
        };
        let kept: Vec<Line> = text
            .lines()
            // The last line may be half of one.
            .map_while(|line| serde_json::from_str::<Line>(line).ok())
            .filter(|line| match line.event {
                Event::Step => line.step <= steps,
                Event::Epoch => line.epoch <= epochs,
            })
            .collect();
        write_whole(&lines, kept.iter().map(Line::to_json).collect::<String>().as_bytes())?;
        let events = if tensorboard {
            let start = kept.first().map_or_else(now, |line| line.time);
            let mut bytes = tfevents::head(start);
            bytes.extend(kept.iter().flat_map(Line::to_event));
            write_whole(&events, &bytes)?;
            Some(events)
        } else {
            match std::fs::remove_file(&events) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io(&events, "removing")(error));
                }
                _ => None,
            }
        };
        Ok(Self { lines, events })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&self, line: &Line) -> Result<()> {
        append(&self.lines, line.to_json().as_bytes())?;
        match &self.events {
            Some(events) => append(events, &line.to_event()),
            None => Ok(()),
        }
    }
}

fn append(path: &Path, bytes: &[u8]) -> Result<()> {
    disk::open_own(path, OpenOptions::new().append(true))
        .and_then(|mut file| file.write_all(bytes))
        .map_err(Error::io(path, "appending"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event: Event, epoch: usize, step: u64) -> Line {
        Line {
            event,
            epoch,
            step,
            loss: 0.5,
            learning_rate: 0.01,
            validation_minority_error: (event == Event::Epoch).then_some(0.25),
            validation_majority_error: None,
            images_per_second: 100.0,
            time: 1000.0 + step as f64,
        }
    }

    fn read(folder: &Path) -> Vec<Line> {
        let text = std::fs::read_to_string(folder.join("training.jsonl")).expect("a log");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line"))
            .collect()
    }

    #[test]
    fn what_is_done_again_is_not_said_twice() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let whole = [
            line(Event::Step, 1, 5),
            line(Event::Step, 1, 10),
            line(Event::Epoch, 1, 10),
            line(Event::Step, 2, 15),
        ];
        let log = TrainingLog::open(folder.path(), 0, 0, true).expect("opens");
        whole.iter().for_each(|line| log.add(line).expect("written"));
        assert_eq!(read(folder.path()), whole);
        let events = std::fs::read(folder.path().join("training.tfevents")).expect("events");

        // Killed in the middle of a line, after a state of step 10 with validation still to come was saved.
        append(&folder.path().join("training.jsonl"), b"{\"event\":\"st").expect("written");
        let log = TrainingLog::open(folder.path(), 0, 10, true).expect("opens");
        assert_eq!(read(folder.path()), whole[..2]);
        whole[2..].iter().for_each(|line| log.add(line).expect("written"));
        assert_eq!(read(folder.path()), whole);
        let again = std::fs::read(folder.path().join("training.tfevents")).expect("events");
        // All but the time in the head, which is that of the first line in a file written anew.
        assert_eq!(again.len(), events.len());
        assert_eq!(again[40..], events[40..]);

        // A new training starts a new log, and takes TensorBoard's away if it is not wanted.
        TrainingLog::open(folder.path(), 0, 0, false).expect("opens");
        assert_eq!(read(folder.path()), []);
        assert!(!folder.path().join("training.tfevents").exists());
    }
}
