//! Two processes that make one data set at the same time.

use std::process::{Child, Stdio};

use crate::each;
use crate::kills::{instants, killed_within};
use crate::place::{Case, Lab, message};

/// Both succeed, and the files are those of one.
pub fn both_end(lab: &Lab<'_>, count: usize) -> usize {
    each(&vec![(); count], |()| {
        let case = lab.case();
        let both = [start(&case, 0), start(&case, 1)];
        for process in both {
            let output = process.wait_with_output().expect("a status");
            assert!(output.status.success(), "two at once: {}", message(&output));
        }
        case.is_same(lab, "two at once");
    })
}

/// One is killed at an instant that is drawn. The other succeeds, and the next start leaves nothing of the killed one.
pub fn one_is_killed(lab: &Lab<'_>, count: usize) -> usize {
    each(&instants(lab, 9, count), |&instant| {
        let what = format!("two at once, one killed after {instant:?} at most");
        let case = killed_within(instant, |instant| {
            let case = lab.case();
            let mut program = start(&case, 0);
            let other = start(&case, 1);
            std::thread::sleep(instant);
            program.kill().expect("killed, or ended");
            let killed = !program.wait().expect("a status").success();
            let output = other.wait_with_output().expect("a status");
            assert!(output.status.success(), "{what}: {}", message(&output));
            killed.then_some(case)
        });
        case.ends_as(lab, &what);
    })
}

/// Starts one of two processes. A run has results of its own.
fn start(case: &Case, number: usize) -> Child {
    let mut command = case.command();
    if case.command().get_args().any(|argument| argument == "train") {
        command.args(["--name", &format!("run-{number}")]);
    }
    command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts")
}
