//! What a run says while it works: bars on a terminal, plain lines elsewhere, always on standard error.

use std::fmt::Display;
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::standard_error::{bars_target, to_stderr};

/// Sets how many seconds a plain log waits between two lines about one piece of work, in place of 15: a sweep asks its runs for
/// more lines than a person wants.
pub const INTERVAL_VARIABLE: &str = "BIASCAM_PROGRESS_SECONDS";

fn plain_interval() -> Duration {
    let asked = std::env::var(INTERVAL_VARIABLE).ok().and_then(|text| text.parse().ok());
    Duration::from_secs(asked.unwrap_or(15))
}

/// The bars of this process: those that show at a time stand below each other, as a validation does below its training.
fn bars() -> &'static MultiProgress {
    static BARS: OnceLock<MultiProgress> = OnceLock::new();
    BARS.get_or_init(|| MultiProgress::with_draw_target(bars_target()))
}

/// A line that stays, above the bars.
fn stays(line: &str) {
    bars().suspend(|| to_stderr(line));
}

/// The program's last line, why it ends before its time, in the place of the bars. Whoever comes first ends the program; for another one this does
/// not return.
pub fn last_words(why: impl Display) {
    static SAID: AtomicBool = AtomicBool::new(false);
    while SAID.swap(true, Ordering::Relaxed) {
        thread::park();
    }
    // What cannot be cleared is a terminal that is gone.
    bars().clear().ok();
    bars().set_draw_target(ProgressDrawTarget::hidden());
    to_stderr(format_args!("biascam: {why}"));
}

/// As many of a note's parts, which two spaces keep apart, as fit so many columns: half a number would be another number.
fn fitting(note: &str, columns: usize) -> String {
    let mut fitted = String::new();
    for part in note.split("  ") {
        let longer = if fitted.is_empty() {
            part.to_owned()
        } else {
            format!("{fitted}  {part}")
        };
        if longer.chars().count() > columns {
            break;
        }
        fitted = longer;
    }
    fitted
}

/// A time in words, to two digits or so: `0.3 s`, `45 s`, `12 min`, `3.5 h`, `2.1 days`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        _ if seconds < 10.0 => format!("{seconds:.1} s"),
        _ if seconds < 120.0 => format!("{seconds:.0} s"),
        _ if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        _ if seconds < 172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}

/// Where progress is shown.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    terminal: bool,
}

impl Progress {
    /// Bars if standard error is a terminal, lines otherwise.
    pub fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// One line that stays.
    pub fn say(&self, line: &str) {
        stays(line);
    }

