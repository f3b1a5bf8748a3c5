//! The sweep file: what it may say, with its defaults.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

pub use super::ordered::Ordered;
use crate::error::{Error, Fault, Result};
use crate::included::{self, Kind};
use crate::request::Last;
use crate::yaml;

/// A sweep as it is written. `KEY.PATH` stands for any key of an experiment, as in `--set`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepFile {
    /// The experiment that is varied, relative to the sweep file.
    pub experiment: PathBuf,
    /// What all runs change: `KEY.PATH: value`.
    #[serde(default)]
    pub set: Ordered<Value>,
    /// What varies. The runs are all combinations, the last axis varying fastest.
    #[serde(default)]
    pub axes: Ordered<Axis>,
    /// Combinations that are left out: those that have all the values of one entry.
    #[serde(default)]
    pub exclude: Vec<Ordered<Value>>,
    /// Further runs beside the combinations, each `KEY.PATH: value`, or `AXIS: NAME` for an axis with names.
    #[serde(default)]
    pub runs: Vec<Ordered<Value>>,
    /// Every run is repeated with each of these.
    #[serde(default)]
    pub seeds: Vec<u64>,
    /// The keys that a seed sets. With `data.procedural.seed` among them, each seed has faces of its own.
    #[serde(default = "seed_keys")]
    pub seed_keys: Vec<String>,
    /// How far each run goes.
    #[serde(default)]
    pub until: Until,
    /// What is compared.
    #[serde(default)]
    pub compare: Compare,
    /// What each run asks of a cluster.
    #[serde(default)]
    pub slurm: Slurm,
}

fn seed_keys() -> Vec<String> {
    vec!["seed".to_owned()]
}

/// The values of an axis.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum Axis {
    /// The values of the key that the axis is called after.
    Values(Vec<Value>),
    /// Names, and the keys that each one sets.
    Named(Ordered<Ordered<Value>>),
}

impl<'de> Deserialize<'de> for Axis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Axis;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of values, or names with the keys that each one sets")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Axis, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Axis::Values(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Axis, A::Error> {
                Ordered::from_map(map).map(Axis::Named)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// To its tables, which the comparison is made from.
    #[default]
    Measure,
    /// To figures and report of its own.
    Report,
}

impl Until {
    /// The command that goes as far.
    pub fn command(self) -> &'static str {
        match self {
            Self::Measure => "measure",
            Self::Report => "reproduce",
        }
    }

    /// The last stage.
    pub fn last(self) -> Last {
        match self {
            Self::Measure => Last::Measure,
            Self::Report => Last::Report,
        }
    }
}

/// Section `compare`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Compare {
    /// The axis along x. Default: the first; what else varies makes curves of their own.
    pub x: Option<String>,
    /// The classifiers that are compared. Default: all.
    pub classifiers: Option<Vec<String>>,
}

/// Section `slurm`: the resources of one run, in sbatch's own words.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Slurm {
    /// `--partition`.
    pub partition: Option<String>,
    /// `--account`.
    pub account: Option<String>,
    /// `--time`, such as `08:00:00`. A run that needs longer saves its state, and is put into the queue again.
    pub time: Option<String>,
    /// `--cpus-per-task`, and the threads of the run; where it is absent, one.
    pub cpus: Option<usize>,
    /// `--mem`, such as `8G`.
    pub memory: Option<String>,
    /// `--gpus`.
    pub gpus: Option<usize>,
    /// Runs that are computed at a time, at most.
    pub at_once: Option<usize>,
    /// Seconds before the end of its time at which a run saves its state.
    pub grace: u32,
    /// Further options of sbatch, as they are typed there.
    pub options: Vec<String>,
    /// Lines of shell before the program, such as `module load cuda`.
    pub setup: Vec<String>,
}

impl Default for Slurm {
    fn default() -> Self {
        Self {
            partition: None,
            account: None,
            time: None,
            cpus: None,
            memory: None,
            gpus: None,
            at_once: None,
            grace: 120,
            options: Vec::new(),
            setup: Vec::new(),
        }
    }
}

