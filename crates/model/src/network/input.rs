//! What happens to images before the first layer.

use serde::{Deserialize, Serialize};

/// Fixed normalisation of the input: (x - mean) / deviation per colour channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputNormalisation {
    /// Of red, green and blue, in units of the images' values.
    pub mean: [f32; 3],
    /// Of red, green and blue, > 0.
    pub deviation: [f32; 3],
}
