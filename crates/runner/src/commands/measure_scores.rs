//! `biascam measure-scores`: error rates per class of scores made elsewhere, and how well they rank.

use std::path::PathBuf;

use clap::Args;
use metrics::{
    Bootstrap, Calibrated, Discrimination, ErrorRates, Estimate, People, Ranking, Ratios, error_rates, halves,
    table_order,
};

use super::scored::{Judging, Scored, ScoredAttribute};
use crate::error::Result;
use crate::output::print;
use render::sheet::{Cell, Column, Sheet, Unit};
use render::text::counted;

/// Which scores, and what is right.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Scores as CSV or Parquet: `image` and one column an attribute; a CSV without header has the attributes in the label
    /// file's order; Parquet may also be a run's predictions.parquet
    #[arg(long, value_name = "FILE")]
    pub scores: PathBuf,
    /// A label file in CelebA's format; or any table with yes and no in columns that are called as those of the scores, CSV or Parquet
    #[arg(long, value_name = "FILE")]
    pub labels: PathBuf,
    /// The label table's column of the images' names; without it the one called `image` or the like, else the first
    #[arg(long, value_name = "NAME")]
    pub image_column: Option<String>,
    /// The least score that counts as positive [default: 0, for logits; probabilities want 0.5]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub threshold: Option<f32>,
    /// Only these images, one name a line (extensions do not matter); of those without a score the number is said
    #[arg(long, value_name = "LIST")]
    pub images: Option<PathBuf>,
}

/// What is measured of an attribute.
struct Measures {
    rates: ErrorRates,
    ranking: Ranking,
    /// AUROC, average precision, d', Brier score and calibration error, with their intervals over images.
    sure: [Option<Estimate>; 5],
}

/// The numbers of a ranking. The threshold is that of the rates of d'; the others have none.
fn values(ranking: &Ranking, threshold: f32, weights: Option<&[f64]>) -> Result<[Option<f64>; 5]> {
    let told: Discrimination = ranking.discrimination_at(threshold, weights)?;
    let made: Calibrated = ranking.calibrated(weights)?;
    Ok([
        told.auroc,
        told.average_precision,
        told.d_prime,
        made.brier,
        made.calibration_error,
    ])
}

/// With more images intervals take minutes, and are narrower than what is printed.
const MOST_RESAMPLED: usize = 30_000;

/// Prints the error rates, and what no threshold decides.
///
/// # Errors
/// When a file cannot be read, or the scores do not belong to the labels.
pub fn run(arguments: &Arguments) -> Result<()> {
    let judging = Judging {
        labels: &arguments.labels,
        image_column: arguments.image_column.as_deref(),
        images: arguments.images.as_deref(),
        threshold: arguments.threshold,
    };
    let scored = Scored::read(&arguments.scores, judging)?;
    let halves = halves(&scored.images);
    let measure = |attribute: &ScoredAttribute| -> Result<Measures> {
        let ScoredAttribute { scores, labels, .. } = attribute;
        let ranking = Ranking::of(scores, labels, &halves)?;
        Ok(Measures {
            rates: error_rates(&scored.decisions(attribute), labels)?,
            sure: [None; 5],
            ranking,
        })
    };
    let mut measures = scored.attributes.iter().map(measure).collect::<Result<Vec<_>>>()?;
    let resamples = match scored.images.len() {
        0..=MOST_RESAMPLED => Bootstrap::default().resamples,
        _ => 0,
    };
    let bootstrap = Bootstrap {
        resamples,
        ..Bootstrap::default()
    };
    let resampled = Ratios::new(People::each_image(scored.images.len())).resample(bootstrap);
    let all = resampled.all_of_weights(|weights| {
        // Weights of images are never negative, and as many as there are images.
        let of = |one: &Measures| values(&one.ranking, scored.threshold, Some(weights)).unwrap_or_default();
        measures.iter().flat_map(of).collect()
    });
    for (one, sure) in measures.iter_mut().zip(all.chunks_exact(5)) {
        for (place, (into, value)) in one.sure.iter_mut().zip(sure).enumerate() {
            // All but d' are shares.
            *into = value.map(|value| if place == 2 { value } else { value.within(0.0, 1.0) });
        }
    }
    let names: Vec<&str> = scored
        .attributes
        .iter()
        .map(|attribute| attribute.name.as_str())
        .collect();
    let counts: Vec<(usize, usize)> = measures
        .iter()
        .map(|one| (one.rates.positives, one.rates.negatives))
        .collect();
    let order = table_order(&names, &counts);
    print(format_args!(
        "{}\n{}; a score of {} or more counts as positive\n\n{}\n{}",
        errors(&names, &measures, &order).terminal(),
        counted(scored.images.len(), "image"),
        scored.threshold,
        ranking(&names, &measures, &order).terminal(),
        NOTE
    ))
}

/// What the second table shows.
const NOTE: &str = "AUROC, AP (average precision): how well scores rank, at any threshold. d': the
two rates as a distance of normal distributions. Brier score and ECE (expected
calibration error) are of probabilities that an increasing map makes of scores;
it is fitted on one half of the images and measured on the other, and the other
way round. Brackets: 95 % intervals over images (BCa), of at most 30,000 images.
A dash: a class has no image, or none in one of the halves.";

fn errors(names: &[&str], measures: &[Measures], order: &[usize]) -> Sheet {
    let shares = ["FNR", "FPR", "error", "balanced error"].map(|title| Column::new(title, Unit::Number(4)));
    let counts = ["positives", "negatives"].map(|title| Column::new(title, Unit::Count));
    table(names, order, counts.into_iter().chain(shares), |index| {
        let rates = &measures[index].rates;
        vec![
            Cell::count(rates.positives),
            Cell::count(rates.negatives),
            Cell::number(rates.false_negative_rate()),
            Cell::number(rates.false_positive_rate()),
            Cell::number(rates.error()),
            Cell::number(rates.balanced_error()),
        ]
    })
}

fn ranking(names: &[&str], measures: &[Measures], order: &[usize]) -> Sheet {
    let columns = [("AUROC", 4), ("AP", 4), ("d'", 2), ("Brier", 4), ("ECE", 4)];
    let columns = columns.map(|(title, decimals)| Column::new(title, Unit::Number(decimals)));
    table(names, order, columns, |index| {
        let cell = |sure: Option<Estimate>| {
            let cell = Cell::number(sure.map(|sure| sure.value));
            match sure.and_then(|sure| sure.interval) {
                Some(ends) => cell.with_note(format!("[{:.2}, {:.2}]", ends.low, ends.high)),
                None => cell,
            }
        };
        measures[index].sure.map(cell).to_vec()
    })
}

/// One row an attribute.
fn table(
    names: &[&str],
    order: &[usize],
    columns: impl IntoIterator<Item = Column>,
    cells: impl Fn(usize) -> Vec<Cell>,
) -> Sheet {
    let row = |&index: &usize| std::iter::once(Cell::name(names[index])).chain(cells(index)).collect();
    Sheet {
        columns: std::iter::once(Column::new("attribute", Unit::Text))
            .chain(columns)
            .collect(),
        rows: order.iter().map(row).collect(),
        ..Sheet::default()
    }
}
