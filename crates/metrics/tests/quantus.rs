//! Measures of maps by Quantus: `quantus/make.py` says how the values were made.

use metrics::{
    Region, pixel_auroc, pointing_game, proportional_energy, relevance_rank_accuracy, sensitivity, spearman,
    structural_similarity, top_k_intersection,
};
use serde_json::Value;

fn expected() -> Value {
    serde_json::from_str(include_str!("quantus/expected.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    let values = value.as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap() as f32).collect()
}

/// Either both absent, or apart by at most `error`.
#[track_caller]
fn agree(found: Option<f64>, expected: Option<f64>, error: f64, name: &str) {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            assert!(
                (found - expected).abs() <= error,
                "{name}: {found}, expected {expected}"
            );
        }
        (found, expected) => assert_eq!(found, expected, "{name}"),
    }
}

#[test]
fn localisation_is_quantus() {
    let expected = expected();
    let side = expected["side"].as_u64().unwrap() as usize;
    let mut pointed = 0;
    for case in expected["localisation"].as_array().unwrap() {
        let [map_name, mask_name] = ["map", "mask"].map(|key| case[key].as_str().unwrap());
        let name = |what: &str| format!("{what} of `{map_name}` and `{mask_name}`");
        let map = floats(&expected["maps"][map_name]);
        let mask = floats(&expected["masks"][mask_name]);
        let region = Region::from_mask(side, mask.iter().map(|&inside| inside > 0.0).collect()).unwrap();
        let auc = pixel_auroc(&map, &region).unwrap();
        agree(auc, case["auc"].as_f64(), 1e-12, &name("AUC"));
        // Where a sort cuts through equal values the error is that of a mean over 20,000 orders.
        let counted = |found: Option<f64>, stored: &Value, what: &str| {
            let error = stored["error"].as_f64().unwrap_or(0.0);
            agree(found, stored["value"].as_f64(), error, &name(what));
        };
        for stored in case["top_k_intersection"].as_array().unwrap() {
            let k = stored["k"].as_u64().unwrap() as usize;
            counted(
                top_k_intersection(&map, &region, k).unwrap(),
                stored,
                "top-k intersection",
            );
        }
        let rank = relevance_rank_accuracy(&map, &region).unwrap();
        counted(rank, &case["relevance_rank_accuracy"], "relevance rank accuracy");
        if region.pixels() == 0 {
            continue;
        }
        if let Some(hit) = case["pointing_game"].as_bool() {
            assert_eq!(
                pointing_game(&map, &region, 0.0),
                Ok(Some(hit)),
                "{}",
                name("pointing game")
            );
            pointed += 1;
        }
        if map.iter().all(|&value| value >= 0.0) {
            let energy = proportional_energy(&map, &region).unwrap();
            let mass = case["relevance_mass_accuracy"].as_f64();
            agree(energy, mass, 1e-12, &name("relevance mass accuracy"));
            // Quantus adds 1e-9 to a sum above 1.
            let ratio = case["attribution_localisation"].as_f64();
            agree(energy, ratio, 1e-9, &name("attribution localisation"));
        }
    }
    assert!(pointed > 10, "{pointed}");
}

#[test]
fn sensitivities_are_quantus() {
    for case in expected()["stability"].as_array().unwrap() {
        let others: Vec<Vec<f32>> = case["others"].as_array().unwrap().iter().map(floats).collect();
        let found = sensitivity(&floats(&case["map"]), others.iter().map(Vec::as_slice));
        let found = found.unwrap().unwrap();
        for (key, found) in [("max", found.max), ("average", found.average)] {
            agree(Some(found), case[key].as_f64(), 1e-12, key);
        }
    }
}

#[test]
fn similarities_are_quantus() {
    for case in expected()["similarity"].as_array().unwrap() {
        let [a, b] = ["a", "b"].map(|key| floats(&case[key]));
        let shape = floats(&case["shape"]);
        let found = structural_similarity(&a, &b, [shape[0] as usize, shape[1] as usize]).unwrap();
        agree(found, case["ssim"].as_f64(), 1e-12, "structural similarity");
        let wide = |map: &[f32]| map.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
        agree(
            spearman(&wide(&a), &wide(&b)),
            case["spearman"].as_f64(),
            1e-12,
            "rank correlation",
        );
    }
}
