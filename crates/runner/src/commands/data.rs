//! `biascam data`: writing, listing and counting data sets.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use dataset::{ClassCounts, Split};
use metrics::Class;
use model::{ClassWeights, Scheme};
use synthetic::{faces, shapes};

use crate::data::{write_procedural, write_shapes};
use crate::error::{Error, Result};
use crate::output::print;
use pipeline::{Interrupt, Progress};
use render::sheet::{Cell, Column, Sheet, Unit};

/// Labels of images, and which of them.
#[derive(Debug, clap::Args)]
pub struct Labels {
    /// A label file in CelebA's format; or any table with yes and no in its columns, CSV or Parquet, as `data.table.file` is
    #[arg(long, value_name = "FILE")]
    pub labels: PathBuf,
    /// The table's column of the images' names; without it the one called `image` or the like, else the first
    #[arg(long, value_name = "NAME")]
    pub image_column: Option<String>,
    /// The table's columns that are attributes; without it all others but one called `split`
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub attributes: Option<Vec<String>>,
}

/// What can be done with data sets.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write procedural faces in CelebA's layout, with an exact mask of every attribute
    Procedural {
        /// The folder to write; it must not exist, or hold the same faces already
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Number of images, split into training, validation and test as CelebA is
        #[arg(long)]
        images: usize,
        /// Seed of faces and labels
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How they lie on disk: nested as the official download unpacks, flat in one folder, with the images in a zip, or as the
        /// Hugging Face hub's Parquet files (without masks)
        #[arg(long, value_name = "LAYOUT", default_value = "nested", value_parser = layout)]
        layout: faces::Layout,
        /// Draw only so many faces and repeat them: for trying how something scales
        #[arg(long, value_name = "N")]
        distinct: Option<usize>,
        /// Draw every face again with one attribute toggled, all else the same: for each attribute, or for these; `pairs.csv` says which
        /// picture belongs to which, and `differences/` where they differ
        #[arg(long, value_name = "NAME,NAME", num_args = 0..=1, require_equals = true, default_missing_value = "all")]
        counterfactuals: Option<String>,
    },
    /// Write pictures of five shapes with a table of their attributes and exact masks, as `data.table.shapes` does
    Shapes {
        /// The folder to write; it must not exist, or hold the same pictures already
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Number of pictures
        #[arg(long)]
        images: usize,
        /// Seed of shapes and labels
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Draw every picture again with each attribute toggled, all else the same; `pairs.csv` says which belongs to which, and
        /// `differences/` where they differ
        #[arg(long)]
        counterfactuals: bool,
    },
    /// Download CelebA or pretrained weights from the Hugging Face hub; goes on where an earlier download ended
    Fetch(super::fetch::Arguments),
    /// Print the names of the images whose face looks into the camera, one a line
    Frontal {
        /// A landmarks file in CelebA's format, or the same as CSV
        #[arg(long, value_name = "FILE")]
        landmarks: PathBuf,
        /// Largest distance of the nose tip from the middle line, in distances of eyes and mouth
        #[arg(long, default_value_t = 0.1)]
        threshold: f32,
    },
    /// Print positives, negatives, minority class and class weights of each attribute
    Counts {
        /// Which labels
        #[command(flatten)]
        labels: Labels,
        /// A partition file in CelebA's format, or the same as CSV: then only training images are counted
        #[arg(long, value_name = "FILE")]
        partition: Option<PathBuf>,
    },
}

/// Carries out a command.
///
/// # Errors
/// Those of reading and writing the files it names.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::Procedural {
            out,
            images,
            seed,
            layout,
            distinct,
            counterfactuals,
        } => {
            let config = faces::Config::new(images, seed);
            let form = faces::Form {
                layout,
                distinct,
                counterfactuals: counterfactuals.as_deref().map(toggled).transpose()?,
            };
            write_procedural(&out, &config, form, &Progress::new(), &Interrupt::listen()?)?;
            print(out.display())?;
        }
        Command::Shapes {
            out,
            images,
            seed,
            counterfactuals,
        } => {
            let config = shapes::Config { images, seed };
            write_shapes(&out, config, counterfactuals, &Progress::new(), &Interrupt::listen()?)?;
            print(out.display())?;
        }
        Command::Fetch(arguments) => super::fetch::run(&arguments)?,
        Command::Frontal { landmarks, threshold } => {
            for name in dataset::frontal_names(&landmarks, threshold)? {
                print(name)?;
            }
        }
        Command::Counts { labels, partition } => print(counts(&labels, partition.as_deref())?)?,
    }
    Ok(())
}

