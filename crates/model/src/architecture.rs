//! The family of residual networks as data.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The kind of residual block (He et al. 2016, figure 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// Two convolutions of the stage's width.
    Basic,
    /// A 1 x 1 convolution to the stage's width, one of the stage's kernel, and a 1 x 1 convolution to four times the width.
    /// The stride is on the middle one, as in torchvision ("ResNet v1.5").
    Bottleneck,
}

impl Block {
    /// Output channels per unit of width.
    pub fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck => 4,
        }
    }
}

/// The layers before the first stage: a convolution to the first stage's width, batch norm, ReLU and possibly a max pooling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stem {
    /// Side of the convolution's kernel in pixels, odd; 7 in the standard networks.
    pub kernel: usize,
    /// Stride of the convolution; 2 in the standard networks.
    pub stride: usize,
    /// Whether a 3 x 3 max pooling with stride 2 follows; it does in the standard networks.
    pub max_pool: bool,
}

/// A run of residual blocks of one width.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Channels inside the blocks; a bottleneck's output has four times as many.
    pub width: usize,
    /// Number of blocks.
    pub blocks: usize,
    /// Stride of the first block, 1 or 2.
    pub stride: usize,
    /// Side of the blocks' kernels, 1 or 3. With 1 the receptive field does not grow.
    #[serde(default = "three")]
    pub kernel: usize,
    /// Side of the kernel of the stage's first (strided) such convolution, 1 or 3; `None`: the same as `kernel`.
    /// With kernel 1 and stride 2, a 3 here keeps three quarters of the positions from being ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_kernel: Option<usize>,
}

fn three() -> usize {
    3
}

/// A residual network up to its features: a stem and one or more stages.
///
/// Stage `i` (from 1) is the layer `layer{i}` in tensor names, as in torchvision. Its ResNets are the presets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// The kind of block, the same in all stages.
    pub block: Block,
    /// The layers before the first stage.
    #[serde(default)]
    pub stem: Stem,
    /// The stages, at least one.
    pub stages: Vec<Stage>,
}

impl Default for Stem {
    /// The stem of the standard networks.
    fn default() -> Self {
        Self {
            kernel: 7,
            stride: 2,
            max_pool: true,
        }
    }
}

impl Architecture {
    /// Names that [`Architecture::preset`] knows.
    pub const PRESETS: [&'static str; 3] = ["resnet18", "resnet34", "resnet50"];

    /// A standard network by its name (He et al. 2016, table 1).
    ///
    /// # Errors
    /// [`Error::UnknownArchitecture`] for any other name.
    pub fn preset(name: &str) -> Result<Self> {
        match name {
            "resnet18" => Ok(Self::standard(Block::Basic, [2, 2, 2, 2])),
            "resnet34" => Ok(Self::standard(Block::Basic, [3, 4, 6, 3])),
            "resnet50" => Ok(Self::standard(Block::Bottleneck, [3, 4, 6, 3])),
            _ => Err(Error::UnknownArchitecture {
                name: name.to_owned(),
                known: &Self::PRESETS,
            }),
        }
    }

    fn standard(block: Block, blocks: [usize; 4]) -> Self {
        let stages = blocks
            .into_iter()
            .enumerate()
            .map(|(i, blocks)| Stage {
                width: 64 << i,
                blocks,
                stride: if i == 0 { 1 } else { 2 },
                kernel: 3,
                entry_kernel: None,
            })
            .collect();
        Self {
            block,
            stem: Stem::default(),
            stages,
        }
    }

    /// The same network with `width` channels in the first stage (64 in the standard networks) and the others in
    /// proportion, rounded, at least 1.
    #[must_use]
    pub fn with_width(mut self, width: usize) -> Self {
        let first = self.stages.first().map_or(1, |stage| stage.width).max(1);
        for stage in &mut self.stages {
            stage.width = ((stage.width.saturating_mul(width) + first / 2) / first).max(1);
        }
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first field that is out of range.
    pub fn validate(&self) -> Result<()> {
        const SIZES: std::ops::RangeInclusive<usize> = 1..=8192;
        check(
            "stem.kernel",
            self.stem.kernel,
            self.stem.kernel % 2 == 1 && self.stem.kernel <= 15,
            "odd, 1 to 15",
        )?;
        check(
            "stem.stride",
            self.stem.stride,
            (1..=4).contains(&self.stem.stride),
            "1 to 4",
        )?;
        check(
            "stages",
            self.stages.len(),
            (1..=16).contains(&self.stages.len()),
            "1 to 16 stages",
        )?;
        for (i, stage) in self.stages.iter().enumerate() {
            let field = |name: &str| format!("stages[{i}].{name}");
            check(field("width"), stage.width, SIZES.contains(&stage.width), "1 to 8192")?;
            check(
                field("blocks"),
                stage.blocks,
                (1..=256).contains(&stage.blocks),
                "1 to 256",
            )?;
            check(field("stride"), stage.stride, matches!(stage.stride, 1 | 2), "1 or 2")?;
            check(field("kernel"), stage.kernel, matches!(stage.kernel, 1 | 3), "1 or 3")?;
            if let Some(kernel) = stage.entry_kernel {
                check(field("entry_kernel"), kernel, matches!(kernel, 1 | 3), "1 or 3")?;
            }
        }
        Ok(())
    }

    /// Channels of the last stage's output: the length of the vector that the linear head sees.
    pub fn features(&self) -> usize {
        self.stages
            .last()
            .map_or(0, |stage| stage.width * self.block.expansion())
    }

    /// Names of the stages' outputs in the order of computation: `stage1`, `stage2`, ... torchvision's tensors call them `layer1`, ...
    pub fn layers(&self) -> Vec<String> {
        (1..=self.stages.len()).map(|i| format!("stage{i}")).collect()
    }

    /// Sides of the stages' outputs, in cells, for images of `side` x `side` pixels, in the order of [`Self::layers`].
    pub fn cells(&self, side: usize) -> Vec<usize> {
        let pooled = if self.stem.max_pool { 2 } else { 1 };
        // Everything is padded so that a stride divides and rounds up.
        let mut cells = side.div_ceil(self.stem.stride.max(1)).div_ceil(pooled);
        let mut after = |stage: &Stage| {
            cells = cells.div_ceil(stage.stride.max(1));
            cells
        };
        self.stages.iter().map(&mut after).collect()
    }

    /// The name among [`Self::layers`] of what torchvision calls `layer1`; any other name as it is.
    pub fn stage_name(name: &str) -> String {
        match name.strip_prefix("layer") {
            Some(number) => format!("stage{number}"),
            None => name.to_owned(),
        }
    }
}

fn check(field: impl Into<String>, value: usize, holds: bool, expected: &str) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Error::setting(field, value, expected))
    }
}

