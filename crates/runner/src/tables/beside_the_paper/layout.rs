//! The side-by-side tables: one row an attribute, ours and the published number of each quantity.

use super::agreement::Agreement;
use super::number::{CAVEAT, PublishedNumber};
use render::sheet::{Cell, Column, Sheet, Unit};
use render::text::signed;

/// (classifier, quantity): the columns, in the order of the comparison.
fn columns(comparison: &[PublishedNumber]) -> Vec<(&str, &'static str)> {
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

fn attributes(comparison: &[PublishedNumber]) -> Vec<&str> {
    let mut attributes: Vec<&str> = Vec::new();
    for one in comparison {
        if attributes.last() != Some(&one.attribute.as_str()) {
            attributes.push(&one.attribute);
        }
    }
    attributes
}

fn find<'a>(
    comparison: &'a [PublishedNumber],
    attribute: &str,
    (classifier, quantity): (&str, &str),
) -> Option<&'a PublishedNumber> {
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
pub(super) fn short(comparison: &[PublishedNumber]) -> Sheet {
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

/// For papers: ours and the published number in columns of their own; below, means, mean absolute differences and rank correlations.
pub(super) fn side_by_side(comparison: &[PublishedNumber], agreements: &[Agreement]) -> Sheet {
    let columns = columns(comparison);
    let heads = columns.iter().flat_map(|(classifier, quantity)| {
        ["ours", "paper"].map(|side| Column::new(side, Unit::Share).under(title(quantity)).under(*classifier))
    });
    let row = |attribute: &str| {
        let cells = columns.iter().flat_map(|&column| {
            let found = find(comparison, attribute, column);
            [found.map(|one| one.ours), found.map(|one| one.published)].map(Cell::number)
        });
        std::iter::once(Cell::name(attribute)).chain(cells).collect()
    };
    let summary = |name: &str, cells: fn(&Agreement) -> [Cell; 2]| {
        let of = |&(classifier, quantity): &(&str, &str)| {
            let mut all = agreements.iter();
            all.find(|one| (one.classifier.as_str(), one.quantity) == (classifier, quantity))
                .map_or([Cell::Absent, Cell::Absent], cells)
        };
        std::iter::once(Cell::from(name))
            .chain(columns.iter().flat_map(of))
            .collect()
    };
    let summaries = [
        summary("Mean", |one| one.means.map(|mean| Cell::number(Some(mean)))),
        summary("Mean |difference|", |one| {
            [Cell::number(Some(one.mean_absolute_difference)), Cell::Spanned]
        }),
        summary("Rank correlation", |one| {
            let value = one.rank_correlation;
            [
                value.map_or(Cell::Absent, |value| Cell::from(signed(value, 2))),
                Cell::Spanned,
            ]
        }),
    ];
    Sheet {
        title: "This run beside the published numbers.".to_owned(),
        note: format!("So many numbers a row want a small font or a turned page.\n{CAVEAT}"),
        columns: std::iter::once(Column::new("Attribute", Unit::Text))
            .chain(heads)
            .collect(),
        summary: summaries.len(),
        rows: attributes(comparison).into_iter().map(row).chain(summaries).collect(),
        ..Sheet::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::beside_the_paper::agreements;

    fn comparison() -> Vec<PublishedNumber> {
        let one = |attribute: &str, quantity, ours, published| PublishedNumber {
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
    fn a_paper_s_table_has_both_numbers_in_columns_and_their_agreement_below() {
        let comparison = comparison();
        let text = side_by_side(&comparison, &agreements(&comparison)).latex();
        for part in [
            " & \\multicolumn{4}{c}{balanced} \\\\",
            " & \\multicolumn{2}{c}{FNR} & \\multicolumn{2}{c}{energy $+$} \\\\",
            "Big Nose & 0.125 & 0.200 & 0.500 & 0.250 \\\\",
            "Bald & 0.300 & 0.400 & -- & -- \\\\\n\\midrule\nMean & 0.212 & 0.300 & 0.500 & 0.250 \\\\",
            "Rank correlation & \\multicolumn{2}{c}{+1.00} & \\multicolumn{2}{c}{--} \\\\",
        ] {
            assert!(text.contains(part), "{part:?} is missing:\n{text}");
        }
    }
}
