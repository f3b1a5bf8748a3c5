//! Noisy linear imputation and ROAD's removal of pixels as its authors do them; `road/make.py` says how the values were made.

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
        let filled = metrics::noisy_linear_imputation(&image, &missing, [12, 12], 0.0, 1).unwrap();
        for (found, expected) in filled.iter().zip(floats(&case["filled"])) {
            // The file has six decimals; the iterative solution is good to about 1e-6 here.
            assert!((found - expected).abs() < 5e-6, "{found} {expected}");
        }
    }
}

/// The most relevant pixels first, and the least relevant first: the change of a linear score, at several percentages.
#[test]
fn road_is_the_authors() {
    let expected = expected();
    let [image, map, weights] = ["image", "map", "weights"].map(|key| floats(&expected[key]));
    let score = |image: &[f32]| -> f64 { image.iter().zip(&weights).map(|(x, w)| f64::from(x * w)).sum() };
    let percentiles = floats(&expected["percentiles"]);
    for (order, least_first) in [("most", false), ("least", true)] {
        let map: Vec<f32> = map
            .iter()
            .map(|&value| if least_first { 1.0 - value } else { value })
            .collect();
        let pixels = metrics::relevance_order(&map).unwrap();
        let theirs = floats(&expected["score_changes"][order]);
        for (percentile, theirs) in percentiles.iter().zip(theirs) {
            // Their percentile is of the pixels that stay.
            let removed = metrics::removed_pixels(pixels.len(), 1.0 - f64::from(*percentile) / 100.0);
            let mut missing = vec![false; pixels.len()];
            pixels[..removed].iter().for_each(|&pixel| missing[pixel] = true);
            let filled = metrics::noisy_linear_imputation(&image, &missing, [12, 12], 0.0, 1).unwrap();
            let change = score(&filled) - score(&image);
            // Scores are sums of 432 products in float32 on their side.
            assert!(
                (change - f64::from(theirs)).abs() < 2e-4,
                "{order} {percentile}: {change} {theirs}"
            );
        }
    }
}
