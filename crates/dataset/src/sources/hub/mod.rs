//! The Parquet files ("shards") of the Hugging Face data set `flwrlabs/celeba`, read in place.
//!
//! A Parquet reader unpacks a whole row group, a hundred images or a hundred megabytes, to reach one image; a shuffled
//! epoch would do so for every image again. Here the shards are gone through once, and the place of every image's bytes is
//! written into an index beside them. After that an image costs one read of little more than itself, in any order, and
//! opening the data set costs reading the index.

mod celeba_parquet;
mod index;
pub mod layout;
mod pages;
mod place;
mod shard;
mod shards;
mod snappy;

pub use celeba_parquet::CelebaParquet;
pub(super) use pages::Chunk;
pub(super) use place::Place;
pub use shards::IndexProgress;
