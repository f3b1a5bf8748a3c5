//! Files and settings laid over each other, and which of them said what.

use serde::Deserialize;

use super::key::KeyPath;
use super::node::Node;
use super::text::{line_of, read};
use super::typed::typed;
use crate::error::Fault;

/// Who said something.
#[derive(Debug, Clone)]
enum Source {
    /// A file, as it is named in messages, and its text.
    File(String, String),
    /// A `--set KEY=VALUE`, and its key.
    Setting(String, KeyPath),
    /// Nobody: it is so where nothing is said.
    Default,
}

/// Values from several sources, of which the later ones prevail.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    said: Vec<(Source, Node)>,
    merged: Node,
}

/// Keys in a `--set`: an experiment has at most five in each other.
const LONGEST_PATH: usize = 64;
/// Faults that are said at once.
const MOST_FAULTS: usize = 50;
/// Characters of a setting that messages show.
const SHOWN: usize = 200;

/// A setting, as messages name it.
fn named(setting: &str) -> String {
    match setting.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("--set {}…", &setting[..end]),
        None => format!("--set {setting}"),
    }
}

/// Reads a text that stands alone. `place` names it in messages.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse<T: for<'de> Deserialize<'de>>(text: &str, place: &str) -> Result<T, Vec<Fault>> {
    let mut layers = Layers::default();
    let node = Layers::read(text, place).map_err(|fault| vec![fault])?;
    layers.add_file(place, text, node);
    layers.typed()
}

impl Layers {
    /// Reads a file's text, without adding it.
    ///
    /// # Errors
    /// When it is not YAML, with the line.
    pub fn read(text: &str, place: &str) -> Result<Node, Fault> {
        read(text).map_err(|malformed| Fault {
            place: malformed
                .line
                .map_or_else(|| place.to_owned(), |line| format!("{place}:{line}")),
            message: malformed.message,
        })
    }

    /// Lays a file over what there is: maps are united key by key, all else is replaced. `node` is what becomes of its `text`.
    pub fn add_file(&mut self, place: &str, text: &str, node: Node) {
        self.merged.merge(node.clone());
        self.said.push((Source::File(place.to_owned(), text.to_owned()), node));
    }

    /// Lays what holds where nothing is said over what there is.
    pub fn add_default(&mut self, node: Node) {
        self.merged.merge(node.clone());
        self.said.push((Source::Default, node));
    }

    /// Reads a `key.path=value` with a YAML value.
    ///
    /// # Errors
    /// When it is none.
    pub fn read_setting(setting: &str) -> Result<(KeyPath, Node), Fault> {
        let fault = |message: String| Self::setting_fault(setting, message);
        let (path, text) = setting
            .split_once('=')
            .ok_or_else(|| fault("expected key.path=value".to_owned()))?;
        if path.split('.').any(str::is_empty) {
            return Err(fault("expected key.path=value, found an empty key".to_owned()));
        }
        let depth = path.split('.').count();
        if depth > LONGEST_PATH {
            return Err(fault(format!(
                "{depth} keys in each other, expected at most {LONGEST_PATH}"
            )));
        }
        let value = read(text).map_err(|malformed| fault(format!("the value is not YAML: {}", malformed.message)))?;
        Ok((KeyPath::new(path), value))
    }

    /// What is wrong with a setting.
    pub fn setting_fault(setting: &str, message: String) -> Fault {
        Fault {
            place: named(setting),
            message,
        }
    }

    /// Sets the value of a key, whatever was there. `node` is a tree with this value alone.
    ///
    /// # Errors
    /// When the key is below something without keys.
    pub fn add_setting(&mut self, setting: &str, key: KeyPath, node: Node) -> Result<(), Fault> {
        let value = node.get(&key).cloned().unwrap_or(Node::Null);
        let placed = self.merged.set(&key, value);
        placed.map_err(|message| Self::setting_fault(setting, message))?;
        self.said.push((Source::Setting(setting.to_owned(), key), node));
        Ok(())
    }

    /// What all of them say together.
    pub fn merged_mut(&mut self) -> &mut Node {
        &mut self.merged
    }

