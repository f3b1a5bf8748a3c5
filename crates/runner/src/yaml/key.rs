//! Places in a tree of keys: `training.epochs`, `model.architecture.stages[1].width`.

use std::fmt;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To the value of a key.
    Key(String),
    /// To an item of a list.
    Item(usize),
}

/// The way from the root to a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPath(Vec<Step>);

impl KeyPath {
    /// The way as a person writes it: keys with points between, items in brackets.
    #[must_use]
    pub fn new(path: &str) -> Self {
        let mut steps = Vec::new();
        for part in path.split('.').filter(|part| !part.is_empty()) {
            let mut pieces = part.split('[');
            steps.extend(pieces.next().map(|key| Step::Key(key.to_owned())));
            let items = pieces.filter_map(|piece| piece.trim_end_matches(']').parse().ok());
            steps.extend(items.map(Step::Item));
        }
        Self(steps)
    }

    /// Its steps, from the root.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The same way seen from one step further up.
    #[must_use]
    pub fn below(mut self, step: Step) -> Self {
        self.0.insert(0, step);
        self
    }

    /// The way to what this is in; `None` at the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }

    /// The way as far as it goes through keys alone.
    #[must_use]
    pub fn keys_only(&self) -> Self {
        let keys = self.0.iter().take_while(|step| matches!(step, Step::Key(_)));
        Self(keys.cloned().collect())
    }

    /// Whether it leads to `other` or on from there.
    #[must_use]
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Whether it leads nowhere else than to the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if index == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_they_are_read() {
        for text in [
            "",
            "seed",
            "training.epochs",
            "model.architecture.stages[1].width",
            "a[0][2]",
        ] {
            assert_eq!(KeyPath::new(text).to_string(), text);
        }
        let path = KeyPath::new("model.architecture.stages[1].width");
        assert_eq!(path.keys_only(), KeyPath::new("model.architecture.stages"));
        assert_eq!(path.parent(), Some(KeyPath::new("model.architecture.stages[1]")));
        assert!(path.starts_with(&KeyPath::new("model")) && !path.starts_with(&KeyPath::new("mode")));
    }
}
