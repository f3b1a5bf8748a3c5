//! A run beside the paper's published numbers.

mod agreement;
mod layout;
mod number;
mod verdicts;

use metrics::Bootstrap;
use polars::error::PolarsResult;

pub use agreement::{Agreement, agreements};
pub use number::{CAVEAT, Comparison};

use crate::measured::Measured;
use crate::published::Published;
use pipeline::Columns;

/// How a run compares with the paper, in every form.
#[derive(Debug, Clone)]
pub struct Comparisons {
    /// Every number that both have.
    pub numbers: Vec<Comparison>,
    /// How well they agree, quantity by quantity.
    pub agreements: Vec<Agreement>,
    verdicts: Vec<verdicts::Pair>,
}

impl Comparisons {
    /// Compares a run with the paper.
    pub fn new(measured: &Measured, published: &Published, bootstrap: Bootstrap) -> Self {
        let numbers = Comparison::all(measured, published);
        Self {
            agreements: agreements(&numbers),
            verdicts: verdicts::pairs(measured, published, bootstrap),
            numbers,
        }
    }

    /// For the terminal: agreement and verdicts.
    pub fn text(&self) -> String {
        let verdicts = verdicts::text(&self.verdicts);
        [agreement::text(&self.agreements), verdicts, CAVEAT.to_owned()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Files of `tables/`: name and contents.
    ///
    /// # Errors
    /// polars' own.
    pub fn files(&self) -> PolarsResult<Vec<(&'static str, Vec<u8>)>> {
        Ok(vec![
            ("published.csv", table(&self.numbers).to_csv()?),
            ("published.parquet", table(&self.numbers).to_parquet()?),
            ("published.md", self.markdown().into_bytes()),
            (
                "published.tex",
                layout::latex(&self.numbers, &self.agreements).into_bytes(),
            ),
            ("published_agreement.csv", agreement::table(&self.agreements).to_csv()?),
            ("published_claims.csv", verdicts::table(&self.verdicts).to_csv()?),
        ])
    }

    fn markdown(&self) -> String {
        let parts = [
            layout::markdown(&self.numbers),
            agreement::markdown(&self.agreements),
            verdicts::markdown(&self.verdicts),
            format!("{CAVEAT}\n"),
        ];
        parts.join("\n")
    }
}

/// The comparison, one row a number.
fn table(comparison: &[Comparison]) -> Columns {
    let texts = |value: fn(&Comparison) -> &str| -> Vec<&str> { comparison.iter().map(value).collect() };
    let numbers =
        |value: fn(&Comparison) -> f64| -> Vec<Option<f64>> { comparison.iter().map(|one| Some(value(one))).collect() };
    Columns::default()
        .texts("attribute", &texts(|one| &one.attribute))
        .texts("classifier", &texts(|one| &one.classifier))
        .texts("quantity", &texts(|one| one.quantity))
        .doubles("ours", &numbers(|one| one.ours))
        .doubles("published", &numbers(|one| one.published))
        .doubles("difference", &numbers(|one| one.ours - one.published))
}
