//! The files of `tables/`.

use metrics::Bootstrap;

use super::comparison::Comparisons;
use super::table::Table;
use super::{bias_reliance, claims, faithfulness, latex, occlusion, paper, statistics};
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

/// Every table of a run. `comparison` is there where the paper's numbers apply.
fn tables(measured: &Measured, bootstrap: Bootstrap, comparison: Option<&Comparisons>) -> Vec<Table> {
    let mut tables = vec![
        Table {
            parquet: true,
            markdown: Some(paper::short(measured).markdown()),
            latex: Some(paper::latex(measured)),
            ..Table::new("attributes", paper::attributes(measured))
        },
        Table {
            parquet: true,
            ..Table::new("statistics", statistics::statistics(measured))
        },
        Table {
            parquet: true,
            markdown: Some(bias_reliance::short(measured).markdown()),
            latex: Some(bias_reliance::latex(measured)),
            ..Table::new("bias_reliance", bias_reliance::table(measured))
        },
        Table::new(
            "bias_reliance_differences",
            bias_reliance::differences(measured, bootstrap),
        ),
        Table::new("claims", claims::claims(measured)),
    ];
    if occlusion::is_there(measured) {
        tables.push(Table {
            parquet: true,
            markdown: Some(occlusion::short(measured).markdown()),
            latex: Some(occlusion::latex(measured)),
            ..Table::new("occlusion", occlusion::table(measured))
        });
    }
    if measured.faithfulness.iter().any(Option::is_some) {
        tables.push(Table {
            parquet: true,
            markdown: Some(faithfulness::short(measured).markdown()),
            latex: Some(faithfulness::latex(measured)),
            ..Table::new("faithfulness", faithfulness::table(measured))
        });
        tables.push(Table::new("sanity", faithfulness::sanity(measured)));
    }
    tables.extend(comparison.into_iter().flat_map(Comparisons::tables));
    tables
}

/// Every file: name in `tables/` and contents.
///
/// # Errors
/// When a table has two columns of one title.
pub fn files(
    measured: &Measured,
    bootstrap: Bootstrap,
    comparison: Option<&Comparisons>,
) -> render::Result<Vec<(String, Vec<u8>)>> {
    let tables = tables(measured, bootstrap, comparison);
    let in_latex = |name: &str| tables.iter().any(|table| table.name == name && table.latex.is_some());
    let shown: Vec<_> = LATEX.into_iter().filter(|(name, _)| in_latex(name)).collect();
    let document = latex::document(&shown);
    let mut files = Vec::new();
    for table in tables {
        files.extend(table.files()?);
    }
    files.push((
        "claims.txt".to_owned(),
        format!("{}\n", claims::verdicts(measured)).into_bytes(),
    ));
    files.push(("tables.tex".to_owned(), document.into_bytes()));
    Ok(files)
}
