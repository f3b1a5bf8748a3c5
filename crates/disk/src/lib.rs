//! Files, for every crate that reads or writes them: written whole or not at all, hashed, read at a place, texts as any
//! editor saves them, tables, and Parquet files that are checked before they are believed.

mod delimited;
mod error;
mod guarded;
mod hash;
mod own;
mod parquet;
mod part_folder;
mod read_at;
mod synced;
mod tables;
mod text;
mod unfinished;
mod whole;

pub use delimited::Delimited;
pub use error::{Error, Result};
pub use guarded::without_panic;
pub use hash::{hash_of, hash_of_file};
pub use own::{open_here, open_own};
pub use parquet::{ColumnBytes, Page, ParquetReader, may_unpack_to, natural};
pub use part_folder::{Abandoned, PartFolder};
pub use read_at::{read_at, read_exact_at};
pub use synced::{make_folder, sync_folder_of};
pub use tables::{Columns, ParquetWriter, TableError};
pub use text::{is_unseen, read_text, unmarked, visible};
pub use unfinished::remove_unfinished;
pub use whole::{PartFile, TEMPORARY, write_whole};
