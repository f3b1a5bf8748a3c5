//! The words of a YAML file.

use std::collections::BTreeSet;

use serde_json::Value;

/// The keys and the names of values in a JSON Schema.
pub fn words_of(schema: &Value) -> Vec<String> {
    let mut words = BTreeSet::new();
    collect(schema, &mut words);
    words.into_iter().collect()
}

fn collect(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                match (key.as_str(), value) {
                    ("properties", Value::Object(keys)) => words.extend(keys.keys().map(|key| format!("{key}: "))),
                    ("const", Value::String(name)) => {
                        words.insert(name.clone());
                    }
                    ("enum", Value::Array(names)) => {
                        words.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => {}
                }
                collect(value, words);
            }
        }
        Value::Array(all) => all.iter().for_each(|one| collect(one, words)),
        _ => {}
    }
}
