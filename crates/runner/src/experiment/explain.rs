//! Section `explain`, with its defaults.

use cam::{FameConfig, Method, Resize, RiseConfig, Target, Upsampling};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Section `explain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExplainSettings {
    /// The method, `hires_cam` in the paper's table; `docs/understand/methods.md` lists them with what they cost.
    pub method: Method,
    /// `predicted` explains |z|, the decision that was made (the paper's); `positive` explains +z, `negative` -z, `label` z times the
    /// label.
    pub target: Target,
    /// How a map is brought to the image's size: `half_pixel` (the paper's) or `cell_centred`.
    pub resize: Resize,
    /// The stage whose activations are mapped, `stage1` for the first; `null` is the last (the paper's).
    pub layer: Option<String>,
    /// Number of test images that are explained, drawn with the experiment's seed; `null` explains all. For methods of many passes.
    pub images: Option<usize>,
    /// Keeps the raw maps of every explained image and attribute in `NAME/raw_maps.safetensors`.
    pub keep_maps: bool,
    /// How Score-CAM enlarges a channel to a mask: `corner_aligned` (its authors') or `half_pixel`.
    pub upsampling: Upsampling,
    /// RISE's random masks.
    pub rise: RiseConfig,
    /// FAME's steps.
    pub fame: FameConfig,
}

impl Default for ExplainSettings {
    fn default() -> Self {
        Self {
            method: Method::HiresCam,
            target: Target::Predicted,
            resize: Resize::HalfPixel,
            layer: None,
            images: None,
            keep_maps: false,
            upsampling: Upsampling::CornerAligned,
            rise: RiseConfig::default(),
            fame: FameConfig::default(),
        }
    }
}

impl ExplainSettings {
    /// The settings that decide what a map is: not how many are made, nor what is kept of them.
    #[must_use]
    pub fn of_maps(&self) -> Self {
        Self {
            images: None,
            keep_maps: false,
            ..self.clone()
        }
    }

    /// The settings as `cam` takes them, without the reference of the centred CAM.
    #[must_use]
    pub fn config(&self) -> cam::ExplainerConfig {
        cam::ExplainerConfig {
            method: self.method,
            target: self.target,
            layer: self.layer.clone(),
            resize: self.resize,
            upsampling: self.upsampling,
            rise: self.rise,
            fame: self.fame,
            reference: None,
        }
    }
}
