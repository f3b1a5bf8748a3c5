//! Noisy linear imputation as ROAD's authors do it; `road/make.py` says how the values were made.

use serde_json::Value;

fn expected() -> Value {
    serde_json::from_str(include_str!("road/expected.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap() as f32)
        .collect()
}

#[test]
fn imputation_is_the_authors() {
    let expected = expected();
    let image = floats(&expected["image"]);
    let cases = expected["imputations"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let missing: Vec<bool> = floats(&case["missing"]).iter().map(|&v| v == 1.0).collect();
        let filled = cam::noisy_linear_imputation(&image, &missing, [12, 12], 0.0, 1).unwrap();
        for (found, expected) in filled.iter().zip(floats(&case["filled"])) {
            // The file has six decimals; the iterative solution is good to about 1e-6 here.
            assert!((found - expected).abs() < 5e-6, "{found} {expected}");
        }
    }
}
