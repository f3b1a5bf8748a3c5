//! Tables: what they hold, and every form that they take.

mod data;
mod files;
pub(crate) mod html;
mod latex;
mod lines;
mod markdown;
mod terminal;

pub use data::{Cell, Column, Sheet, Unit};
pub use latex::latex_document;
