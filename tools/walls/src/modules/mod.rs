//! The modules of a crate, and what a path in one of them names.

mod imports;
mod read;
mod resolve;
mod test_only;
mod tree;

pub use resolve::Named;
pub use tree::{Module, ModuleId, Tree};
