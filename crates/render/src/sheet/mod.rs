//! Tables: what they hold, and every form that they take.

mod data;
pub(crate) mod html;

pub use data::{Cell, Column, Table};
