//! Intervals beside scipy's: `inference/make.py` says how its numbers were made.

use metrics::{Bootstrap, Estimate, People, Ratios};
use serde_json::Value;

const BOOTSTRAP: Bootstrap = Bootstrap {
    resamples: 20_000,
    seed: 1,
};

/// scipy's ends are those of the normal quantile; Student's, with the 15 to 60 degrees of freedom that these values leave, lies up to 9 %
/// further out, and the variance is n/(n-1) larger. An end of 20,000 resamples has a noise of 0.02 standard errors.
fn check(found: Estimate, expected: &Value) {
    let number = |key: &str| expected[key].as_f64().unwrap();
    let (error, interval) = (number("standard_error"), found.interval.unwrap());
    assert!((found.standard_error.unwrap() / error - 1.0).abs() < 0.03, "{found:?}");
    let outwards = [
        (number("low") - interval.low) / error,
        (interval.high - number("high")) / error,
    ];
    assert!(
        outwards.iter().all(|end| (-0.05..0.3).contains(end)),
        "{outwards:?} {found:?}"
    );
    // The interval is skewed as scipy's: its longer arm is longer by as much.
    let skew = |low: f64, high: f64| ((high - found.value) - (found.value - low)) / (high - low);
    let (ours, scipy_s) = (skew(interval.low, interval.high), skew(number("low"), number("high")));
    assert!((ours - scipy_s).abs() < 0.04, "{ours} {scipy_s}");
}

#[test]
fn intervals_are_scipy_s_but_for_student_s_quantile() {
    let expected: Value = serde_json::from_str(include_str!("inference/expected.json")).unwrap();
    let values = |key: &str| -> Vec<(usize, f64)> {
        let values = expected[key].as_array().unwrap().iter();
        values.map(|value| value.as_f64().unwrap()).enumerate().collect()
    };
    let mut ratios = Ratios::new(People::each_image(60));
    let [first, second] = ["first", "second"].map(|key| ratios.add(values(key)).unwrap());
    let resampled = ratios.resample(BOOTSTRAP);
    check(resampled.mean(first).unwrap(), &expected["mean"]);
    let ratio = resampled.estimate(|mean| Some(mean(first)? / mean(second)?)).unwrap();
    check(ratio, &expected["ratio"]);
}
