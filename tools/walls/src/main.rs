//! `walls`: a check of the workspace's structure, part of `just lint`.
//!
//! 1. A crate depends only on those that a table ([`dependencies`]) allows it.
//! 2. No modules of a crate form a circle: neither files, nor the files and subfolders of any folder ([`folders`]).
//!
//! File A imports file B if a `use` or a path in A names an item that B defines. Re-exports are followed to the definition;
//! that a module re-exports items from below itself is no import. Both sides of every `cfg` are read, tests are not.
//! What only types can tell (which file's method a `.call()` reaches) is not looked for.

mod arrows;
mod dependencies;
mod error;
mod folders;
mod graph;
mod mentions;
mod modules;
#[cfg(test)]
mod tests;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

use arrows::arrows;
use error::Result;
use modules::Tree;
use workspace::Workspace;

fn main() -> ExitCode {
    match findings(Path::new(".")) {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            findings.iter().for_each(|finding| println!("{finding}"));
            println!("{} to mend; tools/walls/src/main.rs says what is held", findings.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("walls: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What is wrong in the workspace that this folder belongs to, each ready to be printed.
fn findings(folder: &Path) -> Result<Vec<String>> {
    let workspace = Workspace::read(folder)?;
    let mut findings = dependencies::findings(&workspace);
    for member in &workspace.members {
        let tree = Tree::read(&workspace.root, member)?;
        let circles = folders::circles(&arrows(&tree));
        findings.extend(circles.iter().map(ToString::to_string));
    }
    Ok(findings)
}
