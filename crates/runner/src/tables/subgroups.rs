//! The groups in which a classifier errs most: `tables/subgroups.*`.

use crate::measured::{Measured, Subgroup};
use render::sheet::{Cell, Column, Sheet, Unit};

fn class(minority: bool) -> &'static str {
    if minority { "minority" } else { "majority" }
}

/// One row a group: worst first, classifier by classifier.
pub fn table(measured: &Measured) -> Sheet {
    let all = &measured.subgroups;
    let texts = |value: &dyn Fn(&Subgroup) -> String| -> Vec<String> { all.iter().map(value).collect() };
    let numbers = |value: fn(&Subgroup) -> Option<f64>| -> Vec<Option<f64>> { all.iter().map(value).collect() };
    let attribute = |place: usize| measured.attributes[place].name.clone();
    Sheet::default()
        .texts(
            "classifier",
            &texts(&|group| measured.classifiers[group.classifier].clone()),
        )
        .texts("attribute", &texts(&|group| attribute(group.attribute)))
        .texts("class", &texts(&|group| class(group.minority).to_owned()))
        .texts("within", &texts(&|group| attribute(group.within)))
        .texts("within_class", &texts(&|group| class(group.within_minority).to_owned()))
        .counts("n", &all.iter().map(|group| group.n as i64).collect::<Vec<_>>())
        .numbers("error", &numbers(|group| Some(group.error)))
        .numbers("low", &numbers(|group| Some(group.interval.low)))
        .numbers("high", &numbers(|group| Some(group.interval.high)))
        .numbers("class_error", &numbers(|group| Some(group.class_error)))
        .numbers("energy", &numbers(|group| group.energy))
        .numbers("energy_low", &numbers(|group| Some(group.energy_interval?.low)))
        .numbers("energy_high", &numbers(|group| Some(group.energy_interval?.high)))
}

/// What readers are shown: the same, at most ten of each classifier.
pub fn short(measured: &Measured) -> Sheet {
    const MOST: usize = 10;
    let of = |classifier: usize| {
        let groups = measured.subgroups.iter();
        groups
            .filter(move |group| group.classifier == classifier && group.error > 0.0)
            .take(MOST)
    };
    let without = measured.subgroups.iter().filter(|group| group.error <= 0.0).count();
    let row = |group: &Subgroup| {
        let name = |place: usize, minority: bool| {
            let attribute = &measured.attributes[place];
            let positive = minority == (attribute.minority() == metrics::Class::Positive);
            format!(
                "{}{}",
                if positive { "" } else { "not " },
                render::text::readable(&attribute.name)
            )
        };
        vec![
            Cell::from(measured.classifiers[group.classifier].as_str()),
            Cell::from(name(group.attribute, group.minority)),
            Cell::from(name(group.within, group.within_minority)),
            Cell::count(group.n),
            Cell::number(Some(group.error))
                .with_note(format!("[{:.2}, {:.2}]", group.interval.low, group.interval.high)),
            Cell::number(Some(group.class_error)),
            Cell::number(group.energy),
        ]
    };
    Sheet {
        id: "subgroups".to_owned(),
        title: "Groups with the largest errors".to_owned(),
        note: "Images of one class of an attribute that are also of one class of another, ranked by how far the lower end of the error's 95 % interval \
               is above the error of the whole class. \
               Picked from thousands as the worst, they look worse than they are: other images should confirm them. Energy: mean of the maps of \
               the attribute that is decided."
            .to_owned()
            + &match without {
                0 => String::new(),
                1 => " One group without any error is not shown.".to_owned(),
                many => format!(" {} groups without any error are not shown.", render::text::thousands(many)),
            },
        columns: vec![
            Column::new("classifier", Unit::Text),
            Column::new("decided", Unit::Text),
            Column::new("among", Unit::Text),
            Column::new("images", Unit::Count),
            Column::new("error", Unit::Share),
            Column::new("of the whole class", Unit::Share),
            Column::new("energy", Unit::Share),
        ],
        rows: (0..measured.classifiers.len()).flat_map(of).map(row).collect(),
        searchable: true,
        ..Sheet::default()
    }
}
