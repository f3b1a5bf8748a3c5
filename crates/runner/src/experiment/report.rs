//! Section `report`, with its defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Section `report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReportSettings {
    /// Faces of each attribute, classifier and outcome that the report lets one browse: the first of a random order. Fewer are
    /// shown where there are no more, or where the report would become larger than is good for mail.
    pub examples: usize,
}

impl Default for ReportSettings {
    fn default() -> Self {
        Self { examples: 3 }
    }
}
