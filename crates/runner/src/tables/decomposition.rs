//! What sets the balanced classifier apart from the unbalanced one, shared out among threshold, head and features:
//! `tables/decomposition.*`, and the sentences that a run ends with.

use metrics::{Arm, Claim, Estimate, Judgement, MIN_SAMPLES, Part};

use crate::experiment::Role;
use crate::measured::{Decomposed, DecomposedQuantity, Decomposition, Measured};
use render::sheet::{Cell, Column, Sheet, Unit};
use render::text::{counted, readable};

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
                attributes: one.attributes.len(),
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
    quantity: DecomposedQuantity,
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
        note: format!(
            "{} Bold: the 95 % interval does not contain 0. From the unbalanced classifier: its decision \
               threshold is moved, with no network changed; its head is refitted with class weights to the same features; the features are \
               exchanged. From the balanced classifier: the same steps back. Either way the three add up to the difference. Specificity: energy \
               less what the maps of other attributes have in the same region; no evidence: the share of maps without any positive value; \
               region's loss: what the score loses with the region hidden, beyond an equal area elsewhere.",
            over_which(decomposition)
        ),
        columns,
        rows: decomposition.quantities.iter().map(row).collect(),
        ..Sheet::default()
    }
}

/// So many attributes are named, or those that are absent; of more it is said how many.
const NAMED: usize = 12;

/// Which attributes the means are over, quantities of the same attributes together.
fn over_which(decomposition: &Decomposition) -> String {
    let mut groups: Vec<(Vec<&str>, &[String])> = Vec::new();
    for one in &decomposition.quantities {
        match groups.iter_mut().find(|(_, attributes)| *attributes == one.attributes) {
            Some((quantities, _)) => quantities.push(one.quantity.title()),
            None => groups.push((vec![one.quantity.title()], &one.attributes)),
        }
    }
    let alone = groups.len() == 1;
    let most = groups
        .iter()
        .map(|(_, attributes)| *attributes)
        .max_by_key(|attributes| attributes.len());
    let most = most.unwrap_or_default();
    let list = |names: Vec<&String>| {
        let names: Vec<String> = names.into_iter().map(|name| readable(name)).collect();
        names.join(", ")
    };
    let part = |(quantities, attributes): &(Vec<&str>, &[String])| {
        let absent: Vec<&String> = most.iter().filter(|name| !attributes.contains(name)).collect();
        let which = if attributes.len() <= NAMED {
            format!(" ({})", list(attributes.iter().collect()))
        } else if (1..=NAMED).contains(&absent.len()) {
            format!(" (not {})", list(absent))
        } else {
            String::new()
        };
        let of = if alone {
            String::new()
        } else {
            format!("{}: ", quantities.join("; "))
        };
        format!("{of}{}{which}", counted(attributes.len(), "attribute"))
    };
    let parts: Vec<String> = groups.iter().map(part).collect();
    format!(
        "Means over attributes with enough images in every arm. {}.",
        parts.join(". ")
    )
}

/// A difference with its interval, marked where that does not contain 0.
fn signed(estimate: &Estimate) -> Cell {
    let cell = Cell::number(Some(estimate.value));
    match estimate.interval {
        // What is printed as 0 is not pointed at.
        Some(ends) if (ends.low > 0.0 || ends.high < 0.0) && estimate.value.abs() >= 5e-4 => cell.emphasised(),
        _ => cell,
    }
}

/// What a run ends with: the table, as far as it fits a terminal, and what it says of the claims in question.
pub fn text(measured: &Measured, decomposition: &Decomposition) -> String {
    let mut sheet = short(decomposition);
    // The steps back are in the sentences, and in the files.
    let kept = sheet.columns.len() - Part::ALL.len();
    sheet.columns.truncate(kept);
    sheet.rows.iter_mut().for_each(|row| row.truncate(kept));
    let mut lines = vec![
        "What sets the balanced classifier apart: the threshold, the head or the features (* its 95 % interval does not hold 0)"
            .to_owned(),
        sheet.terminal(),
    ];
    lines.extend(
        sentences(measured, decomposition)
            .into_iter()
            .map(|sentence| format!("  {sentence}")),
    );
    lines.join("\n")
}

/// What a run says of its title question, and what the parts say of energies and errors.
pub fn sentences(measured: &Measured, decomposition: &Decomposition) -> Vec<String> {
    let wanted = [
        (DecomposedQuantity::MajorityEnergy, "Majority energy"),
        (DecomposedQuantity::MinorityEnergy, "Minority energy"),
        (DecomposedQuantity::BalancedError, "Balanced error"),
    ];
    let parts = wanted
        .into_iter()
        .filter_map(|(quantity, name)| Some(sentence(decomposition.of(quantity)?, name)));
    let toggled = toggled(decomposition);
    ignored(measured).into_iter().chain(toggled).chain(parts).collect()
}

