//! The pages of `docs/look-up` that are made from the program are those that it makes now. `just documents` makes them again.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use crate::pages::root;

/// Behind this line a page is generated; what stands before it is written by hand.
const MARK: &str = "<!-- Made from the program by `just documents`; a test compares. -->\n";

/// What the program prints.
fn printed(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_biascam"));
    // Help is as wide as the terminal; without one it has this width.
    command.args(arguments).env("COLUMNS", "100");
    let output = command.output().expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The commands that a help names.
fn commands(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines
        .take_while(|line| !line.is_empty())
        // Further lines of a command's description stand further right.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

/// The help of a command, and of those below it.
fn helps(path: &[&str], text: &mut String) {
    let help = printed(&[path, &["--help"]].concat());
    if !path.is_empty() {
        let _ = write!(
            text,
            "\n## biascam {}\n\n```text\n{}\n```\n",
            path.join(" "),
            help.trim_end()
        );
    }
    for name in commands(&help) {
        helps(&[path, &[name]].concat(), text);
    }
}

/// Holds a page of `docs/look-up` to what is generated, or writes it.
fn holds(page: &str, generated: &str) {
    let path = root().join("docs/look-up").join(page);
    let text = fs::read_to_string(&path).expect("a page");
    let (before, committed) = text.split_once(MARK).expect("a mark");
    if committed == generated {
        return;
    }
    assert!(
        std::env::var_os("BIASCAM_WRITE_DOCUMENTS").is_some(),
        "docs/look-up/{page} is older than the program, from `{}` on; `just documents` makes it again",
        first_difference(committed, generated)
    );
    fs::write(&path, format!("{before}{MARK}{generated}")).expect("written");
}

fn first_difference<'a>(committed: &'a str, generated: &'a str) -> &'a str {
    let mut committed = committed.lines();
    let found = generated.lines().find(|line| committed.next() != Some(line));
    found.unwrap_or("the end")
}

#[test]
fn the_keys_of_experiments_are_those_of_the_types() {
    holds(
        "experiment-keys.md",
        &format!("\n{}", printed(&["schema", "--format", "markdown"])),
    );
}

#[test]
fn the_keys_of_sweeps_are_those_of_the_types() {
    holds(
        "sweep-keys.md",
        &format!("\n{}", printed(&["schema", "sweep", "--format", "markdown"])),
    );
}

#[test]
fn the_commands_are_those_of_the_program() {
    let mut text = String::new();
    helps(&[], &mut text);
    assert!(text.contains("## biascam reproduce\n") && text.contains("## biascam data fetch\n"));
    holds("commands.md", &text);
}
