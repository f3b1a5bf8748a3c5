//! The paper's claims, judged by the same rule on this run and on the published numbers.

use metrics::{AttributeEvidence, Bootstrap, Claim, Class, ClassifierEvidence, Finding, SampleMean, Verdict, findings};

use crate::experiment::Role;
use crate::measured::{AttributeMeasures, Measured};
use crate::published::Published;
use render::sheet::{Cell, Column, Sheet, Unit};

/// The paper states no counts: its means are taken to stand on enough samples.
const ENOUGH: usize = 1_000;

/// What this run and what the published numbers say of one claim.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    ours: Finding,
    published: Finding,
}

/// Both verdicts on every claim that the published numbers can judge; none unless the run has both classifiers.
pub(super) fn pairs(measured: &Measured, published: &Published, bootstrap: Bootstrap) -> Vec<Pair> {
    let evidence: Vec<AttributeEvidence> = measured
        .attributes
        .iter()
        .filter_map(|attribute| evidence(attribute, published))
        .collect();
    let of_paper = findings(&evidence, bootstrap);
    measured
        .findings
        .iter()
        // Of the scores' constant parts, and of what they lose with regions hidden, the paper has no numbers.
        .filter(|finding| {
            let not_measured = [Claim::MajorityScoreMoreConstant, Claim::MajorityNeedsRegionLess];
            !not_measured.contains(&finding.claim)
        })
        .filter_map(|ours| {
            let published = of_paper.iter().find(|finding| finding.claim == ours.claim)?;
            Some(Pair {
                ours: ours.clone(),
                published: published.clone(),
            })
        })
        .collect()
}

/// What the paper says of an attribute. Which class is the minority is decided by the published rate.
fn evidence(attribute: &AttributeMeasures, published: &Published) -> Option<AttributeEvidence> {
    let positive = published.positive_rate(&attribute.name)?;
    let minority = if positive <= 0.5 {
        Class::Positive
    } else {
        Class::Negative
    };
    let mean = |value: Option<f64>| value.map(|mean| SampleMean { mean, n: ENOUGH });
    let of = |role: Role| ClassifierEvidence {
        minority_error: mean(published.error(&attribute.name, Some(role), minority)),
        majority_error: mean(published.error(&attribute.name, Some(role), minority.opposite())),
        minority_energy: mean(published.energy(&attribute.name, Some(role), minority)),
        majority_energy: mean(published.energy(&attribute.name, Some(role), minority.opposite())),
        majority_constant: None,
        majority_loss: None,
    };
    Some(AttributeEvidence {
        minority_share: positive.min(1.0 - positive),
        local: attribute.local,
        unbalanced: of(Role::Unbalanced),
        balanced: of(Role::Balanced),
    })
}

fn cell(finding: &Finding) -> String {
    let effect = finding
        .effect
        .map_or_else(String::new, |effect| format!(", {effect:+.3}"));
    let support = finding
        .supporting
        .map_or_else(String::new, |n| format!(" ({n} of {})", finding.attributes));
    format!("{}{effect}{support}", finding.verdict)
}

/// What readers are shown.
pub(super) fn short(pairs: &[Pair]) -> Sheet {
    let row = |pair: &Pair| {
        let claim = pair.ours.claim.name().replace('_', " ");
        [claim, cell(&pair.ours), cell(&pair.published)]
            .map(Cell::from)
            .to_vec()
    };
    Sheet {
        columns: ["claim", "this run", "published numbers"]
            .map(|title| Column::new(title, Unit::Text))
            .to_vec(),
        rows: pairs.iter().map(row).collect(),
        ..Sheet::default()
    }
}

pub(super) fn markdown(pairs: &[Pair]) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    format!("{}\n\n{}\n", short(pairs).markdown(), Verdict::RULE)
}

pub(super) fn table(pairs: &[Pair]) -> Sheet {
    let claims: Vec<&str> = pairs.iter().map(|pair| pair.ours.claim.name()).collect();
    let ours: Vec<&Finding> = pairs.iter().map(|pair| &pair.ours).collect();
    let published: Vec<&Finding> = pairs.iter().map(|pair| &pair.published).collect();
    let mut table = Sheet::default().texts("claim", &claims);
    for (side, findings) in [("ours", ours), ("published", published)] {
        let verdicts: Vec<String> = findings.iter().map(|finding| finding.verdict.to_string()).collect();
        let numbers = |value: fn(&Finding) -> Option<f64>| -> Vec<Option<f64>> {
            findings.iter().map(|one| value(one)).collect()
        };
        table = table
            .texts(&format!("{side}_verdict"), &verdicts)
            .numbers(&format!("{side}_effect"), &numbers(|one| one.effect))
            .numbers(
                &format!("{side}_low"),
                &numbers(|one| one.interval.map(|interval| interval.low)),
            )
            .numbers(
                &format!("{side}_high"),
                &numbers(|one| one.interval.map(|interval| interval.high)),
            )
            .numbers(
                &format!("{side}_supporting"),
                &numbers(|one| one.supporting.map(|n| n as f64)),
            )
            .numbers(
                &format!("{side}_attributes"),
                &numbers(|one| Some(one.attributes as f64)),
            );
    }
    table
}
