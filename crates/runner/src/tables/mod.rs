//! The tables of a run, as text, Markdown, LaTeX, CSV and Parquet.

mod bias_reliance;
mod claims;
mod comparison;
mod faithfulness;
mod latex;
mod occlusion;
mod paper;
mod statistics;
mod terminal;

pub use bias_reliance::text as bias_reliance;
pub use claims::verdicts;
pub use comparison::{Agreement, Comparison, Comparisons};
pub use faithfulness::text as faithfulness;
pub(crate) use latex::text as latex_text;
pub use paper::{summary, text};
pub(crate) use terminal::styled;
pub use terminal::terminal;

use metrics::Bootstrap;
use polars::error::PolarsResult;

use crate::measured::Measured;

/// The tables that `tables.tex` may show, with captions.
const LATEX: [(&str, &str); 5] = [
    (
        "attributes",
        "Error rates of the frontal test images, and mean proportional energy of those predicted positive ($+$) and negative ($-$). \
         Bold: the majority class of the training images.",
    ),
    (
        "bias_reliance",
        "Images predicted as the majority class: mean score, shares of the head's bias and of the constant part in it, and what the \
         attribute's region adds to it.",
    ),
    (
        "occlusion",
        "Images predicted as the majority class, in logits: mean score, what it loses with the attribute's region hidden, and what of \
         that is beyond the loss with an equal area elsewhere hidden.",
    ),
    (
        "faithfulness",
        "Whether the maps of some methods tell what the classifiers use: means over a sample of scores. The last two columns: rank \
         correlation of a map with itself after the head's weights, and all weights, were randomised.",
    ),
    ("published", "This run beside the published numbers."),
];

/// Every table of a results folder: file name in `tables/` and contents. `comparison` is there where the paper's numbers
/// apply.
///
/// # Errors
/// polars' own.
pub fn files(
    measured: &Measured,
    bootstrap: Bootstrap,
    comparison: Option<&Comparisons>,
) -> PolarsResult<Vec<(&'static str, Vec<u8>)>> {
    let mut files = vec![
        ("attributes.csv", paper::attributes(measured).to_csv()?),
        ("attributes.parquet", paper::attributes(measured).to_parquet()?),
        ("attributes.md", paper::markdown(measured).into_bytes()),
        ("attributes.tex", paper::latex(measured).into_bytes()),
        ("statistics.csv", statistics::statistics(measured).to_csv()?),
        ("statistics.parquet", statistics::statistics(measured).to_parquet()?),
        ("bias_reliance.csv", bias_reliance::table(measured).to_csv()?),
        ("bias_reliance.parquet", bias_reliance::table(measured).to_parquet()?),
        ("bias_reliance.md", bias_reliance::markdown(measured).into_bytes()),
        ("bias_reliance.tex", bias_reliance::latex(measured).into_bytes()),
        (
            "bias_reliance_differences.csv",
            bias_reliance::differences(measured, bootstrap).to_csv()?,
        ),
        ("claims.csv", claims::claims(measured).to_csv()?),
        ("claims.txt", format!("{}\n", verdicts(measured)).into_bytes()),
    ];
    if occlusion::is_there(measured) {
        files.extend([
            ("occlusion.csv", occlusion::table(measured).to_csv()?),
            ("occlusion.parquet", occlusion::table(measured).to_parquet()?),
            ("occlusion.md", occlusion::markdown(measured).into_bytes()),
            ("occlusion.tex", occlusion::latex(measured).into_bytes()),
        ]);
    }
    if measured.faithfulness.iter().any(Option::is_some) {
        files.extend([
            ("faithfulness.csv", faithfulness::table(measured).to_csv()?),
            ("faithfulness.parquet", faithfulness::table(measured).to_parquet()?),
            ("faithfulness.md", faithfulness::markdown(measured).into_bytes()),
            ("faithfulness.tex", faithfulness::latex(measured).into_bytes()),
            ("sanity.csv", faithfulness::sanity(measured).to_csv()?),
        ]);
    }
    if let Some(comparison) = comparison {
        files.extend(comparison.files()?);
    }
    let made = |name: &str| files.iter().any(|(file, _)| file.strip_suffix(".tex") == Some(name));
    let shown: Vec<_> = LATEX.into_iter().filter(|(name, _)| made(name)).collect();
    files.push(("tables.tex", latex::document(&shown).into_bytes()));
    Ok(files)
}
