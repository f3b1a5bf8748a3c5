//! The paper's claims on this run and on the published numbers.

use metrics::{AttributeEvidence, Claim, Class, ClassifierEvidence, Described, Finding, Grounds, RULE, described};

use crate::experiment::Role;
use crate::measured::{AttributeMeasures, Measured};
use crate::published::Published;
use render::sheet::{Cell, Column, Sheet, Unit};

/// What this run says of one claim, and what the published numbers are.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    ours: Finding,
    published: Described,
}

/// Both on every claim that the published numbers are about; none unless the run has both classifiers.
pub(super) fn pairs(measured: &Measured, published: &Published) -> Vec<Pair> {
    let evidence: Vec<AttributeEvidence> = measured
        .attributes
        .iter()
        .filter_map(|attribute| evidence(attribute, published))
        .collect();
    let of_paper = described(&evidence);
    measured
        .findings
        .iter()
        // Of constant parts, of what scores lose with regions hidden, and of other attributes' maps, the paper has no numbers.
        .filter(|finding| {
            let not_measured = [
                Claim::MajorityScoreMoreConstant,
                Claim::MajorityNeedsRegionLess,
                Claim::MajorityLookedForBeyondChance,
            ];
            !not_measured.contains(&finding.claim)
        })
        .filter_map(|ours| {
            let published = of_paper.iter().find(|one| one.claim == ours.claim)?;
            Some(Pair {
                ours: ours.clone(),
                published: *published,
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
    let of = |role: Role| {
        let by_class = |value: fn(&Published, &str, Option<Role>, Class) -> Option<f64>| {
            Class::BOTH.map(|class| value(published, &attribute.name, Some(role), class).map(Grounds::published))
        };
        ClassifierEvidence::new(minority, by_class(Published::error), by_class(Published::energy))
    };
    Some(AttributeEvidence {
        minority_share: positive.min(1.0 - positive),
        local: attribute.local,
        unbalanced: of(Role::Unbalanced),
        balanced: of(Role::Balanced),
        majority_turned_at_same_point: None,
        majority_energy_rise: None,
        majority_loss_rise: None,
    })
}

fn numbers(effect: Option<f64>, supporting: Option<usize>, attributes: usize) -> String {
    let effect = effect.map_or_else(String::new, |effect| format!("{effect:+.3}"));
    let support = supporting.map_or_else(String::new, |n| format!(" ({n} of {attributes})"));
    format!("{effect}{support}")
}

/// What readers are shown.
pub(super) fn short(pairs: &[Pair]) -> Sheet {
    let row = |pair: &Pair| {
        let claim = pair.ours.claim.name().replace('_', " ");
        let (ours, published) = (&pair.ours, &pair.published);
        [
            claim,
            ours.verdict(),
            numbers(ours.effect.map(|effect| effect.value), ours.supporting, ours.attributes),
            numbers(published.effect, published.supporting, published.attributes),
        ]
        .map(Cell::from)
        .to_vec()
    };
    Sheet {
        columns: ["claim", "in this run", "effect", "published"]
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
    format!("{}\n\n{}\n", short(pairs).markdown(), RULE)
}

pub(super) fn table(pairs: &[Pair]) -> Sheet {
    let texts = |value: fn(&Pair) -> String| -> Vec<String> { pairs.iter().map(value).collect() };
    let numbers = |value: fn(&Pair) -> Option<f64>| -> Vec<Option<f64>> { pairs.iter().map(value).collect() };
    Sheet::default()
        .texts("claim", &texts(|pair| pair.ours.claim.name().to_owned()))
        .texts("ours_verdict", &texts(|pair| pair.ours.verdict()))
        .numbers("ours_effect", &numbers(|pair| Some(pair.ours.effect?.value)))
        .numbers("ours_low", &numbers(|pair| Some(pair.ours.effect?.interval?.low)))
        .numbers("ours_high", &numbers(|pair| Some(pair.ours.effect?.interval?.high)))
        .numbers("ours_supporting", &numbers(|pair| Some(pair.ours.supporting? as f64)))
        .numbers("ours_attributes", &numbers(|pair| Some(pair.ours.attributes as f64)))
        .numbers("published_effect", &numbers(|pair| pair.published.effect))
        .numbers(
            "published_supporting",
            &numbers(|pair| Some(pair.published.supporting? as f64)),
        )
        .numbers(
            "published_attributes",
            &numbers(|pair| Some(pair.published.attributes as f64)),
        )
}
