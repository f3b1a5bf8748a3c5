//! How local the cells of the layers are: `tables/locality.*`.

use render::sheet::{Cell, Column, Sheet, Unit};
use render::text::readable;

use crate::measured::{LayerLocality, Measured, of_maps};

/// Every classifier with a layer's locality.
fn rows(measured: &Measured) -> impl Iterator<Item = (&str, &LayerLocality)> {
    let all = measured.classifiers.iter().zip(&measured.locality);
    all.filter_map(|(name, found)| Some((name.as_str(), found.as_ref()?)))
        .flat_map(|(name, found)| found.iter().map(move |one| (name, one)))
}

/// Whether it was measured.
pub fn is_there(measured: &Measured) -> bool {
    rows(measured).next().is_some()
}

/// One row for each classifier, layer and kind of influence: the share of the influence on a cell in its own square and in that with its
/// neighbours, means over cells, each beside the share of the image that it is.
pub fn table(measured: &Measured) -> Sheet {
    let all: Vec<(&str, &LayerLocality)> = rows(measured).collect();
    let number = |value: fn(&LayerLocality) -> f64| -> Vec<Option<f64>> {
        all.iter().map(|(_, one)| Some(value(one))).collect()
    };
    Sheet::default()
        .texts("classifier", &all.iter().map(|(name, _)| *name).collect::<Vec<_>>())
        .texts(
            "layer",
            &all.iter().map(|(_, one)| one.layer.as_str()).collect::<Vec<_>>(),
        )
        .texts(
            "influence",
            &all.iter().map(|(_, one)| one.influence.as_str()).collect::<Vec<_>>(),
        )
        .counts(
            "cells",
            &all.iter().map(|(_, one)| one.cells as i64).collect::<Vec<_>>(),
        )
        .numbers("own", &number(|one| one.shares[0]))
        .numbers("own_area", &number(|one| one.areas[0]))
        .numbers("grown", &number(|one| one.shares[1]))
        .numbers("grown_area", &number(|one| one.areas[1]))
}

/// What the short table says.
const CAPTION: &str = "What a place on a map can mean: share of the influence on a cell that lies in the cell's own square of the image, and in that \
    with its neighbours, each beside its share of the image's area. Means over the cells that anything has an influence on.";

/// The short table as a part of the report.
pub fn in_short(measured: &Measured) -> Sheet {
    Sheet {
        id: "locality".to_owned(),
        title: "What a place on a map can mean".to_owned(),
        note: CAPTION.to_owned(),
        ..short(measured)
    }
}

/// What readers are shown.
pub fn short(measured: &Measured) -> Sheet {
    let row = |(name, one): (&str, &LayerLocality)| {
        let numbers = [one.shares[0], one.areas[0], one.shares[1], one.areas[1]];
        [
            Cell::from(name),
            Cell::from(one.layer.as_str()),
            Cell::from(one.influence.as_str()),
        ]
        .into_iter()
        .chain(numbers.map(|value| Cell::number(Some(value))))
        .collect()
    };
    Sheet {
        title: CAPTION.to_owned(),
        columns: ["classifier", "layer", "influence"]
            .map(|title| Column::new(title, Unit::Text))
            .into_iter()
            .chain(
                ["own square", "its area", "with neighbours", "their area"]
                    .map(|title| Column::new(title, Unit::Share)),
            )
            .collect(),
        rows: rows(measured).map(row).collect(),
        sections: true,
        ..Sheet::default()
    }
}

/// What stands beside every table of energies: how local the cells of the maps are.
pub fn note(measured: &Measured) -> Option<String> {
    let of = |(name, found): (&String, &Option<Vec<LayerLocality>>)| {
        let one = of_maps(found.as_ref()?, "gradient")?;
        Some(format!("{:.2} ({})", one.shares[0], readable(name)))
    };
    let all = measured.classifiers.iter().zip(&measured.locality);
    let shares: Vec<String> = all.clone().filter_map(of).collect();
    let one = all
        .filter_map(|(_, found)| of_maps(found.as_ref()?, "gradient"))
        .next()?;
    Some(format!(
        "What a place on a map can mean: of the gradient's influence on a cell of the maps' layer ({}) this share lies in the cell's own square, \
         which is {} of the image: {}.",
        one.layer,
        // One cell of many has a small one.
        match one.areas[0] {
            area if area < 0.01 => format!("{area:.4}"),
            area => format!("{area:.2}"),
        },
        shares.join(", ")
    ))
}
