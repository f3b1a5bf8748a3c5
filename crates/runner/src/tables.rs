//! The paper's table of an experiment, as text, Markdown, LaTeX, CSV and Parquet; and the verdicts on the paper's claims.

use comfy_table::{CellAlignment, LineStyle, Table as TextTable, TableStyle, presets};
use metrics::{Class, Filter, Verdict};
use polars::error::PolarsResult;

use crate::frames::Table;
use crate::measured::{AttributeMeasures, ClassifierMeasures, Measure, Measured};

/// How tables look on the terminal: lines above, below the head, and at the end.
const TERMINAL: TableStyle = TableStyle::new()
    .top_border(LineStyle::new('─', '─', '─', '─'))
    .header_separator(LineStyle::new('─', '─', '─', '─'))
    .bottom_border(LineStyle::new('─', '─', '─', '─'));

/// A table for the terminal, its columns after the first to the right.
pub fn terminal(head: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    styled(TERMINAL, head, rows)
}

fn styled(style: TableStyle, head: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = TextTable::new();
    table.load_style(style).set_header(head).add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

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

/// One row of the paper's table: a cell for each classifier and column, and whether it is the minority class's.
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
                column.class == attribute.minority(),
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
            .map(|(value, minority)| match (minority, markdown) {
                (true, true) if value.is_some() => format!("**{}**", number(value)),
                (true, false) if value.is_some() => format!("{}*", number(value)),
                (_, true) => number(value),
                (_, false) => format!("{} ", number(value)),
            });
        let start = [attribute.name.clone(), format!("{:.3}", attribute.positive_rate())];
        start.into_iter().chain(cells).collect()
    });
    styled(if markdown { presets::ASCII_MARKDOWN } else { TERMINAL }, head, rows)
}

/// The table in LaTeX (booktabs), the minority class's numbers in bold as in the paper.
pub fn latex(measured: &Measured) -> String {
    let classifiers = measured.classifiers.len();
    let groups: Vec<String> = ["errors", "energy"]
        .iter()
        .flat_map(|group| {
            measured
                .classifiers
                .iter()
                .map(move |name| format!("{} {group}", latex_text(name)))
        })
        .collect();
    let rules: Vec<String> = (0..groups.len())
        .map(|i| format!("\\cmidrule(lr){{{}-{}}}", 3 + 2 * i, 4 + 2 * i))
        .collect();
    let signs = ["FNR & FPR"; 1]
        .repeat(classifiers)
        .into_iter()
        .chain(["$+$ & $-$"; 1].repeat(classifiers));
    let mut lines = vec![
        "% Needs \\usepackage{booktabs}. Bold: the minority class of the training images.".to_owned(),
        format!("\\begin{{tabular}}{{l r {}}}", "rr ".repeat(2 * classifiers).trim_end()),
        "\\toprule".to_owned(),
        format!(
            " & & {} \\\\",
            groups
                .iter()
                .map(|group| format!("\\multicolumn{{2}}{{c}}{{{group}}}"))
                .collect::<Vec<_>>()
                .join(" & ")
        ),
        rules.join(" "),
        format!("Attribute & Positive & {} \\\\", signs.collect::<Vec<_>>().join(" & ")),
        "\\midrule".to_owned(),
    ];
    for attribute in &measured.attributes {
        let cells = cells(measured, attribute)
            .into_iter()
            .map(|(value, minority)| match value {
                None => "--".to_owned(),
                Some(value) if minority => format!("\\textbf{{{value:.3}}}"),
                Some(value) => format!("{value:.3}"),
            });
        lines.push(format!(
            "{} & {:.3} & {} \\\\",
            latex_text(&attribute.name),
            attribute.positive_rate(),
            cells.collect::<Vec<_>>().join(" & ")
        ));
    }
    lines.extend(["\\bottomrule".to_owned(), "\\end{tabular}".to_owned(), String::new()]);
    lines.join("\n")
}

