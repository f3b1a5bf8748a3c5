//! ARCC and its parts by pytorch-grad-cam: `arcc/make.py` says how the values were made.

use metrics::{arcc, coherency, complexity};
use serde_json::Value;

#[test]
fn arcc_is_the_librarys() {
    let cases: Value = serde_json::from_str(include_str!("arcc/expected.json")).unwrap();
    let mut positive = 0;
    for case in cases.as_array().unwrap() {
        let floats = |key: &str| -> Vec<f32> {
            let values = case[key].as_array().unwrap().iter();
            values.map(|value| value.as_f64().unwrap() as f32).collect()
        };
        let stored = |key: &str| case[key].as_f64().unwrap();
        let (map, of_masked) = (floats("map"), floats("of_masked"));
        let parts = (
            coherency(&map, &of_masked).unwrap().unwrap(),
            complexity(&map).unwrap().unwrap(),
        );
        // The library adds 1e-8 to a product of deviations near 0.05, and sums in float32.
        assert!((parts.0 - stored("coherency")).abs() < 1e-6, "{parts:?}");
        assert!((parts.1 - stored("complexity")).abs() < 1e-6, "{parts:?}");
        let found = arcc(parts.0, parts.1, stored("road")).unwrap();
        // Where ROAD is 0 or less the library has 3e-8.
        assert!((found - stored("arcc")).abs() < 1e-6, "{found} {}", stored("arcc"));
        positive += usize::from(found > 0.1);
    }
    assert!(positive >= 3, "{positive}");
}
