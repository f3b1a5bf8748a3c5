//! Runs on this machine: each a child process of this very program, several at a time.
//!
//! A process of its own keeps a run that fails, or is killed for its memory, from taking others with it. Children are in process
//! groups of their own, so that Ctrl-C reaches this process alone, which passes it on, once.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::log::{self, End};
use super::screen::Screen;
use super::state::State;
use super::{Plan, PlannedRun};
use crate::error::{Error, HELD, Result};
use crate::run::Judge;
use pipeline::{INTERVAL_VARIABLE, Interrupt, Interrupted, StepError, duration, quoted};

/// How often signals are looked for.
const POLL: Duration = Duration::from_millis(50);

/// Where and how runs are made.
#[derive(Debug, Clone)]
pub struct Place {
    /// The sweep's results folder.
    pub sweep: PathBuf,
    /// Folder of all data sets.
    pub data: PathBuf,
    /// What computes; as many runs at a time as there are entries, each of which is one run's `--device`.
    pub devices: Vec<String>,
    /// Threads of each run.
    pub threads: usize,
    /// Whether runs forget what earlier ones did.
    pub fresh: bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is done.
    Finished,
    /// It failed, for this reason.
    Failed(String),
    /// It was asked to stop.
    Stopped,
    /// Another process is at it.
    Elsewhere,
    /// The sweep was stopped before its turn.
    Waiting,
}

/// The arguments with which the program makes a run.
pub fn arguments(plan: &Plan, run: &PlannedRun, sweep: &Path, data: &Path, device: &str) -> Vec<String> {
    let mut arguments = vec![
        plan.until().command().to_owned(),
        plan.experiment.display().to_string(),
        "--name".to_owned(),
        run.name.clone(),
        "--results".to_owned(),
        sweep.display().to_string(),
        "--data".to_owned(),
        data.display().to_string(),
        "--device".to_owned(),
        device.to_owned(),
        // The folder is the sweep's own.
        "--replace".to_owned(),
    ];
    for setting in &run.settings {
        arguments.extend(["--set".to_owned(), setting.clone()]);
    }
    arguments
}

/// Children that are alive, by process id.
type Alive = Mutex<Vec<u32>>;

/// Makes the runs at `positions`, in order, and says how each ended. A stop is passed on to the runs that go on, and waits for their end.
///
/// # Errors
/// When this program cannot be found, to be started again, or no thread can be started to wait for it.
pub fn run(
    plan: &Plan,
    positions: &[usize],
    place: &Place,
    judge: &Judge,
    interrupt: &Interrupt,
) -> Result<Vec<(usize, Outcome)>> {
    let program = std::env::current_exe().map_err(Error::io("biascam".as_ref(), "finding the program"))?;
    let queue = Mutex::new(positions.iter().copied().collect::<VecDeque<usize>>());
    let outcomes = Mutex::new(Vec::new());
    let alive = Alive::default();
    let screen = Screen::new(positions.len());
    // As long as there are children, they end before this process.
    let _held = interrupt.hold();
    let work = |device: &str| {
        loop {
            let next = lock(&queue).pop_front();
            let Some(position) = next else { break };
            let outcome = if interrupt.is_asked() {
                Outcome::Waiting
            } else {
                let child = Child {
                    judge,
                    plan,
                    run: &plan.runs[position],
                    place,
                    program: &program,
                    device,
                };
                child.run(&screen, &alive, interrupt)
            };
            lock(&outcomes).push((position, outcome));
        }
    };
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for device in &place.devices {
            let work = &work;
            match std::thread::Builder::new().spawn_scoped(scope, move || work(device)) {
                Ok(worker) => workers.push(worker),
                // The others make its runs too.
                Err(error) if workers.is_empty() => return Err(pipeline::Error::Threads(error)),
                Err(_) => break,
            }
        }
        let mut told = false;
        while workers.iter().any(|worker| !worker.is_finished()) {
            if let (false, Err(Interrupted { signal })) = (told, interrupt.check()) {
                told = true;
                screen.say("the runs stop; trainings save their state");
                pass_on(&alive, signal);
            }
            screen.tick();
            std::thread::sleep(POLL);
        }
        Ok(())
    })?;
    screen.close();
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(position, _)| *position);
    Ok(outcomes)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A worker that panicked has left a run without an outcome; the others go on.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a signal to every child.
fn pass_on(alive: &Alive, signal: i32) {
    for &process in lock(alive).iter() {
        let Ok(process) = i32::try_from(process) else { continue };
        // SAFETY: `kill` touches no memory. The process is a child that has not been waited for, because it is taken off the list
        // under the same lock before it is: its number cannot have gone to another process.
        unsafe { libc::kill(process, signal) };
    }
}

/// One run as a process.
struct Child<'a> {
    judge: &'a Judge,
    plan: &'a Plan,
    run: &'a PlannedRun,
    place: &'a Place,
    program: &'a Path,
    device: &'a str,
}

