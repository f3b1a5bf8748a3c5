//! Files, for every crate that reads or writes them: written whole or not at all, hashed, read at a place, texts as any
//! editor saves them, and Parquet files checked before a reader trusts them.

mod delimited;
mod error;
mod guarded;
mod hash;
mod parquet_pages;
mod read_at;
mod text;
mod whole;

pub use delimited::Delimited;
pub use error::{Error, Result};
pub use guarded::without_panic;
pub use hash::{hash_of, hash_of_file};
pub use parquet_pages::{Page, check_pages, check_parquet, natural};
pub use read_at::{read_at, read_exact_at};
pub use text::{read_text, unmarked};
pub use whole::{PartFile, TEMPORARY, write_whole};
