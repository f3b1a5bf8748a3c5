//! The paper's claims and what this run says about them.

use metrics::{Finding, Verdict};

use super::html::{escape, number};

/// The section of all findings with the rule behind the verdicts.
pub(super) fn section(findings: &[Finding]) -> String {
    let cards: String = findings.iter().map(card).collect();
    let body = format!(
        "<div class=\"claims\">\n{cards}</div>\n<p class=\"note\">{}</p>\n",
        escape(Verdict::RULE)
    );
    super::section("claims", "The paper's claims, as measured in this run", &body)
}

fn card(finding: &Finding) -> String {
    let (class, mark) = match finding.verdict {
        Verdict::Observed => ("observed", "✓"),
        Verdict::NotObserved => ("not-observed", "✗"),
        Verdict::Undecided => ("undecided", "?"),
    };
    let mut numbers = Vec::new();
    match finding.supporting {
        Some(supporting) => numbers.push(format!("{supporting} of {} attributes", finding.attributes)),
        None => numbers.push(format!("{} attributes", finding.attributes)),
    }
    if let Some(effect) = finding.effect {
        let interval = finding.interval.map_or_else(String::new, |interval| {
            format!(
                " [{}, {}]",
                number(interval.low, 3, true),
                number(interval.high, 3, true)
            )
        });
        numbers.push(format!(
            "{} {}{interval}",
            finding.claim.effect(),
            number(effect, 3, true)
        ));
    }
    numbers.push(format!("{} samples", finding.samples));
    if finding.left_out > 0 {
        numbers.push(format!("{} left out", finding.left_out));
    }
    format!(
        "<div class=\"claim {class}\">\n<p class=\"verdict\"><span aria-hidden=\"true\">{mark}</span> {}</p>\n\
         <p>{}</p>\n{}<p class=\"numbers\">{}</p>\n</div>\n",
        finding.verdict,
        escape(finding.claim.statement()),
        scale(finding),
        escape(&numbers.join(" · "))
    )
}

/// Effect and interval on a line from -1 to 1.
fn scale(finding: &Finding) -> String {
    let Some(effect) = finding.effect else {
        return String::new();
    };
    let x = |value: f64| (100.0 + 96.0 * value.clamp(-1.0, 1.0)).round();
    let interval = finding.interval.map_or_else(String::new, |interval| {
        let (low, high) = (x(interval.low), x(interval.high));
        format!("<line class=\"interval\" x1=\"{low}\" x2=\"{high}\" y1=\"9\" y2=\"9\"/>")
    });
    format!(
        "<svg class=\"scale\" viewBox=\"0 0 200 18\" role=\"img\" aria-label=\"effect {}\">\
         <line class=\"axis\" x1=\"4\" x2=\"196\" y1=\"9\" y2=\"9\"/><line class=\"axis\" x1=\"100\" x2=\"100\" y1=\"2\" y2=\"16\"/>\
         {interval}<circle cx=\"{}\" cy=\"9\" r=\"3.5\"/></svg>\n",
        number(effect, 3, true),
        x(effect)
    )
}
