//! Ranking measures by scikit-learn: `ranking/make.py` says how the values were made.

use metrics::{Half, Ranking, d_prime, ideal_error};
use serde_json::Value;

fn expected() -> Value {
    serde_json::from_str(include_str!("ranking/expected.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn ranking_measures_are_scikit_learns() {
    let expected = expected();
    let (mut present, mut absent) = (0, 0);
    for case in expected["cases"].as_array().unwrap() {
        let scores: Vec<f32> = numbers(&case["scores"]).into_iter().map(|score| score as f32).collect();
        let labels: Vec<f32> = numbers(&case["labels"]).into_iter().map(|label| label as f32).collect();
        let half = |second: &Value| match second.as_bool().unwrap() {
            true => Half::Second,
            false => Half::First,
        };
        let halves: Vec<Half> = case["second_half"].as_array().unwrap().iter().map(half).collect();
        let weights = (!case["weights"].is_null()).then(|| numbers(&case["weights"]));
        let ranking = Ranking::of(&scores, &labels, &halves).unwrap();
        let told = ranking.discrimination(weights.as_deref()).unwrap();
        let made = ranking.calibrated(weights.as_deref()).unwrap();
        for (key, found) in [
            ("auroc", told.auroc),
            ("average_precision", told.average_precision),
            ("d_prime", told.d_prime),
            ("brier", made.brier),
            ("calibration_error", made.calibration_error),
        ] {
            let name = format!("{}: {key}", case["name"]);
            match (found, case[key].as_f64()) {
                (Some(found), Some(expected)) => {
                    present += 1;
                    assert!((found - expected).abs() < 1e-10, "{name}: {found}, expected {expected}");
                }
                (found, expected) => {
                    absent += 1;
                    assert_eq!(found, expected, "{name}");
                }
            }
        }
    }
    assert!(present > 100 && absent > 15, "{present} {absent}");
}

#[test]
fn the_normal_distribution_is_scipys() {
    let expected = expected();
    for row in expected["d_prime"].as_array().unwrap() {
        let [fnr, fpr, expected] = numbers(row)[..] else {
            panic!("{row}");
        };
        let found = d_prime(fnr, fpr).unwrap();
        // statrs computes both to about 1e-11.
        assert!(
            (found - expected).abs() < 1e-10,
            "{fnr} {fpr}: {found}, expected {expected}"
        );
    }
    for row in expected["ideal_error"].as_array().unwrap() {
        let [d, expected] = numbers(row)[..] else {
            panic!("{row}");
        };
        assert!((ideal_error(d) - expected).abs() < 1e-9, "{d}");
    }
}
