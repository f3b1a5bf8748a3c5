//! `biascam schema`: what the YAML files may say, for editors and for people.

use clap::{Args, ValueEnum};

use crate::error::{Error, Result};
use crate::output::print;
use crate::{experiment, sweep, yaml};

/// Which files.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Which kind of file it describes
    #[arg(value_enum, default_value = "experiment")]
    pub of: Kind,
    /// JSON Schema, which editors complete and check with, or a page with every key, its type, default and meaning
    #[arg(long, value_enum, default_value = "json")]
    pub format: Format,
}

/// For whom it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// JSON Schema, for editors.
    Json,
    /// Tables in Markdown, for people.
    Markdown,
}

/// A kind of YAML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// An experiment.
    Experiment,
    /// A sweep of an experiment.
    Sweep,
}

/// Prints the schema.
///
/// # Errors
/// Those of printing.
pub fn run(arguments: &Arguments) -> Result<()> {
    let schema = match arguments.of {
        Kind::Experiment => experiment::schema(),
        Kind::Sweep => sweep::schema(),
    };
    print(match arguments.format {
        Format::Json => serde_json::to_string_pretty(&schema).map_err(|error| Error::Request(error.to_string()))?,
        Format::Markdown => yaml::reference(&schema).trim().to_owned(),
    })
}
