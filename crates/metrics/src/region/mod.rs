//! Where an attribute is expected to be visible, and how much of a map lies there.

mod energy;
mod footprint;
mod mask;

pub use energy::{Localisation, localisation, paper_convention, proportional_energy};
pub use footprint::{Active, Footprint};
pub use mask::{CellBox, Grid, Region};
