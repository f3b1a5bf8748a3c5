//! The files of `tables/`.

use super::beside_the_paper::BesideThePaper;
use super::table::Table;
use super::{
    bias_reliance, claims, decomposition, faithfulness, interventions, locality, occlusion, paper, statistics,
    subgroups,
};
use crate::measured::Measured;
use render::sheet::{Sheet, latex_document};

/// What names the rows where a caption says which images they are of.
const ROWS: &str = "Attribute";

/// Every table of a run; `images` is what the scored ones are called. `comparison` is there where the paper's numbers apply.
fn tables(measured: &Measured, images: &str, comparison: Option<&BesideThePaper>) -> Vec<Table> {
    // Derived classifiers are in the long tables, and not where space is short.
    let learnt = &measured.learnt();
    let short = bias_reliance::short(learnt);
    let mut tables = vec![
        Table {
            parquet: true,
            markdown: Some(paper::short(learnt).markdown()),
            latex: Some(paper::halves(learnt, images)),
            ..Table::new("attributes", paper::attributes(measured))
        },
        Table {
            parquet: true,
            ..Table::new("statistics", statistics::statistics(measured))
        },
        Table {
            parquet: true,
            markdown: Some(short.markdown()),
            latex: Some(short.rows_titled(ROWS)),
            ..Table::new("bias_reliance", bias_reliance::table(measured))
        },
        Table::new("bias_reliance_differences", bias_reliance::differences(measured)),
        Table {
            parquet: true,
            ..Table::new("claims", claims::claims(measured))
        },
    ];
    if occlusion::is_there(measured) {
        let short = occlusion::short(learnt);
        tables.push(Table {
            parquet: true,
            markdown: Some(short.markdown()),
            latex: Some(short.rows_titled(ROWS)),
            ..Table::new("occlusion", occlusion::table(measured))
        });
    }
    if locality::is_there(measured) {
        let short = locality::short(measured);
        tables.push(Table {
            parquet: true,
            markdown: Some(short.markdown()),
            latex: Some(short),
            ..Table::new("locality", locality::table(measured))
        });
    }
    if interventions::is_there(measured) {
        let short = interventions::short(&interventions::shown(measured));
        tables.push(Table {
            parquet: true,
            markdown: Some(short.markdown()),
            latex: Some(short.rows_titled(ROWS)),
            ..Table::new("interventions", interventions::table(measured))
        });
        tables.push(Table {
            parquet: true,
            ..Table::new("cross_effects", interventions::cross_effects(measured))
        });
    }
    if measured.faithfulness.iter().any(Option::is_some) {
        let short = faithfulness::short(measured);
        tables.push(Table {
            parquet: true,
            markdown: Some(short.markdown()),
            latex: Some(short),
            ..Table::new("faithfulness", faithfulness::table(measured))
        });
        tables.push(Table::new("sanity", faithfulness::sanity(measured)));
    }
    if !measured.subgroups.is_empty() {
        tables.push(Table {
            parquet: true,
            ..Table::new("subgroups", subgroups::table(measured))
        });
    }
    if let Some(decomposed) = &measured.decomposition {
        let short = decomposition::short(decomposed);
        tables.push(Table {
            parquet: true,
            markdown: Some(short.markdown()),
            latex: Some(short),
            ..Table::new("decomposition", decomposition::table(decomposed))
        });
    }
    tables.extend(comparison.into_iter().flat_map(BesideThePaper::tables));
    tables
}

