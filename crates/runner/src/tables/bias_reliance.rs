//! How much of a score is a bias: `tables/bias_reliance.*`.

use comfy_table::presets;
use metrics::{Bootstrap, Class};

use super::latex;
use super::terminal::{styled, terminal};
use crate::measured::{AttributeMeasures, Measured, Quantity, Reliance, comparisons};
use crate::names;
use pipeline::Columns;

/// One row: the images that a classifier predicts as one class.
struct Row<'a> {
    attribute: &'a AttributeMeasures,
    classifier: &'a str,
    minority: bool,
    reliance: Option<Reliance>,
}

fn rows(measured: &Measured) -> Vec<Row<'_>> {
    let of = |attribute| {
        measured
            .classifiers
            .iter()
            .enumerate()
            .flat_map(move |(index, classifier)| {
                [true, false].map(move |minority| {
                    let attribute: &AttributeMeasures = attribute;
                    Row {
                        attribute,
                        classifier,
                        minority,
                        reliance: attribute.classifiers[index].reliance(attribute.class(minority)),
                    }
                })
            })
    };
    measured.attributes.iter().flat_map(of).collect()
}

fn side(minority: bool) -> &'static str {
    if minority { "minority" } else { "majority" }
}

/// One row for each attribute, classifier and predicted class; a group without images has n = 0 and no numbers.
pub fn table(measured: &Measured) -> Columns {
    let rows = rows(measured);
    let texts = |value: fn(&Row<'_>) -> String| -> Vec<String> { rows.iter().map(value).collect() };
    let numbers = |value: fn(&Reliance) -> Option<f64>| -> Vec<Option<f64>> {
        rows.iter().map(|row| row.reliance.as_ref().and_then(value)).collect()
    };
    let counts: Vec<i64> = rows
        .iter()
        .map(|row| row.reliance.map_or(0, |reliance| reliance.score.n as i64))
        .collect();
    Columns::default()
        .texts("attribute", &texts(|row| row.attribute.name.clone()))
        .texts("classifier", &texts(|row| row.classifier.to_owned()))
        .texts("predicted", &texts(|row| side(row.minority).to_owned()))
        .texts(
            "class",
            &texts(|row| {
                match row.attribute.class(row.minority) {
                    Class::Positive => "positive",
                    Class::Negative => "negative",
                }
                .to_owned()
            }),
        )
        .integers("n", &counts)
        .doubles("score", &numbers(|r| Some(r.score.mean)))
        .doubles("score_low", &numbers(|r| r.score.interval.map(|i| i.low)))
        .doubles("score_high", &numbers(|r| r.score.interval.map(|i| i.high)))
        .doubles("bias", &numbers(|r| Some(r.bias)))
        .doubles("bias_share", &numbers(Reliance::bias_share))
        .doubles("constant", &numbers(|r| Some(r.constant)))
        .doubles("constant_share", &numbers(Reliance::constant_share))
        .doubles("evidence_for_inside", &numbers(|r| Some(r.evidence?.for_inside)))
        .doubles("evidence_for_outside", &numbers(|r| Some(r.evidence?.for_outside)))
        .doubles(
            "evidence_against_inside",
            &numbers(|r| Some(r.evidence?.against_inside)),
        )
        .doubles(
            "evidence_against_outside",
            &numbers(|r| Some(r.evidence?.against_outside)),
        )
        .doubles("specific_for_inside", &numbers(|r| Some(r.specific?.for_inside)))
        .doubles("specific_for_outside", &numbers(|r| Some(r.specific?.for_outside)))
        .doubles(
            "specific_against_inside",
            &numbers(|r| Some(r.specific?.against_inside)),
        )
        .doubles(
            "specific_against_outside",
            &numbers(|r| Some(r.specific?.against_outside)),
        )
        .doubles("specific_inside", &numbers(|r| Some(r.region?.mean)))
        .doubles("specific_inside_low", &numbers(|r| Some(r.region?.interval?.low)))
        .doubles("specific_inside_high", &numbers(|r| Some(r.region?.interval?.high)))
}

/// A column: its title, and its value in a group; absent where the group has none.
type Column = (&'static str, fn(&Reliance) -> Option<f64>);

/// What is shown of a group where space is short: score, share of the head's bias, share of the constant part, and what the
/// region adds.
const SHORT: [Column; 4] = [
    ("score", |r| Some(r.score.mean)),
    ("bias share", Reliance::bias_share),
    ("constant share", Reliance::constant_share),
    ("region", |r| Some(r.region?.mean)),
];

/// The table in Markdown: the majority's predictions of each classifier.
pub fn markdown(measured: &Measured) -> String {
    let mut head = vec!["attribute, predicted as majority".to_owned()];
    for classifier in &measured.classifiers {
        head.extend(SHORT.map(|(title, _)| format!("{classifier} {title}")));
    }
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| names::number(value, 3));
    let rows = short_rows(measured, number).map(|mut row| {
        row[0] = names::readable(&row[0]);
        row
    });
    styled(presets::ASCII_MARKDOWN, head, rows)
}

/// The table in LaTeX (booktabs): the majority's predictions of each classifier.
pub fn latex(measured: &Measured) -> String {
    latex::of_classifiers(
        "Images predicted as the majority class; shares of the mean score.",
        &measured.classifiers,
        &SHORT.map(|(title, _)| title),
        short_rows(measured, latex::number),
    )
}

fn short_rows(measured: &Measured, number: impl Fn(Option<f64>) -> String) -> impl Iterator<Item = Vec<String>> {
    measured.attributes.iter().map(move |attribute| {
        let mut row = vec![attribute.name.clone()];
        for classifier in &attribute.classifiers {
            let reliance = classifier.reliance(attribute.class(false));
            row.extend(SHORT.map(|(_, value)| number(reliance.as_ref().and_then(value))));
        }
        row
    })
}

/// The comparisons over attributes, one row each.
pub fn differences(measured: &Measured, bootstrap: Bootstrap) -> Columns {
    let all = comparisons(measured, bootstrap);
    let number = |value: fn(&metrics::Paired) -> Option<f64>| -> Vec<Option<f64>> {
        all.iter().map(|one| one.paired.as_ref().and_then(value)).collect()
    };
    let counts = |value: fn(&metrics::Paired) -> usize| -> Vec<i64> {
        all.iter()
            .map(|one| one.paired.as_ref().map_or(0, value) as i64)
            .collect()
    };
    Columns::default()
        .texts(
            "quantity",
            &all.iter().map(|one| one.quantity.title()).collect::<Vec<_>>(),
        )
        .texts("groups", &all.iter().map(|one| one.groups.as_str()).collect::<Vec<_>>())
        .integers("attributes", &counts(|paired| paired.n))
        .doubles("difference", &number(|paired| Some(paired.difference)))
        .doubles("low", &number(|paired| paired.interval.map(|interval| interval.low)))
        .doubles("high", &number(|paired| paired.interval.map(|interval| interval.high)))
        .integers("larger", &counts(|paired| paired.larger))
        .doubles("effect_size", &number(|paired| paired.effect_size))
}

/// The comparisons for the terminal.
pub fn text(measured: &Measured, bootstrap: Bootstrap) -> String {
    let head = [
        "what of a score is a bias",
        "groups",
        "mean difference [95 %]",
        "larger in",
        "effect size d",
    ];
    let rows = comparisons(measured, bootstrap).into_iter().map(|one| {
        let absent = || "–".to_owned();
        let (difference, larger, size) = one.paired.map_or_else(
            || (absent(), absent(), absent()),
            |paired| {
                let interval = paired.interval.map_or_else(String::new, |interval| {
                    format!(" [{:+.3}, {:+.3}]", interval.low, interval.high)
                });
                (
                    format!("{:+.3}{interval}", paired.difference),
                    format!("{} of {}", paired.larger, paired.n),
                    paired.effect_size.map_or_else(absent, |size| format!("{size:+.2}")),
                )
            },
        );
        vec![one.quantity.title().to_owned(), one.groups, difference, larger, size]
    });
    let mut lines = vec![terminal(head.map(str::to_owned).to_vec(), rows)];
    for (index, classifier) in measured.classifiers.iter().enumerate() {
        let mean = |quantity: Quantity, minority| {
            let values: Vec<f64> = measured
                .attributes
                .iter()
                .filter_map(|attribute| quantity.value(attribute, index, minority))
                .collect();
            if values.is_empty() {
                "–".to_owned()
            } else {
                format!("{:.3}", values.iter().sum::<f64>() / values.len() as f64)
            }
        };
        lines.push(format!(
            "{classifier}: of its score for the majority the head's bias is {}, the constant part {} (mean over attributes)",
            mean(Quantity::BiasShare, false),
            mean(Quantity::ConstantShare, false)
        ));
    }
    lines.join("\n")
}
