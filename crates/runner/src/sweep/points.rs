//! From a sweep file to its points: the combinations of what varies.

use serde_json::Value;

use super::file::{Axis, SweepFile};
use super::ordered::Ordered;

/// What one axis is at a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The axis, or the key of an explicit run.
    pub axis: String,
    /// The value, or its name, as a person reads it.
    pub label: String,
    /// The value as a number, if it is one.
    pub number: Option<f64>,
    /// The keys of the experiment that this sets.
    pub settings: Vec<(String, Value)>,
}

/// One combination, without the seed.
pub type Combination = Vec<Choice>;

/// A value as a person reads it.
pub fn label(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn plain(axis: &str, value: &Value) -> Choice {
    Choice {
        axis: axis.to_owned(),
        label: label(value),
        number: value.as_f64(),
        settings: vec![(axis.to_owned(), value.clone())],
    }
}

fn named(axis: &str, name: &str, settings: &Ordered<Value>) -> Choice {
    Choice {
        axis: axis.to_owned(),
        label: name.to_owned(),
        number: None,
        settings: settings.0.clone(),
    }
}

fn choices(axis: &str, values: &Axis) -> Vec<Choice> {
    match values {
        Axis::Values(values) => values.iter().map(|value| plain(axis, value)).collect(),
        Axis::Named(names) => names
            .0
            .iter()
            .map(|(name, settings)| named(axis, name, settings))
            .collect(),
    }
}

/// Runs of the largest sweep: each is checked before the first starts, and Slurm takes no longer arrays either.
pub const MOST_RUNS: u128 = 10_000;

/// How many runs a sweep asks for, before any is left out.
fn asked_for(file: &SweepFile) -> u128 {
    let values = |axis: &Axis| match axis {
        Axis::Values(values) => values.len(),
        Axis::Named(names) => names.0.len(),
    };
    let product = |product: u128, count: usize| product.saturating_mul(count as u128);
    let combinations = file.axes.0.iter().map(|(_, axis)| values(axis)).fold(1, product);
    product(
        combinations.saturating_add(file.runs.len() as u128),
        file.seeds.len().max(1),
    )
}

/// All combinations of a sweep, and everything that is wrong with how they are written.
pub fn combinations(file: &SweepFile) -> (Vec<Combination>, Vec<String>) {
    let asked = asked_for(file);
    if asked > MOST_RUNS {
        let fault = format!(
            "{asked} runs by its axes, `runs` and seeds, expected at most {MOST_RUNS}; make several sweeps of it"
        );
        return (Vec::new(), vec![fault]);
    }
    let mut faults = Vec::new();
    let mut all: Vec<Combination> = if file.axes.0.is_empty() && !file.runs.is_empty() {
        Vec::new()
    } else {
        vec![Vec::new()]
    };
    for (axis, values) in &file.axes.0 {
        let choices = choices(axis, values);
        if choices.is_empty() {
            faults.push(format!("axes.{axis}: has no value"));
        }
        if file.seed_keys.contains(axis) && !file.seeds.is_empty() {
            faults.push(format!("axes.{axis}: `seeds` sets it already"));
        }
        let extended = all.iter().flat_map(|combination| {
            choices.iter().map(|choice| {
                let mut combination = combination.clone();
                combination.push(choice.clone());
                combination
            })
        });
        all = extended.collect();
    }
    for (index, pattern) in file.exclude.iter().enumerate() {
        for (axis, _) in &pattern.0 {
            if file.axes.get(axis).is_none() {
                faults.push(format!("exclude[{index}]: `{axis}` is no axis; {}", axes_of(file)));
            }
        }
        let before = all.len();
        all.retain(|combination| !matches(combination, pattern));
        if all.len() == before || pattern.0.is_empty() {
            faults.push(format!("exclude[{index}]: no combination has all of its values"));
        }
    }
    for (index, run) in file.runs.iter().enumerate() {
        let mut combination = Vec::new();
        for (key, value) in &run.0 {
            match file.axes.get(key) {
                Some(Axis::Named(names)) => match names.get(&label(value)) {
                    Some(settings) => combination.push(named(key, &label(value), settings)),
                    None => faults.push(format!("runs[{index}]: axis `{key}` has no name `{}`", label(value))),
                },
                _ => combination.push(plain(key, value)),
            }
        }
        all.push(combination);
    }
    (all, faults)
}

fn axes_of(file: &SweepFile) -> String {
    let names: Vec<&str> = file.axes.0.iter().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        "there are no axes".to_owned()
    } else {
        format!("axes are {}", names.join(", "))
    }
}

