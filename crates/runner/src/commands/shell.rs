//! `biascam completions` and `biascam man`: what a shell and a manual say of the command line, made of its definition.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::Shell;

use crate::error::{Error, Result};
use crate::output::print;

/// Which shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that completes the commands and options of biascam
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Where manual pages go.
#[derive(Debug, Args)]
pub struct Manual {
    /// Write a page for the program and for each of its commands into this folder, instead of printing the first
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Prints a shell's completions of `command`.
///
/// # Errors
/// Those of printing.
pub fn completions(arguments: &Completions, mut command: clap::Command) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "biascam", &mut script);
    print_text(&script)
}

/// Prints or writes the manual of `command`.
///
/// # Errors
/// Those of printing and writing.
pub fn manual(arguments: &Manual, command: clap::Command) -> Result<()> {
    let Some(folder) = &arguments.out else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut page);
        rendered.map_err(Error::io(Path::new("biascam.1"), "making"))?;
        return print_text(&page);
    };
    std::fs::create_dir_all(folder).map_err(Error::io(folder, "making the folder"))?;
    clap_mangen::generate_to(command, folder).map_err(Error::io(folder, "writing the manual"))?;
    print(folder.join("biascam.1").display())
}

fn print_text(text: &[u8]) -> Result<()> {
    print(String::from_utf8_lossy(text).trim_end())
}
