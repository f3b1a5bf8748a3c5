//! What sets the balanced classifier apart from the unbalanced one, shared out among threshold, head and features:
//! `tables/decomposition.*`, and the sentences that a run ends with.

use metrics::{Arm, Estimate, Part};

use crate::measured::{Decomposed, Decomposition, Quantity};
use render::sheet::{Cell, Column, Sheet, Unit};

/// One row for each quantity, and in it for each arm, the difference, and each part's two steps and their mean.
pub fn table(decomposition: &Decomposition) -> Sheet {
    let mut rows: Vec<Row> = Vec::new();
    for one in &decomposition.quantities {
        let mut add = |kind: &'static str, name: &str, estimate: Estimate, share: Option<Estimate>| {
            rows.push(Row {
                quantity: one.quantity,
                kind,
                name: name.to_owned(),
                estimate,
                share,
                attributes: one.attributes,
            });
        };
        for (name, &estimate) in decomposition.classifiers.iter().zip(&one.arms) {
            add("classifier", name, estimate, None);
        }
        add("difference", "balanced - unbalanced", one.difference, None);
        for part in &one.parts {
            let name = part.part.name();
            add("step from unbalanced", name, part.from_unbalanced, part.shares[0]);
            add("step from balanced", name, part.from_balanced, part.shares[1]);
            add("mean of both steps", name, part.mean, None);
        }
    }
    let texts = |value: fn(&Row) -> &str| rows.iter().map(value).collect::<Vec<_>>();
    let numbers = |value: fn(&Row) -> Option<f64>| rows.iter().map(value).collect::<Vec<_>>();
    let counts = |value: fn(&Row) -> usize| rows.iter().map(|row| value(row) as i64).collect::<Vec<_>>();
    Sheet::default()
        .texts("quantity", &texts(|row| row.quantity.name()))
        .texts("kind", &texts(|row| row.kind))
        .texts("name", &texts(|row| &row.name))
        .numbers("value", &numbers(|row| Some(row.estimate.value)))
        .numbers("low", &numbers(|row| Some(row.estimate.interval?.low)))
        .numbers("high", &numbers(|row| Some(row.estimate.interval?.high)))
        .numbers("standard_error", &numbers(|row| row.estimate.standard_error))
        .numbers(
            "p_value",
            &numbers(|row| row.estimate.p_value.filter(|_| row.kind != "classifier")),
        )
        .numbers("share", &numbers(|row| Some(row.share?.value)))
        .numbers("share_low", &numbers(|row| Some(row.share?.interval?.low)))
        .numbers("share_high", &numbers(|row| Some(row.share?.interval?.high)))
        .counts("attributes", &counts(|row| row.attributes))
        .counts("people", &counts(|row| row.estimate.people))
}

struct Row {
    quantity: Quantity,
    kind: &'static str,
    name: String,
    estimate: Estimate,
    share: Option<Estimate>,
    attributes: usize,
}

/// What readers are shown: of each quantity both classifiers, their difference, and the steps from either end.
pub fn short(decomposition: &Decomposition) -> Sheet {
    let [unbalanced, .., balanced] = &decomposition.classifiers;
    let mut columns = vec![
        Column::new("quantity", Unit::Text),
        Column::new(unbalanced, Unit::Number(3)),
        Column::new(balanced, Unit::Number(3)),
        Column::new("difference", Unit::Signed(3)),
    ];
    for end in [unbalanced, balanced] {
        let of = |part: Part| Column::new(part.name(), Unit::Signed(3)).under(format!("from {end}"));
        columns.extend(Part::ALL.map(of));
    }
    let row = |one: &Decomposed| {
        let mut row = vec![
            Cell::from(one.quantity.title()),
            Cell::number(Some(one.arms[0].value)),
            Cell::number(Some(one.arms[Arm::ALL.len() - 1].value)),
            signed(&one.difference),
        ];
        row.extend(one.parts.iter().map(|part| signed(&part.from_unbalanced)));
        row.extend(one.parts.iter().map(|part| signed(&part.from_balanced)));
        row
    };
    Sheet {
        id: "decomposition".to_owned(),
        title: "Threshold, head or features: the difference of the two classifiers, step by step".to_owned(),
        note: "Means over attributes. Bold: the 95 % interval over people does not contain 0. From the unbalanced classifier: its decision \
               threshold is moved, with no network changed; its head is refitted with class weights to the same features; the features are \
               exchanged. From the balanced classifier: the same steps back. Either way the three add up to the difference. Specificity: energy \
               less what the maps of other attributes have in the same region; no evidence: the share of maps without any positive value; \
               region's loss: what the score loses with the region hidden, beyond an equal area elsewhere."
            .to_owned(),
        columns,
        rows: decomposition.quantities.iter().map(row).collect(),
        ..Sheet::default()
    }
}