impl Child<'_> {
    fn run(&self, screen: &Screen, alive: &Alive, interrupt: &Interrupt) -> Outcome {
        let sweep = &self.place.sweep;
        // It may have been made since the sweep was begun: by another process, or as a task of a cluster.
        match State::of(self.judge, self.plan, self.run, sweep) {
            State::Finished(_) if !self.place.fresh => return Outcome::Finished,
            State::Running(_) => return Outcome::Elsewhere,
            _ => {}
        }
        let line = screen.start(&self.run.name);
        let started = Instant::now();
        let status = self.wait(alive, interrupt, |word| screen.word(&line, word));
        let took = duration(started.elapsed());
        let (outcome, word) = match status {
            Ok(status) if status.success() => (Outcome::Finished, format!("finished in {took}")),
            Ok(status) if status.code() == Some(HELD.into()) => {
                (Outcome::Elsewhere, "made by another process".to_owned())
            }
            Ok(status) => match (log::end(sweep, &self.run.name), interrupt.is_asked()) {
                (End::Failed(reason), _) => {
                    let word = format!("failed after {took}: {reason}");
                    (Outcome::Failed(reason), word)
                }
                (_, true) => (Outcome::Stopped, "stopped".to_owned()),
                (End::Stopped, false) => {
                    let reason = "stopped by a signal from outside; the sweep's command goes on with it".to_owned();
                    let word = format!("failed after {took}: {reason}");
                    (Outcome::Failed(reason), word)
                }
                (End::Unknown, false) => {
                    let reason = self.unexplained(status);
                    let word = format!("failed after {took}: {reason}");
                    (Outcome::Failed(reason), word)
                }
            },
            Err(error) if error.is_interruption() => (Outcome::Waiting, "not started".to_owned()),
            Err(error) => {
                let reason = crate::error::describe(&error);
                let word = format!("failed: {reason}");
                (Outcome::Failed(reason), word)
            }
        };
        screen.end(line, &word, !matches!(outcome, Outcome::Stopped | Outcome::Waiting));
        outcome
    }

    /// Starts the process, hands on what it says, and waits for its end.
    fn wait(&self, alive: &Alive, interrupt: &Interrupt, mut word: impl FnMut(&str)) -> Result<ExitStatus> {
        let mut log = log::open(&self.place.sweep, &self.run.name)?;
        let path = log::path(&self.place.sweep, &self.run.name);
        let mut arguments = arguments(self.plan, self.run, &self.place.sweep, &self.place.data, self.device);
        if self.place.fresh {
            arguments.push("--fresh".to_owned());
        }
        let shown: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
        writeln!(log, "$ biascam {}", shown.join(" ")).map_err(Error::io(&path, "writing"))?;
        let output = log.try_clone().map_err(Error::io(&path, "opening"))?;
        let mut child = {
            // Held until the child is on the list, so that a stop that comes in between reaches it.
            let mut alive = lock(alive);
            interrupt.check()?;
            let child = Command::new(self.program)
                .args(&arguments)
                .env("RAYON_NUM_THREADS", self.place.threads.to_string())
                .env(INTERVAL_VARIABLE, "5")
                .process_group(0)
                .stdin(Stdio::null())
                .stdout(output)
                .stderr(Stdio::piped())
                .spawn()
                .map_err(Error::io(self.program, "starting"))?;
            alive.push(child.id());
            child
        };
        if let Some(stderr) = child.stderr.take() {
            let mut reader = BufReader::new(stderr);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                // A log that cannot be written (a full disk) is no reason to stop listening: the run itself will say so.
                log.write_all(&bytes).ok();
                word(String::from_utf8_lossy(&bytes).trim_end());
                bytes.clear();
            }
        }
        // From here on no signal is sent to it any more.
        lock(alive).retain(|&process| process != child.id());
        child.wait().map_err(Error::io(self.program, "waiting for it"))
    }

    /// The reason of an end without words, which is also put into the log.
    fn unexplained(&self, status: ExitStatus) -> String {
        let reason = match (status.signal(), status.code()) {
            (Some(9), _) => "killed by signal 9, as the system does when memory is short".to_owned(),
            (Some(signal), _) => format!("killed by signal {signal}"),
            (None, Some(101)) => format!(
                "panicked: a fault of biascam; {} has the details",
                log::path(&self.place.sweep, &self.run.name).display()
            ),
            (None, code) => format!("ended with status {}", code.unwrap_or_default()),
        };
        if let Ok(mut log) = log::open(&self.place.sweep, &self.run.name) {
            writeln!(log, "biascam: {reason}").ok();
        }
        reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("seed=2"), "seed=2");
        assert_eq!(quoted(""), "''");
        let word = "a={\"b c\": 'd'}";
        let output = Command::new("sh")
            .args(["-c", &format!("printf %s {}", quoted(word))])
            .output()
            .expect("a shell");
        assert_eq!(String::from_utf8_lossy(&output.stdout), word);
    }
}
