//! A run beside the paper's published numbers.

mod agreement;
mod layout;
mod number;
mod verdicts;

use metrics::{Bootstrap, Class, OperatingPoint, threshold_gain};

pub use agreement::{Agreement, agreements};
pub use number::{CAVEAT, PublishedNumber};

use crate::experiment::Role;
use crate::measured::Measured;
use crate::published::Published;
use crate::tables::table::Table;
use render::sheet::Sheet;

/// How a run compares with the paper, in every form.
#[derive(Debug, Clone)]
pub struct BesideThePaper {
    /// Every number that both have.
    pub numbers: Vec<PublishedNumber>,
    /// How well they agree, quantity by quantity.
    pub agreements: Vec<Agreement>,
    verdicts: Vec<verdicts::Pair>,
    /// What the published rates say of moved thresholds, in a sentence.
    by_thresholds: Option<String>,
}

/// How much of the paper's gain in errors its own rates would give to moved thresholds alone (`biascam audit --published`).
fn by_thresholds(measured: &Measured, published: &Published) -> Option<String> {
    let of = |name: &str, role: Role| {
        let rate = |class| published.error(name, Some(role), class);
        OperatingPoint::of(rate(Class::Positive)?, rate(Class::Negative)?)
    };
    let pairs: Vec<[OperatingPoint; 2]> = measured
        .attributes
        .iter()
        .filter_map(|attribute| {
            Some([
                of(&attribute.name, Role::Unbalanced)?,
                of(&attribute.name, Role::Balanced)?,
            ])
        })
        .collect();
    let share = threshold_gain(&pairs, Bootstrap { resamples: 0, seed: 0 })?.share?;
    Some(format!(
        "The published rates give {:.0} % of the paper's gain in balanced error to moved thresholds alone, if scores are normal (biascam audit --published).",
        100.0 * share
    ))
}

impl BesideThePaper {
    /// Compares a run with the paper.
    pub fn new(measured: &Measured, published: &Published) -> Self {
        let numbers = PublishedNumber::all(measured, published);
        Self {
            agreements: agreements(&numbers),
            verdicts: verdicts::pairs(measured, published),
            by_thresholds: by_thresholds(measured, published),
            numbers,
        }
    }

    /// For the terminal: agreement and verdicts.
    pub fn text(&self) -> String {
        let mut parts = vec![agreement::short(&self.agreements).terminal()];
        if !self.verdicts.is_empty() {
            parts.push(verdicts::short(&self.verdicts).terminal());
        }
        parts.extend(self.by_thresholds.clone());
        parts.push(CAVEAT.to_owned());
        parts.join("\n")
    }

    /// Its tables.
    pub(super) fn tables(&self) -> Vec<Table> {
        vec![
            Table {
                parquet: true,
                markdown: Some(self.markdown()),
                latex: Some(layout::side_by_side(&self.numbers, &self.agreements)),
                ..Table::new("published", table(&self.numbers))
            },
            Table::new("published_agreement", agreement::table(&self.agreements)),
            Table::new("published_claims", verdicts::table(&self.verdicts)),
        ]
    }

    fn markdown(&self) -> String {
        let parts = [
            format!("{}\n", layout::short(&self.numbers).markdown()),
            format!("{}\n", agreement::short(&self.agreements).markdown()),
            verdicts::markdown(&self.verdicts),
            format!("{CAVEAT}\n"),
        ];
        parts.join("\n")
    }
}

/// The comparison, one row a number.
fn table(comparison: &[PublishedNumber]) -> Sheet {
    let texts = |value: fn(&PublishedNumber) -> &str| -> Vec<&str> { comparison.iter().map(value).collect() };
    let numbers = |value: fn(&PublishedNumber) -> f64| -> Vec<Option<f64>> {
        comparison.iter().map(|one| Some(value(one))).collect()
    };
    Sheet::default()
        .texts("attribute", &texts(|one| &one.attribute))
        .texts("classifier", &texts(|one| &one.classifier))
        .texts("quantity", &texts(|one| one.quantity))
        .numbers("ours", &numbers(|one| one.ours))
        .numbers("published", &numbers(|one| one.published))
        .numbers("difference", &numbers(|one| one.ours - one.published))
}
