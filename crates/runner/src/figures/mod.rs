//! The figures of a run, drawn once as SVG and turned into PDF and PNG.
//!
//! Every figure is a function from plain data ([`data`]) to a [`Figure`]; nothing here reads files or knows where numbers
//! come from. Text is DejaVu Sans, which travels with the program, so a drawing is the same on every machine, and the
//! same data gives the same bytes. To add a figure: a file with one such function, and a line below.

mod average_cams;
mod axes;
mod bars;
mod bias_reliance;
mod contact_sheet;
pub mod data;
mod energies;
mod energy_scatter;
mod error;
mod error_rates;
mod examples;
mod export;
mod published;
mod raster;
mod sheet;
mod style;
mod svg;
mod training_curves;

pub use average_cams::average_cams;
pub use bias_reliance::bias_reliance;
pub use contact_sheet::contact_sheet;
pub use energies::energies;
pub use energy_scatter::energy_scatter;
pub use error::FigureError;
pub use error_rates::error_rates;
pub use examples::examples;
pub use export::{Figure, Writer};
pub use published::published;
pub use raster::{shrunken, tinted};
pub use training_curves::training_curves;

#[cfg(test)]
mod gallery;
