//! What scores lose with the attribute's region hidden: `tables/occlusion.*`.

use metrics::{Class, Paired, Statistics};

use crate::measured::{AllBiases, AttributeMeasures, ClassifierMeasures, Measured, Occlusion};
use render::sheet::{Cell, Column, Sheet, Unit};

/// Whether anything was hidden of any image, or its score taken apart.
pub fn is_there(measured: &Measured) -> bool {
    rows(measured)
        .iter()
        .any(|row| row.occlusion.is_some() || row.biases.is_some())
}

/// One row: the images that a classifier predicts as one class.
struct Row<'a> {
    attribute: &'a AttributeMeasures,
    classifier: &'a str,
    minority: bool,
    occlusion: Option<Occlusion>,
    biases: Option<AllBiases>,
}

fn rows(measured: &Measured) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for attribute in &measured.attributes {
        for (classifier, measures) in measured.classifiers.iter().zip(&attribute.classifiers) {
            for minority in [true, false] {
                let class = attribute.class(minority);
                rows.push(Row {
                    attribute,
                    classifier,
                    minority,
                    occlusion: measures.occlusion(class),
                    biases: measures.all_biases(class),
                });
            }
        }
    }
    rows
}

/// A summary of a group and the name of its columns.
type Named<T> = (&'static str, fn(&Occlusion) -> Option<T>);

/// One row for each attribute, classifier and predicted class, in logits of that class; a group without images has n = 0 and no
/// numbers. `beyond_control`: the loss without the region less that without an equal area elsewhere, paired by image;
/// `first_less_this`: that of the first classifier less that of this one, paired over the images of which both predict the class.
pub fn table(measured: &Measured) -> Sheet {
    let rows = rows(measured);
    let texts = |value: fn(&Row<'_>) -> &'static str| -> Vec<&str> { rows.iter().map(value).collect() };
    let names: Vec<&str> = rows.iter().map(|row| row.attribute.name.as_str()).collect();
    let classifiers: Vec<&str> = rows.iter().map(|row| row.classifier).collect();
    let counts = |value: fn(&Row<'_>) -> Option<usize>| -> Vec<i64> {
        rows.iter().map(|row| value(row).unwrap_or_default() as i64).collect()
    };
    let numbers = |value: &dyn Fn(&Occlusion) -> Option<f64>| -> Vec<Option<f64>> {
        rows.iter().map(|row| row.occlusion.as_ref().and_then(value)).collect()
    };
    let mut table = Sheet::default()
        .texts("attribute", &names)
        .texts("classifier", &classifiers)
        .texts(
            "predicted",
            &texts(|row| if row.minority { "minority" } else { "majority" }),
        )
        .texts(
            "class",
            &texts(|row| match row.attribute.class(row.minority) {
                Class::Positive => "positive",
                Class::Negative => "negative",
            }),
        )
        .counts("n", &counts(|row| Some(row.occlusion?.score.n)))
        .numbers("score", &numbers(&|one| Some(one.score.mean)));
    let summaries: [Named<Statistics>; 2] = [("lost", |one| Some(one.region)), ("lost_control", |one| one.control)];
    for (name, value) in summaries {
        table = table
            .numbers(name, &numbers(&|one| Some(value(one)?.mean)))
            .numbers(&format!("{name}_low"), &numbers(&|one| Some(value(one)?.interval?.low)))
            .numbers(
                &format!("{name}_high"),
                &numbers(&|one| Some(value(one)?.interval?.high)),
            );
    }
    let pairs: [Named<Paired>; 2] = [
        ("beyond_control", |one| one.beyond_control),
        ("first_less_this", |one| one.first_less_this),
    ];
    for (name, value) in pairs {
        table = table
            .numbers(name, &numbers(&|one| Some(value(one)?.difference)))
            .numbers(&format!("{name}_low"), &numbers(&|one| Some(value(one)?.interval?.low)))
            .numbers(
                &format!("{name}_high"),
                &numbers(&|one| Some(value(one)?.interval?.high)),
            )
            .numbers(&format!("{name}_effect_size"), &numbers(&|one| value(one)?.effect_size))
            .numbers(&format!("{name}_n"), &numbers(&|one| Some(value(one)?.n as f64)));
    }
    let biases = |value: fn(&AllBiases) -> Option<f64>| -> Vec<Option<f64>> {
        rows.iter().map(|row| row.biases.as_ref().and_then(value)).collect()
    };
    table
        .numbers("lost_share", &numbers(&Occlusion::lost_share))
        .numbers("turned", &numbers(&|one| Some(one.turned)))
        .counts("all_biases_n", &counts(|row| Some(row.biases?.n)))
        .numbers("all_biases", &biases(|one| Some(one.bias)))
        .numbers("all_biases_share", &biases(AllBiases::share))
}

/// A title, and its value in a group; absent where the group has none.
type Quantified = (&'static str, fn(&ClassifierMeasures, Class) -> Option<f64>);

/// What is shown of a group where space is short.
const SHORT: [Quantified; 3] = [
    ("score", |one, class| Some(one.occlusion(class)?.score.mean)),
    ("lost", |one, class| Some(one.occlusion(class)?.region.mean)),
    ("beyond", |one, class| {
        Some(one.occlusion(class)?.beyond_control?.difference)
    }),
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
            row.extend(SHORT.map(|(_, value)| Cell::number(value(classifier, attribute.class(false)))));
        }
        row
    };
    Sheet {
        title: "Images predicted as the majority class, in logits: mean score, what it loses with the attribute's region hidden, and \
                what of that is beyond the loss with an equal area elsewhere hidden."
            .to_owned(),
        columns: std::iter::once(Column::new("attribute, predicted as majority", Unit::Text))
            .chain(titles)
            .collect(),
        rows: measured.attributes.iter().map(row).collect(),
        ..Sheet::default()
    }
}
