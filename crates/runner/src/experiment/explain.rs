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
    /// The settings that decide what maps of these methods are: not how many are made, nor what is kept of them.
    #[must_use]
    pub fn of_maps(&self, methods: &[Method]) -> Self {
        Self {
            images: None,
            keep_maps: false,
            ..self.used_by(methods)
        }
    }

    /// These settings, with those that none of the methods reads at their defaults: changing them makes no map another one.
    #[must_use]
    pub fn used_by(&self, methods: &[Method]) -> Self {
        let mut used = self.clone();
        let default = Self::default();
        if !methods.contains(&Method::ScoreCam) {
            used.upsampling = default.upsampling;
        }
        if !methods.contains(&Method::Rise) {
            used.rise = default.rise;
        }
        if !methods.contains(&Method::Fame) {
            used.fame = default.fame;
        }
        used
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_other_methods_count_for_nothing() {
        let mut changed = ExplainSettings::default();
        changed.fame.steps += 1;
        changed.rise.masks += 1;
        changed.upsampling = Upsampling::HalfPixel;
        assert_eq!(changed.used_by(&[Method::HiresCam]), ExplainSettings::default());
        assert_eq!(changed.used_by(&[Method::HiresCam, Method::Fame]).fame, changed.fame);
        assert_eq!(changed.used_by(&[Method::Rise]).rise, changed.rise);
        assert_eq!(changed.used_by(&[Method::ScoreCam]).upsampling, changed.upsampling);
        changed.keep_maps = true;
        assert!(changed.used_by(&[Method::Cam]).keep_maps && !changed.of_maps(&[Method::Cam]).keep_maps);
    }
}