fn layout(name: &str) -> std::result::Result<faces::Layout, String> {
    let known = faces::Layout::ALL;
    known.into_iter().find(|layout| layout.name() == name).ok_or_else(|| {
        let names = known.map(faces::Layout::name).join(", ");
        format!("expected one of {names}")
    })
}

/// The attributes that an option names, or `all`.
fn toggled(names: &str) -> Result<faces::Toggled> {
    if names == "all" {
        return Ok(faces::Toggled::ALL);
    }
    if names.trim().is_empty() {
        return Err(Error::Request(
            "--counterfactuals=: no attribute is named; leave the = out to toggle each".to_owned(),
        ));
    }
    let known = dataset::Attributes::celeba();
    let attribute = |name: &str| {
        let found = known.index(name.trim()).and_then(faces::Attribute::at);
        found.ok_or_else(|| {
            Error::Request(format!(
                "--counterfactuals: {name}, expected `all`, which it is without a name, or some of CelebA's attributes: {}",
                known.names().join(", ")
            ))
        })
    };
    Ok(faces::Toggled::of(
        names.split(',').map(attribute).collect::<Result<Vec<_>>>()?,
    ))
}

fn counts(labels: &Labels, partition: Option<&Path>) -> Result<String> {
    let (column, attributes) = (labels.image_column.as_deref(), labels.attributes.as_deref());
    let counted = dataset::label_counts(&labels.labels, partition, column, attributes)?;
    let in_training = |splits: &Vec<(Split, Vec<ClassCounts>)>| {
        splits
            .iter()
            .find(|(split, _)| *split == Split::Train)
            .map(|(_, counts)| counts.clone())
    };
    let (counts, which) = match counted.splits.as_ref().and_then(in_training) {
        Some(counts) => (counts, "training images"),
        None => (counted.all.clone(), "images of the label file"),
    };
    let pairs: Vec<(usize, usize)> = counts
        .iter()
        .map(|counts| (counts.positives, counts.negatives))
        .collect();
    let rows = counted
        .attributes
        .names()
        .iter()
        .zip(&pairs)
        .map(|(name, &(positives, negatives))| {
            let total = (positives + negatives).max(1);
            let minority = if Class::minority(positives, negatives) == Class::Positive {
                "+"
            } else {
                "-"
            };
            let [plus, minus] = match ClassWeights::new(Scheme::DomainAdaptive, &[(positives, negatives)]) {
                Ok(weights) => {
                    [weights.positive[0], weights.negative[0]].map(|weight| Cell::number(Some(f64::from(weight))))
                }
                Err(_) => ["one class", "one class"].map(Cell::from),
            };
            vec![
                Cell::name(name),
                Cell::count(positives),
                Cell::count(negatives),
                Cell::number(Some(positives as f64 / total as f64)),
                Cell::from(minority),
                plus,
                minus,
            ]
        });
    let sheet = Sheet {
        columns: vec![
            Column::new("attribute", Unit::Text),
            Column::new("positives", Unit::Count),
            Column::new("negatives", Unit::Count),
            Column::new("positive", Unit::Number(4)),
            Column::new("minority", Unit::Text),
            Column::new("weight +", Unit::Number(4)),
            Column::new("weight -", Unit::Number(4)),
        ],
        rows: rows.collect(),
        ..Sheet::default()
    };
    let table = sheet.terminal();
    Ok(format!(
        "{table}\nOver the {which}. Weights: domain_adaptive, the paper's."
    ))
}
