//! What the tests of several crates share. No crate depends on it but for its tests, and it depends on nothing.

mod compare;
mod latex;
mod require;
mod stored;

pub use compare::{largest_difference, relative_difference};
pub use latex::pdflatex;
pub use require::{missing, without};
pub use stored::{parity, shared};
