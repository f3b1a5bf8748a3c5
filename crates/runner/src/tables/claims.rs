//! The verdicts on the paper's claims.

use metrics::{Finding, RULE};

use crate::measured::{AttributeMeasures, Measured};
use render::sheet::Sheet;

/// The verdicts on the paper's claims, in words and numbers.
pub fn verdicts(measured: &Measured) -> String {
    if measured.findings.is_empty() {
        return "No verdicts: the claims compare a classifier whose role is `unbalanced` with one whose role is `balanced`.".to_owned();
    }
    let mut lines = vec!["The paper's claims, as measured in this run:".to_owned()];
    for finding in &measured.findings {
        lines.push(format!(
            "  {:15} {}.",
            finding.verdict().to_uppercase(),
            finding.claim.statement()
        ));
        lines.push(format!("  {:15} {finding}", ""));
    }
    lines.extend(caution(measured).map(|caution| format!("  {caution}")));
    lines.push(format!("  Rule. {}", RULE));
    lines.join("\n")
}

/// A mean AUROC below this is near a coin's, which is 0.5.
const HARDLY_LEARNT: f64 = 0.6;

/// What is to be said of the verdicts where a compared network has hardly learnt to tell the answers apart.
pub fn caution(measured: &Measured) -> Option<String> {
    let compared = measured.classifiers.iter().zip(&measured.roles).enumerate();
    let hardly: Vec<String> = compared
        .filter(|(_, (_, role))| role.is_some())
        .filter_map(|(index, (name, _))| {
            let of = |attribute: &AttributeMeasures| Some(attribute.classifiers.get(index)?.ranked.values[0]?.value);
            let values: Vec<f64> = measured.attributes.iter().filter_map(of).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (mean < HARDLY_LEARNT).then(|| format!("{mean:.2} ({name})"))
        })
        .collect();
    (!hardly.is_empty() && !measured.findings.is_empty()).then(|| {
        format!(
            "Caution. The mean AUROC is {}, and a coin's is 0.5: networks that have learnt so little do not show where trained ones look.",
            hardly.join(" and ")
        )
    })
}

/// The verdicts as a table.
pub fn claims(measured: &Measured) -> Sheet {
    let findings = &measured.findings;
    let texts = |value: fn(&Finding) -> String| -> Vec<String> { findings.iter().map(value).collect() };
    let numbers = |value: fn(&Finding) -> Option<f64>| -> Vec<Option<f64>> { findings.iter().map(value).collect() };
    let counts =
        |value: fn(&Finding) -> usize| -> Vec<i64> { findings.iter().map(|finding| value(finding) as i64).collect() };
    Sheet::default()
        .texts("claim", &texts(|one| one.claim.name().to_owned()))
        .texts("verdict", &texts(Finding::verdict))
        .numbers("effect", &numbers(|one| Some(one.effect?.value)))
        .numbers("low", &numbers(|one| Some(one.effect?.interval?.low)))
        .numbers("high", &numbers(|one| Some(one.effect?.interval?.high)))
        .numbers("standard_error", &numbers(|one| one.effect?.standard_error))
        .numbers("p_value", &numbers(|one| one.effect?.p_value))
        .numbers("p_value_holm", &numbers(|one| one.adjusted_p_value))
        .numbers("same_images_effect", &numbers(|one| Some(one.paired?.value)))
        .numbers("same_images_low", &numbers(|one| Some(one.paired?.interval?.low)))
        .numbers("same_images_high", &numbers(|one| Some(one.paired?.interval?.high)))
        .numbers("supporting", &numbers(|one| Some(one.supporting? as f64)))
        .numbers("showing", &numbers(|one| Some(one.counts?.showing as f64)))
        .numbers("opposite", &numbers(|one| Some(one.counts?.opposite as f64)))
        .counts("attributes", &counts(|one| one.attributes))
        .counts("left_out", &counts(|one| one.left_out))
        .counts("samples", &counts(|one| one.samples))
        .counts("people", &counts(|one| one.effect.map_or(0, |effect| effect.people)))
        .texts("reason", &texts(|one| one.why_not().unwrap_or_default()))
}
