//! The paper's table of an experiment, and its means.

use metrics::{Class, Filter};
use render::sheet::{self, Cell, Sheet, Unit};

use super::latex;
use crate::measured::{AttributeMeasures, ClassifierMeasures, Measure, Measured};

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

/// The paper's table: a number for each classifier and column, those of the majority class marked.
pub fn short(measured: &Measured) -> Sheet {
    // The paper groups by quantity first: error rates of all classifiers, then energies of all classifiers.
    let places: Vec<(usize, &Column)> = COLUMNS
        .chunks(2)
        .flat_map(|columns| {
            (0..measured.classifiers.len())
                .flat_map(move |classifier| columns.iter().map(move |column| (classifier, column)))
        })
        .collect();
    let titles = places.iter().map(|&(classifier, column)| {
        let classifier = &measured.classifiers[classifier];
        sheet::Column::new(column.title, Unit::Share).under(classifier)
    });
    let row = |attribute: &AttributeMeasures| {
        let cells = places.iter().map(|&(classifier, column)| {
            let cell = Cell::number((column.value)(&attribute.classifiers[classifier]));
            if column.class == attribute.minority() {
                cell
            } else {
                cell.emphasised()
            }
        });
        [Cell::name(&attribute.name), Cell::number(attribute.positive_rate())]
            .into_iter()
            .chain(cells)
            .collect()
    };
    Sheet {
        columns: [("attribute", Unit::Text), ("positive", Unit::Share)]
            .map(|(title, unit)| sheet::Column::new(title, unit))
            .into_iter()
            .chain(titles)
            .collect(),
        rows: measured.attributes.iter().map(row).collect(),
        ..Sheet::default()
    }
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
    lines.extend(short(measured).rows.iter().map(|row| {
        let cells = row.iter().map(|cell| match cell {
            Cell::Number { strong: true, .. } => format!("\\majority{{{}}}", latex::cell(cell)),
            _ => latex::cell(cell),
        });
        format!("{} \\\\", cells.collect::<Vec<_>>().join(" & "))
    }));
    lines.extend(["\\bottomrule".to_owned(), "\\end{tabular}".to_owned(), String::new()]);
    lines.join("\n")
}

/// The table's numbers, one row an attribute; `*_paper` are energies by the paper's convention, where a map without energy
/// and a group without images count as 0.
pub fn attributes(measured: &Measured) -> Sheet {
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
    let mut table = Sheet::default()
        .texts("attribute", &names)
        .texts("minority", &minority)
        .numbers("train_positive_rate", &column(&AttributeMeasures::positive_rate))
        .numbers("region_area", &column(&|attribute| attribute.area));
    for (index, classifier) in measured.classifiers.iter().enumerate() {
        for Column { name, value, .. } in COLUMNS {
            table = table.numbers(
                &format!("{classifier}_{name}"),
                &column(&|attribute| value(&attribute.classifiers[index])),
            );
        }
        for (name, minority) in [("minority", true), ("majority", false)] {
            table = table.numbers(
                &format!("{classifier}_{name}_error"),
                &column(&|attribute| attribute.classifiers[index].rates.rate(attribute.class(minority))),
            );
        }
        table = table
            .numbers(
                &format!("{classifier}_error"),
                &column(&|attribute| attribute.classifiers[index].rates.error()),
            )
            .numbers(
                &format!("{classifier}_balanced_error"),
                &column(&|attribute| attribute.classifiers[index].rates.balanced_error()),
            );
        for (name, class) in [("positive", Class::Positive), ("negative", Class::Negative)] {
            table = table.numbers(
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
        table = table.counts(&format!("{classifier}_maps_without_energy"), &empty);
    }
    table
}

/// The errors and energies of each classifier, averaged over attributes: one row a classifier.
pub fn means(measured: &Measured) -> Sheet {
    let mean = |value: &dyn Fn(&AttributeMeasures) -> Share| {
        let values: Vec<f64> = measured.attributes.iter().filter_map(value).collect();
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        Cell::number(mean).with_note(format!("({})", values.len()))
    };
    let row = |(index, classifier): (usize, &String)| {
        let error =
            |minority: bool| mean(&|attribute| attribute.classifiers[index].rates.rate(attribute.class(minority)));
        let energy = |minority: bool| {
            mean(&|attribute| {
                let energy = attribute.classifiers[index].energy(attribute.class(minority))?;
                attribute.local.then_some(energy.mean)
            })
        };
        vec![
            Cell::from(classifier.as_str()),
            error(true),
            error(false),
            energy(true),
            energy(false),
        ]
    };
    let column = |kind: &str, class: &str| sheet::Column::new(class, Unit::Share).of(kind);
    Sheet {
        columns: vec![
            sheet::Column::new("classifier", Unit::Text),
            column("error", "minority"),
            column("error", "majority"),
            column("energy", "minority"),
            column("energy", "majority"),
        ],
        rows: measured.classifiers.iter().enumerate().map(row).collect(),
        ..Sheet::default()
    }
}

/// The means for the terminal.
pub fn summary(measured: &Measured) -> String {
    let mut sheet = means(measured);
    sheet.columns[0].title = "mean over attributes".to_owned();
    format!(
        "{}\nIn brackets: attributes behind the mean. Energies: attributes with a local region and at least one such prediction.",
        sheet.terminal()
    )
}
