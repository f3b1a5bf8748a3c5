//! `report.html`: everything a run found, in one file that opens anywhere; and the page that puts several runs side by side.
//!
//! Styles, scripts, drawings and examples are inside; nothing is loaded from elsewhere. A page reads in light and dark, on paper
//! and on a phone, with eyes or ears. [`run`], [`side_by_side`] and [`tables_page`] are pure functions: the same data gives the same bytes.

mod browser;
mod claims;
mod data;
mod figures;
mod page;
mod run;
mod side_by_side;
mod tables_page;

pub use browser::{AttributeExamples, Example, ExampleImage, ExamplesBrowser, RegionCells};
pub use data::{Fact, FileLink, ReportData, ReportKind};
pub use run::run;
pub use side_by_side::{ComparedFigure, SideBySide, side_by_side};
pub use tables_page::{TablesPage, tables_page};

#[cfg(test)]
mod tests;
