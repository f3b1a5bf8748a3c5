//! `docs/do/python.md`: every block of Python on the page, run by a real Python on a run's results.

use std::path::Path;
use std::process::{Command, Output};

use crate::place::succeeds;

const PAGE: &str = include_str!("../../../../docs/do/python.md");

/// The page's blocks, each with the line it begins at.
fn blocks() -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut inside: Option<(usize, String)> = None;
    for (at, line) in PAGE.lines().enumerate() {
        match (&mut inside, line) {
            (None, "```python") => inside = Some((at + 1, String::new())),
            (Some(_), "```") => blocks.extend(inside.take()),
            (Some((_, text)), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(inside.is_none(), "a block without an end");
    blocks
}

/// The packages that a block imports.
fn packages(block: &str) -> Vec<&str> {
    let imported = block.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("import" | "from")).then(|| words.next())?
    });
    imported
        .map(|module| module.split('.').next().unwrap_or(module))
        .collect()
}

fn python(code: &str, folder: &Path) -> Option<Output> {
    let interpreter = std::env::var("BIASCAM_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let program = Path::new(env!("CARGO_BIN_EXE_biascam")).parent().expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::iter::once(program.to_owned()).chain(std::env::split_paths(&path));
    // An interpreter given by a relative path is relative to where the tests were started.
    let interpreter = std::fs::canonicalize(&interpreter).map_or(interpreter.clone().into(), |_| {
        std::path::absolute(&interpreter).expect("a path")
    });
    let mut command = Command::new(interpreter);
    command.args(["-c", code]).current_dir(folder);
    command.env("PATH", std::env::join_paths(places).expect("a search path"));
    command.output().ok()
}

#[test]
fn the_page_for_python_says_what_runs() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path();
    let ready: Vec<(usize, String)> = blocks()
        .into_iter()
        .filter(|(line, block)| {
            let needed = packages(block);
            let found = python(&format!("import {}", needed.join(", ")), folder);
            let runs = found.is_some_and(|output| output.status.success());
            if !runs {
                let needed = needed.join(", ");
                testing::missing(
                    "python",
                    format_args!("the block at docs/do/python.md:{line} needs a Python (BIASCAM_PYTHON) with {needed}"),
                );
            }
            runs
        })
        .collect();
    if ready.is_empty() {
        return;
    }
    let smoke = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke.yaml");
    std::fs::copy(smoke, folder.join("embedded.yaml")).expect("copied");
    let mut run = Command::new(env!("CARGO_BIN_EXE_biascam"));
    run.args(["reproduce", "embedded.yaml", "--device", "cpu"]);
    for setting in [
        "model.architecture=resnet18",
        "explain.keep_maps=true",
        "data.image_size=112",
        "training.epochs=1",
    ] {
        run.args(["--set", setting]);
    }
    succeeds(&run.current_dir(folder).output().expect("the program starts"));
    for (line, block) in ready {
        let output = python(&block, folder).expect("Python starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "docs/do/python.md:{line}\n{said}\n{error}");
        assert!(!said.is_empty(), "docs/do/python.md:{line} prints nothing");
    }
}

#[test]
fn blocks_and_their_packages_are_found() {
    let blocks = blocks();
    assert_eq!(blocks.len(), PAGE.matches("```python").count());
    assert!(blocks.len() >= 6);
    assert_eq!(
        packages("import a.b as c\nfrom d.e import f\nx = 1\n    # import\n"),
        ["a", "d"]
    );
}
