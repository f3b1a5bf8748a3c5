//! The figures of a sweep: curves over what varies, attribute by attribute too, and the front of the best compromises.

mod attributes;
mod curve;
mod curves;
mod pareto;

pub use attributes::{AttributePanel, AttributePanels, sweep_attributes};
pub use curve::{ClassCurves, CurvePoint, XAxis};
pub use curves::{Curves, Panel, sweep_curves};
pub use pareto::{Compromise, Compromises, sweep_pareto};

#[cfg(test)]
mod tests;
