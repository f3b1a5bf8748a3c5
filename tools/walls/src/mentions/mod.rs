//! The paths in a module's code.

mod code;
mod locals;
mod tokens;

pub use code::mentions;
