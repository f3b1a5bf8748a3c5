//! The paper's table of an experiment, and its means.

use metrics::{Class, Estimate, Filter};

use super::locality;
use crate::measured::{AttributeMeasures, ClassifierMeasures, Estimates, Measure, Measured, Ranked, of_class};
use render::sheet::{self, Cell, Sheet, Unit};

/// A number of the paper's table: a share in [0, 1], absent when nothing was there to measure.
type Share = Option<f64>;

/// A column that the paper's table has for each classifier.
struct Column {
    name: &'static str,
    title: &'static str,
    /// The half of the paper's table that it stands in, and what it is called there.
    half: [&'static str; 2],
    /// Whose errors, or whose energies.
    class: Class,
    value: fn(&ClassifierMeasures) -> Share,
}

/// The half of energies.
const ENERGY: &str = "Mean energy";

/// Those columns, in the paper's order: two error rates, two energies.
const COLUMNS: [Column; 4] = [
    Column {
        name: "fnr",
        title: "FNR",
        half: ["Error rate", "FNR"],
        class: Class::Positive,
        value: |measures| measures.rates.false_negative_rate(),
    },
    Column {
        name: "fpr",
        title: "FPR",
        half: ["Error rate", "FPR"],
        class: Class::Negative,
        value: |measures| measures.rates.false_positive_rate(),
    },
    Column {
        name: "energy_predicted_positive",
        title: "energy +",
        half: [ENERGY, "+"],
        class: Class::Positive,
        value: |measures| mean(measures, Measure::Energy, Class::Positive),
    },
    Column {
        name: "energy_predicted_negative",
        title: "energy -",
        half: [ENERGY, "-"],
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
    of_attributes(measured, ["attribute", "positive"], |classifier, column| {
        sheet::Column::new(column.title, Unit::Share).under(classifier)
    })
}

/// The same as the paper sets it, in two halves; `images` is what the scored images are called.
pub fn halves(measured: &Measured, images: &str) -> Sheet {
    let of_classifier = |classifier: &str, column: &Column| {
        let [half, title] = column.half;
        sheet::Column::new(title, Unit::Share).under(classifier).under(half)
    };
    Sheet {
        title: format!(
            "Error rates of the {images}, and mean proportional energy of those predicted positive (+) and negative (-). Bold: the \
             majority class of the training images.{}",
            locality::note(measured).map_or_else(String::new, |note| format!(" {note}"))
        ),
        emphasis: "majority",
        ..of_attributes(measured, ["Attribute", "Positive"], of_classifier)
    }
}

/// Name, share of positives, and the columns of all classifiers; `of_classifier` is the head of one.
fn of_attributes(
    measured: &Measured,
    [attribute, positive]: [&str; 2],
    of_classifier: impl Fn(&str, &Column) -> sheet::Column,
) -> Sheet {
    // The paper groups by quantity first: error rates of all classifiers, then energies of all classifiers.
    let places: Vec<(usize, &Column)> = COLUMNS
        .chunks(2)
        .flat_map(|columns| {
            (0..measured.classifiers.len())
                .flat_map(move |classifier| columns.iter().map(move |column| (classifier, column)))
        })
        .collect();
    let heads = places
        .iter()
        .map(|&(classifier, column)| of_classifier(&measured.classifiers[classifier], column));
    let placed = measured.has_regions();
    let row = |attribute: &AttributeMeasures| {
        let cells = places.iter().map(|&(classifier, column)| {
            // In the whole image every energy is 1, which tells nothing.
            if !placed && column.half[0] == ENERGY {
                return Cell::Absent;
            }
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
        columns: [(attribute, Unit::Text), (positive, Unit::Share)]
            .map(|(title, unit)| sheet::Column::new(title, unit))
            .into_iter()
            .chain(heads)
            .collect(),
        rows: measured.attributes.iter().map(row).collect(),
        ..Sheet::default()
    }
}

fn error_of(estimates: &Estimates) -> &[Option<Estimate>; 2] {
    &estimates.error
}

fn energy_of(estimates: &Estimates) -> &[Option<Estimate>; 2] {
    &estimates.energy
}

/// The table's numbers, one row an attribute, rates and energies with their 95 % intervals over people; `*_paper` are energies by the paper's convention, where a map without energy
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
        for (name, class, of) in [
            (
                "fnr",
                Class::Positive,
                error_of as fn(&Estimates) -> &[Option<Estimate>; 2],
            ),
            ("fpr", Class::Negative, error_of),
            ("energy_predicted_positive", Class::Positive, energy_of),
            ("energy_predicted_negative", Class::Negative, energy_of),
        ] {
            let end = |high: bool| {
                column(&|attribute| {
                    let estimate = of_class(of(&attribute.classifiers[index].estimates), class)?;
                    let interval = estimate.interval?;
                    Some(if high { interval.high } else { interval.low })
                })
            };
            table = table
                .numbers(&format!("{classifier}_{name}_low"), &end(false))
                .numbers(&format!("{classifier}_{name}_high"), &end(true));
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
        for (place, name) in Ranked::NAMES.into_iter().enumerate() {
            let of = |attribute: &AttributeMeasures| attribute.classifiers[index].ranked.values[place];
            table = table
                .numbers(
                    &format!("{classifier}_{name}"),
                    &column(&|attribute| Some(of(attribute)?.value)),
                )
                .numbers(
                    &format!("{classifier}_{name}_low"),
                    &column(&|attribute| Some(of(attribute)?.interval?.low)),
                )
                .numbers(
                    &format!("{classifier}_{name}_high"),
                    &column(&|attribute| Some(of(attribute)?.interval?.high)),
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
            mean(&|attribute| Some(attribute.classifiers[index].ranked.values[0]?.value)),
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
            sheet::Column::new("AUROC", Unit::Share),
        ],
        rows: measured.classifiers.iter().enumerate().map(row).collect(),
        ..Sheet::default()
    }
}

/// The means for the terminal.
pub fn summary(measured: &Measured) -> String {
    format!(
        "{}\nIn brackets: attributes behind the mean. Energies: attributes with a local region and at least one such prediction.",
        means(measured).rows_titled("mean over attributes").terminal()
    )
}