    /// Starts showing a piece of work of `total` units.
    pub fn work(&self, title: &str, total: u64) -> Work {
        let bar = if self.terminal {
            bars().add(ProgressBar::new(total))
        } else {
            ProgressBar::hidden()
        };
        if self.terminal {
            // The bar takes what the words leave of the line.
            let style = ProgressStyle::with_template("{prefix} {percent:>3} %  {msg} {wide_bar:.dim}");
            if let Ok(style) = style {
                bar.set_style(style.progress_chars("━╸ "));
            }
            bar.set_prefix(title.to_owned());
        }
        Work {
            bar,
            title: title.to_owned(),
            plain: (!self.terminal).then(plain_interval),
            started: Instant::now(),
            said: Instant::now(),
            total,
            first: None,
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

/// A piece of work that is being shown.
#[derive(Debug)]
pub struct Work {
    bar: ProgressBar,
    title: String,
    /// Time between two lines where there is no bar.
    plain: Option<Duration>,
    started: Instant,
    said: Instant,
    total: u64,
    /// What was done when it was first said, and when that was: what an earlier run did says nothing about speed.
    first: Option<(u64, Instant)>,
}

impl Work {
    /// `done` of the units are done; `note` says how it goes.
    pub fn at(&mut self, done: u64, note: &str) {
        let left = self.time_left(done);
        let note = [left.as_str(), note].join("  ");
        let note = note.trim();
        if self.plain.is_none() {
            // A line that the terminal has to break leaves parts of itself behind.
            let width = usize::from(Term::stderr().size().1);
            let before = self.title.chars().count() + " 100 %  ".len() + 1;
            self.bar.set_message(fitting(note, width.saturating_sub(before)));
        }
        self.bar.set_position(done);
        if self.plain.is_some_and(|interval| self.said.elapsed() >= interval) {
            self.said = Instant::now();
            let percent = 100 * done / self.total.max(1);
            to_stderr(format_args!(
                "{}: {percent} % after {:.0} s  {note}",
                self.title,
                self.started.elapsed().as_secs_f64()
            ));
        }
    }

    /// How long the rest takes if it goes on like this.
    fn time_left(&mut self, done: u64) -> String {
        let &mut (first, since) = self.first.get_or_insert_with(|| (done, Instant::now()));
        let now = done.saturating_sub(first);
        if now == 0 {
            return String::new();
        }
        let rest = self.total.saturating_sub(done) as f64 / now as f64;
        format!("{} left", duration(since.elapsed().mul_f64(rest)))
    }

    /// The work is over: the bar gives way to one line with `result` and the time taken.
    pub fn done(self, result: &str) {
        self.clear();
        let seconds = self.started.elapsed().as_secs_f64();
        stays(&format!("{:24} {result} ({seconds:.1} s)", self.title));
    }

    /// Removes the bar without a word.
    pub fn abandon(self) {
        self.clear();
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
        bars().remove(&self.bar);
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;
    use std::os::fd::{FromRawFd, OwnedFd};
    use std::process::Stdio;

    use super::*;
    use crate::own_process::own_process;

    #[test]
    fn times_are_said_as_people_do() {
        let said = [0.25, 45.0, 600.0, 36_000.0, 259_200.0].map(|seconds| duration(Duration::from_secs_f64(seconds)));
        assert_eq!(said, ["0.2 s", "45 s", "10 min", "10.0 h", "3.0 days"]);
    }

    #[test]
    fn notes_lose_whole_parts() {
        let note = "4 s left  epoch 2/2  loss 0.4729";
        assert_eq!(fitting(note, 40), note);
        assert_eq!(fitting(note, 31), "4 s left  epoch 2/2");
        assert_eq!(fitting(note, 8), "4 s left");
        assert_eq!(fitting(note, 3), "");
    }

    #[test]
    fn work_done_before_does_not_shorten_what_is_left() {
        let mut work = Progress { terminal: false }.work("x", 100);
        assert_eq!(work.time_left(90), "");
        let earlier = Instant::now().checked_sub(Duration::from_secs(50)).expect("a clock");
        work.first = Some((90, earlier));
        assert_eq!(work.time_left(95), "50 s left");
    }

    #[test]
    fn nobody_who_reads_ends_nothing() {
        let Some(mut again) = own_process("progress::tests::nobody_who_reads_ends_nothing") else {
            let progress = Progress::new();
            progress.say("a line");
            let mut work = progress.work("work", 2);
            work.plain = Some(Duration::ZERO);
            work.at(1, "half");
            return work.done("done");
        };
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let child = again.stderr(writer).output().expect("starts");
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    }

    #[test]
    fn a_terminal_that_is_closed_ends_nothing() {
        let Some(mut again) = own_process("progress::tests::a_terminal_that_is_closed_ends_nothing") else {
            let progress = Progress::new();
            let mut work = progress.work("work", 2);
            work.at(1, "half");
            println!("a bar is shown: {}", !work.bar.is_hidden());
            std::io::stdin().lines().next();
            progress.say("a line");
            work.at(2, "all");
            return work.done("done");
        };
        let (terminal, slave) = terminal();
        let mut child = again
            .env("TERM", "xterm")
            .stderr(slave)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let said = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
        let mut said = said.lines().map(|line| line.expect("text"));
        assert!(said.any(|line| line.contains("a bar is shown: true")));
        drop(terminal);
        drop(child.stdin.take());
        let rest: Vec<String> = said.collect();
        assert!(child.wait().expect("ended").success(), "{}", rest.join("\n"));
    }

    /// A terminal's two ends. It is closed when the first of them is dropped.
    fn terminal() -> (OwnedFd, OwnedFd) {
        let (mut master, mut slave) = (-1, -1);
        let (name, settings, size) = (std::ptr::null_mut(), std::ptr::null(), std::ptr::null());
        // SAFETY: both descriptors are valid for writes, and null stands for what is not asked for.
        let made = unsafe { libc::openpty(&raw mut master, &raw mut slave, name, settings, size) };
        assert_eq!(made, 0, "no terminal");
        for end in [master, slave] {
            // SAFETY: it only changes a flag of an open descriptor.
            unsafe { libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        // SAFETY: the call above has opened them, and nobody else has them.
        unsafe { (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) }
    }
}
