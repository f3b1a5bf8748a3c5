//! JSON Schema of experiment files.

use serde_json::{Value, json};

use super::Experiment;
use crate::yaml::schema_of;

/// The schema of an experiment file. A file that extends another may leave out anything, so nothing is required but in lists, which are
/// inherited as a whole, and `data` of a file that extends none.
#[must_use]
pub fn schema() -> Value {
    let mut schema = schema_of::<Experiment>();
    relax(&mut schema);
    schema["properties"]["extends"] = json!({
        "description": "An experiment file, relative to this one, or the name of one inside the program, whose keys hold where this file does not say otherwise: maps are united \
                        key by key, all else is replaced.",
        "type": "string",
    });
    schema["anyOf"] = json!([{ "required": ["extends"] }, { "required": ["data"] }]);
    let classifier = schema["properties"]["classifiers"]["additionalProperties"].take();
    schema["properties"]["classifiers"]["additionalProperties"] = json!({ "anyOf": [classifier, { "type": "null" }] });
    schema
}

/// Takes `required` away, also from what is in maps.
fn relax(schema: &mut Value) {
    let Value::Object(parts) = schema else { return };
    parts.remove("required");
    for (key, part) in parts.iter_mut() {
        match (key.as_str(), part) {
            ("properties", Value::Object(all)) => all.values_mut().for_each(relax),
            ("anyOf" | "oneOf" | "allOf", Value::Array(all)) => all.iter_mut().for_each(relax),
            ("additionalProperties", part) => relax(part),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::yaml;

    /// As much of JSON Schema as these schemas use: what is wrong with a value, if anything.
    fn invalid(schema: &Value, value: &Value, path: &str) -> Option<String> {
        let fault = |what: &str| Some(format!("{path}: {value}: {what}"));
        let is = |name: &Value| match name.as_str() {
            Some("null") => value.is_null(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_u64() || value.is_i64(),
            Some("number") => value.is_number(),
            Some("string") => value.is_string(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            other => panic!("{other:?} in the schema"),
        };
        match &schema["type"] {
            Value::Null => {}
            Value::Array(types) if types.iter().any(is) => {}
            one if one.is_string() && is(one) => {}
            other => return fault(&format!("no {other}")),
        }
        if let Value::Array(allowed) = &schema["enum"]
            && !allowed.contains(value)
        {
            return fault("not one of the allowed values");
        }
        if schema.get("const").is_some_and(|only| only != value) {
            return fault("not the only allowed value");
        }
        for several in ["anyOf", "oneOf"] {
            if let Value::Array(ways) = &schema[several] {
                let faults: Vec<String> = ways.iter().filter_map(|way| invalid(way, value, path)).collect();
                if faults.len() == ways.len() {
                    return Some(faults.join("; "));
                }
            }
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            let key = required.as_str().expect("a name");
            if value.is_object() && value.get(key).is_none() {
                return fault(&format!("{key} is missing"));
            }
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            let path = format!("{path}.{key}");
            let part = match (&schema["properties"][key], &schema["additionalProperties"]) {
                (Value::Null, Value::Bool(false)) => return Some(format!("{path}: unknown")),
                (Value::Null, others) => others,
                (known, _) => known,
            };
            if part.is_object()
                && let Some(fault) = invalid(part, value, &path)
            {
                return Some(fault);
            }
        }
        let items = value.as_array().into_iter().flatten();
        items
            .filter_map(|item| {
                schema["items"]
                    .is_object()
                    .then(|| invalid(&schema["items"], item, path))?
            })
            .next()
    }

    fn files(folder: &str) -> Vec<std::path::PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../experiments")
            .join(folder);
        let all = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path());
        all.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
            .collect()
    }

    fn read(text: &str) -> Value {
        yaml::parse(text, "a file").expect("YAML")
    }

    #[test]
    fn every_file_of_ours_is_valid() {
        for (folder, schema, least) in [("", schema(), 6), ("sweeps", crate::sweep::schema(), 2)] {
            let files = files(folder);
            assert!(files.len() >= least);
            for path in files {
                let value = read(&std::fs::read_to_string(&path).expect("text"));
                assert_eq!(invalid(&schema, &value, ""), None, "{}", path.display());
            }
        }
    }

    #[test]
    fn every_resolved_experiment_is_valid() {
        for path in files("") {
            let loaded = crate::experiment::load(&path, &[]).expect("loads");
            let text = crate::experiment::to_yaml(&loaded.experiment, Path::new("results/it")).expect("writes");
            assert_eq!(invalid(&schema(), &read(&text), ""), None, "{}", path.display());
        }
    }

    #[test]
    fn what_the_program_refuses_is_invalid() {
        for text in [
            "data: {source: procedural}\ntrainig: {}",
            "data: {source: procedural}\ntraining: {epoch: 3}",
            "data: {source: imagenet}",
            "training: {epochs: 3}",
            "data: {source: procedural}\nmodel: {architecture: resnet19}",
            "data: {source: procedural}\nmodel: {architecture: {stages: [{width: 8}]}}",
            "data: {source: procedural}\nmodel: {architecture: {block: basic, stem: {kernels: 3}}}",
            "data: {source: procedural}\nexplain: {method: cams}",
            "data: {source: procedural}\nexplain: {rise: {density: none}}",
            "data: {source: procedural}\nclassifiers: {a: {rule: balanced}}",
            "data: {source: procedural}\nclassifiers: {a: {role: other}}",
            "data: {source: procedural}\nfigures: {which: [error_rate]}",
            "data: {source: procedural}\ntraining: {schedule: linear}",
        ] {
            assert!(invalid(&schema(), &read(text), "").is_some(), "{text}");
        }
        for text in [
            "experiment: a.yaml\naxis: {}",
            "axes: {}",
            "experiment: a\nslurm: {cpu: 3}",
            "experiment: a\naxes: {b: 3}",
        ] {
            assert!(invalid(&crate::sweep::schema(), &read(text), "").is_some(), "{text}");
        }
        let inherited = "extends: a.yaml\nclassifiers: {balanced: null}\nmodel: {architecture: {stages: []}}";
        assert_eq!(invalid(&schema(), &read(inherited), ""), None);
    }
}
