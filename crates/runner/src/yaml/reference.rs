//! What a YAML file may say, as a page of Markdown for people: made from the schema of its type, so that it cannot say anything else.

use std::fmt::Write;

use serde_json::{Map, Value};

/// One key: its path as `--set` takes it, what it takes, what it is where nothing is said, and what it means.
struct Row {
    key: String,
    takes: String,
    default: String,
    meaning: String,
}

/// The keys of a schema's file: a section for each key at the top that has keys of its own, and one for all others.
#[must_use]
pub fn reference(schema: &Value) -> String {
    let (mut alone, mut sections) = (Vec::new(), String::new());
    for (key, part) in properties(schema) {
        let mut rows = Vec::new();
        inner(key, part, &mut rows);
        if rows.is_empty() {
            alone.push(row(key, part));
            continue;
        }
        let default = default(part);
        let default = match default.as_str() {
            NOT_GIVEN | BELOW => String::new(),
            default => format!(" Default: {default}."),
        };
        let _ = write!(sections, "\n## {key}\n\n{}{default}\n\n{}", meaning(part), table(&rows));
    }
    match alone.is_empty() {
        true => sections,
        false => format!("\n## At the top\n\n{}{sections}", table(&alone)),
    }
}

/// Every key of a schema's file by its path.
#[must_use]
pub fn keys_of(schema: &Value) -> Vec<String> {
    let mut rows = Vec::new();
    for (key, part) in properties(schema) {
        rows.push(row(key, part));
        inner(key, part, &mut rows);
    }
    rows.into_iter().map(|row| row.key).collect()
}

/// What stands where a key has no default: it is absent, or has to be given.
const NOT_GIVEN: &str = "–";
/// What stands where a map's keys have rows of their own.
const BELOW: &str = "as below";

