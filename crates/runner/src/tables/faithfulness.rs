//! Which methods tell what the classifiers use: `tables/faithfulness.*` and `tables/sanity.csv`.

use crate::measured::{Measured, MethodScores, SCORES, Summary, method_title};
use render::sheet::{Cell, Column, Sheet, Unit};

/// Every classifier that was tried, with its methods.
fn rows(measured: &Measured) -> Vec<(&str, &MethodScores)> {
    let of = measured.classifiers.iter().zip(&measured.faithfulness);
    of.filter_map(|(name, found)| Some((name, found.as_ref()?)))
        .flat_map(|(name, found)| found.methods.iter().map(move |method| (name.as_str(), method)))
        .collect()
}

/// A baseline, and the difference to it.
type Baseline = (&'static str, fn(&Summary) -> Option<metrics::Paired>);

/// The baselines that methods are compared with image by image.
const BASELINES: [Baseline; 2] = [("random", |one| one.over_random), ("mean_map", |one| one.over_mean)];

/// One row for each classifier and method. Of each score: mean, 95 % interval, number of values, and the mean differences to the random
/// map and to the mean map with their intervals, paired by image and attribute.
pub fn table(measured: &Measured) -> Sheet {
    let rows = rows(measured);
    let mut table = Sheet::default()
        .texts(
            "classifier",
            &rows.iter().map(|(classifier, _)| *classifier).collect::<Vec<_>>(),
        )
        .texts(
            "method",
            &rows
                .iter()
                .map(|(_, method)| method.method.as_str())
                .collect::<Vec<_>>(),
        );
    for (position, score) in SCORES.iter().enumerate() {
        let numbers = |value: &dyn Fn(&Summary) -> Option<f64>| -> Vec<Option<f64>> {
            rows.iter()
                .map(|(_, method)| value(method.scores[position].as_ref()?))
                .collect()
        };
        let name = score.name;
        table = table
            .numbers(name, &numbers(&|one| Some(one.statistics.mean)))
            .numbers(
                &format!("{name}_low"),
                &numbers(&|one| Some(one.statistics.interval?.low)),
            )
            .numbers(
                &format!("{name}_high"),
                &numbers(&|one| Some(one.statistics.interval?.high)),
            )
            .numbers(&format!("{name}_n"), &numbers(&|one| Some(one.statistics.n as f64)));
        for (baseline, over) in BASELINES {
            let title = format!("{name}_over_{baseline}");
            table = table
                .numbers(&title, &numbers(&|one| Some(over(one)?.difference)))
                .numbers(&format!("{title}_low"), &numbers(&|one| Some(over(one)?.interval?.low)))
                .numbers(
                    &format!("{title}_high"),
                    &numbers(&|one| Some(over(one)?.interval?.high)),
                );
        }
    }
    table
}

/// One row for each classifier, method and depth of randomisation: mean rank correlation with the map before, and its interval.
pub fn sanity(measured: &Measured) -> Sheet {
    let mut keys: Vec<[&str; 3]> = Vec::new();
    let mut found = Vec::new();
    for (classifier, faithfulness) in measured.classifiers.iter().zip(&measured.faithfulness) {
        let Some(faithfulness) = faithfulness else { continue };
        for method in &faithfulness.methods {
            for (depth, similarity) in faithfulness.depths.iter().zip(&method.similarity) {
                keys.push([classifier, &method.method, depth]);
                found.push(*similarity);
            }
        }
    }
    let texts = |column: usize| keys.iter().map(|key| key[column]).collect::<Vec<_>>();
    let ends = |high: bool| -> Vec<Option<f64>> {
        let interval = found.iter().map(|one| one.and_then(|one| one.interval));
        interval
            .map(|one| one.map(|one| if high { one.high } else { one.low }))
            .collect()
    };
    Sheet::default()
        .texts("classifier", &texts(0))
        .texts("method", &texts(1))
        .texts("randomised_from", &texts(2))
        .numbers(
            "similarity",
            &found.iter().map(|one| one.map(|one| one.mean)).collect::<Vec<_>>(),
        )
        .numbers("low", &ends(false))
        .numbers("high", &ends(true))
        .counts(
            "n",
            &found
                .iter()
                .map(|one| one.map_or(0, |one| one.n as i64))
                .collect::<Vec<_>>(),
        )
}

/// Which scores the small table shows: those that any method has.
fn shown(measured: &Measured) -> Vec<bool> {
    let rows = rows(measured);
    let there = |position: usize| rows.iter().any(|(_, method)| method.scores[position].is_some());
    let all = SCORES.iter().enumerate();
    all.map(|(position, score)| score.short && there(position)).collect()
}

/// What readers are shown: means, and the similarity with the head randomised and with all weights randomised.
pub fn short(measured: &Measured) -> Sheet {
    let shown = shown(measured);
    let scores = SCORES.iter().zip(&shown).filter(|(_, shown)| **shown);
    let numbers = scores
        .map(|(score, _)| score.title)
        .chain(["head random", "all random"])
        .map(|title| Column::new(title, Unit::Number(3)));
    let row = |(classifier, method): (&str, &MethodScores)| {
        let scores = shown.iter().zip(&method.scores).filter(|(shown, _)| **shown);
        let similarity = |at: Option<&Option<metrics::Statistics>>| Cell::number(at.and_then(|one| Some((*one)?.mean)));
        let title = method_title(&method.method);
        let name = Cell::Name {
            name: method.method.clone(),
            title,
        };
        [Cell::from(classifier), name]
            .into_iter()
            .chain(scores.map(|(_, one)| Cell::number(one.map(|one| one.statistics.mean))))
            .chain([
                similarity(method.similarity.first()),
                similarity(method.similarity.last()),
            ])
            .collect()
    };
    Sheet {
        title: "Whether the maps of some methods tell what the classifiers use: means over a sample of scores. The last two columns: \
                rank correlation of a map with itself after the head's weights, and all weights, were randomised."
            .to_owned(),
        columns: ["classifier", "method"]
            .map(|title| Column::new(title, Unit::Text))
            .into_iter()
            .chain(numbers)
            .collect(),
        rows: rows(measured).into_iter().map(row).collect(),
        sections: true,
        ..Sheet::default()
    }
}

/// The small table for the terminal; empty where nothing was tried.
pub fn text(measured: &Measured) -> String {
    let sheet = short(measured);
    if sheet.rows.is_empty() {
        return String::new();
    }
    format!(
        "{}\nMeans over a sample of scores; arrows say which direction is faithful. The last two: rank correlation of a map with itself \
         after weights were randomised.\n",
        sheet.terminal()
    )
}
