//! Audited scores.

use metrics::error_rates;

use super::audited::{Attribute, Audited, Group, Numbers};
use crate::commands::scored::Scored;
use crate::error::{Error, Result};

/// The names of classifiers of which only scores are there: the one without class weights is given first.
const NAMES: [&str; 2] = ["first", "second"];

/// Rates of the scores of one classifier or two; `names` are theirs.
///
/// # Errors
/// When two have other attributes or images.
pub(super) fn of(all: &[Scored], names: Option<&[String]>) -> Result<Audited> {
    let (one, others) = match all {
        [one, others @ ..] if others.len() < NAMES.len() => (one, others),
        _ => {
            return Err(Error::Request(format!(
                "--scores: {} files, expected one, or two to compare",
                all.len()
            )));
        }
    };
    let mut attributes = Vec::with_capacity(one.attributes.len());
    for attribute in &one.attributes {
        let mut numbers = Vec::new();
        let mut counts = (0, 0);
        for scored in std::iter::once(one).chain(others) {
            let found = scored.attributes.iter().find(|other| other.name == attribute.name);
            let found = found.ok_or_else(|| {
                Error::Request(format!(
                    "--scores: the second file has no scores of `{}`, expected the first one's attributes",
                    attribute.name
                ))
            })?;
            let rates = error_rates(&scored.decisions(found), &found.labels)?;
            let group = |images: usize| Group {
                energy: None,
                images: Some(images),
            };
            let true_positives = rates.positives - rates.false_negatives;
            let true_negatives = rates.negatives - rates.false_positives;
            numbers.push(Numbers {
                false_negative_rate: rates.false_negative_rate(),
                false_positive_rate: rates.false_positive_rate(),
                positive: group(true_positives + rates.false_positives),
                negative: group(true_negatives + rates.false_negatives),
            });
            counts = (rates.positives, rates.negatives);
        }
        let all = counts.0 + counts.1;
        attributes.push(Attribute {
            name: attribute.name.clone(),
            positive_rate: (all > 0).then(|| counts.0 as f64 / all as f64),
            minority: None,
            area: None,
            region: None,
            counts: Some(counts),
            numbers,
        });
    }
    let mut images: Vec<Vec<&String>> = all.iter().map(|scored| scored.images.iter().collect()).collect();
    images.iter_mut().for_each(|images| images.sort());
    if images.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(Error::Request(
            "--scores: the two files have scores of different images; expected the same, or a list of those that both have: --images"
                .to_owned(),
        ));
    }
    let names = names.map_or_else(
        || NAMES[..all.len()].iter().map(ToString::to_string).collect(),
        <[String]>::to_vec,
    );
    Ok(Audited {
        source: String::new(),
        notes: vec![format!(
            "Rates of {} scored images; a score of {} or more counts as positive. Shares of positives are those of these images.",
            one.images.len(),
            one.threshold
        )],
        classifiers: names,
        attributes,
        decimals: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::scored::ScoredAttribute;

    fn scored(images: &[&str], scores: &[f32], name: &str) -> Scored {
        Scored {
            threshold: 0.0,
            images: images.iter().map(ToString::to_string).collect(),
            attributes: vec![ScoredAttribute {
                name: name.to_owned(),
                scores: scores.to_vec(),
                labels: vec![1, -1, -1],
            }],
        }
    }

    #[test]
    fn rates_and_numbers_are_counted() {
        let first = scored(&["a", "b", "c"], &[-1.0, 1.0, -1.0], "Bald");
        let second = scored(&["a", "b", "c"], &[1.0, 1.0, 0.0], "Bald");
        let found = of(&[first, second], None).expect("of one kind");
        assert_eq!(found.classifiers, NAMES);
        let attribute = &found.attributes[0];
        assert_eq!(attribute.counts, Some((1, 2)));
        let [first, second] = [0, 1].map(|at| attribute.numbers[at]);
        assert_eq!(
            (first.false_negative_rate, first.false_positive_rate),
            (Some(1.0), Some(0.5))
        );
        assert_eq!((first.positive.images, first.negative.images), (Some(1), Some(2)));
        assert_eq!((second.positive.images, second.negative.images), (Some(3), Some(0)));
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let first = || scored(&["a", "b", "c"], &[0.0; 3], "Bald");
        of(&[first(), scored(&["a", "b", "d"], &[0.0; 3], "Bald")], None).expect_err("other images");
        of(&[first(), scored(&["a", "b", "c"], &[0.0; 3], "Old")], None).expect_err("another attribute");
        of(&[], None).expect_err("nothing");
        of(&[first(), first(), first()], None).expect_err("three");
    }
}
