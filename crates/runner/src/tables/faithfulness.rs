//! Which methods tell what the classifiers use: `tables/faithfulness.*` and `tables/sanity.csv`.

use comfy_table::presets;

use super::latex;
use super::terminal::{TERMINAL, styled};
use crate::measured::{Measured, MethodScores, SCORES, Summary, method_title};
use pipeline::Columns;

/// Every classifier that was tried, with its methods.
fn rows(measured: &Measured) -> Vec<(&str, &MethodScores)> {
    let of = measured.classifiers.iter().zip(&measured.faithfulness);
    of.filter_map(|(name, found)| Some((name, found.as_ref()?)))
        .flat_map(|(name, found)| found.methods.iter().map(move |method| (name.as_str(), method)))
        .collect()
}

/// One row for each classifier and method. Of each score: mean, 95 % interval, number of values, and the mean difference to the random
/// map with its interval, paired by image and attribute.
pub fn table(measured: &Measured) -> Columns {
    let rows = rows(measured);
    let mut table = Columns::default()
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
            .doubles(name, &numbers(&|one| Some(one.statistics.mean)))
            .doubles(
                &format!("{name}_low"),
                &numbers(&|one| Some(one.statistics.interval?.low)),
            )
            .doubles(
                &format!("{name}_high"),
                &numbers(&|one| Some(one.statistics.interval?.high)),
            )
            .doubles(&format!("{name}_n"), &numbers(&|one| Some(one.statistics.n as f64)))
            .doubles(
                &format!("{name}_over_random"),
                &numbers(&|one| Some(one.over_random?.difference)),
            )
            .doubles(
                &format!("{name}_over_random_low"),
                &numbers(&|one| Some(one.over_random?.interval?.low)),
            )
            .doubles(
                &format!("{name}_over_random_high"),
                &numbers(&|one| Some(one.over_random?.interval?.high)),
            );
    }
    table
}

/// One row for each classifier, method and depth of randomisation: mean rank correlation with the map before, and its interval.
pub fn sanity(measured: &Measured) -> Columns {
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
    Columns::default()
        .texts("classifier", &texts(0))
        .texts("method", &texts(1))
        .texts("randomised_from", &texts(2))
        .doubles(
            "similarity",
            &found.iter().map(|one| one.map(|one| one.mean)).collect::<Vec<_>>(),
        )
        .doubles("low", &ends(false))
        .doubles("high", &ends(true))
        .integers(
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

/// Heads of the small table.
fn heads(measured: &Measured) -> Vec<String> {
    let scores = SCORES
        .iter()
        .zip(shown(measured))
        .filter(|(_, shown)| *shown)
        .map(|(score, _)| score.title.to_owned());
    ["classifier", "method"]
        .map(str::to_owned)
        .into_iter()
        .chain(scores)
        .chain(["head random".to_owned(), "all random".to_owned()])
        .collect()
}

/// Rows of the small table: means, and the similarity with the head randomised and with all weights randomised.
fn short_rows(measured: &Measured, absent: &str) -> Vec<Vec<String>> {
    let number = |value: Option<f64>| value.map_or_else(|| absent.to_owned(), |value| format!("{value:.3}"));
    let columns = shown(measured);
    rows(measured)
        .into_iter()
        .map(|(classifier, method)| {
            let shown = columns.iter().zip(&method.scores).filter(|(shown, _)| **shown);
            let similarity = |at: Option<&Option<metrics::Statistics>>| number(at.and_then(|one| Some((*one)?.mean)));
            [classifier.to_owned(), method.method.clone()]
                .into_iter()
                .chain(shown.map(|(_, one)| number(one.map(|one| one.statistics.mean))))
                .chain([
                    similarity(method.similarity.first()),
                    similarity(method.similarity.last()),
                ])
                .collect()
        })
        .collect()
}

/// The small table for the terminal; empty where nothing was tried.
pub fn text(measured: &Measured) -> String {
    let rows = short_rows(measured, "–");
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "{}\nMeans over a sample of scores; arrows say which direction is faithful. The last two: rank correlation of a map with itself \
         after weights were randomised.\n",
        styled(TERMINAL, heads(measured), rows)
    )
}

/// The small table in Markdown.
pub fn markdown(measured: &Measured) -> String {
    let rows = short_rows(measured, "–").into_iter().map(|mut row| {
        row[1] = method_title(&row[1]);
        row
    });
    styled(presets::ASCII_MARKDOWN, heads(measured), rows)
}

/// The small table in LaTeX (booktabs).
pub fn latex(measured: &Measured) -> String {
    // The classifier stands above its methods.
    let heads: Vec<String> = heads(measured)[1..]
        .iter()
        .map(|head| head.replace('↓', "$\\downarrow$").replace('↑', "$\\uparrow$"))
        .collect();
    let mut lines = vec![
        "% Needs \\usepackage{booktabs}. Means over a sample of scores; the last two columns: rank correlation of a map with itself".to_owned(),
        "% after the head's weights, and all weights, were randomised.".to_owned(),
        format!("\\begin{{tabular}}{{@{{}}l {}@{{}}}}", "r".repeat(heads.len() - 1)),
        "\\toprule".to_owned(),
        format!("{} \\\\", heads.join(" & ")),
    ];
    for group in short_rows(measured, "--").chunk_by(|row, next| row[0] == next[0]) {
        lines.push("\\midrule".to_owned());
        let name = latex::text(&group[0][0]);
        lines.push(format!(
            "\\multicolumn{{{}}}{{@{{}}l}}{{\\emph{{{name}}}}} \\\\",
            heads.len()
        ));
        lines.extend(group.iter().map(|row| {
            let name = latex::text(&method_title(&row[1]));
            let numbers = row[2..].iter().map(|number| match number.strip_prefix('-') {
                Some(digits) if digits.starts_with(|first: char| first.is_ascii_digit()) => format!("$-${digits}"),
                _ => number.clone(),
            });
            let cells: Vec<String> = std::iter::once(name).chain(numbers).collect();
            format!("{} \\\\", cells.join(" & "))
        }));
    }
    lines.extend(["\\bottomrule".to_owned(), "\\end{tabular}".to_owned(), String::new()]);
    lines.join("\n")
}
