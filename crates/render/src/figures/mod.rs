//! The figures of a run, drawn once as SVG and turned into PDF and PNG.
//!
//! Every figure is a function from a [`Style`](crate::Style) and plain data to a [`Figure`](crate::Figure); nothing here reads files or knows
//! where numbers come from. Absent values are `None` and are drawn as absent. Text is DejaVu Sans Condensed, which travels with the
//! program, so a drawing is the same on every machine, and the same data gives the same bytes.
//!
//! To add a figure: a file with its data and one such function, its name in [`NAMES`], and a line where the program draws. A figure of
//! attributes along x is a `strips::Strips`; panels with two axes each are `panels::Panels`, other layouts a `page::Page` with
//! `axes::Axes` and a `legend`; one of pictures an `svg::Svg` with `picture_panel`s. Classifiers differ by colour and by hatch
//! or marker (`palette`). Its width is that of a column, its text of `Style::label` and `Style::tick`; `gallery` draws it with 1
//! to 40 attributes and 1 to 3 classifiers.

mod average_cams;
mod bars;
mod bias_reliance;
mod calibration;
mod complete;
mod contact_sheet;
mod cross_effects;
mod decomposition;
mod energies;
mod energy_scatter;
mod error_rates;
mod examples;
mod imbalance;
mod locality;
mod names;
mod occlusion;
mod published;
mod sanity_checks;
mod score_distributions;
pub mod sweep;
mod training_curves;
mod turned_decisions;

pub use average_cams::{AverageCams, AveragePanel, AverageRow, average_cams};
pub use bars::{Bar, BarFigure, BarGroup, BarPair};
pub use bias_reliance::{BiasBar, BiasFigure, BiasGroup, bias_reliance};
pub use calibration::{CalibrationCurve, calibration};
pub use contact_sheet::{ContactSheet, SheetCell, contact_sheet};
pub use cross_effects::{CrossEffect, CrossEffectFigure, CrossEffectPanel, cross_effects};
pub use decomposition::{DecompositionFigure, DecompositionRow, decomposition};
pub use energies::energies;
pub use energy_scatter::{EnergyScatter, ScatterPoint, energy_scatter};
pub use error_rates::error_rates;
pub use examples::{ExampleCell, ExamplePanel, ExampleRow, ExamplesFigure, examples};
pub use imbalance::{Imbalance, ImbalancePoint, imbalance};
pub use locality::{LocalityCell, LocalityFigure, LocalityPanel, locality};
pub use names::{NAMES, SWEEP_NAMES};
pub use occlusion::{OcclusionBar, OcclusionFigure, OcclusionGroup, occlusion};
pub use published::{PublishedFigure, PublishedPanel, published};
pub use sanity_checks::{SanityChecks, SanityPanel, SanityPoint, sanity_checks};
pub use score_distributions::{ScoreDistributions, ScoreGroup, Spread, score_distributions};
pub use training_curves::{EpochPoint, TrainingCurve, training_curves};
pub use turned_decisions::turned_decisions;

#[cfg(test)]
mod gallery;
