//! Tables on disk, as people have them and with things wrong.

mod boxes;
mod faults;
mod masks;
mod parquet;
mod reading;
mod splits;

use std::fs;
use std::path::Path;

use dataset::{Fit, TableConfig, TableFolder, TableSplit};
use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// The table of [`folder`]'s images.
pub const ROWS: &str = "image,crack,wet,split\na.png,1,0,train\nsub/b.jpg,0,,val\nc,0,1,test\n";

/// A table, and images `a.png` (40 x 20), `sub/b.jpg` (30 x 30) and `c.png` (20 x 40).
pub fn folder(table: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("images/sub")).unwrap();
    fs::write(root.join("labels.csv"), table).unwrap();
    picture(40, 20).save(root.join("images/a.png")).unwrap();
    picture(30, 30).save(root.join("images/sub/b.jpg")).unwrap();
    picture(20, 40).save(root.join("images/c.png")).unwrap();
    folder
}

/// Red in the left half, blue in the right one.
pub fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| {
        if 2 * x < width {
            Rgb([200, 0, 0])
        } else {
            Rgb([0, 0, 200])
        }
    })
}

/// A table `labels.csv` beside a folder `images`.
pub fn config(root: &Path) -> TableConfig {
    TableConfig {
        file: root.join("labels.csv"),
        images: root.join("images"),
        image_column: "image".to_owned(),
        attributes: None,
        group_column: None,
        split: TableSplit::Column("split".to_owned()),
        resize: Fit::Crop,
        landmarks: None,
        masks: None,
        boxes: None,
    }
}

/// The table of such a folder.
pub fn open(folder: &TempDir) -> TableFolder {
    TableFolder::open(&config(folder.path())).unwrap()
}

/// The refusal of a table, with the folder's name cut out.
pub fn refusal(folder: &TempDir, config: &TableConfig) -> String {
    let message = TableFolder::open(config).unwrap_err().to_string();
    message.replace(&*folder.path().to_string_lossy(), "DIR")
}