fn table(rows: &[Row]) -> String {
    let mut table = "| key | takes | default | meaning |\n|---|---|---|---|\n".to_owned();
    for row in rows {
        let cells = [&row.takes, &row.default, &row.meaning].map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(table, "| `{}` | {} |", row.key, cells.join(" | "));
    }
    table
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// The rows of all that is inside a value.
fn inner(path: &str, schema: &Value, rows: &mut Vec<Row>) {
    for (key, part) in properties(schema) {
        let key = format!("{path}.{key}");
        rows.push(row(&key, part));
        inner(&key, part, rows);
    }
    for way in ways(schema) {
        inner(path, way, rows);
    }
    if schema["additionalProperties"].is_object() {
        inner(&format!("{path}.NAME"), &schema["additionalProperties"], rows);
    }
    if schema["items"].is_object() {
        inner(&format!("{path}[]"), &schema["items"], rows);
    }
}

fn row(key: &str, schema: &Value) -> Row {
    Row {
        key: key.to_owned(),
        takes: takes(schema),
        default: default(schema),
        meaning: meaning(schema),
    }
}

/// The alternatives of a value that may be one of several things.
fn ways(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf"]
        .into_iter()
        .flat_map(|several| schema[several].as_array().into_iter().flatten())
}

/// What a value may be.
fn takes(schema: &Value) -> String {
    let words: Vec<String> = schema["enum"].as_array().into_iter().flatten().map(code).collect();
    if !words.is_empty() {
        return words.join(", ");
    }
    if let Some(word) = schema.get("const") {
        return code(word);
    }
    let ways: Vec<String> = ways(schema).map(takes).collect();
    if !ways.is_empty() {
        return ways.join(", ");
    }
    let one = |name: &Value| match name.as_str().unwrap_or_default() {
        "null" => "`null`".to_owned(),
        "boolean" => "`true`, `false`".to_owned(),
        "integer" => "whole number".to_owned(),
        "number" => "number".to_owned(),
        "string" => "text".to_owned(),
        "array" => match &schema["items"] {
            items if items["properties"].is_object() => "list of maps".to_owned(),
            items => match (takes(items), schema["minItems"].as_u64()) {
                (of, Some(number)) => format!("list of {number}: {of}"),
                (of, None) if of.is_empty() => "list".to_owned(),
                (of, None) => format!("list of: {of}"),
            },
        },
        "object" => "map".to_owned(),
        other => other.to_owned(),
    };
    match &schema["type"] {
        Value::Array(types) => types.iter().map(one).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        name => one(name),
    }
}

/// What a key means, and each of the words that it takes.
fn meaning(schema: &Value) -> String {
    let mut text = sentence(schema);
    for way in ways(schema).flat_map(|way| std::iter::once(way).chain(ways(way))) {
        if let (Some(word), said) = (way.get("const"), sentence(way))
            && !said.is_empty()
        {
            let _ = write!(text, "<br>{}: {said}", code(word));
        }
    }
    text
}

/// A description on one line. Comments in the source escape brackets, and Markdown has no need of it in a table's cell.
fn sentence(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("\\[", "[")
        .replace("\\]", "]")
}

fn default(schema: &Value) -> String {
    let single = schema["format"] == "float";
    match schema.get("default") {
        // What may be absent is nothing where it is not given.
        None if schema["type"]
            .as_array()
            .is_some_and(|types| types.iter().any(|one| one == "null")) =>
        {
            "`null`".to_owned()
        }
        None if ways(schema).any(|way| way["type"] == "null") => "`null`".to_owned(),
        None => NOT_GIVEN.to_owned(),
        Some(Value::Object(parts)) => entries(parts, schema),
        Some(value) => format!("`{}`", flow(value, single)),
    }
}

/// A map's default: with keys of its own, each of these has its row; else its entries are named.
fn entries(parts: &Map<String, Value>, schema: &Value) -> String {
    if schema["properties"].is_object() {
        return BELOW.to_owned();
    }
    if parts.is_empty() {
        return "`{}`".to_owned();
    }
    let names: Vec<String> = parts.keys().map(|name| format!("`{name}`")).collect();
    format!("entries {}", names.join(", "))
}

/// A value as it is written in YAML on one line.
fn flow(value: &Value, single: bool) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| flow(item, single)).collect();
            format!("[{}]", items.join(", "))
        }
        // A number of single precision has fewer digits than the same in double precision.
        Value::Number(number) if single => number
            .as_f64()
            .map_or_else(String::new, |number| (number as f32).to_string()),
        other => other.to_string(),
    }
}

fn code(word: &Value) -> String {
    format!("`{}`", flow(word, false))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_has_its_type_default_and_meaning() {
        let schema = json!({"properties": {
            "seed": {"type": "integer", "default": 1, "description": "The seed\nof all."},
            "data": {"type": "object", "description": "Where from.", "properties": {
                "side": {"type": ["number", "null"], "format": "float", "default": 0.1f32, "description": "In \\[0, 1\\]."},
                "how": {"description": "How.", "default": "crop", "oneOf": [
                    {"const": "crop", "description": "The | middle.", "type": "string"},
                    {"const": "pad", "description": "All.", "type": "string"}]},
                "parts": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
                "named": {"type": "object", "default": {}, "additionalProperties": {"enum": ["a", "b"]}},
            }},
        }});
        assert_eq!(
            reference(&schema),
            "\n## At the top\n\n\
             | key | takes | default | meaning |\n|---|---|---|---|\n\
             | `seed` | whole number | `1` | The seed of all. |\n\
             \n## data\n\nWhere from.\n\n\
             | key | takes | default | meaning |\n|---|---|---|---|\n\
             | `data.how` | `crop`, `pad` | `crop` | How.<br>`crop`: The \\| middle.<br>`pad`: All. |\n\
             | `data.named` | map | `{}` |  |\n\
             | `data.parts` | list of maps | – |  |\n\
             | `data.parts[].name` | text | – |  |\n\
             | `data.side` | number, `null` | `0.1` | In [0, 1]. |\n"
        );
    }
}
