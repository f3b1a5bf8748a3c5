//! The paper's table of an experiment, and its means.

use comfy_table::presets;
use metrics::{Class, Filter};

use super::latex;
use super::terminal::{TERMINAL, styled, terminal};
use crate::measured::{AttributeMeasures, ClassifierMeasures, Measure, Measured};
use crate::names::readable;
use pipeline::Columns;

/// A number of the paper's table: a share in [0, 1], absent when nothing was there to measure.
type Share = Option<f64>;

/// A column that the paper's table has for each classifier.
struct Column {
    name: &'static str,
    title: &'static str,
    /// Whose errors, or whose energies.
    class: Class,
    value: fn(&ClassifierMeasures) -> Share,
}

/// Those columns, in the paper's order: two error rates, two energies.
const COLUMNS: [Column; 4] = [
    Column {
        name: "fnr",
        title: "FNR",
        class: Class::Positive,
        value: |measures| measures.rates.false_negative_rate(),
    },
    Column {
        name: "fpr",
        title: "FPR",
        class: Class::Negative,
        value: |measures| measures.rates.false_positive_rate(),
    },
    Column {
        name: "energy_predicted_positive",
        title: "energy +",
        class: Class::Positive,
        value: |measures| mean(measures, Measure::Energy, Class::Positive),
    },
    Column {
        name: "energy_predicted_negative",
        title: "energy -",
        class: Class::Negative,
        value: |measures| mean(measures, Measure::Energy, Class::Negative),
    },
];

fn mean(measures: &ClassifierMeasures, measure: Measure, class: Class) -> Share {
    measures
        .statistics(measure, Filter::predicted(class))
        .map(|statistics| statistics.mean)
}

/// One row of the paper's table: a cell for each classifier and column, and whether it is the majority class's.
fn cells(measured: &Measured, attribute: &AttributeMeasures) -> Vec<(Share, bool)> {
    // The paper groups by quantity first: error rates of all classifiers, then energies of all classifiers.
    [0..2, 2..4]
        .into_iter()
        .flat_map(|columns| {
            (0..measured.classifiers.len())
                .flat_map(move |classifier| columns.clone().map(move |column| (classifier, column)))
        })
        .map(|(classifier, column)| {
            let column = &COLUMNS[column];
            (
                (column.value)(&attribute.classifiers[classifier]),
                column.class != attribute.minority(),
            )
        })
        .collect()
}

/// The column heads that belong to [`cells`].
fn heads(measured: &Measured, separator: &str) -> Vec<String> {
    [0..2, 2..4]
        .into_iter()
        .flat_map(|columns| {
            measured.classifiers.iter().flat_map(move |classifier| {
                columns
                    .clone()
                    .map(move |column| format!("{classifier}{separator}{}", COLUMNS[column].title))
            })
        })
        .collect()
}

fn number(value: Share) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// The table for the terminal.
pub fn text(measured: &Measured) -> String {
    text_table(measured, false)
}

/// The table in Markdown.
pub fn markdown(measured: &Measured) -> String {
    text_table(measured, true)
}

fn text_table(measured: &Measured, markdown: bool) -> String {
    let head = ["attribute", "positive"].map(str::to_owned).into_iter();
    let head = head.chain(heads(measured, if markdown { " " } else { "\n" })).collect();
    let rows = measured.attributes.iter().map(|attribute| {
        let cells = cells(measured, attribute)
            .into_iter()
            .map(|(value, majority)| match (majority, markdown) {
                (true, true) if value.is_some() => format!("**{}**", number(value)),
                (true, false) if value.is_some() => format!("{}*", number(value)),
                (_, true) => number(value),
                (_, false) => format!("{} ", number(value)),
            });
        let name = if markdown {
            readable(&attribute.name)
        } else {
            attribute.name.clone()
        };
        let start = [name, number(attribute.positive_rate())];
        start.into_iter().chain(cells).collect()
    });
    styled(if markdown { presets::ASCII_MARKDOWN } else { TERMINAL }, head, rows)
}

