//! What is wrong with a JSON file, in words.

use serde_json::error::Category;

/// Says it: where, with lines and columns counted from 1, what is there and what was expected.
#[must_use]
pub fn json_fault(error: &serde_json::Error) -> String {
    let (line, column) = (error.line().max(1), error.column().max(1));
    let whole = error.to_string();
    let message = whole
        .rsplit_once(" at line ")
        .map_or(whole.as_str(), |(message, _)| message);
    match error.classify() {
        Category::Eof => format!("it ends in line {line}, before it is complete"),
        Category::Io => message.to_owned(),
        Category::Syntax => format!("line {line}, column {column} is no JSON ({message})"),
        Category::Data => format!("line {line}, column {column}: {}", in_words(message)),
    }
}

/// What serde says of a value, without the names that types have in the program.
fn in_words(message: &str) -> String {
    let message = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| message.strip_prefix(start))
        .unwrap_or(message);
    let (found, expected) = match message.split_once(", expected ") {
        Some((found, expected)) => (found, Some(expected)),
        None => (message, None),
    };
    let found = match found {
        "map" => "keys with values".to_owned(),
        "sequence" => "a list".to_owned(),
        "null" => "nothing".to_owned(),
        _ => found
            .replace("missing field", "missing key")
            .replace("unknown field", "unknown key")
            .replace("duplicate field", "twice the key")
            .replace("unknown variant ", "")
            .replace("floating point ", "")
            .replace("integer ", "")
            .replace("boolean ", "")
            .replace("string ", ""),
    };
    let Some(expected) = expected else { return found };
    let whole = |kind: &str| {
        ["i", "u"]
            .iter()
            .any(|sign| kind.strip_prefix(sign).is_some_and(is_width))
    };
    let expected = match expected {
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text",
        "a sequence" => "a list",
        "a map" => "keys with values",
        kind if whole(kind) => "a whole number",
        kind if kind.starts_with("struct ") => "keys with values",
        kind if kind.starts_with("tuple ") || kind.starts_with("an array ") => "a list",
        kind => kind,
    };
    format!("{found}, expected {expected}")
}

fn is_width(text: &str) -> bool {
    matches!(text, "8" | "16" | "32" | "64" | "128" | "size")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its faults are looked at")]
    struct Sample {
        count: usize,
        list: Vec<f64>,
        inner: Option<Box<Sample>>,
    }

    #[test]
    fn faults_are_in_words() {
        for (text, words) in [
            (
                "{\"count\": \"x\"}",
                "line 1, column 13: \"x\", expected a whole number",
            ),
            ("{\"count\": -1}", "line 1, column 12: `-1`, expected a whole number"),
            (
                "{\"count\": 1, \"list\": {}}",
                "line 1, column 21: keys with values, expected a list",
            ),
            (
                "{\"count\": 1, \"list\": [true]}",
                "line 1, column 26: `true`, expected a number",
            ),
            (
                "{\"count\": 1, \"list\": [], \"inner\": 3}",
                "line 1, column 35: `3`, expected keys with values",
            ),
            ("{\"count\": 1}", "line 1, column 12: missing key `list`"),
            (
                "{\n\"other\": 1}",
                "line 2, column 7: unknown key `other`, expected one of `count`, `list`, `inner`",
            ),
            ("{\"count\": 1,", "it ends in line 1, before it is complete"),
            ("", "it ends in line 1, before it is complete"),
        ] {
            let fault = serde_json::from_str::<Sample>(text).map_err(|error| json_fault(&error));
            assert_eq!(fault.expect_err(text), words, "{text}");
        }
        let fault = serde_json::from_str::<Sample>("\n}").map_err(|error| json_fault(&error));
        assert!(fault.expect_err("no JSON").starts_with("line 2, column 1 is no JSON"));
    }
}