/// A name as LaTeX prints it: underscores become spaces, special characters are escaped.
fn latex_text(name: &str) -> String {
    name.chars()
        .map(|character| match character {
            '_' => " ".to_owned(),
            '&' | '%' | '$' | '#' | '{' | '}' => format!("\\{character}"),
            '\\' => "\\textbackslash{}".to_owned(),
            '~' => "\\textasciitilde{}".to_owned(),
            '^' => "\\textasciicircum{}".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

/// The table's numbers, one row an attribute; `*_paper` are energies by the paper's convention, where a map without energy
/// and a group without images count as 0.
pub fn attributes(measured: &Measured) -> Table {
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
    let mut table = Table::default()
        .texts("attribute", &names)
        .texts("minority", &minority)
        .doubles(
            "train_positive_rate",
            &column(&|attribute| Some(attribute.positive_rate())),
        )
        .doubles("region_area", &column(&|attribute| Some(attribute.area)));
    for (index, classifier) in measured.classifiers.iter().enumerate() {
        for Column { name, value, .. } in COLUMNS {
            table = table.doubles(
                &format!("{classifier}_{name}"),
                &column(&|attribute| value(&attribute.classifiers[index])),
            );
        }
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

/// Every statistic: one row for each classifier, attribute, measure and filter; an empty group has n = 0 and no mean.
pub fn statistics(measured: &Measured) -> Table {
    let rows: Vec<_> = measured
        .classifiers
        .iter()
        .enumerate()
        .flat_map(|(index, classifier)| {
            measured.attributes.iter().flat_map(move |attribute| {
                attribute.classifiers[index]
                    .groups
                    .iter()
                    .map(move |group| (classifier, &attribute.name, group))
            })
        })
        .collect();
    let texts = |value: fn(&(&String, &String, &crate::measured::Group)) -> String| -> Vec<String> {
        rows.iter().map(value).collect()
    };
    let numbers = |value: fn(&metrics::Statistics) -> Share| -> Vec<Share> {
        rows.iter()
            .map(|(_, _, group)| group.statistics.as_ref().and_then(value))
            .collect()
    };
    let counts: Vec<i64> = rows
        .iter()
        .map(|(_, _, group)| group.statistics.map_or(0, |statistics| statistics.n as i64))
        .collect();
    Table::default()
        .texts("classifier", &texts(|row| row.0.clone()))
        .texts("attribute", &texts(|row| row.1.clone()))
        .texts("measure", &texts(|row| row.2.measure.name().to_owned()))
        .texts("filter", &texts(|row| row.2.filter.name().to_owned()))
        .integers("n", &counts)
        .doubles("mean", &numbers(|statistics| Some(statistics.mean)))
        .doubles("deviation", &numbers(|statistics| Some(statistics.deviation)))
        .doubles(
            "low",
            &numbers(|statistics| statistics.interval.map(|interval| interval.low)),
        )
        .doubles(
            "high",
            &numbers(|statistics| statistics.interval.map(|interval| interval.high)),
        )
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

/// The verdicts on the paper's claims, in words and numbers.
pub fn verdicts(measured: &Measured) -> String {
    if measured.findings.is_empty() {
        return "No verdicts: the claims compare a classifier `unbalanced` with one `balanced`.".to_owned();
    }
    let mut lines = vec!["The paper's claims, as measured in this run:".to_owned()];
    for finding in &measured.findings {
        lines.push(format!(
            "  {:13} {}.",
            finding.verdict.to_string().to_uppercase(),
            finding.claim.statement()
        ));
        lines.push(format!("  {:13} {finding}", ""));
    }
    lines.push(format!("  Rule. {}", Verdict::RULE));
    lines.join("\n")
}

/// The verdicts as a table.
pub fn claims(measured: &Measured) -> Table {
    let findings = &measured.findings;
    let interval = |high: bool| -> Vec<Share> {
        findings
            .iter()
            .map(|f| f.interval.map(|i| if high { i.high } else { i.low }))
            .collect()
    };
    let counts = |value: fn(&metrics::Finding) -> usize| -> Vec<i64> {
        findings.iter().map(|finding| value(finding) as i64).collect()
    };
    Table::default()
        .texts(
            "claim",
            &findings.iter().map(|finding| finding.claim.name()).collect::<Vec<_>>(),
        )
        .texts(
            "verdict",
            &findings
                .iter()
                .map(|finding| finding.verdict.to_string())
                .collect::<Vec<_>>(),
        )
        .doubles(
            "effect",
            &findings.iter().map(|finding| finding.effect).collect::<Vec<_>>(),
        )
        .doubles("low", &interval(false))
        .doubles("high", &interval(true))
        .doubles(
            "supporting",
            &findings
                .iter()
                .map(|f| f.supporting.map(|n| n as f64))
                .collect::<Vec<_>>(),
        )
        .integers("attributes", &counts(|finding| finding.attributes))
        .integers("left_out", &counts(|finding| finding.left_out))
        .integers("samples", &counts(|finding| finding.samples))
}

/// Every table of a results folder: file name in `tables/` and contents.
///
/// # Errors
/// polars' own.
pub fn files(measured: &Measured) -> PolarsResult<Vec<(&'static str, Vec<u8>)>> {
    Ok(vec![
        ("attributes.csv", attributes(measured).to_csv()?),
        ("attributes.parquet", attributes(measured).to_parquet()?),
        ("attributes.md", markdown(measured).into_bytes()),
        ("attributes.tex", latex(measured).into_bytes()),
        ("statistics.csv", statistics(measured).to_csv()?),
        ("statistics.parquet", statistics(measured).to_parquet()?),
        ("claims.csv", claims(measured).to_csv()?),
        ("claims.txt", format!("{}\n", verdicts(measured)).into_bytes()),
    ])
}