/// A difference with its interval, marked where that does not contain 0.
fn signed(estimate: &Estimate) -> Cell {
    let cell = Cell::number(Some(estimate.value));
    match estimate.interval {
        Some(ends) if ends.low > 0.0 || ends.high < 0.0 => cell.emphasised(),
        _ => cell,
    }
}

/// What a run ends with: the table, as far as it fits a terminal, and what it says of the claims in question.
pub fn text(decomposition: &Decomposition) -> String {
    let mut sheet = short(decomposition);
    // The steps back are in the sentences, and in the files.
    let kept = sheet.columns.len() - Part::ALL.len();
    sheet.columns.truncate(kept);
    sheet.rows.iter_mut().for_each(|row| row.truncate(kept));
    let mut lines = vec![
        "What sets the balanced classifier apart: the threshold, the head or the features (* its 95 % interval over people does not hold 0)"
            .to_owned(),
        sheet.terminal(),
    ];
    lines.extend(
        sentences(decomposition)
            .into_iter()
            .map(|sentence| format!("  {sentence}")),
    );
    lines.join("\n")
}

/// What the parts say of the errors and of the majority's energy.
pub fn sentences(decomposition: &Decomposition) -> Vec<String> {
    let wanted = [
        (Quantity::MajorityEnergy, "Majority energy"),
        (Quantity::MinorityEnergy, "Minority energy"),
        (Quantity::BalancedError, "Balanced error"),
    ];
    wanted
        .into_iter()
        .filter_map(|(quantity, name)| Some(sentence(decomposition.of(quantity)?, name)))
        .collect()
}

fn sentence(one: &Decomposed, name: &str) -> String {
    let [threshold, head, features] = one.parts.as_slice() else {
        return String::new();
    };
    let whole = with_interval(&one.difference);
    let regrouping = with_interval(&threshold.from_unbalanced);
    let beginning = match threshold.shares[0] {
        Some(share) => {
            let change = if one.difference.value < 0.0 { "falls" } else { "rises" };
            let interval = share.interval.map_or_else(String::new, |ends| {
                format!(" [{:.0}, {:.0}]", 100.0 * ends.low, 100.0 * ends.high)
            });
            format!(
                "{name} {change} with balancing: {whole}. Regrouping alone, by moving the unbalanced classifier's threshold with no network \
                 changed, makes {:.0} %{interval} of that ({regrouping}).",
                100.0 * share.value
            )
        }
        None => format!(
            "{name} changes with balancing by {whole}, which may be nothing. Regrouping alone, by moving the unbalanced classifier's threshold \
             with no network changed, makes {regrouping}."
        ),
    };
    format!(
        "{beginning} Refitting its head then makes {}, the balanced features {}. (The same steps back from the balanced classifier: threshold \
         {:+.3}, head {:+.3}, features {:+.3}.)",
        with_interval(&head.from_unbalanced),
        with_interval(&features.from_unbalanced),
        threshold.from_balanced.value,
        head.from_balanced.value,
        features.from_balanced.value,
    )
}

fn with_interval(estimate: &Estimate) -> String {
    let interval = estimate
        .interval
        .map_or_else(String::new, |ends| format!(" [{:+.3}, {:+.3}]", ends.low, ends.high));
    format!("{:+.3}{interval}", estimate.value)
}