/// Every file: name in `tables/` and contents. `images` is what the scored images are called in captions.
///
/// # Errors
/// When a table has two columns of one title.
pub fn files(
    measured: &Measured,
    images: &str,
    comparison: Option<&BesideThePaper>,
) -> render::Result<Vec<(String, Vec<u8>)>> {
    let tables = tables(measured, images, comparison);
    let in_latex = tables
        .iter()
        .filter_map(|table| Some((table.name, table.latex.as_ref()?)));
    let document = latex_document(&in_latex.collect::<Vec<(&str, &Sheet)>>());
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

#[cfg(test)]
mod tests {
    use metrics::{Bootstrap, ErrorRates, Statistics};

    use super::*;
    use crate::experiment::Role;
    use crate::measured::{AttributeMeasures, ClassifierMeasures, Faithfulness, MethodScores, SCORES, Summary};
    use crate::published::Published;

    const BOOTSTRAP: Bootstrap = Bootstrap { resamples: 10, seed: 1 };

    /// So many attributes, with errors and without maps; some names are hard to set, and some the paper's.
    fn measured(count: usize, classifiers: &[&str]) -> Measured {
        let names = ["5_o_Clock_Shadow", "Salt & Pepper 50%", "Bald", "\"<|>\"", "Élan"];
        let attribute = |index: usize| AttributeMeasures {
            name: match names.get(index) {
                Some(&name) => name.to_owned(),
                None => format!("{} {index}", names[index % names.len()]),
            },
            counts: (index + 1, 2 * count - index),
            local: true,
            area: Some(0.1),
            classifiers: classifiers
                .iter()
                .map(|_| {
                    ClassifierMeasures::of_rates(ErrorRates {
                        positives: usize::from(index != 2) * 10,
                        negatives: 100,
                        false_negatives: usize::from(index != 2) * (index % 10),
                        false_positives: index,
                    })
                })
                .collect(),
        };
        let statistics = Statistics::of(&[-0.5, 0.25], BOOTSTRAP);
        let method = |name: &str| MethodScores {
            method: name.to_owned(),
            scores: vec![
                statistics.map(|statistics| Summary {
                    statistics,
                    over_random: None,
                    over_mean: None,
                });
                SCORES.len()
            ],
            similarity: vec![statistics, None],
        };
        let tried = Faithfulness {
            methods: ["hires_cam", "grad_cam_plus_plus"].map(method).to_vec(),
            depths: ["fc", "conv1"].map(str::to_owned).to_vec(),
        };
        let roles = [Role::Unbalanced, Role::Balanced].into_iter().map(Some);
        Measured {
            classifiers: classifiers.iter().map(|name| (*name).to_owned()).collect(),
            roles: roles.chain(std::iter::repeat(None)).take(classifiers.len()).collect(),
            attributes: (0..count).map(attribute).collect(),
            findings: Vec::new(),
            faithfulness: vec![Some(tried); classifiers.len()],
            derived: vec![false; classifiers.len()],
            unbalanced_moved: None,
            decomposition: None,
            differences: Vec::new(),
            correlations: Vec::new(),
            subgroups: Vec::new(),
            cross_effects: Vec::new(),
            locality: Vec::new(),
        }
    }

    #[test]
    fn tables_compile_in_latex() {
        let published = Published::load().expect("the paper's numbers");
        for (count, classifiers) in [
            (1, &["balanced"][..]),
            (3, &["unbalanced", "balanced"]),
            (40, &["unbalanced", "balanced", "inverse_frequency", "half"]),
        ] {
            let measured = measured(count, classifiers);
            let comparison = BesideThePaper::new(&measured, &published);
            let files = files(&measured, "test images", Some(&comparison)).expect("tables");
            let text = |name: &str| {
                let (_, bytes) = files.iter().find(|(file, _)| *file == name).expect(name);
                String::from_utf8(bytes.clone()).expect("text")
            };
            assert!(text("attributes.tex").contains("5 o'Clock Shadow"));
            assert!(text("attributes.tex").contains("Error rates of the test images, and"));
            // Where a class has no sample, a dash.
            assert!(text("attributes.tex").contains("--"));
            for name in ["attributes", "bias_reliance", "faithfulness", "published"] {
                assert!(text("tables.tex").contains(&format!("\\tablefile{{{name}}}")), "{name}");
            }
            let folder = tempfile::tempdir().expect("a temporary folder");
            for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".tex")) {
                std::fs::write(folder.path().join(name), bytes).expect("written");
            }
            let Some(log) = testing::pdflatex(folder.path(), "tables.tex") else {
                continue;
            };
            assert!(
                !log.contains("Overfull \\hbox"),
                "a table is wider than the page: {log}"
            );
            if let Some(gallery) = std::env::var_os("BIASCAM_GALLERY") {
                let path = std::path::Path::new(&gallery).join(format!("tables-{count}.pdf"));
                std::fs::copy(folder.path().join("tables.pdf"), path).expect("copied");
            }
        }
    }
}
