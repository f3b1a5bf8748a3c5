//! Parity with the authors' evaluation code: `authors/make.py` says how the values in `authors` were made. `../shared/fixtures` has a
//! larger set of the same form; without it the tests say so and compare the small one alone.

use std::path::Path;

use approx::assert_abs_diff_eq;
use metrics::{
    Bootstrap, CellBox, Class, Filter, Grid, Localisation, Region, Statistics, error_rates_by_attribute, localisation,
    paper_convention, table_order,
};
use safetensors::SafeTensors;
use serde_json::Value;

const SIZE: usize = 224;

/// Where the reference sums float32 maps in float32: rounding of 50,176 values added pairwise.
const FLOAT32: f64 = 2e-6;
/// Where it computes in float64, only the order of additions differs.
const FLOAT64: f64 = 1e-12;

struct Fixtures {
    expected: Value,
    names: Vec<String>,
    scores: Vec<f32>,
    labels: Vec<f32>,
    partition: Vec<i64>,
    masks: Vec<u8>,
    maps: Vec<Vec<f32>>,
}

/// The set of this repository, and the larger one where it is.
fn sets() -> Vec<Fixtures> {
    let own = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/authors"));
    let mut sets = vec![load(&own.join("expected.json"), &own.join("inputs.safetensors"), 14)];
    if let Some(shared) = testing::shared("fixtures") {
        let [json, inputs] = ["expected_metrics.json", "metrics_inputs.safetensors"].map(|file| shared.join(file));
        sets.push(load(&json, &inputs, 28));
    }
    sets
}

