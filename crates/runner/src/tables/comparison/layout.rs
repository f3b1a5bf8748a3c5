//! The side-by-side tables: one row an attribute, ours and the published number of each quantity.

use render::sheet::{Cell, Column, Sheet, Unit};

use super::agreement::Agreement;
use super::number::{CAVEAT, Comparison};
use crate::tables::latex as tex;

/// (classifier, quantity): the columns, in the order of the comparison.
fn columns(comparison: &[Comparison]) -> Vec<(&str, &'static str)> {
    let mut columns = Vec::new();
    for one in comparison {
        let column = (one.classifier.as_str(), one.quantity);
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    // Errors before energies, as in the paper.
    columns.sort_by_key(|(_, quantity)| quantity.starts_with("energy"));
    columns
}

fn attributes(comparison: &[Comparison]) -> Vec<&str> {
    let mut attributes: Vec<&str> = Vec::new();
    for one in comparison {
        if attributes.last() != Some(&one.attribute.as_str()) {
            attributes.push(&one.attribute);
        }
    }
    attributes
}

fn find<'a>(
    comparison: &'a [Comparison],
    attribute: &str,
    (classifier, quantity): (&str, &str),
) -> Option<&'a Comparison> {
    comparison.iter().find(|one| {
        (one.attribute.as_str(), one.classifier.as_str(), one.quantity) == (attribute, classifier, quantity)
    })
}

/// A quantity's title.
pub(super) fn title(quantity: &str) -> &str {
    match quantity {
        "fnr" => "FNR",
        "fpr" => "FPR",
        "energy_predicted_positive" => "energy +",
        "energy_predicted_negative" => "energy -",
        other => other,
    }
}

/// What readers are shown: ours / published.
pub(super) fn short(comparison: &[Comparison]) -> Sheet {
    let columns = columns(comparison);
    let titles = columns
        .iter()
        .map(|(classifier, quantity)| Column::new(title(quantity), Unit::Share).under(*classifier));
    let row = |attribute: &str| {
        let cells = columns.iter().map(|&column| {
            find(comparison, attribute, column).map_or(Cell::Absent, |one| {
                Cell::number(Some(one.ours)).with_note(format!("/ {:.3}", one.published))
            })
        });
        std::iter::once(Cell::from(attribute)).chain(cells).collect()
    };
    Sheet {
        columns: std::iter::once(Column::new("attribute: ours / published", Unit::Text))
            .chain(titles)
            .collect(),
        rows: attributes(comparison).into_iter().map(row).collect(),
        ..Sheet::default()
    }
}

/// In LaTeX (booktabs), with means, mean absolute differences and rank correlations below.
pub(super) fn latex(comparison: &[Comparison], agreements: &[Agreement]) -> String {
    let columns = columns(comparison);
    let row = |name: &str, cells: Vec<String>| format!("{name} & {} \\\\", cells.join(" & "));
    let pair = |ours: String, published: String| format!("{ours} & {published}");
    let heads = |text: &dyn Fn((&str, &'static str)) -> String| -> Vec<String> {
        columns
            .iter()
            .map(|&column| format!("\\multicolumn{{2}}{{c}}{{{}}}", text(column)))
            .collect()
    };
    let mut lines = vec![
        "% Needs \\usepackage{booktabs}; sixteen numbers a row want a small font or a turned page.".to_owned(),
        format!("% {CAVEAT}"),
        format!("\\begin{{tabular}}{{l {}}}", "rr ".repeat(columns.len()).trim_end()),
        "\\toprule".to_owned(),
        row("", heads(&|(classifier, _)| tex::text(classifier))),
        row(
            "",
            heads(&|(_, quantity)| title(quantity).replace(" +", " $+$").replace(" -", " $-$")),
        ),
        row(
            "Attribute",
            columns
                .iter()
                .map(|_| pair("ours".to_owned(), "paper".to_owned()))
                .collect(),
        ),
        "\\midrule".to_owned(),
    ];
    for attribute in attributes(comparison) {
        let cells = columns.iter().map(|&column| match find(comparison, attribute, column) {
            Some(one) => pair(format!("{:.3}", one.ours), format!("{:.3}", one.published)),
            None => pair("--".to_owned(), "--".to_owned()),
        });
        lines.push(row(&tex::text(attribute), cells.collect()));
    }
    lines.push("\\midrule".to_owned());
    let of = |(classifier, quantity): (&str, &str)| {
        agreements
            .iter()
            .find(|one| (one.classifier.as_str(), one.quantity) == (classifier, quantity))
    };
    let summary = |cell: &dyn Fn(&Agreement) -> String| -> Vec<String> {
        let empty = || pair(String::new(), String::new());
        columns
            .iter()
            .map(|&column| of(column).map_or_else(empty, cell))
            .collect()
    };
    lines.push(row(
        "Mean",
        summary(&|one| pair(format!("{:.3}", one.means[0]), format!("{:.3}", one.means[1]))),
    ));
    let spanning = |text: String| format!("\\multicolumn{{2}}{{c}}{{{text}}}");
    lines.push(row(
        "Mean $|$difference$|$",
        summary(&|one| spanning(format!("{:.3}", one.mean_absolute_difference))),
    ));
    lines.push(row(
        "Rank correlation",
        summary(&|one| {
            spanning(
                one.rank_correlation
                    .map_or_else(|| "--".to_owned(), |value| format!("{value:+.2}")),
            )
        }),
    ));
    lines.extend(["\\bottomrule".to_owned(), "\\end{tabular}".to_owned(), String::new()]);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::comparison::agreements;

    fn comparison() -> Vec<Comparison> {
        let one = |attribute: &str, quantity, ours, published| Comparison {
            attribute: attribute.to_owned(),
            classifier: "balanced".to_owned(),
            quantity,
            ours,
            published,
        };
        vec![
            one("Big_Nose", "energy_predicted_positive", 0.5, 0.25),
            one("Big_Nose", "fnr", 0.125, 0.2),
            one("Bald", "fnr", 0.3, 0.4),
        ]
    }

    #[test]
    fn markdown_has_both_numbers_and_marks_what_is_absent() {
        let text = short(&comparison()).markdown();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[0].find("FNR") < lines[0].find("energy +"), "{text}");
        assert!(
            lines[2].contains("Big_Nose") && lines[2].contains("0.125 / 0.200") && lines[2].contains("0.500 / 0.250")
        );
        assert!(lines[3].contains("0.300 / 0.400") && lines[3].contains('–'), "{text}");
    }

    #[test]
    fn every_row_of_the_latex_table_has_as_many_columns() {
        let comparison = comparison();
        let text = latex(&comparison, &agreements(&comparison));
        for line in text.lines().filter(|line| line.ends_with("\\\\")) {
            let spans = line.matches("\\multicolumn{2}").count();
            assert_eq!(line.matches(" & ").count() + spans, 4, "{line}");
        }
        assert!(text.contains("Big Nose & 0.125 & 0.200 & 0.500 & 0.250 \\\\"), "{text}");
    }
}
