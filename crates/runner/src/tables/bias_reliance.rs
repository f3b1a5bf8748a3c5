//! How much of a score is a bias: `tables/bias_reliance.*`.

use metrics::Class;

use crate::measured::{AttributeMeasures, Difference, Measured, Reliance, RelianceQuantity};
use render::sheet::{Cell, Column, Sheet, Unit};

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
pub fn table(measured: &Measured) -> Sheet {
    let rows = rows(measured);
    let texts = |value: fn(&Row<'_>) -> String| -> Vec<String> { rows.iter().map(value).collect() };
    let numbers = |value: fn(&Reliance) -> Option<f64>| -> Vec<Option<f64>> {
        rows.iter().map(|row| row.reliance.as_ref().and_then(value)).collect()
    };
    let counts: Vec<i64> = rows
        .iter()
        .map(|row| row.reliance.map_or(0, |reliance| reliance.score.n as i64))
        .collect();
    Sheet::default()
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
        .counts("n", &counts)
        .numbers("score", &numbers(|r| Some(r.score.mean)))
        .numbers("score_low", &numbers(|r| r.score.interval.map(|i| i.low)))
        .numbers("score_high", &numbers(|r| r.score.interval.map(|i| i.high)))
        .numbers("bias", &numbers(|r| Some(r.bias)))
        .numbers("bias_share", &numbers(Reliance::bias_share))
        .numbers("constant", &numbers(|r| Some(r.constant)))
        .numbers("constant_share", &numbers(Reliance::constant_share))
        .numbers("evidence_for_inside", &numbers(|r| Some(r.evidence?.for_inside)))
        .numbers("evidence_for_outside", &numbers(|r| Some(r.evidence?.for_outside)))
        .numbers(
            "evidence_against_inside",
            &numbers(|r| Some(r.evidence?.against_inside)),
        )
        .numbers(
            "evidence_against_outside",
            &numbers(|r| Some(r.evidence?.against_outside)),
        )
        .numbers("specific_for_inside", &numbers(|r| Some(r.specific?.for_inside)))
        .numbers("specific_for_outside", &numbers(|r| Some(r.specific?.for_outside)))
        .numbers(
            "specific_against_inside",
            &numbers(|r| Some(r.specific?.against_inside)),
        )
        .numbers(
            "specific_against_outside",
            &numbers(|r| Some(r.specific?.against_outside)),
        )
        .numbers("specific_inside", &numbers(|r| Some(r.region?.mean)))
        .numbers("specific_inside_low", &numbers(|r| Some(r.region?.interval?.low)))
        .numbers("specific_inside_high", &numbers(|r| Some(r.region?.interval?.high)))
}

/// A title, and its value in a group; absent where the group has none.
type Quantified = (&'static str, fn(&Reliance) -> Option<f64>);

/// What is shown of a group where space is short: score, share of the head's bias, share of the constant part, and what the
/// region adds.
const SHORT: [Quantified; 4] = [
    ("score", |r| Some(r.score.mean)),
    ("bias share", Reliance::bias_share),
    ("constant share", Reliance::constant_share),
    ("region", |r| Some(r.region?.mean)),
];

/// What readers are shown: the majority's predictions of each classifier. The first title says which, where there is no caption.
pub fn short(measured: &Measured) -> Sheet {
    let titles = measured
        .classifiers
        .iter()
        .flat_map(|classifier| SHORT.map(|(title, _)| Column::new(title, Unit::Number(3)).under(classifier)));
    let row = |attribute: &AttributeMeasures| {
        let mut row = vec![Cell::name(&attribute.name)];
        for classifier in &attribute.classifiers {
            let reliance = classifier.reliance(attribute.class(false));
            row.extend(SHORT.map(|(_, value)| Cell::number(reliance.as_ref().and_then(value))));
        }
        row
    };
    Sheet {
        title: "Images predicted as the majority class: mean score, shares of the head's bias and of the constant part in it, and what \
                the attribute's region adds to it."
            .to_owned(),
        columns: std::iter::once(Column::new("attribute, predicted as majority", Unit::Text))
            .chain(titles)
            .collect(),
        rows: measured.attributes.iter().map(row).collect(),
        ..Sheet::default()
    }
}

/// The differences over attributes, one row each.
pub fn differences(measured: &Measured) -> Sheet {
    let all = &measured.differences;
    let number = |value: fn(&Difference) -> Option<f64>| -> Vec<Option<f64>> { all.iter().map(value).collect() };
    let counts = |value: fn(&Difference) -> usize| -> Vec<i64> { all.iter().map(|one| value(one) as i64).collect() };
    Sheet::default()
        .texts(
            "quantity",
            &all.iter().map(|one| one.quantity.title()).collect::<Vec<_>>(),
        )
        .texts("groups", &all.iter().map(|one| one.groups.as_str()).collect::<Vec<_>>())
        .counts("attributes", &counts(|one| one.attributes))
        .numbers("difference", &number(|one| Some(one.difference?.value)))
        .numbers("low", &number(|one| Some(one.difference?.interval?.low)))
        .numbers("high", &number(|one| Some(one.difference?.interval?.high)))
        .counts("larger", &counts(|one| one.larger))
        .numbers("effect_size", &number(|one| one.effect_size))
}

/// The differences for the terminal.
pub fn text(measured: &Measured) -> String {
    let row = |one: &Difference| {
        let numbers = match one.difference {
            Some(difference) => {
                let interval = difference.interval.map_or_else(String::new, |interval| {
                    format!("[{:+.3}, {:+.3}]", interval.low, interval.high)
                });
                [
                    Cell::number(Some(difference.value)).with_note(interval),
                    Cell::from(format!("{} of {}", one.larger, one.attributes)),
                    Cell::number(one.effect_size),
                ]
            }
            None => [Cell::Absent, Cell::Absent, Cell::Absent],
        };
        let words = [Cell::from(one.quantity.title()), Cell::from(one.groups.as_str())];
        words.into_iter().chain(numbers).collect()
    };
    let sheet = Sheet {
        columns: vec![
            Column::new("what of a score is a bias", Unit::Text),
            Column::new("groups", Unit::Text),
            Column::new("mean difference [95 %]", Unit::Signed(3)),
            Column::new("larger in", Unit::Text),
            Column::new("effect size d", Unit::Signed(2)),
        ],
        rows: measured.differences.iter().map(row).collect(),
        ..Sheet::default()
    };
    let mut lines = vec![sheet.terminal()];
    for (index, classifier) in measured.classifiers.iter().enumerate() {
        let mean = |quantity: RelianceQuantity, minority| {
            let values: Vec<f64> = measured
                .attributes
                .iter()
                .filter_map(|attribute| attribute.compared(quantity, index, minority))
                .collect();
            if values.is_empty() {
                "–".to_owned()
            } else {
                format!("{:.3}", values.iter().sum::<f64>() / values.len() as f64)
            }
        };
        lines.push(format!(
            "{classifier}: of its score for the majority the head's bias is {}, the constant part {} (mean over attributes)",
            mean(RelianceQuantity::BiasShare, false),
            mean(RelianceQuantity::ConstantShare, false)
        ));
    }
    lines.join("\n")
}
