//! `biascam experiments`: the experiments and sweeps inside the program, listed or written as files.

use std::path::{Path, PathBuf};

use clap::Args;
use disk::write_whole;

use crate::error::{Error, Result};
use crate::included::{self, Included, Kind};
use crate::output::print;

/// What to do with them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Write them all into this folder, to be changed: files that are there and differ are left alone, and named
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
    /// With --write: replace files that differ
    #[arg(long, requires = "write")]
    pub replace: bool,
}

/// Lists or writes them.
///
/// # Errors
/// Those of writing; one that names every file that differs, after which nothing was written.
pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.write {
        None => list(),
        Some(folder) => write(folder, arguments.replace),
    }
}

fn list() -> Result<()> {
    let width = included::ALL.iter().map(|one| one.name().len()).max().unwrap_or(0);
    for (kind, head) in [
        (Kind::Experiment, "Experiments: biascam reproduce NAME"),
        (Kind::Sweep, "\nSweeps, many runs of an experiment: biascam sweep NAME"),
    ] {
        print(head)?;
        for one in included::ALL.iter().filter(|one| one.kind() == kind) {
            let place = one.place();
            let file = if included::is_included(&place) {
                String::new()
            } else {
                format!(" (here the file {})", place.display())
            };
            print(format_args!("  {:width$}  {}{file}", one.name(), one.summary()))?;
        }
    }
    print(
        "\n`biascam check NAME` says what each does. Data sets go to ./data and results to ./results, or where --data and --results say.\n\
         `biascam experiments --write DIR` writes all of them as files, to be changed.",
    )
}

fn write(folder: &Path, replace: bool) -> Result<()> {
    let mut differ = Vec::new();
    let mut to_write: Vec<(&Included, PathBuf)> = Vec::new();
    let mut same = 0;
    for one in included::ALL {
        let path = folder.join(one.path);
        match std::fs::read(&path) {
            Ok(found) if found == one.text.as_bytes() => same += 1,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => to_write.push((one, path)),
            // What cannot be read, such as a folder of that name, is not ours to replace.
            Err(error) => return Err(Error::io(&path, "reading")(error)),
            Ok(_) if replace => to_write.push((one, path)),
            Ok(_) => differ.push(path.display().to_string()),
        }
    }
    if !differ.is_empty() {
        return Err(Error::Request(format!(
            "nothing was written, for these files are there and differ from the program's: {}; choose another folder, or replace them with \
             --replace",
            differ.join(", ")
        )));
    }
    for (one, path) in &to_write {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io(folder, "making the folder"))?;
        }
        write_whole(path, one.text.as_bytes())?;
        print(path.display())?;
    }
    if same > 0 {
        print(format_args!("{same} were there already, the same"))?;
    }
    Ok(())
}