/// The table in LaTeX (booktabs), the majority class's numbers marked as in the paper.
pub fn latex(measured: &Measured) -> String {
    let classifiers = measured.classifiers.len();
    let groups: Vec<String> = ["Error rate", "Mean energy"]
        .map(|group| format!("\\multicolumn{{{}}}{{c}}{{{group}}}", 2 * classifiers))
        .to_vec();
    let names: Vec<String> = measured
        .classifiers
        .iter()
        .map(|name| format!("\\multicolumn{{2}}{{c}}{{{}}}", latex::text(name)))
        .collect();
    let rules = |each: usize, count: usize| -> String {
        let rule = |i: usize| format!("\\cmidrule(lr){{{}-{}}}", 3 + each * i, 2 + each * (i + 1));
        (0..count).map(rule).collect::<Vec<_>>().join(" ")
    };
    let signs = ["FNR & FPR"; 1]
        .repeat(classifiers)
        .into_iter()
        .chain(["$+$ & $-$"; 1].repeat(classifiers));
    let mut lines = vec![
        "% Needs \\usepackage{booktabs}. \\majority marks the numbers of each attribute's majority class of the training images."
            .to_owned(),
        latex::MAJORITY.to_owned(),
        format!("\\begin{{tabular}}{{@{{}}l r{}@{{}}}}", " rr".repeat(2 * classifiers)),
        "\\toprule".to_owned(),
        format!(" & & {} \\\\", groups.join(" & ")),
        rules(2 * classifiers, 2),
        format!(" & & {} \\\\", [names.join(" & "), names.join(" & ")].join(" & ")),
        rules(2, 2 * classifiers),
        format!("Attribute & Positive & {} \\\\", signs.collect::<Vec<_>>().join(" & ")),
        "\\midrule".to_owned(),
    ];
    for attribute in &measured.attributes {
        let cells = cells(measured, attribute).into_iter().map(|(value, majority)| {
            let number = latex::number(value);
            if majority && value.is_some() {
                format!("\\majority{{{number}}}")
            } else {
                number
            }
        });
        lines.push(format!(
            "{} & {} & {} \\\\",
            latex::text(&attribute.name),
            attribute
                .positive_rate()
                .map_or_else(|| "--".to_owned(), |rate| format!("{rate:.3}")),
            cells.collect::<Vec<_>>().join(" & ")
        ));
    }
    lines.extend(["\\bottomrule".to_owned(), "\\end{tabular}".to_owned(), String::new()]);
    lines.join("\n")
}

/// The table's numbers, one row an attribute; `*_paper` are energies by the paper's convention, where a map without energy
/// and a group without images count as 0.
pub fn attributes(measured: &Measured) -> Columns {
    let column =
        |value: &dyn Fn(&AttributeMeasures) -> Share| -> Vec<Share> { measured.attributes.iter().map(value).collect() };
    let names: Vec<&str> = measured
        .attributes
        .iter()
        .map(|attribute| attribute.name.as_str())
        .collect();
    let minority: Vec<&str> = measured
        .attributes
        .iter()
        .map(|attribute| {
            if attribute.minority() == Class::Positive {
                "positive"
            } else {
                "negative"
            }
        })
        .collect();
    let mut table = Columns::default()
        .texts("attribute", &names)
        .texts("minority", &minority)
        .doubles("train_positive_rate", &column(&AttributeMeasures::positive_rate))
        .doubles("region_area", &column(&|attribute| attribute.area));
    for (index, classifier) in measured.classifiers.iter().enumerate() {
        for Column { name, value, .. } in COLUMNS {
            table = table.doubles(
                &format!("{classifier}_{name}"),
                &column(&|attribute| value(&attribute.classifiers[index])),
            );
        }
        for (name, minority) in [("minority", true), ("majority", false)] {
            table = table.doubles(
                &format!("{classifier}_{name}_error"),
                &column(&|attribute| attribute.classifiers[index].rates.rate(attribute.class(minority))),
            );
        }
        table = table
            .doubles(
                &format!("{classifier}_error"),
                &column(&|attribute| attribute.classifiers[index].rates.error()),
            )
            .doubles(
                &format!("{classifier}_balanced_error"),
                &column(&|attribute| attribute.classifiers[index].rates.balanced_error()),
            );
        for (name, class) in [("positive", Class::Positive), ("negative", Class::Negative)] {
            table = table.doubles(
                &format!("{classifier}_energy_predicted_{name}_paper"),
                &column(&|attribute| {
                    Some(mean(&attribute.classifiers[index], Measure::EnergyPaper, class).unwrap_or(0.0))
                }),
            );
        }
        let empty: Vec<i64> = measured
            .attributes
            .iter()
            .map(|attribute| attribute.classifiers[index].empty_maps as i64)
            .collect();
        table = table.integers(&format!("{classifier}_maps_without_energy"), &empty);
    }
    table
}

/// The errors and energies of each classifier, averaged over attributes: one line a classifier.
pub fn summary(measured: &Measured) -> String {
    let head = [
        "mean over attributes",
        "minority error",
        "majority error",
        "minority energy",
        "majority energy",
    ];
    let rows = measured.classifiers.iter().enumerate().map(|(index, classifier)| {
        let mean = |values: Vec<f64>| {
            let n = values.len();
            if n == 0 {
                "–".to_owned()
            } else {
                format!("{:.3} ({n})", values.iter().sum::<f64>() / n as f64)
            }
        };
        let errors = |minority: bool| {
            let rate =
                |attribute: &AttributeMeasures| attribute.classifiers[index].rates.rate(attribute.class(minority));
            mean(measured.attributes.iter().filter_map(rate).collect())
        };
        let energies = |minority: bool| {
            let energy = |attribute: &AttributeMeasures| {
                Some(attribute.classifiers[index].energy(attribute.class(minority))?.mean)
            };
            mean(
                measured
                    .attributes
                    .iter()
                    .filter(|attribute| attribute.local)
                    .filter_map(energy)
                    .collect(),
            )
        };
        vec![
            classifier.clone(),
            errors(true),
            errors(false),
            energies(true),
            energies(false),
        ]
    });
    format!(
        "{}\nIn brackets: attributes behind the mean. Energies: attributes with a local region and at least one such prediction.",
        terminal(head.map(str::to_owned).to_vec(), rows)
    )
}