fn matches(combination: &[Choice], pattern: &Ordered<Value>) -> bool {
    pattern.0.iter().all(|(axis, value)| {
        let mut of_axis = combination.iter().filter(|choice| choice.axis == *axis);
        // 1 and 1.0 are one value.
        of_axis
            .any(|choice| choice.label == label(value) || (choice.number.is_some() && choice.number == value.as_f64()))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn expanded(text: &str) -> (Vec<String>, Vec<String>) {
        let file = SweepFile::parse(&format!("experiment: e.yaml\n{text}"), "s.yaml").expect("parses");
        let (combinations, faults) = combinations(&file);
        let texts = combinations.iter().map(|combination| {
            let parts = combination
                .iter()
                .map(|choice| format!("{}={}", choice.axis, choice.label));
            parts.collect::<Vec<_>>().join(" ")
        });
        (texts.collect(), faults)
    }

    #[test]
    fn combinations_of_axes_and_lists() {
        for (text, expected) in [
            ("", &[""][..]),
            ("axes: {a: [1, 2]}", &["a=1", "a=2"]),
            (
                "axes: {a: [1, 2], b: [x, y]}",
                &["a=1 b=x", "a=1 b=y", "a=2 b=x", "a=2 b=y"],
            ),
            (
                "axes: {a: [1, 2], b: [x, y]}\nexclude: [{a: 2.0, b: x}]",
                &["a=1 b=x", "a=1 b=y", "a=2 b=y"],
            ),
            ("axes: {a: [1]}\nruns: [{c: true}]", &["a=1", "c=true"]),
            ("runs: [{a: 1, b: null}, {a: 2}]", &["a=1 b=null", "a=2"]),
            (
                "axes: {n: {s: {w: 1, h: 2}, l: {w: 3}}}\nruns: [{n: s, a: [1, 2]}]",
                &["n=s", "n=l", "n=s a=[1,2]"],
            ),
        ] {
            let (found, faults) = expanded(text);
            assert_eq!(
                (found.as_slice(), faults.as_slice()),
                (
                    &expected.iter().map(|text| text.to_string()).collect::<Vec<_>>()[..],
                    &[][..]
                ),
                "{text}"
            );
        }
        let file = SweepFile::parse("experiment: e\naxes: {n: {s: {w: 1, h: 2}}}", "s.yaml").expect("parses");
        assert_eq!(combinations(&file).0[0][0].settings.len(), 2);
    }

    #[test]
    fn all_faults_at_once() {
        let (_, faults) =
            expanded("axes: {a: [], seed: [1]}\nseeds: [1]\nexclude: [{b: 1}, {seed: 7}]\nruns: [{n: x}]");
        assert_eq!(
            faults,
            [
                "axes.a: has no value",
                "axes.seed: `seeds` sets it already",
                "exclude[0]: `b` is no axis; axes are a, seed",
                "exclude[0]: no combination has all of its values",
                "exclude[1]: no combination has all of its values",
            ]
        );
        let axes: Vec<String> = (0..60).map(|axis| format!("a{axis}: [1, 2, 3, 4, 5]")).collect();
        for text in [
            format!("axes: {{{}}}", axes.join(", ")),
            format!("axes: {{a: [1, 2]}}\nseeds: {:?}", Vec::from_iter(0..5_001)),
            format!("runs: {:?}", vec![BTreeMap::<u8, u8>::new(); 10_001]),
        ] {
            let (combinations, faults) = expanded(&text);
            assert!(combinations.is_empty() && faults.len() == 1, "{faults:?}");
            assert!(faults[0].contains("expected at most 10000"), "{faults:?}");
        }
        let (_, faults) = expanded("axes: {n: {s: {w: 1}}}\nruns: [{n: x}]");
        assert_eq!(faults, ["runs[0]: axis `n` has no name `x`"]);
    }
}
