//! What toggling an attribute in an image does: `tables/interventions.*`, `tables/cross_effects.*`.

use metrics::{Class, Estimate};
use render::sheet::{Cell, Column, Sheet, Unit};

use crate::measured::{AttributeMeasures, Estimates, Measured, of_class};

/// Whether anything was toggled.
pub fn is_there(measured: &Measured) -> bool {
    measured.cross_effects.iter().any(Option::is_some)
}

/// By class, what is known of a classifier and an attribute.
type ByClass = fn(&Estimates) -> &[Option<Estimate>; 2];

/// What is measured, with the name of its columns.
const COLUMNS: [(&str, ByClass); 3] = [
    ("effect", |one| &one.effect),
    ("turned", |one| &one.turned),
    ("foreign", |one| &one.foreign),
];

/// One row for each attribute, classifier and class that the images have. `effect`: mean score with the attribute less that without it, in
/// logits; `turned`: share of the images whose decision goes over to the class that they are given; `foreign`: by how much toggling another
/// attribute changes the score, whichever way, a mean over images and attributes. A class without images has n = 0 and no numbers.
pub fn table(measured: &Measured) -> Sheet {
    let mut rows: Vec<(&AttributeMeasures, &str, bool, &Estimates)> = Vec::new();
    for attribute in &measured.attributes {
        for (classifier, measures) in measured.classifiers.iter().zip(&attribute.classifiers) {
            let of = |minority| (attribute, classifier.as_str(), minority, &measures.estimates);
            rows.extend([true, false].map(of));
        }
    }
    let texts = |value: &dyn Fn(&AttributeMeasures, &str, bool) -> String| -> Vec<String> {
        rows.iter()
            .map(|(attribute, classifier, minority, _)| value(attribute, classifier, *minority))
            .collect()
    };
    let sign = |attribute: &AttributeMeasures, minority: bool| match attribute.class(minority) {
        Class::Positive => "positive",
        Class::Negative => "negative",
    };
    let counts: Vec<i64> = rows
        .iter()
        .map(|(attribute, _, minority, found)| {
            found.toggled[usize::from(attribute.class(*minority) == Class::Negative)] as i64
        })
        .collect();
    let sheet = Sheet::default()
        .texts("attribute", &texts(&|attribute, _, _| attribute.name.clone()))
        .texts("classifier", &texts(&|_, classifier, _| classifier.to_owned()))
        .texts(
            "images_of",
            &texts(&|_, _, minority| if minority { "minority" } else { "majority" }.to_owned()),
        )
        .texts(
            "class",
            &texts(&|attribute, _, minority| sign(attribute, minority).to_owned()),
        )
        .counts("n", &counts);
    COLUMNS.iter().fold(sheet, |sheet, (name, of)| {
        let estimates: Vec<Option<Estimate>> = rows
            .iter()
            .map(|(attribute, _, minority, found)| of_class(of(found), attribute.class(*minority)))
            .collect();
        with_interval(sheet, name, &estimates)
    })
}

/// A column of estimates, and two of the ends of their intervals.
fn with_interval(sheet: Sheet, name: &str, estimates: &[Option<Estimate>]) -> Sheet {
    let column = |value: &dyn Fn(&Estimate) -> Option<f64>| -> Vec<Option<f64>> {
        estimates
            .iter()
            .map(|estimate| estimate.as_ref().and_then(value))
            .collect()
    };
    sheet
        .numbers(name, &column(&|estimate| Some(estimate.value)))
        .numbers(
            &format!("{name}_low"),
            &column(&|estimate| Some(estimate.interval?.low)),
        )
        .numbers(
            &format!("{name}_high"),
            &column(&|estimate| Some(estimate.interval?.high)),
        )
}

/// One row for each classifier, toggled attribute and attribute whose score it is. `effect`: mean score with the toggled attribute less that
/// without it, in logits; `share`: of the effect that toggling the scored attribute itself has. `hidden` is 1 where toggling the one hides or bares
/// the cue of the other: no effect is told of these.
pub fn cross_effects(measured: &Measured) -> Sheet {
    let (mut classifiers, mut toggled, mut scored) = (Vec::new(), Vec::new(), Vec::new());
    let (mut effects, mut shares, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
    let names: Vec<&str> = measured
        .attributes
        .iter()
        .map(|attribute| attribute.name.as_str())
        .collect();
    for (classifier, found) in measured.classifiers.iter().zip(&measured.cross_effects) {
        let Some(found) = found else { continue };
        for (row, name) in names.iter().enumerate() {
            for (column, score) in names.iter().enumerate() {
                classifiers.push(classifier.as_str());
                toggled.push(*name);
                scored.push(*score);
                effects.push(found.effects[row][column]);
                shares.push(found.relative(row, column));
                hidden.push(i64::from(found.hidden[row][column]));
            }
        }
    }
    let sheet = Sheet::default()
        .texts("classifier", &classifiers)
        .texts("toggled", &toggled)
        .texts("score_of", &scored);
    with_interval(sheet, "effect", &effects)
        .numbers("share", &shares)
        .counts("hidden", &hidden)
}

/// What the short table says.
const CAPTION: &str = "Decisions that turn when the attribute is toggled in the image, all else being the same: share of the images of the minority \
    class and of the majority class in which the decision goes from the image's class to the other. A decision that was wrong before does not turn.";

/// The classifiers that are shown: the trained ones, and the unbalanced one with its threshold moved, with which the verdict compares.
pub fn shown(measured: &Measured) -> Measured {
    let moved = measured.unbalanced_moved.as_ref();
    measured.only(&|place| !measured.derived[place] || Some(&measured.classifiers[place]) == moved)
}

/// The short table as a part of the report.
pub fn in_short(measured: &Measured) -> Sheet {
    Sheet {
        id: "interventions".to_owned(),
        title: "Toggled attributes".to_owned(),
        note: CAPTION.to_owned(),
        ..short(&shown(measured))
    }
}

/// What readers are shown: of each classifier the share of decisions that turn, from the minority and from the majority.
pub fn short(measured: &Measured) -> Sheet {
    let titles = measured.classifiers.iter().flat_map(|classifier| {
        ["from minority", "from majority"].map(|title| Column::new(title, Unit::Share).under(classifier))
    });
    let row = |attribute: &AttributeMeasures| {
        let mut row = vec![Cell::name(&attribute.name)];
        for measures in &attribute.classifiers {
            let of = |minority| of_class(&measures.estimates.turned, attribute.class(minority));
            row.extend([true, false].map(|minority| Cell::number(of(minority).map(|estimate| estimate.value))));
        }
        row
    };
    Sheet {
        title: CAPTION.to_owned(),
        columns: std::iter::once(Column::new("attribute", Unit::Text))
            .chain(titles)
            .collect(),
        rows: measured.attributes.iter().map(row).collect(),
        ..Sheet::default()
    }
}
