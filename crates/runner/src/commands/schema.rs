//! `biascam schema`: JSON Schema of the YAML files, for editors.

use clap::{Args, ValueEnum};

use crate::error::{Error, Result};
use crate::output::print;
use crate::{experiment, sweep};

/// Which files.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Which kind of file it describes
    #[arg(value_enum, default_value = "experiment")]
    pub of: Kind,
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
    let text = serde_json::to_string_pretty(&schema).map_err(|error| Error::Request(error.to_string()))?;
    print(text)
}
