//! The drawing step: from tables and maps to figures and the report.

mod figure_data;
mod figures;
mod locality_pictures;
mod pictures;
mod report;

pub use figures::{Drawn, STEP, Sources, all, convert, declaration, work, write, write_in_place, write_report};
