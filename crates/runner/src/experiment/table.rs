//! Section `data.table`: a table of one's own.

use std::path::{Path, PathBuf};

use dataset::{Fit, TableConfig, TableSplit};
use serde::{Deserialize, Serialize};

/// Section `data.table`. Paths are below `data.folder`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The table: a CSV file with a header (comma, semicolon or tab), or `.parquet`.
    pub file: PathBuf,
    /// The folder of images, JPEG or PNG of any size, or a zip archive of them.
    pub images: PathBuf,
    /// The column of the images' names, paths below `images` with or without extension.
    #[serde(default = "Table::image_column")]
    pub image_column: String,
    /// The columns of the attributes, in this order; `null` takes all but the images' and the splits'.
    #[serde(default)]
    pub attributes: Option<Vec<String>>,
    /// The column that says train, validation or test (or CelebA's 0, 1, 2); `null` splits at random as `split` says.
    #[serde(default)]
    pub split_column: Option<String>,
    /// The random split, where there is no column for it.
    #[serde(default)]
    pub split: Split,
    /// How an image of any shape becomes a square: `crop`, `pad` or `stretch`.
    #[serde(default)]
    pub resize: Shape,
    /// Landmarks of faces, in the format of CelebA's file; faces are then aligned by them instead.
    #[serde(default)]
    pub landmarks: Option<PathBuf>,
    /// Where each attribute is visible: `ATTRIBUTE/IMAGE.png` below this folder.
    #[serde(default)]
    pub masks: Option<PathBuf>,
    /// Writes an example on first use: pictures of shapes, whose table and folders are then read as any other's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shapes: Option<Shapes>,
}

/// Section `data.table.split`: shares that are the same, as far as whole images allow, in both classes of every attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Split {
    /// Share of the images for validation.
    pub validation: f64,
    /// Share of the images for testing.
    pub test: f64,
    /// Decides which image goes where.
    pub seed: u64,
}

impl Default for Split {
    fn default() -> Self {
        Self {
            validation: 0.1,
            test: 0.2,
            seed: 1,
        }
    }
}

/// How an image of any shape becomes a square.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// The largest centred square.
    #[default]
    Crop,
    /// The whole image, its border continued.
    Pad,
    /// The whole image, stretched.
    Stretch,
}

/// Section `data.table.shapes`: the example's size and seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shapes {
    /// Number of pictures in all.
    pub images: usize,
    /// Seed of pictures and labels.
    pub seed: u64,
}

impl Table {
    fn image_column() -> String {
        "image".to_owned()
    }

    /// The reader's settings, for a data set in `folder`.
    pub fn config(&self, folder: &Path) -> TableConfig {
        let below = |path: &PathBuf| folder.join(path);
        TableConfig {
            file: below(&self.file),
            images: below(&self.images),
            image_column: self.image_column.clone(),
            attributes: self.attributes.clone(),
            split: match &self.split_column {
                Some(column) => TableSplit::Column(column.clone()),
                None => TableSplit::Stratified {
                    validation: self.split.validation,
                    test: self.split.test,
                    seed: self.split.seed,
                },
            },
            resize: match self.resize {
                Shape::Crop => Fit::Crop,
                Shape::Pad => Fit::Pad,
                Shape::Stretch => Fit::Stretch,
            },
            landmarks: self.landmarks.as_ref().map(below),
            masks: self.masks.as_ref().map(below),
        }
    }
}
