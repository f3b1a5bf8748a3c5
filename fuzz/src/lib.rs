//! What the fuzz targets share. Each target gives a reader any bytes, as the property tests do with damaged files
//! (`crates/*/tests/readers.rs`): an error or a value, never a panic, and no more memory than the file warrants.

#[path = "../../crates/dataset/tests/damage/bounded.rs"]
mod bounded;
mod files;
mod first;
mod names;
mod pictures;
mod table;
mod words;

pub use bounded::bounded;
pub use files::{Folder, on_file};
pub use first::{begin, begin_with_words};
pub use names::stays_inside;
pub use pictures::is_slow;
pub use table::{open_table, read_scores};
pub use words::words_of;
