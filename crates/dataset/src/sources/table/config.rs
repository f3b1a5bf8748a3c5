use std::path::PathBuf;

use crate::Fit;

/// Which file is what, and which column.
#[derive(Clone, Debug, PartialEq)]
pub struct TableConfig {
    /// The table: `.parquet`, or text with a header and one delimiter (comma, semicolon or tab).
    pub file: PathBuf,
    /// A folder of images (JPEG, PNG, WebP, GIF or BMP), or a zip archive of them.
    pub images: PathBuf,
    /// The column with the images' names: paths below `images`, with or without extension; in any case of letters. Where this is `image`
    /// and no column is called so, the first that is called like one, such as `filename`. Of Parquet also a column of the pictures
    /// themselves, a struct of `bytes` and `path` as `datasets` writes them; `images` is not looked for then.
    pub image_column: String,
    /// The columns of the attributes, in this order; `None` takes every column that is not the images', the splits' or the groups'.
    pub attributes: Option<Vec<String>>,
    /// The column that names who, or what else, is in each image (a person, a patient, a place); its values may be of any type. It is no
    /// attribute.
    pub group_column: Option<String>,
    /// Which images are for what.
    pub split: TableSplit,
    /// How an image of any shape becomes a square.
    pub resize: Fit,
    /// Landmarks of faces in the format of `list_landmarks_align_celeba.txt`: faces are then aligned by them, not by `resize`.
    pub landmarks: Option<PathBuf>,
    /// Where each attribute is visible: `ATTRIBUTE/IMAGE.png` below this folder, of the image's size. Pixels of at least half
    /// the file's largest value are inside.
    pub masks: Option<PathBuf>,
    /// The same as boxes: a table with the columns `image`, `attribute`, `x`, `y`, `width` and `height`, in pixels of the image, turned
    /// upright, from its upper left corner. Several rows of one image and attribute are one region, and so are a mask and boxes.
    pub boxes: Option<PathBuf>,
}

/// How the images are split into training, validation and test.
#[derive(Clone, Debug, PartialEq)]
pub enum TableSplit {
    /// By a column of the table: `train`, `validation` or `test` (also `training`, `valid`, `val`, `dev`, `testing`; upper and
    /// lower case alike), or CelebA's 0, 1 or 2.
    Column(String),
    /// By [`stratified_split`](crate::stratified_split), or where there is a `group_column` by
    /// [`stratified_split_of_groups`](crate::stratified_split_of_groups).
    Stratified(Shares),
}

/// Shares of the images that are the same, as far as whole images allow, in both classes of every attribute; training has the rest.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Shares {
    /// Share of the images for validation.
    pub validation: f64,
    /// Share of the images for testing.
    pub test: f64,
    /// Decides which image goes where.
    pub seed: u64,
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            validation: 0.1,
            test: 0.2,
            seed: 1,
        }
    }
}