/// Does the unbalanced classifier ignore the majority classes?
fn ignored(measured: &Measured) -> Option<String> {
    let place = measured.roles.iter().position(|role| *role == Some(Role::Unbalanced))?;
    let finding = |claim: Claim| measured.findings.iter().find(|finding| finding.claim == claim);
    let [elsewhere, beyond] = [Claim::MajorityLooksElsewhere, Claim::MajorityLookedForBeyondChance].map(finding);
    let (elsewhere, beyond) = (elsewhere?, beyond?);
    let means: Vec<[f64; 3]> = measured
        .attributes
        .iter()
        .filter(|attribute| attribute.local)
        .filter_map(|attribute| {
            let of = |minority: bool| {
                let energy = attribute.classifiers[place].energy(attribute.class(minority));
                energy
                    .filter(|energy| energy.n >= MIN_SAMPLES)
                    .map(|energy| energy.mean)
            };
            Some([of(true)?, of(false)?, attribute.area?])
        })
        .collect();
    if means.is_empty() {
        return None;
    }
    let mean = |side: usize| means.iter().map(|one| one[side]).sum::<f64>() / means.len() as f64;
    let less = elsewhere.judgement == Some(Judgement::Observed);
    let still = beyond.judgement == Some(Judgement::Observed);
    let answer = match (less, still) {
        (true, true) => "It looks there less, and does not ignore it",
        (true, false) => "It looks there less, and not clearly more than for any other attribute",
        (false, true) => "It does not clearly look there less, and does not ignore it",
        (false, false) => "It does not clearly look there less, nor clearly more than for any other attribute",
    };
    Some(format!(
        "Does the unbalanced classifier ignore the majority classes? When it predicts the majority, {:.3} of a map's energy lies in the attribute's \
         region, {:.3} when it predicts the minority (means over {} attributes; the regions cover {:.3} of the image). Maps of other attributes have \
         {} less energy there. {answer}.",
        mean(1),
        mean(0),
        means.len(),
        mean(2),
        beyond
            .effect
            .map_or_else(|| "–".to_owned(), |effect| format!("{:.3}", effect.value)),
    ))
}

/// What toggling the attribute in an image does to decisions, at the unbalanced classifier's threshold and at the balanced one's.
fn toggled(decomposition: &Decomposition) -> Option<String> {
    let of = |quantity: DecomposedQuantity| {
        let [unbalanced, moved, .., balanced] = decomposition.of(quantity)?.arms;
        let share = |estimate: Estimate| {
            let ends = estimate
                .interval
                .map_or_else(String::new, |ends| format!(" [{:.3}, {:.3}]", ends.low, ends.high));
            format!("{:.3}{ends}", estimate.value)
        };
        Some([unbalanced, moved, balanced].map(share))
    };
    let [from_majority, from_minority] =
        [DecomposedQuantity::MajorityTurned, DecomposedQuantity::MinorityTurned].map(of);
    let ([first, moved, last], [minority_first, minority_moved, minority_last]) = (from_majority?, from_minority?);
    Some(format!(
        "What do the classifiers use? Toggling the attribute in an image of the majority, all else being the same, turns {first} of the unbalanced \
         classifier's decisions to the minority, and {last} of the balanced one's. With the unbalanced one's threshold moved to where the balanced \
         one's class weights put it, with no network changed, {moved} turn. In images of the minority {minority_first}, {minority_last} and \
         {minority_moved} turn to the majority."
    ))
}

fn sentence(one: &Decomposed, name: &str) -> String {
    let [threshold, head, features] = one.parts.as_slice() else {
        return String::new();
    };
    let whole = with_interval(&one.difference);
    let percent = |share: &Estimate| {
        let interval = share.interval.map_or_else(String::new, |ends| {
            format!(" [{:.0}, {:.0}]", 100.0 * ends.low, 100.0 * ends.high)
        });
        format!("{:.0} %{interval}", 100.0 * share.value)
    };
    let beginning = match &threshold.shares {
        [Some(there), Some(back)] => {
            let change = if one.difference.value < 0.0 { "falls" } else { "rises" };
            format!(
                "{name} {change} with balancing by {whole}. Regrouping alone (a moved threshold, no network changed) makes {} of that from the \
                 unbalanced classifier, {} back from the balanced one.",
                percent(there),
                percent(back)
            )
        }
        _ => format!(
            "{name} changes with balancing by {whole}, which may be nothing. Regrouping alone (a moved threshold, no network changed) makes {} from \
             the unbalanced classifier, {} back from the balanced one.",
            with_interval(&threshold.from_unbalanced),
            with_interval(&threshold.from_balanced)
        ),
    };
    format!(
        "{beginning} The refitted head makes {:+.3} and {:+.3}, the features {:+.3} and {:+.3}.",
        head.from_unbalanced.value,
        head.from_balanced.value,
        features.from_unbalanced.value,
        features.from_balanced.value,
    )
}

fn with_interval(estimate: &Estimate) -> String {
    let interval = estimate
        .interval
        .map_or_else(String::new, |ends| format!(" [{:+.3}, {:+.3}]", ends.low, ends.high));
    format!("{:+.3}{interval}", estimate.value)
}
