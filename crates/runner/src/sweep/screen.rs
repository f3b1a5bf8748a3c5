//! The progress of all runs of a sweep: one line each on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use pipeline::{duration, to_stderr};

/// Without a terminal, how long between two lines about runs that go on.
const PLAIN_INTERVAL: Duration = Duration::from_secs(30);

/// The screen of a sweep. All of it is on standard error.
#[derive(Debug)]
pub struct Screen {
    /// Bars; absent where standard error is no terminal.
    bars: Option<(MultiProgress, ProgressBar)>,
    plain: Mutex<Plain>,
    started: Instant,
}

/// What is known of the whole.
#[derive(Debug)]
struct Plain {
    total: usize,
    done: usize,
    said: Instant,
    /// Of the runs that go on: name and last word.
    running: Vec<(String, String)>,
}

/// The line of one run.
#[derive(Debug)]
pub struct Line {
    name: String,
    bar: Option<ProgressBar>,
}

impl Screen {
    /// A screen for `total` runs.
    pub fn new(total: usize) -> Self {
        let bars = std::io::stderr().is_terminal().then(|| {
            let bars = MultiProgress::new();
            let whole = bars.add(ProgressBar::new(total as u64));
            if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos} of {len} runs, {elapsed} {wide_msg}") {
                whole.set_style(style.progress_chars("━╸ "));
            }
            (bars, whole)
        });
        let now = Instant::now();
        Self {
            bars,
            plain: Mutex::new(Plain {
                total,
                done: 0,
                said: now,
                running: Vec::new(),
            }),
            started: now,
        }
    }

    fn plain(&self) -> std::sync::MutexGuard<'_, Plain> {
        // A poisoned lock only means that showing progress failed once.
        self.plain.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// One line that stays.
    pub fn say(&self, line: &str) {
        match &self.bars {
            // What cannot be shown is no reason to stop a sweep.
            Some((bars, _)) => drop(bars.println(line)),
            None => to_stderr(line),
        }
    }

    /// A run starts.
    pub fn start(&self, name: &str) -> Line {
        let bar = self.bars.as_ref().map(|(bars, whole)| {
            let bar = bars.insert_before(whole, ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(name.to_owned());
            bar
        });
        if bar.is_none() {
            self.say(&format!("{name}: started"));
        }
        self.plain().running.push((name.to_owned(), String::new()));
        Line {
            name: name.to_owned(),
            bar,
        }
    }

    /// What a run says at the moment.
    pub fn word(&self, line: &Line, word: &str) {
        match &line.bar {
            Some(bar) => bar.set_message(word.to_owned()),
            None => {
                let mut plain = self.plain();
                if let Some((_, last)) = plain.running.iter_mut().find(|(name, _)| *name == line.name) {
                    word.clone_into(last);
                }
            }
        }
    }

    /// A run's process is over: `result` in a few words. Only a run that is `done` counts: one that was stopped is still to be made.
    pub fn end(&self, line: Line, result: &str, done: bool) {
        if let Some(bar) = line.bar {
            bar.finish_and_clear();
        }
        let (done, total) = {
            let mut plain = self.plain();
            plain.running.retain(|(name, _)| *name != line.name);
            if !done {
                drop(plain);
                return self.say(&format!("{}: {result}", line.name));
            }
            plain.done += 1;
            (plain.done, plain.total)
        };
        let left = self
            .started
            .elapsed()
            .mul_f64((total - done.min(total)) as f64 / done as f64);
        let left = if done < total {
            format!("; about {} left", duration(left))
        } else {
            String::new()
        };
        self.say(&format!("{}: {result} ({done} of {total}{left})", line.name));
        if let Some((_, whole)) = &self.bars {
            whole.set_position(done as u64);
        }
    }

    /// Called now and then: shows the time that has passed; without a terminal, says how the runs go on.
    pub fn tick(&self) {
        if let Some((_, whole)) = &self.bars {
            // Not by indicatif's own thread: it panics where there is none.
            return whole.tick();
        }
        let mut plain = self.plain();
        if plain.said.elapsed() < PLAIN_INTERVAL {
            return;
        }
        plain.said = Instant::now();
        for (name, word) in plain.running.iter().filter(|(_, word)| !word.is_empty()) {
            to_stderr(format_args!("{name}: {word}"));
        }
    }

    /// Removes the bars.
    pub fn close(&self) {
        if let Some((bars, whole)) = &self.bars {
            whole.finish_and_clear();
            bars.clear().ok();
        }
    }
}
