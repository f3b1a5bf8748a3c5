use metrics::spearman;

use super::number::PublishedNumber;
use render::sheet::{Cell, Column, Sheet, Unit};

/// How well one quantity of one classifier agrees with the paper, over attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// The classifier.
    pub classifier: String,
    /// The quantity, as in [`PublishedNumber`].
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
pub fn agreements(comparison: &[PublishedNumber]) -> Vec<Agreement> {
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
}

/// What readers are shown.
pub(super) fn short(agreements: &[Agreement]) -> Sheet {
    let row = |one: &Agreement| {
        vec![
            Cell::from(format!("{} {}", one.classifier, one.quantity)),
            Cell::count(one.attributes),
            Cell::number(Some(one.means[0])),
            Cell::number(Some(one.means[1])),
            Cell::number(Some(one.mean_difference())),
            Cell::number(Some(one.mean_absolute_difference)),
            Cell::number(one.rank_correlation),
        ]
    };
    Sheet {
        columns: vec![
            Column::new("this run beside the paper", Unit::Text),
            Column::new("attributes", Unit::Count),
            Column::new("ours", Unit::Number(3)),
            Column::new("published", Unit::Number(3)),
            Column::new("difference", Unit::Signed(3)),
            Column::new("mean |difference|", Unit::Number(3)),
            Column::new("rank correlation", Unit::Signed(2)),
        ],
        rows: agreements.iter().map(row).collect(),
        ..Sheet::default()
    }
}

pub(super) fn table(agreements: &[Agreement]) -> Sheet {
    let texts = |value: fn(&Agreement) -> &str| -> Vec<&str> { agreements.iter().map(value).collect() };
    let numbers = |value: fn(&Agreement) -> Option<f64>| -> Vec<Option<f64>> { agreements.iter().map(value).collect() };
    let counts: Vec<i64> = agreements.iter().map(|one| one.attributes as i64).collect();
    Sheet::default()
        .texts("classifier", &texts(|one| &one.classifier))
        .texts("quantity", &texts(|one| one.quantity))
        .counts("attributes", &counts)
        .numbers("ours", &numbers(|one| Some(one.means[0])))
        .numbers("published", &numbers(|one| Some(one.means[1])))
        .numbers("mean_difference", &numbers(|one| Some(one.mean_difference())))
        .numbers(
            "mean_absolute_difference",
            &numbers(|one| Some(one.mean_absolute_difference)),
        )
        .numbers("rank_correlation", &numbers(|one| one.rank_correlation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_by_hand() {
        let one = |attribute: &str, ours, published| PublishedNumber {
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
        let text = short(&all).terminal();
        for part in ["balanced fnr", " 3 ", "0.500", "0.400", "+0.100", "0.167", "+1.00"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