    /// Reads them as a type.
    ///
    /// # Errors
    /// Everything that does not fit.
    pub fn typed<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Vec<Fault>> {
        let mut rest = self.merged.clone();
        let mut faults = Vec::new();
        let mut left_out: Vec<KeyPath> = Vec::new();
        loop {
            let misfit = match typed(&rest) {
                Ok(value) if faults.is_empty() => return Ok(value),
                Ok(_) => return Err(faults),
                Err(misfit) => misfit,
            };
            let absent = misfit
                .missing
                .map(|key| KeyPath::new(&format!("{}.{key}", misfit.path)));
            // What is missing because it was wrong has been said.
            if !absent.is_some_and(|absent| left_out.contains(&absent)) {
                faults.push(self.fault(&misfit.path, misfit.message));
            }
            // What is wrong is left out, to see whether the rest is right; a list as a whole, for its items are counted.
            let out = misfit.path.keys_only();
            if rest.take(&out).is_none() {
                return Err(faults);
            }
            left_out.push(out);
            // To find the next one all is read again.
            if faults.len() == MOST_FAULTS {
                let message = format!("{MOST_FAULTS} faults are shown, there may be more");
                faults.push(self.fault(&KeyPath::default(), message));
                return Err(faults);
            }
        }
    }

    /// What is said of the value at a place: names the source of the value, its line and the key.
    #[must_use]
    pub fn fault(&self, path: &KeyPath, message: impl std::fmt::Display) -> Fault {
        let message = if path.is_root() {
            message.to_string()
        } else {
            format!("{path}: {message}")
        };
        Fault {
            place: self.place(path),
            message,
        }
    }

    /// Who said what is at a place; of what nobody said, who said what it is in.
    fn place(&self, path: &KeyPath) -> String {
        let mut path = path.clone();
        while !path.is_root() {
            for (source, node) in self.said.iter().rev() {
                match source {
                    Source::Setting(setting, key) if path.starts_with(key) || key.starts_with(&path) => {
                        return named(setting);
                    }
                    Source::File(place, text) if node.get(&path).is_some() => {
                        return line_of(text, &path).map_or_else(|| place.clone(), |line| format!("{place}:{line}"));
                    }
                    Source::Default if node.get(&path).is_some() => return "the default".to_owned(),
                    _ => {}
                }
            }
            path = path.parent().unwrap_or_default();
        }
        let files = self.said.iter().rev().filter_map(|(source, _)| match source {
            Source::File(place, _) => Some(place.clone()),
            Source::Setting(..) | Source::Default => None,
        });
        files.into_iter().next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        _count: usize,
        _part: Option<Part>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Part {
        _items: Vec<u8>,
    }

    #[test]
    fn settings_and_faults_are_bounded() {
        let setting = format!("{}=1", ["a"; 10_000].join("."));
        let fault = Layers::read_setting(&setting).expect_err("too long").to_string();
        assert!(
            fault.starts_with("--set a.a.") && fault.ends_with("a.…: 10000 keys in each other, expected at most 64"),
            "{fault}"
        );
        let text: String = (0..5_000).map(|key| format!("k{key}: 1\n")).collect();
        let mut layers = Layers::default();
        layers.add_file("many.yaml", &text, Layers::read(&text, "many.yaml").expect("YAML"));
        let faults = layers.typed::<Sample>().expect_err("faults");
        assert_eq!(faults.len(), MOST_FAULTS + 1);
        assert_eq!(
            faults[MOST_FAULTS].to_string(),
            "many.yaml: 50 faults are shown, there may be more"
        );
    }

    #[test]
    fn every_fault_is_said_once_with_its_place() {
        let mut layers = Layers::default();
        for (place, text) in [
            ("base.yaml", "_part:\n  _items:\n    - 1\n    - x\n_count: 1\n"),
            ("top.yaml", "\n_cuont: 2\n"),
        ] {
            layers.add_file(place, text, Layers::read(text, place).expect("YAML"));
        }
        let (key, value) = Layers::read_setting("_count=-1").expect("a setting");
        let mut node = Node::Null;
        node.set(&key, value).expect("a place");
        layers.add_setting("_count=-1", key, node).expect("a place");
        let faults = layers.typed::<Sample>().expect_err("faults");
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "base.yaml:4: _part._items[1]: x, expected a whole number that is not negative",
                "--set _count=-1: _count: -1, expected a whole number that is not negative",
                "top.yaml:2: _cuont: unknown key, expected one of _count, _part",
            ]
        );
        // What nobody said is missing where it would be.
        let faults = parse::<Part>("# nothing\n", "part.yaml").expect_err("missing");
        assert_eq!(faults[0].to_string(), "part.yaml: missing key `_items`");
    }
}
