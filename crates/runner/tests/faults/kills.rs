//! SIGKILL: of the program, of a run of a sweep, at instants that are drawn and around each change of a folder.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::{Rng, SeedableRng};

use crate::place::{Case, Fault, Lab, refusal};
use crate::{each, some};

/// Kills the program at instants drawn over the undisturbed work's duration.
pub fn at_instants(lab: &Lab<'_>, count: usize) -> usize {
    each(&instants(lab, 6, count), |&instant| {
        let case = killed_within(instant, |instant| {
            let case = lab.case();
            let mut program = started(case.command());
            std::thread::sleep(instant);
            let runs = children(program.id());
            program.kill().expect("killed, or ended");
            let killed = !program.wait().expect("a status").success();
            // A run of a sweep goes on without it.
            runs.into_iter().for_each(wait_for);
            killed.then_some(case)
        });
        case.ends_as(lab, &format!("killed after {instant:?} at most"));
    })
}

/// Kills a run of a sweep. The sweep goes on with the others and says what happened; the same command then makes the rest.
pub fn of_children(lab: &Lab<'_>, count: usize) -> usize {
    each(&instants(lab, 8, count), |&instant| {
        let case = killed_within(instant, |instant| {
            let case = lab.case();
            let mut command = case.command();
            command.stdout(Stdio::null()).stderr(Stdio::piped());
            let mut program = command.spawn().expect("starts");
            while children(program.id()).is_empty() && program.try_wait().expect("a status").is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(instant);
            for run in children(program.id()) {
                Command::new("kill")
                    .args(["-KILL", &run.to_string()])
                    .output()
                    .expect("starts");
            }
            let output = program.wait_with_output().expect("a status");
            let killed = !output.status.success();
            if killed {
                let message = refusal(&output, "a run was killed");
                let said = message.contains("killed by signal 9") && message.contains("the same command");
                assert!(said, "{message}");
            }
            killed.then_some(case)
        });
        case.ends_as(lab, &format!("a run killed after {instant:?} at most"));
    })
}

/// Kills earlier where all was done before: a busy machine measures durations that are too long.
pub fn killed_within<T>(instant: Duration, kill: impl Fn(Duration) -> Option<T>) -> T {
    let earlier = (0..20).map(|halvings| instant / (1 << halvings));
    earlier.into_iter().find_map(kill).expect("killed in time")
}

/// Kills before and after each change of a folder, so that every file and folder is once the last and once the first missing.
pub fn around_changes(lab: &Lab<'_>, few: usize) -> usize {
    let faults: Vec<(&str, usize)> = ["before", "after"]
        .into_iter()
        .flat_map(|kind| some(lab.counts.changes, few).into_iter().map(move |at| (kind, at)))
        .collect();
    each(&faults, |&(kind, at)| {
        let case = lab.case();
        killed_at(lab, &case, kind, at);
        case.ends_as(lab, &format!("killed {kind} change {at}"));
    })
}

/// Works until the process that makes this change is killed.
pub fn killed_at(lab: &Lab<'_>, case: &Case, kind: &'static str, at: usize) {
    let mut program = started(case.faulty(lab, &Fault::of(kind, at)));
    // Killed itself, or a run of it that says so.
    let mut runs = Vec::new();
    let status = loop {
        if let Some(status) = program.try_wait().expect("a status") {
            break status;
        }
        runs = children(program.id());
        std::thread::sleep(Duration::from_millis(1));
    };
    runs.into_iter().for_each(wait_for);
    assert!(!status.success(), "{kind} change {at}: nobody was killed");
}

/// One instant in each equal part of the duration.
pub fn instants(lab: &Lab<'_>, seed: u64, count: usize) -> Vec<Duration> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let part = |number: usize| {
        lab.duration
            .mul_f64((number as f64 + random.random::<f64>()) / count as f64)
    };
    (0..count).map(part).collect()
}

fn started(mut command: Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts")
}

/// The processes that a process has started, by any of its threads.
fn children(process: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().flat_map(str::parse).collect::<Vec<u32>>())
        .collect()
}

/// Waits for the end of a process that need not be a child of this one.
fn wait_for(process: u32) {
    let lives = || {
        let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The state stands behind the name, which is in parentheses. Z: it has ended, and nobody has asked for its status.
        status
            .rsplit_once(')')
            .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
    };
    for _ in 0..60_000 {
        if !lives() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("process {process} does not end");
}
