//! Weights that other programs wrote: under which names and with which architecture, and brought to ours.

mod bytes;
mod names;
mod shapes;

pub use names::Foreign;
pub use shapes::{Guess, architecture_of};
