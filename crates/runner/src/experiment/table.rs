//! Section `data.table`: a table of one's own.

use std::path::{Path, PathBuf};

use dataset::{Fit, Shares, TableConfig, TableSplit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Section `data.table`. Paths start from `data.folder`; without it, from this file's folder, or from `--data` if the table is not there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableSettings {
    /// The table: a CSV file with a header (comma, semicolon or tab), or `.parquet`.
    pub file: PathBuf,
    /// The folder of images of any size (JPEG, PNG, WebP, GIF or BMP), or a zip archive of them; `null`: `data.folder` itself. Not needed where the
    /// table, a Parquet file, holds the pictures.
    #[serde(default)]
    pub images: Option<PathBuf>,
    /// The column of the images' names, paths below `images` with or without extension; where none is called `image`, the default, the
    /// first that is called like one, such as `filename`. Of Parquet also one of the pictures themselves, as `datasets` writes them.
    #[serde(default = "TableSettings::image_column")]
    pub image_column: String,
    /// The columns of the attributes, in this order; `null` takes all but the images', the splits' and the groups'.
    #[serde(default)]
    pub attributes: Option<Vec<String>>,
    /// The column that names who is in each image (a person, a patient, a place): any words or numbers, none of them empty. A random split
    /// keeps a group's images together, a given one is looked through for groups in training and test, and statistics take groups, not
    /// images, as units. `null` takes every image for itself.
    #[serde(default)]
    pub group_column: Option<String>,
    /// The column that says train, validation or test (or CelebA's 0, 1, 2); `null` splits at random as `split` says.
    #[serde(default)]
    pub split_column: Option<String>,
    /// The random split, where there is no column for it.
    #[serde(default)]
    pub split: Shares,
    /// How an image of any shape becomes a square: `crop`, `pad` or `stretch`.
    #[serde(default)]
    pub resize: Fit,
    /// Landmarks of faces, in the format of CelebA's file; faces are then aligned by them instead.
    #[serde(default)]
    pub landmarks: Option<PathBuf>,
    /// Where each attribute is visible: `ATTRIBUTE/IMAGE.png` below this folder, black or 0 outside and bright or 1 inside.
    #[serde(default)]
    pub masks: Option<PathBuf>,
    /// The same as boxes: a CSV file with the columns image, attribute, x, y, width and height, in pixels of the image; several rows of
    /// one image and attribute are one region, and so are a mask and boxes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boxes: Option<PathBuf>,
    /// Writes an example on first use: pictures of shapes, whose table and folders are then read as any other's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shapes: Option<synthetic::shapes::Config>,
}

impl TableSettings {
    fn image_column() -> String {
        "image".to_owned()
    }

    /// Whether the table says image by image where its attributes are visible.
    pub fn says_where(&self) -> bool {
        self.masks.is_some() || self.boxes.is_some()
    }

    /// The reader's settings, for a data set in `folder`.
    pub fn config(&self, folder: &Path) -> TableConfig {
        let below = |path: &PathBuf| folder.join(path);
        TableConfig {
            file: below(&self.file),
            images: self.images.as_ref().map_or_else(|| folder.to_owned(), below),
            image_column: self.image_column.clone(),
            attributes: self.attributes.clone(),
            group_column: self.group_column.clone(),
            split: match &self.split_column {
                Some(column) => TableSplit::Column(column.clone()),
                None => TableSplit::Stratified(self.split),
            },
            resize: self.resize,
            landmarks: self.landmarks.as_ref().map(below),
            masks: self.masks.as_ref().map(below),
            boxes: self.boxes.as_ref().map(below),
        }
    }
}
