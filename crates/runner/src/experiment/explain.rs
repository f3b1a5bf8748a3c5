//! Section `explain`, with its defaults.

use serde::{Deserialize, Serialize};

/// Section `explain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Explain {
    /// The method, `hires_cam` in the paper's table; `docs/methods.md` lists them with what they cost.
    pub method: String,
    /// `predicted` explains |z|, the decision that was made (the paper's); `positive` explains +z, `negative` -z, `label` z times the
    /// label.
    pub target: String,
    /// How a map is brought to the image's size: `half_pixel` (the paper's) or `cell_centred`.
    pub resize: String,
    /// The stage whose activations are mapped, `stage1` for the first; `null` is the last (the paper's).
    pub layer: Option<String>,
    /// Number of test images that are explained, drawn with the experiment's seed; `null` explains all. For methods of many passes.
    pub images: Option<usize>,
    /// Keeps the raw maps of every explained image and attribute in `NAME/raw_maps.safetensors`.
    pub keep_maps: bool,
    /// How Score-CAM enlarges a channel to a mask: `corner_aligned` (its authors') or `half_pixel`.
    pub upsampling: String,
    /// RISE's random masks.
    pub rise: Rise,
}

impl Default for Explain {
    fn default() -> Self {
        Self {
            method: "hires_cam".to_owned(),
            target: "predicted".to_owned(),
            resize: "half_pixel".to_owned(),
            layer: None,
            images: None,
            keep_maps: false,
            upsampling: "corner_aligned".to_owned(),
            rise: Rise::default(),
        }
    }
}

impl Explain {
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
    ///
    /// # Errors
    /// A message that names the key and what it can be.
    pub fn config(&self) -> Result<cam::ExplainerConfig, String> {
        fn parsed<T: std::str::FromStr<Err = cam::Error>>(key: &str, value: &str) -> Result<T, String> {
            value.parse().map_err(|error| format!("explain.{key}: {error}"))
        }
        Ok(cam::ExplainerConfig {
            method: parsed("method", &self.method)?,
            target: parsed("target", &self.target)?,
            layer: self.layer.clone(),
            resize: parsed("resize", &self.resize)?,
            upsampling: parsed("upsampling", &self.upsampling)?,
            rise: cam::RiseConfig {
                masks: self.rise.masks,
                grid: self.rise.grid,
                probability: self.rise.probability,
                seed: self.rise.seed,
                density: parsed("rise.density", &self.rise.density)?,
            },
            reference: None,
        })
    }
}

/// Section `explain.rise`: see [`cam::RiseConfig`], whose defaults these are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rise {
    /// Masks, and so forward passes, an image.
    pub masks: usize,
    /// Cells of a mask along a side.
    pub grid: usize,
    /// Probability that a cell is seen, above 0 and below 1.
    pub probability: f64,
    /// Seed of the masks.
    pub seed: u64,
    /// What a pixel's sum of scores is divided by: `observed`, the sum of its masks, or `expected`, what that should be (the paper's
    /// formula).
    pub density: String,
}

impl Default for Rise {
    fn default() -> Self {
        let cam::RiseConfig {
            masks,
            grid,
            probability,
            seed,
            density,
        } = cam::RiseConfig::default();
        Self {
            masks,
            grid,
            probability,
            seed,
            density: density.to_string(),
        }
    }
}
