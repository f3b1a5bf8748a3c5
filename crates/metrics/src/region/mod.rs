//! Where an attribute is expected to be visible, and how much of a map lies there.

mod energy;
mod footprint;
mod largest;
mod mask;
mod pixel_auroc;

pub use energy::{Localisation, localisation, paper_convention, proportional_energy};
pub use footprint::{Active, Footprint};
pub use largest::{relevance_rank_accuracy, top_k_intersection};
pub(crate) use mask::cell_of;
pub use mask::{CellBox, Grid, Region};
pub use pixel_auroc::pixel_auroc;
