//! `biascam audit`: what a table of rates and energies says, without any image.

mod audited;
mod cells;
mod found;
mod output;
mod rates;
mod regions;
mod scores;
mod sheets;

use std::path::PathBuf;

use clap::Args;

use super::scored::{Judging, Scored};
use crate::error::{Error, Result};
use audited::Audited;

/// What to audit, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A CSV table with the columns attribute, NAME_fnr and NAME_fpr of one or two classifiers, and more where it is known
    /// (docs/understand/audit.md); a run's tables/attributes.csv is one, and its results folder stands for it
    #[arg(value_name = "FILE", required_unless_present_any = ["published", "scores"], conflicts_with_all = ["published", "scores"])]
    pub file: Option<PathBuf>,
    /// Audit the paper's published table
    #[arg(long, conflicts_with = "scores")]
    pub published: bool,
    /// Audit scores, in the forms that measure-scores reads: of one classifier, or of two, the one without class weights first
    #[arg(long, value_name = "FILE", num_args = 1..=2, requires = "labels")]
    pub scores: Vec<PathBuf>,
    /// With --scores: a label file in CelebA's format, or any table of labels, as measure-scores reads it
    #[arg(long, value_name = "FILE", requires = "scores")]
    pub labels: Option<PathBuf>,
    /// With --scores: the least score that counts as positive [default: 0]
    #[arg(long, value_name = "SCORE", requires = "scores", allow_negative_numbers = true)]
    pub threshold: Option<f32>,
    /// With --scores: only these images, one name a line
    #[arg(long, value_name = "LIST", requires = "scores")]
    pub images: Option<PathBuf>,
    /// Which classifiers of the table to compare, the one without class weights first [default: unbalanced,balanced]
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub classifiers: Option<Vec<String>>,
    /// Numbers of images behind the rates: a CSV table with the columns attribute, positives and negatives
    #[arg(long, value_name = "FILE")]
    pub counts: Option<PathBuf>,
    /// Regions: celeba, none, or a regions file [default: the table's areas, or the paper's regions for CelebA's attributes]
    #[arg(long, value_name = "REGIONS")]
    pub regions: Option<String>,
    /// Also write audit.csv, audit.md, audit.tex and audit.html there
    #[arg(long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
}

/// Audits, prints what was found, and writes it.
///
/// # Errors
/// When the table cannot be read or is not one, or the files cannot be written.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut audited = read(arguments)?;
    if let Some(counts) = &arguments.counts {
        rates::add_counts(&mut audited, counts)?;
    }
    regions::add(&mut audited, arguments.regions.as_deref())?;
    let found = found::find(&audited);
    output::show(&audited, &found)?;
    match &arguments.output {
        Some(folder) => output::write(&audited, &found, folder),
        None => Ok(()),
    }
}

fn read(arguments: &Arguments) -> Result<Audited> {
    let names = arguments.classifiers.as_deref();
    if let Some(names) = names {
        match names {
            [_] => {}
            [first, second] if first != second => {}
            _ => {
                return Err(Error::Request(format!(
                    "--classifiers {}: expected one, or two that differ",
                    names.join(",")
                )));
            }
        }
    }
    match (&arguments.file, &arguments.labels) {
        (Some(file), _) => rates::read(file, names),
        (None, Some(labels)) => {
            let judging = Judging {
                labels,
                image_column: None,
                images: arguments.images.as_deref(),
                threshold: arguments.threshold,
            };
            let read = |path: &PathBuf| Scored::read(path, judging);
            let all = arguments.scores.iter().map(read).collect::<Result<Vec<Scored>>>()?;
            if names.is_some_and(|names| names.len() != all.len()) {
                return Err(Error::Request(format!(
                    "--classifiers: expected a name for each of the {} files of scores",
                    all.len()
                )));
            }
            let mut audited = scores::of(&all, names)?;
            let shown: Vec<String> = arguments.scores.iter().map(|path| path.display().to_string()).collect();
            audited.source = shown.join(", ");
            Ok(audited)
        }
        (None, None) => {
            if let Some(names) = names {
                return Err(Error::Request(format!(
                    "--classifiers {}: the paper's are unbalanced and balanced",
                    names.join(",")
                )));
            }
            rates::published()
        }
    }
}
