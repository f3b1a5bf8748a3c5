//! A run on CelebA beside the paper's published numbers.

use metrics::{Class, spearman};

use super::terminal;
use crate::frames::Table;
use crate::measured::Measured;
use crate::published::Published;

/// One number of this run and its published counterpart.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The attribute.
    pub attribute: String,
    /// The classifier.
    pub classifier: String,
    /// `fnr`, `fpr`, `energy_predicted_positive` or `energy_predicted_negative`.
    pub quantity: &'static str,
    /// Measured in this run.
    pub ours: f64,
    /// Published.
    pub published: f64,
}

impl Comparison {
    /// Every number that both have.
    pub fn all(measured: &Measured, published: &Published) -> Vec<Self> {
        let mut all = Vec::new();
        for attribute in &measured.attributes {
            for (classifier, measures) in measured.classifiers.iter().zip(&attribute.classifiers) {
                for class in Class::BOTH {
                    let (error, energy) = match class {
                        Class::Positive => ("fnr", "energy_predicted_positive"),
                        Class::Negative => ("fpr", "energy_predicted_negative"),
                    };
                    let pairs = [
                        (
                            error,
                            measures.rates.rate(class),
                            published.error(&attribute.name, classifier, class),
                        ),
                        (
                            energy,
                            measures.energy(class).map(|statistics| statistics.mean),
                            published.energy(&attribute.name, classifier, class),
                        ),
                    ];
                    all.extend(pairs.into_iter().filter_map(|(quantity, ours, published)| {
                        Some(Self {
                            attribute: attribute.name.clone(),
                            classifier: classifier.clone(),
                            quantity,
                            ours: ours?,
                            published: published?,
                        })
                    }));
                }
            }
        }
        all
    }
}

/// The comparison, one row a number.
pub(super) fn table(comparison: &[Comparison]) -> Table {
    let texts = |value: fn(&Comparison) -> &str| -> Vec<&str> { comparison.iter().map(value).collect() };
    let numbers =
        |value: fn(&Comparison) -> f64| -> Vec<Option<f64>> { comparison.iter().map(|one| Some(value(one))).collect() };
    Table::default()
        .texts("attribute", &texts(|one| &one.attribute))
        .texts("classifier", &texts(|one| &one.classifier))
        .texts("quantity", &texts(|one| one.quantity))
        .doubles("ours", &numbers(|one| one.ours))
        .doubles("published", &numbers(|one| one.published))
        .doubles("difference", &numbers(|one| one.ours - one.published))
}

/// How well the run agrees with the paper, quantity by quantity: mean difference, mean absolute difference, and rank
/// correlation over attributes.
pub fn agreement(comparison: &[Comparison]) -> String {
    let mut groups: Vec<(&str, &str)> = Vec::new();
    for one in comparison {
        let group = (one.classifier.as_str(), one.quantity);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let rows = groups.into_iter().map(|(classifier, quantity)| {
        let of_group = comparison
            .iter()
            .filter(|one| (one.classifier.as_str(), one.quantity) == (classifier, quantity));
        let (ours, published): (Vec<f64>, Vec<f64>) = of_group.map(|one| (one.ours, one.published)).unzip();
        let n = ours.len() as f64;
        let differences = || ours.iter().zip(&published).map(|(ours, published)| ours - published);
        vec![
            format!("{classifier} {quantity}"),
            format!("{}", ours.len()),
            format!("{:+.3}", differences().sum::<f64>() / n),
            format!("{:.3}", differences().map(f64::abs).sum::<f64>() / n),
            spearman(&ours, &published).map_or_else(|| "–".to_owned(), |value| format!("{value:+.2}")),
        ]
    });
    let head = [
        "this run beside the paper",
        "attributes",
        "mean difference",
        "mean |difference|",
        "rank correlation",
    ];
    format!(
        "{}\nDifferences are ours minus published; weights, seeds and the alignment's resampling are not the authors'.",
        terminal(head.map(str::to_owned).to_vec(), rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_by_hand() {
        let one = |attribute: &str, ours, published| Comparison {
            attribute: attribute.to_owned(),
            classifier: "balanced".to_owned(),
            quantity: "fnr",
            ours,
            published,
        };
        let text = agreement(&[one("a", 0.1, 0.2), one("b", 0.5, 0.3), one("c", 0.9, 0.7)]);
        for part in ["balanced fnr", " 3 ", "+0.100", "0.167", "+1.00"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
