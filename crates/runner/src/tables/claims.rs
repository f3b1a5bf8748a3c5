//! The verdicts on the paper's claims.

use metrics::Verdict;
use render::sheet::Sheet;

use crate::measured::Measured;

/// The verdicts on the paper's claims, in words and numbers.
pub fn verdicts(measured: &Measured) -> String {
    if measured.findings.is_empty() {
        return "No verdicts: the claims compare a classifier `unbalanced` with one `balanced`.".to_owned();
    }
    let mut lines = vec!["The paper's claims, as measured in this run:".to_owned()];
    for finding in &measured.findings {
        lines.push(format!(
            "  {:13} {}.",
            finding.verdict.to_string().to_uppercase(),
            finding.claim.statement()
        ));
        lines.push(format!("  {:13} {finding}", ""));
    }
    lines.push(format!("  Rule. {}", Verdict::RULE));
    lines.join("\n")
}

/// The verdicts as a table.
pub fn claims(measured: &Measured) -> Sheet {
    let findings = &measured.findings;
    let interval = |high: bool| -> Vec<Option<f64>> {
        findings
            .iter()
            .map(|f| f.interval.map(|i| if high { i.high } else { i.low }))
            .collect()
    };
    let counts = |value: fn(&metrics::Finding) -> usize| -> Vec<i64> {
        findings.iter().map(|finding| value(finding) as i64).collect()
    };
    Sheet::default()
        .texts(
            "claim",
            &findings.iter().map(|finding| finding.claim.name()).collect::<Vec<_>>(),
        )
        .texts(
            "verdict",
            &findings
                .iter()
                .map(|finding| finding.verdict.to_string())
                .collect::<Vec<_>>(),
        )
        .numbers(
            "effect",
            &findings.iter().map(|finding| finding.effect).collect::<Vec<_>>(),
        )
        .numbers("low", &interval(false))
        .numbers("high", &interval(true))
        .numbers(
            "supporting",
            &findings
                .iter()
                .map(|f| f.supporting.map(|n| n as f64))
                .collect::<Vec<_>>(),
        )
        .counts("attributes", &counts(|finding| finding.attributes))
        .counts("left_out", &counts(|finding| finding.left_out))
        .counts("samples", &counts(|finding| finding.samples))
}
