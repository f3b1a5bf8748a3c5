//! Section `data`, with its defaults.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::TableSettings;

/// Which kind of data the experiment is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataSource {
    /// Procedural faces, written on first use (`data.procedural`).
    Procedural,
    /// CelebA in `data.folder`: the official files, or the Parquet files that `biascam data fetch celeba` brings.
    Celeba,
    /// Any table of binary attributes with a folder of images (`data.table`).
    Table,
}

/// Section `data`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataSettings {
    /// Procedural faces, CelebA, or a table.
    pub source: DataSource,
    /// The data set's folder, beside this file; a name that is no folder there is one below `--data`. Default: below `--data`, `celeba`
    /// or a name made from the settings of what is generated; with a table of one's own, where `data.table.file` is: beside this
    /// file, else in `--data`.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// What is generated when the source is procedural.
    #[serde(default)]
    pub procedural: Procedural,
    /// The table, when it is the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableSettings>,
    /// What to do about an image that is missing, cut off, of a wrong size or no image: `fail`, or `skip` it in all steps.
    #[serde(default)]
    pub on_bad_image: OnBadImage,
    /// Read all images of the run once before the first step, and refuse it with a list of those that cannot be used. Without it their
    /// files are looked for, and not read, before the first step. `on_bad_image: skip` always reads them.
    #[serde(default)]
    pub check_images: bool,
    /// With `skip`: the largest number of bad images; with more the run is refused.
    #[serde(default = "DataSettings::bad_images_limit")]
    pub bad_images_limit: usize,
    /// Side of the aligned square the network sees, in pixels.
    #[serde(default = "DataSettings::image_size")]
    pub image_size: usize,
    /// Scores and explanations are on images whose nose is at most this far off the middle line (paper: 0.1); `null` takes all.
    #[serde(default = "DataSettings::frontal_threshold")]
    pub frontal_threshold: Option<f32>,
    /// Part of the training images that is used, the first in the file's order: 0 < fraction <= 1.
    #[serde(default = "DataSettings::all")]
    pub training_fraction: f64,
    /// Megabytes of decoded images kept in memory, so that later epochs need not decode them again.
    #[serde(default = "DataSettings::cache_megabytes")]
    pub cache_megabytes: usize,
    /// Keep decoded images in a file below `--data` (`packed/`), so that neither this run nor a later one decodes them again:
    /// 116 KB an image of CelebA at `image_size: 224`, 29 KB at 112.
    #[serde(default)]
    pub packed_cache: bool,
}

impl DataSettings {
    /// The settings that decide results: without those that only decide speed.
    #[must_use]
    pub fn deciding(&self) -> Self {
        Self {
            cache_megabytes: 0,
            packed_cache: false,
            // Which images are left out decides, and is part of every key; not what was allowed.
            on_bad_image: OnBadImage::Fail,
            bad_images_limit: 0,
            check_images: false,
            ..self.clone()
        }
    }

    fn image_size() -> usize {
        112
    }
    #[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
    fn frontal_threshold() -> Option<f32> {
        Some(0.1)
    }
    fn all() -> f64 {
        1.0
    }
    fn bad_images_limit() -> usize {
        20
    }
    fn cache_megabytes() -> usize {
        1500
    }
}

/// What to do about an image that cannot be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBadImage {
    /// The run ends and names it.
    #[default]
    Fail,
    /// All images are read once before the first step; bad ones are listed and left out of everything.
    Skip,
}

/// Section `data.procedural`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Procedural {
    /// Number of training images.
    pub train: usize,
    /// Number of validation images.
    pub validation: usize,
    /// Number of test images, before the frontal filter.
    pub test: usize,
    /// Seed of the faces and their labels.
    pub seed: u64,
}

impl Default for Procedural {
    fn default() -> Self {
        Self {
            train: 12_000,
            validation: 1_000,
            test: 4_000,
            seed: 1,
        }
    }
}