impl SweepFile {
    /// Reads a sweep file.
    ///
    /// # Errors
    /// When it cannot be read, or says something unknown; the message names file, line and what is allowed.
    pub fn read(path: &Path) -> Result<Self> {
        let text = included::read(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::IsADirectory => absent(path),
            _ => Error::io(path, "reading the sweep")(error),
        })?;
        if is_experiment(&text) {
            return Err(Error::Request(format!(
                "{0}: an experiment, expected a sweep; `biascam reproduce {0}` runs it",
                path.display()
            )));
        }
        Self::parse(&text, &path.display().to_string()).map_err(Error::Experiment)
    }

    /// Parses the text of a sweep file, which `place` names in messages.
    ///
    /// # Errors
    /// Everything that is wrong with it, with key and line.
    pub fn parse(text: &str, place: &str) -> Result<Self, Vec<Fault>> {
        yaml::parse(text, place)
    }
}

/// Whether a text is, or was meant to be, a sweep file and not an experiment.
#[must_use]
pub fn is_sweep(text: &str) -> bool {
    let said = yaml::parse::<Value>(text, "");
    said.is_ok_and(|said| {
        ["experiment", "axes", "runs", "seeds"]
            .iter()
            .any(|key| said.get(key).is_some())
    })
}

/// Whether a text is an experiment and not a sweep file.
fn is_experiment(text: &str) -> bool {
    let said = yaml::parse::<Value>(text, "");
    !is_sweep(text) && said.is_ok_and(|said| ["data", "extends"].iter().any(|key| said.get(key).is_some()))
}

/// JSON Schema of sweep files.
#[must_use]
pub fn schema() -> Value {
    yaml::schema_of::<SweepFile>()
}

/// How many sweeps a message names at most.
const NAMED: usize = 10;

/// What is said of a sweep file that is not there: the sweeps in the folder where it was looked for, and the program's own.
fn absent(path: &Path) -> Error {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let mut found = folder.map(sweeps_in).unwrap_or_default();
    let own = included::absent(path, Kind::Sweep);
    if found.is_empty() {
        return Error::Request(format!(
            "{own}; a sweep of one's own names an `experiment:` and what varies, as in `axes: {{training.epochs: [1, 2]}}`"
        ));
    }
    let more = if found.len() > NAMED { ", ..." } else { "" };
    found.truncate(NAMED);
    Error::Request(format!("{own}; as files there are {}{more}", found.join(", ")))
}

/// The sweep files in a folder, in the order of their names.
fn sweeps_in(folder: &Path) -> Vec<String> {
    // The path of a bare file name has an empty parent, which cannot be listed.
    let listed = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let Ok(entries) = std::fs::read_dir(listed) else {
        return Vec::new();
    };
    let is_sweep = |path: &Path| {
        path.extension().is_some_and(|extension| extension == "yaml")
            && disk::read_text(path).is_ok_and(|text| SweepFile::parse(&text, "").is_ok())
    };
    let mut found: Vec<String> = entries
        .filter_map(|entry| Some(folder.join(entry.ok()?.file_name())))
        .filter(|path| is_sweep(path))
        .map(|path| path.display().to_string())
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_kept_and_defaults_are_filled_in() {
        let text = "experiment: a.yaml\naxes:\n  training.loss: [euclidean, cross_entropy]\n  a.b: [1, 0.5]\n  net:\n    small: \
                    {model.width: 8}\n    large: {model.width: 64}\n";
        let file = SweepFile::parse(text, "s.yaml").expect("parses");
        let names: Vec<&str> = file.axes.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["training.loss", "a.b", "net"]);
        let Axis::Named(named) = &file.axes.0[2].1 else {
            panic!("{:?}", file.axes)
        };
        assert_eq!(named.0[0].0, "small");
        assert_eq!((file.seed_keys, file.until), (vec!["seed".to_owned()], Until::Measure));
    }

    #[test]
    fn faults_name_line_and_remedy() {
        for (text, expected) in [
            ("axes: {}\n", &["experiment", "missing"][..]),
            ("experiment: a\naxis: {}\n", &["axis", "axes"]),
            (
                "experiment: a\naxes:\n  seed: 3\n",
                &["s.yaml:3", "axes.seed: 3", "list of values"],
            ),
            ("experiment: a\naxes:\n  b: [1]\n  b: [2]\n", &["`b`", "twice"]),
            ("experiment: a\nslurm: {cpu: 3}\n", &["cpu", "cpus"]),
            ("experiment: a\nuntil: train\n", &["train", "measure", "report"]),
        ] {
            let message = SweepFile::parse(text, "s.yaml").expect_err(text)[0].to_string();
            for part in expected {
                assert!(message.contains(part), "{message:?} should contain {part:?}");
            }
        }
    }
}
