//! Every statistic of a run in one long table.

use render::sheet::Sheet;

use crate::measured::{Group, Measured};

/// A number, absent when nothing was there to measure.
type Share = Option<f64>;

/// Every statistic: one row for each classifier, attribute, measure and filter; an empty group has n = 0 and no mean.
pub fn statistics(measured: &Measured) -> Sheet {
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
    let texts = |value: fn(&(&String, &String, &Group)) -> String| -> Vec<String> { rows.iter().map(value).collect() };
    let numbers = |value: fn(&metrics::Statistics) -> Share| -> Vec<Share> {
        rows.iter()
            .map(|(_, _, group)| group.statistics.as_ref().and_then(value))
            .collect()
    };
    let counts: Vec<i64> = rows
        .iter()
        .map(|(_, _, group)| group.statistics.map_or(0, |statistics| statistics.n as i64))
        .collect();
    Sheet::default()
        .texts("classifier", &texts(|row| row.0.clone()))
        .texts("attribute", &texts(|row| row.1.clone()))
        .texts("measure", &texts(|row| row.2.measure.name().to_owned()))
        .texts("filter", &texts(|row| row.2.filter.name().to_owned()))
        .counts("n", &counts)
        .numbers("mean", &numbers(|statistics| Some(statistics.mean)))
        .numbers("deviation", &numbers(|statistics| Some(statistics.deviation)))
        .numbers(
            "low",
            &numbers(|statistics| statistics.interval.map(|interval| interval.low)),
        )
        .numbers(
            "high",
            &numbers(|statistics| statistics.interval.map(|interval| interval.high)),
        )
}
