use comfy_table::presets;
use metrics::spearman;

use super::number::Comparison;
use crate::tables::terminal::{TERMINAL, styled};
use pipeline::Columns;

/// How well one quantity of one classifier agrees with the paper, over attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// The classifier.
    pub classifier: String,
    /// The quantity, as in [`Comparison`].
    pub quantity: &'static str,
    /// Attributes that have both numbers.
    pub attributes: usize,
    /// Mean of ours, and of the published.
    pub means: [f64; 2],
    /// Mean absolute difference.
    pub mean_absolute_difference: f64,
    /// Spearman's correlation over attributes; absent for fewer than two, or where one side is constant.
    pub rank_correlation: Option<f64>,
}

/// The agreement in every quantity of every classifier, in the order of the comparison.
pub fn agreements(comparison: &[Comparison]) -> Vec<Agreement> {
    let mut groups: Vec<(&str, &'static str)> = Vec::new();
    for one in comparison {
        let group = (one.classifier.as_str(), one.quantity);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let of = |(classifier, quantity): (&str, &'static str)| {
        let of_group = comparison
            .iter()
            .filter(|one| (one.classifier.as_str(), one.quantity) == (classifier, quantity));
        let (ours, published): (Vec<f64>, Vec<f64>) = of_group.map(|one| (one.ours, one.published)).unzip();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let differences: Vec<f64> = ours
            .iter()
            .zip(&published)
            .map(|(ours, published)| (ours - published).abs())
            .collect();
        Agreement {
            classifier: classifier.to_owned(),
            quantity,
            attributes: ours.len(),
            means: [mean(&ours), mean(&published)],
            mean_absolute_difference: mean(&differences),
            rank_correlation: spearman(&ours, &published),
        }
    };
    groups.into_iter().map(of).collect()
}

impl Agreement {
    /// Mean of ours less mean of the published.
    pub fn mean_difference(&self) -> f64 {
        self.means[0] - self.means[1]
    }

    fn cells(&self) -> Vec<String> {
        vec![
            format!("{} {}", self.classifier, self.quantity),
            self.attributes.to_string(),
            format!("{:.3}", self.means[0]),
            format!("{:.3}", self.means[1]),
            format!("{:+.3}", self.mean_difference()),
            format!("{:.3}", self.mean_absolute_difference),
            self.rank_correlation
                .map_or_else(|| "–".to_owned(), |value| format!("{value:+.2}")),
        ]
    }
}

fn head() -> Vec<String> {
    [
        "this run beside the paper",
        "attributes",
        "ours",
        "published",
        "difference",
        "mean |difference|",
        "rank correlation",
    ]
    .map(str::to_owned)
    .to_vec()
}

pub(super) fn text(agreements: &[Agreement]) -> String {
    styled(TERMINAL, head(), agreements.iter().map(Agreement::cells))
}

pub(super) fn markdown(agreements: &[Agreement]) -> String {
    let table = styled(presets::ASCII_MARKDOWN, head(), agreements.iter().map(Agreement::cells));
    format!("{table}\n")
}

pub(super) fn table(agreements: &[Agreement]) -> Columns {
    let texts = |value: fn(&Agreement) -> &str| -> Vec<&str> { agreements.iter().map(value).collect() };
    let numbers = |value: fn(&Agreement) -> Option<f64>| -> Vec<Option<f64>> { agreements.iter().map(value).collect() };
    let counts: Vec<i64> = agreements.iter().map(|one| one.attributes as i64).collect();
    Columns::default()
        .texts("classifier", &texts(|one| &one.classifier))
        .texts("quantity", &texts(|one| one.quantity))
        .integers("attributes", &counts)
        .doubles("ours", &numbers(|one| Some(one.means[0])))
        .doubles("published", &numbers(|one| Some(one.means[1])))
        .doubles("mean_difference", &numbers(|one| Some(one.mean_difference())))
        .doubles(
            "mean_absolute_difference",
            &numbers(|one| Some(one.mean_absolute_difference)),
        )
        .doubles("rank_correlation", &numbers(|one| one.rank_correlation))
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
        let all = agreements(&[one("a", 0.1, 0.2), one("b", 0.5, 0.3), one("c", 0.9, 0.7)]);
        let [agreement] = all.as_slice() else {
            panic!("one quantity: {all:?}");
        };
        assert_eq!(agreement.attributes, 3);
        assert!((agreement.mean_difference() - 0.1).abs() < 1e-12);
        assert!((agreement.mean_absolute_difference - 0.5 / 3.0).abs() < 1e-12);
        assert!((agreement.rank_correlation.unwrap() - 1.0).abs() < 1e-12);
        let text = text(&all);
        for part in ["balanced fnr", " 3 ", "0.500", "0.400", "+0.100", "0.167", "+1.00"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
