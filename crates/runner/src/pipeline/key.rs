//! Keys: what a step depends on, in one hash.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::manifest::Manifest;

/// Collects what a stage depends on, piece by piece, into its key.
#[derive(Debug, Clone, Default)]
pub struct Key(Sha256);

impl Key {
    /// Adds settings, by their serialised form.
    #[must_use]
    pub fn settings<T: Serialize>(self, settings: &T) -> Self {
        // Settings are plain data: their serialisation cannot fail, and if it did, the key would only miss them.
        self.text(&serde_json::to_string(settings).unwrap_or_default())
    }

    /// Adds a text. Its length goes in too, so that no two sequences of texts have one key.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
        self
    }

    /// Adds the files of earlier stages, by their recorded hashes.
    #[must_use]
    pub fn stages<'a>(self, manifest: &Manifest, stages: impl IntoIterator<Item = &'a str>) -> Self {
        stages
            .into_iter()
            .fold(self, |key, stage| match manifest.stages.get(stage) {
                Some(record) => key.settings(&record.artefacts),
                None => key.text("absent"),
            })
    }

    /// The key under which a step is recorded, of the inputs collected so far. `version` is that of the program's results: a
    /// new one makes all steps run again.
    pub fn of_step(self, version: u32, step: &str) -> String {
        self.settings(&version).text(step).finish()
    }

    /// The key.
    pub fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_texts_apart() {
        assert_ne!(
            Key::default().text("ab").text("c").finish(),
            Key::default().text("a").text("bc").finish()
        );
    }
}
