//! How the shards lie on disk, for those that read them and those that write such.

use crate::Split;

/// The folder of the repository that holds the shards.
pub const FOLDER: &str = "img_align+identity+attr";

/// What the hub calls a split.
pub(crate) fn hub_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Validation => "valid",
        Split::Test => "test",
    }
}

/// The name of the file with shard `number`, from 0, of the `count` of a split.
pub fn shard_name(split: Split, number: usize, count: usize) -> String {
    format!("{}-{number:05}-of-{count:05}.parquet", hub_name(split))
}
