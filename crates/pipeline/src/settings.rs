//! Settings as dotted keys with a value each: `training.epochs` is `8`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Adds every value of some settings to `leaves`, each under its dotted key below `label`.
///
/// A list of plain values is one value; of a list of sections each has its number for a key.
pub fn add<T: Serialize + ?Sized>(leaves: &mut BTreeMap<String, String>, label: &str, settings: &T) {
    match serde_json::to_value(settings) {
        Ok(value) => add_value(leaves, label, &value),
        // Settings are plain data: only a map whose keys are no texts ends here. Its words at least tell that there is one.
        Err(error) => {
            leaves.insert(label.to_owned(), error.to_string());
        }
    }
}

fn add_value(leaves: &mut BTreeMap<String, String>, label: &str, value: &Value) {
    let below = |key: &str| {
        if label.is_empty() {
            key.to_owned()
        } else {
            format!("{label}.{key}")
        }
    };
    match value {
        Value::Object(section) if !section.is_empty() => {
            for (key, value) in section {
                add_value(leaves, &below(key), value);
            }
        }
        Value::Array(list) if list.iter().any(Value::is_object) => {
            for (number, value) in list.iter().enumerate() {
                add_value(leaves, &below(&number.to_string()), value);
            }
        }
        _ => {
            leaves.insert(label.to_owned(), words(value));
        }
    }
}

/// A value as a person would write it: a text without its quotes.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Stage {
        width: usize,
    }

    #[derive(Serialize)]
    struct Settings {
        epochs: usize,
        loss: &'static str,
        shift: Option<f64>,
        mean: [f32; 2],
        stages: Vec<Stage>,
        nothing: BTreeMap<String, usize>,
    }

    #[test]
    fn every_value_has_a_dotted_key() {
        let settings = Settings {
            epochs: 8,
            loss: "euclidean",
            shift: None,
            mean: [0.5, 0.25],
            stages: vec![Stage { width: 8 }, Stage { width: 16 }],
            nothing: BTreeMap::new(),
        };
        let mut leaves = BTreeMap::new();
        add(&mut leaves, "training", &settings);
        add(&mut leaves, "seed", &1);
        add(&mut leaves, "", &BTreeMap::from([("name", "a")]));
        let found: Vec<(&str, &str)> = leaves
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("name", "a"),
                ("seed", "1"),
                ("training.epochs", "8"),
                ("training.loss", "euclidean"),
                ("training.mean", "[0.5,0.25]"),
                ("training.nothing", "{}"),
                ("training.shift", "null"),
                ("training.stages.0.width", "8"),
                ("training.stages.1.width", "16"),
            ]
        );
    }
}
