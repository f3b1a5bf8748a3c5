//! The figures of a run, drawn once as SVG and turned into PDF and PNG.
//!
//! Every figure is a function from a [`Style`] and plain data ([`data`]) to a [`Figure`]; nothing here reads files or knows
//! where numbers come from. Text is DejaVu Sans Condensed, which travels with the program, so a drawing is the same on every
//! machine, and the same data gives the same bytes.
//!
//! To add a figure: a file with one such function, its name in [`NAMES`], and a line in `stages/draw.rs`. A figure of
//! attributes along x is a `strips::Strips`; panels with two axes each are `panels::Panels`, other layouts a `page::Page` with
//! `axes::Axes` and a `legend`; one of pictures an `svg::Svg` with panels of `sheet`. Classifiers differ by colour and by hatch
//! or marker (`palette`). Its width is that of a column, its text of `Style::label` and `Style::tick`; `gallery` draws it with 1
//! to 40 attributes and 1 to 3 classifiers.

mod average_cams;
mod axes;
mod bars;
mod bias_reliance;
mod calibration;
mod contact_sheet;
pub mod data;
mod energies;
mod energy_scatter;
mod error;
mod error_rates;
mod examples;
mod export;
mod imbalance;
mod labels;
mod legend;
mod occlusion;
mod page;
mod palette;
mod panels;
mod published;
mod raster;
mod sanity_checks;
mod score_distributions;
mod sheet;
mod strips;
mod style;
mod svg;
pub mod sweep;
mod training_curves;

pub use average_cams::average_cams;
pub use bias_reliance::bias_reliance;
pub use calibration::calibration;
pub use contact_sheet::contact_sheet;
pub use energies::energies;
pub use energy_scatter::energy_scatter;
pub use error::FigureError;
pub use error_rates::error_rates;
pub use examples::examples;
pub use export::{Figure, Format};
pub use imbalance::imbalance;
pub use occlusion::occlusion;
pub use palette::Palette;
pub use published::published;
pub use raster::{shrunken, tinted};
pub use sanity_checks::sanity_checks;
pub use score_distributions::score_distributions;
pub use style::{Column, Style};
pub use training_curves::training_curves;

/// The figures of a run, in the order in which a report shows them.
pub const NAMES: [&str; 13] = [
    "error_rates",
    "energies",
    "energy_scatter",
    "imbalance",
    "average_cams",
    "examples",
    "bias_reliance",
    "occlusion",
    "sanity_checks",
    "score_distributions",
    "calibration",
    "published",
    "training_curves",
];

/// The figures of a sweep, which `figures.columns` may name too.
pub const SWEEP_NAMES: [&str; 4] = [
    "sweep",
    "sweep_pareto",
    "sweep_attribute_errors",
    "sweep_attribute_energies",
];

#[cfg(test)]
mod gallery;
