//! The claims on the paper's own published figures (`../shared/paper/published_results.csv`): they must come out as published.

use metrics::{AttributeEvidence, Claim, Class, ClassifierEvidence, Grounds, described};

const GLOBAL: [&str; 5] = ["Attractive", "Blurry", "Chubby", "Male", "Young"];

#[test]
fn the_published_figures_show_the_published_claims() {
    let Some(path) = testing::shared("paper/published_results.csv") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let evidence: Vec<AttributeEvidence> = text
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split(',');
            let name = fields.next().unwrap();
            let v: Vec<f64> = fields.map(|field| field.parse().unwrap()).collect();
            let positive_minority = v[0] <= 0.5;
            // An energy of 0 stands for an empty group.
            let measured = |mean: f64| Some(Grounds::published(mean));
            let energy = |mean: f64| (mean > 0.0).then_some(Grounds::published(mean));
            let classifier = |fnr: f64, fpr: f64, plus: f64, minus: f64| {
                let sides = |a, b| if positive_minority { (a, b) } else { (b, a) };
                let (minority_error, majority_error) = sides(measured(fnr), measured(fpr));
                let (minority_energy, majority_energy) = sides(energy(plus), energy(minus));
                ClassifierEvidence {
                    minority_error,
                    majority_error,
                    minority_energy,
                    majority_energy,
                    // The paper did not measure them.
                    majority_constant: None,
                    majority_turned: None,
                    majority_specificity: None,
                }
            };
            AttributeEvidence {
                minority_share: v[0].min(1.0 - v[0]),
                local: !GLOBAL.contains(&name),
                unbalanced: classifier(v[1], v[2], v[5], v[6]),
                balanced: classifier(v[3], v[4], v[7], v[8]),
                majority_turned_at_same_point: None,
                majority_energy_rise: None,
                majority_loss_rise: None,
            }
        })
        .collect();
    assert_eq!(evidence.len(), 40);
    assert_eq!(Class::minority(1, 2), Class::Positive);

    let found = described(&evidence);
    let get = |claim: Claim| found.iter().find(|finding| finding.claim == claim).unwrap();
    let not_measured = [
        Claim::MajorityScoreMoreConstant,
        Claim::MajorityNeedsRegionLess,
        Claim::MajorityLookedForBeyondChance,
    ];
    assert!(
        found
            .iter()
            .all(|one| one.effect.is_some_and(|effect| effect > 0.0) != not_measured.contains(&one.claim))
    );
    let looks = get(Claim::MajorityLooksElsewhere);
    assert_eq!((looks.supporting, looks.attributes), (Some(35), 35));
    assert!((looks.effect.unwrap() - (0.613 - 0.252)).abs() < 1e-3);
    assert_eq!(get(Claim::BalancingRaisesMajorityEnergy).supporting, Some(34));
    assert_eq!(get(Claim::EnergyGapGrowsWithImbalance).attributes, 35);
}