impl FromStr for Architecture {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::preset(name)
    }
}

impl fmt::Display for Architecture {
    /// A preset's name, with its width unless it is the standard one, or the stages' settings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.stages.first().map_or(0, |stage| stage.width);
        for name in Self::PRESETS {
            if Self::preset(name).is_ok_and(|preset| preset.with_width(width) == *self) {
                return if width == 64 {
                    f.write_str(name)
                } else {
                    write!(f, "{name} of width {width}")
                };
            }
        }
        let block = match self.block {
            Block::Basic => "basic",
            Block::Bottleneck => "bottleneck",
        };
        let pool = if self.stem.max_pool { ", max pooling" } else { "" };
        write!(
            f,
            "{block} blocks, stem {}x{0}/{}{pool}, stages",
            self.stem.kernel, self.stem.stride
        )?;
        for stage in &self.stages {
            let kernel = stage.kernel;
            let entry = stage.entry_kernel.unwrap_or(kernel);
            write!(
                f,
                " {}x{}({entry}x{entry}/{}, {kernel}x{kernel})",
                stage.blocks, stage.width, stage.stride
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_torchvisions() {
        let features = [("resnet18", 512), ("resnet34", 512), ("resnet50", 2048)];
        for (name, channels) in features {
            let preset = Architecture::preset(name).unwrap();
            preset.validate().unwrap();
            assert_eq!(preset.features(), channels);
            assert_eq!(preset.to_string(), name);
            let thin = preset.with_width(16);
            assert_eq!(
                thin.stages.iter().map(|s| s.width).collect::<Vec<_>>(),
                [16, 32, 64, 128]
            );
            assert_eq!(thin.to_string(), format!("{name} of width 16"));
        }
    }

    #[test]
    fn a_map_of_a_standard_network_has_a_cell_for_32_pixels() {
        let network = Architecture::preset("resnet18").unwrap();
        assert_eq!(network.cells(224), [56, 28, 14, 7]);
        assert_eq!(network.cells(64), [16, 8, 4, 2]);
        assert_eq!(network.cells(65), [17, 9, 5, 3]);
    }

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        let message = "resnet19".parse::<Architecture>().unwrap_err().to_string();
        assert_eq!(
            message,
            "`resnet19` is not an architecture; known: resnet18, resnet34, resnet50"
        );
    }

    #[test]
    fn errors_name_the_field() {
        let valid = Architecture::preset("resnet18").unwrap();
        type Breakage = (&'static str, fn(&mut Architecture));
        let broken: [Breakage; 8] = [
            ("stem.kernel: 4,", |a| a.stem.kernel = 4),
            ("stem.stride: 0,", |a| a.stem.stride = 0),
            ("stages: 0,", |a| a.stages.clear()),
            ("stages[0].width: 0,", |a| a.stages[0].width = 0),
            ("stages[1].blocks: 0,", |a| a.stages[1].blocks = 0),
            ("stages[2].stride: 3,", |a| a.stages[2].stride = 3),
            ("stages[3].kernel: 5,", |a| a.stages[3].kernel = 5),
            ("stages[3].entry_kernel: 2,", |a| a.stages[3].entry_kernel = Some(2)),
        ];
        for (start, break_it) in broken {
            let mut architecture = valid.clone();
            break_it(&mut architecture);
            let message = architecture.validate().unwrap_err().to_string();
            assert!(message.starts_with(start), "{message}");
        }
    }

    #[test]
    fn serialised_form_has_defaults_and_refuses_unknown_keys() {
        let text = r#"{"block": "basic", "stages": [{"width": 8, "blocks": 1, "stride": 2}]}"#;
        let architecture: Architecture = serde_json::from_str(text).unwrap();
        assert_eq!(architecture.stem, Stem::default());
        assert_eq!(architecture.stages[0].kernel, 3);
        let again = serde_json::from_str(&serde_json::to_string(&architecture).unwrap()).unwrap();
        assert_eq!(architecture, again);

        let text = text.replace("\"stride\"", "\"strid\"");
        let message = serde_json::from_str::<Architecture>(&text).unwrap_err().to_string();
        assert!(message.contains("unknown field `strid`"), "{message}");
    }
}
