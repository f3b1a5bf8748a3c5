//! A test in a process of its own: for what it says on standard error, or where that is none that can be written.

use std::process::Command;

/// Set in the process that a test has started for itself.
const VARIABLE: &str = "BIASCAM_TEST_IN_ITS_OWN_PROCESS";

/// The command that runs this test alone, by its path in the crate; `None` where that is what goes on.
pub fn own_process(test: &str) -> Option<Command> {
    if std::env::var_os(VARIABLE).is_some() {
        return None;
    }
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(["--exact", test, "--nocapture"]).env(VARIABLE, "1");
    Some(command)
}