fn load(json: &Path, inputs: &Path, side: usize) -> Fixtures {
    let expected: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let bytes = std::fs::read(inputs).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| -> Vec<f32> {
        let (values, _) = tensors.tensor(name).unwrap().data().as_chunks::<4>();
        values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    let (partition, _) = tensors.tensor("partition").unwrap().data().as_chunks::<8>();
    let maps = floats(&format!("activations_{side}"))
        .chunks_exact(side * side)
        .map(|map| enlarge(map, side))
        .collect();
    Fixtures {
        names: expected["attributes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect(),
        expected,
        scores: floats("scores"),
        labels: floats("labels"),
        partition: partition.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect(),
        masks: tensors.tensor("masks_7x7").unwrap().data().to_vec(),
        maps,
    }
}

/// Repeats every value of a square map until its side is [`SIZE`].
fn enlarge<T: Copy>(map: &[T], side: usize) -> Vec<T> {
    let factor = SIZE / side;
    (0..SIZE * SIZE)
        .map(|i| map[i / SIZE / factor * side + i % SIZE / factor])
        .collect()
}

impl Fixtures {
    fn regions(&self) -> Vec<Region> {
        self.masks
            .chunks_exact(49)
            .map(|cells| {
                Region::from_mask(SIZE, enlarge(cells, 7).into_iter().map(|cell| cell == 1).collect()).unwrap()
            })
            .collect()
    }

    fn counts(&self) -> Vec<(usize, usize)> {
        let mut counts = vec![(0, 0); self.names.len()];
        for (row, _) in self
            .labels
            .chunks_exact(self.names.len())
            .zip(&self.partition)
            .filter(|(_, part)| **part == 0)
        {
            for (count, &label) in counts.iter_mut().zip(row) {
                if label > 0.0 { count.0 += 1 } else { count.1 += 1 }
            }
        }
        counts
    }

    /// All localisations, `[map][attribute]`.
    fn measured(&self) -> Vec<Vec<Localisation>> {
        let regions = self.regions();
        let of = |map: &Vec<f32>| {
            regions
                .iter()
                .map(|region| localisation(map, region).unwrap())
                .collect()
        };
        self.maps.iter().map(of).collect()
    }
}

#[test]
fn error_rates_and_their_order() {
    sets().iter().for_each(check_error_rates);
}

fn check_error_rates(fixtures: &Fixtures) {
    let rates = error_rates_by_attribute(&fixtures.scores, &fixtures.labels, fixtures.names.len()).unwrap();
    let counts = fixtures.counts();
    for (a, name) in fixtures.names.iter().enumerate() {
        let expected = &fixtures.expected["error_rate"][name];
        assert_abs_diff_eq!(
            rates[a].false_negative_rate().unwrap(),
            expected["FNR"].as_f64().unwrap(),
            epsilon = FLOAT64
        );
        assert_abs_diff_eq!(
            rates[a].false_positive_rate().unwrap(),
            expected["FPR"].as_f64().unwrap(),
            epsilon = FLOAT64
        );
        assert_abs_diff_eq!(
            rates[a].error().unwrap(),
            expected["error"].as_f64().unwrap(),
            epsilon = FLOAT64
        );
        let (positives, negatives) = counts[a];
        assert_eq!(
            fixtures.expected["class_counts"][name],
            serde_json::json!([positives, negatives]),
            "{name}"
        );
        let minority = Class::minority(positives, negatives);
        for (key, class) in [("minority_error", minority), ("majority_error", minority.opposite())] {
            assert_abs_diff_eq!(
                rates[a].rate(class).unwrap(),
                fixtures.expected[key][name].as_f64().unwrap(),
                epsilon = FLOAT64
            );
        }
        let share = fixtures.expected["positive_rate"][name].as_f64().unwrap();
        assert_abs_diff_eq!(
            positives as f64 / (positives + negatives) as f64,
            share,
            epsilon = FLOAT64
        );
    }
    let order = table_order(&fixtures.names, &counts);
    let sorted: Vec<&str> = order.iter().map(|&a| fixtures.names[a].as_str()).collect();
    assert_eq!(serde_json::json!(sorted), fixtures.expected["sorted_attributes"]);

    // The rows of the table: name, positive share, formatted rates, then the rates themselves; `\bf` marks the minority.
    for (row, &a) in fixtures.expected["table_rows"].as_array().unwrap().iter().zip(&order) {
        assert_eq!(row[0], fixtures.names[a].replace('_', " "));
        for (column, value) in [
            (5, rates[a].false_negative_rate()),
            (6, rates[a].false_positive_rate()),
            (7, rates[a].error()),
        ] {
            assert_abs_diff_eq!(row[column].as_f64().unwrap(), value.unwrap(), epsilon = FLOAT64);
        }
        // A tie has no minority to mark.
        let (positives, negatives) = counts[a];
        let bold = [(2, positives < negatives), (3, negatives < positives)];
        for (column, marked) in bold {
            assert_eq!(row[column].as_str().unwrap().starts_with("\\bf"), marked, "{row}");
        }
    }
}

#[test]
fn energies_and_mask_ratios() {
    sets().iter().for_each(check_energies);
}

fn check_energies(fixtures: &Fixtures) {
    let regions = fixtures.regions();
    for (name, region) in fixtures.names.iter().zip(&regions) {
        assert_eq!(fixtures.expected["mask_sizes"][name], region.pixels(), "{name}");
    }
    let measured = fixtures.measured();
    for (n, row) in measured.iter().enumerate() {
        for (a, found) in row.iter().enumerate() {
            let check = |key: &str, value: Option<f64>, epsilon| {
                let expected = fixtures.expected[key][n][a].as_f64().unwrap();
                assert_abs_diff_eq!(paper_convention(value), expected, epsilon = epsilon);
            };
            check("proportional_energy_float64", found.energy, FLOAT64);
            check("proportional_energy_corrected_float64", found.energy_corrected, FLOAT64);
            check("proportional_energy_float32", found.energy, FLOAT32);
            check("proportional_energy_corrected_float32", found.energy_corrected, FLOAT32);
            check("mask_ratio", found.mask_ratio, FLOAT64);
            check("mask_ratio_corrected", found.mask_ratio_corrected, FLOAT64);
            let alone = localisation(&fixtures.maps[n], &regions[a]).unwrap();
            assert_abs_diff_eq!(
                paper_convention(found.energy),
                paper_convention(alone.energy),
                epsilon = FLOAT64
            );
        }
    }
    assert!(
        measured[0].iter().all(|found| found.energy.is_none()),
        "map 0 has no energy"
    );
}

#[test]
fn filters_and_statistics() {
    sets().iter().for_each(check_filters);
}

fn check_filters(fixtures: &Fixtures) {
    let measured = fixtures.measured();
    let mut empty = 0;
    for filter in Filter::ALL {
        for (a, name) in fixtures.names.iter().enumerate() {
            let selected: Vec<usize> = (0..measured.len())
                .filter(|row| {
                    filter.selects(
                        fixtures.labels[row * fixtures.names.len() + a],
                        fixtures.scores[row * fixtures.names.len() + a],
                    )
                })
                .collect();
            assert_eq!(
                serde_json::json!(selected),
                fixtures.expected["filter_selected"][filter.name()][name],
                "{filter} {name}"
            );

            let check = |metric: &str, corrected: bool, value: &dyn Fn(&Localisation) -> Option<f64>| {
                let values: Vec<f64> = selected
                    .iter()
                    .map(|&row| paper_convention(value(&measured[row][a])))
                    .collect();
                let found = Statistics::of(&values, Bootstrap { resamples: 10, seed: 1 });
                let expected = &fixtures.expected["statistics"][metric][filter.name()][name];
                let suffix = if corrected { "_corrected" } else { "" };
                let number = |key: &str| expected[format!("{key}{suffix}")].as_f64().unwrap();
                assert_abs_diff_eq!(
                    paper_convention(found.map(|s| s.mean)),
                    number("mean"),
                    epsilon = FLOAT32
                );
                assert_abs_diff_eq!(
                    paper_convention(found.map(|s| s.deviation)),
                    number("std"),
                    epsilon = FLOAT32
                );
            };
            check("proportional_energy", false, &|found| found.energy);
            check("proportional_energy", true, &|found| found.energy_corrected);
            check("mask_ratio", false, &|found| found.mask_ratio);
            check("mask_ratio", true, &|found| found.mask_ratio_corrected);
            empty += usize::from(selected.is_empty());
        }
    }
    assert_eq!(
        empty, 0,
        "every filter selects rows of every attribute, as `make.py` says"
    );
}

#[test]
fn boxes_of_cells_give_the_authors_masks() {
    sets().iter().for_each(check_boxes);
}

fn check_boxes(fixtures: &Fixtures) {
    let name = |name: &str| fixtures.names.iter().position(|other| other == name).unwrap();
    let all = |rows, columns| CellBox { rows, columns };
    let cases = [
        ("Bald", vec![all([0, 3], [2, 5])], vec![]),
        ("Sideburns", vec![all([3, 6], [1, 3]), all([3, 6], [4, 6])], vec![]),
        ("Goatee", vec![all([4, 6], [3, 4])], vec![]),
        ("Black_Hair", vec![all([1, 7], [1, 6])], vec![all([2, 7], [2, 5])]),
        ("Male", vec![all([1, 7], [1, 6])], vec![]),
    ];
    let regions = fixtures.regions();
    for (attribute, include, exclude) in cases {
        assert_eq!(
            Grid::new(7, &include, &exclude).unwrap().region(SIZE),
            regions[name(attribute)],
            "{attribute}"
        );
    }
}
