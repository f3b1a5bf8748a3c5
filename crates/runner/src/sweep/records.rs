//! What the finished runs of a sweep measured, read from their tables.

use std::path::Path;

use metrics::{Class, Filter, MIN_SAMPLES};

use super::Plan;
use super::state::State;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::measured::Measure;
use crate::regions;
use pipeline::{self, ReadTable};

/// What is compared. Each is a number of one attribute, in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// Error among the test images of the minority class.
    MinorityError,
    /// Error among those of the majority class.
    MajorityError,
    /// Mean of the two.
    BalancedError,
    /// Mean proportional energy of the images predicted as the minority class.
    MinorityEnergy,
    /// The same for the majority class.
    MajorityEnergy,
    /// Mean of the two.
    BalancedEnergy,
    /// Bias reliance: constant part / mean score of the images predicted as the minority class.
    MinorityBias,
    /// The same for the majority class.
    MajorityBias,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::MinorityError,
        Self::MajorityError,
        Self::BalancedError,
        Self::MinorityEnergy,
        Self::MajorityEnergy,
        Self::BalancedEnergy,
        Self::MinorityBias,
        Self::MajorityBias,
    ];

    /// Whether it lies in [0, 1].
    pub fn is_share(self) -> bool {
        !matches!(self, Self::MinorityBias | Self::MajorityBias)
    }

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::MinorityError => "minority_error",
            Self::MajorityError => "majority_error",
            Self::BalancedError => "balanced_error",
            Self::MinorityEnergy => "minority_energy",
            Self::MajorityEnergy => "majority_energy",
            Self::BalancedEnergy => "balanced_energy",
            Self::MinorityBias => "minority_bias_reliance",
            Self::MajorityBias => "majority_bias_reliance",
        }
    }

    /// As a reader sees it.
    pub fn title(self) -> String {
        self.name().replace('_', " ")
    }

    /// Position in [`Self::ALL`] and in [`AttributeValues::values`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// What a run measured of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeValues {
    /// The attribute.
    pub name: String,
    /// Part of the image that its region covers: the energy of a map that knows nothing. Absent where no image had a region to measure.
    pub area: Option<f64>,
    /// One value a [`Quantity`]; absent where there were too few images, and energies where the region is not local.
    pub values: [Option<f64>; Quantity::ALL.len()],
}

/// What one point measured of one classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Position of the point in the plan.
    pub point: usize,
    /// The classifier.
    pub classifier: String,
    /// Its attributes, in the order of the paper's tables.
    pub attributes: Vec<AttributeValues>,
}

/// The classifiers of a run, each with its attributes.
type ByClassifier = Vec<(String, Vec<AttributeValues>)>;

/// Reads the tables of all finished runs, point by point.
///
/// # Errors
/// When a table of a finished run is damaged; the message names it.
pub fn read(plan: &Plan, states: &[State], sweep: &Path) -> Result<Vec<Record>> {
    let mut of_run: Vec<Option<ByClassifier>> = Vec::new();
    for (run, state) in plan.runs.iter().zip(states) {
        of_run.push(match state {
            State::Finished(_) => Some(run_values(&sweep.join(&run.name), &run.experiment, &plan.classifiers)?),
            _ => None,
        });
    }
    let mut records = Vec::new();
    for (position, point) in plan.points.iter().enumerate() {
        for (classifier, attributes) in of_run[point.run].iter().flatten() {
            records.push(Record {
                point: position,
                classifier: classifier.clone(),
                attributes: attributes.clone(),
            });
        }
    }
    Ok(records)
}

/// The values of a run's classifiers.
fn run_values(folder: &Path, experiment: &Experiment, chosen: &[String]) -> Result<ByClassifier> {
    let tables = folder.join("tables");
    let attributes = ReadTable::parquet(&tables.join("attributes.parquet"))?;
    let statistics = Long::read(
        &tables.join("statistics.parquet"),
        &["classifier", "attribute", "measure", "filter"],
    )?;
    let reliance = Long::read(
        &tables.join("bias_reliance.parquet"),
        &["classifier", "attribute", "predicted"],
    )?;
    let means = statistics.table.doubles("mean")?;
    let shares = reliance.table.doubles("constant_share")?;

    let names = attributes.texts("attribute")?;
    let minority = attributes.texts("minority")?;
    let areas = attributes.doubles("region_area")?;
    let regions = regions::load(experiment, &names)?;
    let mut all = Vec::new();
    for (classifier, _) in experiment.classifiers_in_order() {
        if !chosen.is_empty() && !chosen.iter().any(|name| name == classifier) {
            continue;
        }
        let column = |name: &str| attributes.doubles(&format!("{classifier}_{name}"));
        let errors = [
            column("minority_error")?,
            column("majority_error")?,
            column("balanced_error")?,
        ];
        let mut values = Vec::new();
        for (row, name) in names.iter().enumerate() {
            let rarer = if minority[row] == "positive" {
                Class::Positive
            } else {
                Class::Negative
            };
            let local = regions.is_local(row, areas[row]);
            let energy = |class: Class| {
                let filter = Filter::predicted(class).name();
                let row = statistics.row(&[classifier, name, Measure::Energy.name(), filter])?;
                means[row].filter(|_| local && statistics.counts[row] >= MIN_SAMPLES as i64)
            };
            let bias = |side: &str| {
                let row = reliance.row(&[classifier, name, side])?;
                shares[row].filter(|_| reliance.counts[row] >= MIN_SAMPLES as i64)
            };
            let (of_minority, of_majority) = (energy(rarer), energy(rarer.opposite()));
            values.push(AttributeValues {
                name: name.clone(),
                area: areas[row],
                values: [
                    errors[0][row],
                    errors[1][row],
                    errors[2][row],
                    of_minority,
                    of_majority,
                    of_minority.zip(of_majority).map(|(a, b)| (a + b) / 2.0),
                    bias("minority"),
                    bias("majority"),
                ],
            });
        }
        all.push((classifier.to_owned(), values));
    }
    Ok(all)
}

/// A long table with an index over its key columns.
struct Long {
    table: ReadTable,
    counts: Vec<i64>,
    rows: std::collections::HashMap<Vec<String>, usize>,
}

impl Long {
    fn read(path: &Path, keys: &[&str]) -> Result<Self> {
        let table = ReadTable::parquet(path)?;
        let columns: Vec<Vec<String>> = keys
            .iter()
            .map(|key| table.texts(key))
            .collect::<pipeline::Result<_>>()?;
        let rows: std::collections::HashMap<Vec<String>, usize> = (0..table.height())
            .map(|row| (columns.iter().map(|column| column[row].clone()).collect(), row))
            .collect();
        if rows.len() != table.height() {
            return Err(Error::artefact(path, "two rows have the same keys"));
        }
        Ok(Self {
            counts: table.integers("n")?,
            rows,
            table,
        })
    }

    fn row(&self, keys: &[&str]) -> Option<usize> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        self.rows.get(&keys).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_where_they_say() {
        for (position, quantity) in Quantity::ALL.into_iter().enumerate() {
            assert_eq!(quantity.index(), position);
        }
    }
}
