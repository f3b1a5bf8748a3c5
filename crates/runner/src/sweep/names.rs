//! What runs are called: by what varies, and nothing else.

use sha2::{Digest, Sha256};

use super::points::Choice;

/// Longer names are cut and told apart by a hash.
const LONGEST: usize = 100;

/// The shortest end of each key path that tells it from all others: `training.loss` is `loss` unless another key ends in it too.
pub fn short_keys(keys: &[String]) -> Vec<String> {
    let end = |key: &str, parts: usize| {
        let all: Vec<&str> = key.split('.').collect();
        all[all.len().saturating_sub(parts)..].join(".")
    };
    keys.iter()
        .map(|key| {
            let depth = key.split('.').count();
            let unique = (1..=depth)
                .map(|parts| (parts, end(key, parts)))
                .find(|(parts, short)| {
                    keys.iter()
                        .filter(|other| *other != key)
                        .all(|other| end(other, *parts) != *short)
                });
            unique.map_or_else(|| key.clone(), |(_, short)| short)
        })
        .collect()
}

/// The axes that differ between combinations, in the order in which they first stand.
pub fn varying(combinations: &[Vec<Choice>]) -> Vec<String> {
    let mut axes: Vec<&str> = Vec::new();
    for choice in combinations.iter().flatten() {
        if !axes.contains(&choice.axis.as_str()) {
            axes.push(&choice.axis);
        }
    }
    let label = |combination: &[Choice], axis: &str| {
        combination
            .iter()
            .find(|choice| choice.axis == axis)
            .map(|choice| choice.label.clone())
    };
    axes.into_iter()
        .filter(|axis| {
            let mut labels = combinations.iter().map(|combination| label(combination, axis));
            let first = labels.next();
            labels.any(|label| Some(label) != first)
        })
        .map(str::to_owned)
        .collect()
}

/// A part of a name as a folder may have it; what had to be changed is told apart by a hash.
fn safe(text: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    let mut name: String = text.chars().map(|c| if kept(c) { c } else { '-' }).collect();
    let underscored = text.chars().all(|c| kept(c) || c == '_');
    if !underscored || name.len() > LONGEST {
        name.truncate(24);
        name = format!("{}-{}", name.trim_matches('-'), hash(text));
    }
    name
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .take(3)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The name of a run: `AXIS-VALUE` of each part, joined by `_`.
pub fn run_name(parts: &[(String, String)]) -> String {
    if parts.is_empty() {
        return "run-1".to_owned();
    }
    let parts: Vec<String> = parts
        .iter()
        .map(|(axis, label)| format!("{}-{}", safe(axis), safe(label)))
        .collect();
    let name = parts.join("_");
    if name.len() > LONGEST {
        // Every character is ASCII by now.
        return format!("{}-{}", &name[..LONGEST - 7], hash(&name));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn keys_are_as_short_as_they_can_be() {
        assert_eq!(
            short_keys(&owned(&["training.loss", "seed", "data.procedural.seed", "a.b"])),
            ["loss", "seed", "procedural.seed", "b"]
        );
        assert_eq!(short_keys(&owned(&["a.x", "b.x"])), ["a.x", "b.x"]);
    }

    #[test]
    fn names_are_folders() {
        let name = |parts: &[(&str, &str)]| {
            let parts: Vec<(String, String)> = parts.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            run_name(&parts)
        };
        assert_eq!(name(&[("exponent", "0.25"), ("seed", "1")]), "exponent-0.25_seed-1");
        assert_eq!(
            name(&[("class_weights", "domain_adaptive")]),
            "class-weights-domain-adaptive"
        );
        assert_eq!(name(&[]), "run-1");
        for strange in ["../../etc", "a/b", "{\"scale\":0.1}", "ä ö", "\0", ""] {
            let found = name(&[("key", strange)]);
            assert!(found.starts_with("key-"), "{found}");
            assert!(
                found.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c)),
                "{found}"
            );
        }
        assert_ne!(name(&[("k", "a/b")]), name(&[("k", "a:b")]));
        let long = name(&[("k", &"x".repeat(90)), ("l", &"y".repeat(90))]);
        assert!(long.len() <= LONGEST, "{long}");
    }
}
