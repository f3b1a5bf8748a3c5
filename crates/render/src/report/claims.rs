//! The paper's claims and what this run says about them.

use metrics::{Finding, Judgement, RULE};

use crate::html::escape;
use crate::text::{signed, thousands};

/// All findings with the rule behind the verdicts.
pub(super) fn render(findings: &[Finding]) -> String {
    let cards: String = findings.iter().map(card).collect();
    format!(
        "<ul class=\"claims\">\n{cards}</ul>\n<p class=\"note\">{}</p>\n",
        escape(RULE)
    )
}

/// A verdict's mark, so that it does not hang on colour, and its class.
fn look(judgement: Option<Judgement>) -> [&'static str; 2] {
    match judgement {
        Some(Judgement::Observed) => ["✓", "observed"],
        Some(Judgement::Contradicted) => ["✗", "not-observed"],
        Some(Judgement::NoClearEffect) => ["~", "undecided"],
        Some(Judgement::TooLittleData) => ["?", "undecided"],
        None => ["·", "undecided"],
    }
}

fn card(finding: &Finding) -> String {
    let [mark, class] = look(finding.judgement);
    let mut numbers = Vec::new();
    let with_interval = |value: f64, interval: Option<metrics::Interval>| {
        let interval = interval.map_or_else(String::new, |interval| {
            format!(" [{}, {}]", signed(interval.low, 3), signed(interval.high, 3))
        });
        format!("{}{interval}", signed(value, 3))
    };
    if let Some(effect) = finding.effect {
        numbers.push(format!(
            "{} {}",
            finding.claim.effect(),
            with_interval(effect.value, effect.interval)
        ));
    }
    match finding.adjusted_p_value {
        Some(p) if p < 0.001 => numbers.push("p < 0.001".to_owned()),
        Some(p) => numbers.push(format!("p {p:.3}")),
        None => {}
    }
    if let Some(paired) = finding.paired {
        numbers.push(format!(
            "on the same images {}",
            with_interval(paired.value, paired.interval)
        ));
    }
    if finding.attributes > 0 {
        numbers.push(finding.in_attributes());
        numbers.push(format!("{} pairs of image and attribute", thousands(finding.samples)));
        if finding.left_out > 0 {
            numbers.push(format!("{} left out", finding.left_out));
        }
    }
    numbers.extend(finding.why_not());
    format!(
        "<li class=\"claim {class}\">\n<p class=\"verdict\"><span aria-hidden=\"true\">{}</span> {}</p>\n\
         <p class=\"statement\">{}</p>\n{}<p class=\"numbers\">{}</p>\n</li>\n",
        mark,
        finding.verdict(),
        escape(finding.claim.statement()),
        scale(finding),
        escape(&numbers.join(" · "))
    )
}

/// The end of a line from its negative to itself that holds all values: 1, 2 or 5 times a power of 10.
fn span(values: impl Iterator<Item = f64>) -> f64 {
    let largest = values
        .filter(|value| value.is_finite())
        .fold(0.0, |most: f64, value| most.max(value.abs()));
    if largest <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powi(largest.log10().floor() as i32);
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    // What is on the end itself is drawn whole: the picture goes on beside it.
    steps
        .into_iter()
        .find(|end| largest <= end * (1.0 + 1e-9))
        .unwrap_or(10.0 * power)
}

/// Effect and interval on a line around 0 that is as long as they need.
fn scale(finding: &Finding) -> String {
    let Some(effect) = finding.effect else {
        return String::new();
    };
    let ends = effect
        .interval
        .iter()
        .flat_map(|interval| [interval.low, interval.high]);
    let span = span(ends.chain([effect.value]));
    let x = |value: f64| (100.0 + 94.0 * (value / span).clamp(-1.0, 1.0)).round();
    let interval = effect.interval.map_or_else(String::new, |interval| {
        let (low, high) = (x(interval.low), x(interval.high));
        format!("<line class=\"interval\" x1=\"{low}\" x2=\"{high}\" y1=\"7\" y2=\"7\"/>")
    });
    format!(
        "<svg class=\"scale\" viewBox=\"0 0 200 22\" role=\"img\" aria-label=\"effect {} on a scale from −{span} to {span}\">\
         <path class=\"axis\" d=\"M6 7H194M6 4v6M100 2v10M194 4v6\"/>\
         {interval}<circle cx=\"{}\" cy=\"7\" r=\"3.5\"/>\
         <text x=\"6\" y=\"20\">−{span}</text><text x=\"100\" y=\"20\">0</text><text x=\"194\" y=\"20\">+{span}</text></svg>\n",
        signed(effect.value, 3),
        x(effect.value)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_as_long_as_what_it_shows() {
        for (values, end) in [
            (vec![0.039, 0.04], 0.05),
            (vec![0.251, 0.249], 0.5),
            (vec![-0.6], 1.0),
            // No difference of errors is larger.
            (vec![1.0, 0.7], 1.0),
            (vec![-0.02], 0.02),
            (vec![1.3, 0.2], 2.0),
            (vec![0.0], 1.0),
            (vec![f64::NAN, 0.011], 0.02),
        ] {
            let found = span(values.iter().copied());
            assert!((found - end).abs() < 1e-12, "{values:?}: {found}");
        }
        assert_eq!(format!("{}", span([0.039].into_iter())), "0.05");
    }
}
