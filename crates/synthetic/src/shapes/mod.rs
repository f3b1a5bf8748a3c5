//! Pictures of shapes with a table of their attributes: an example that is about no one.
//!
//! Each picture shows five shapes on a textured background, wherever there is room. Every attribute is a property of one of
//! them, so that its place, the shape, is there in both classes; masks say exactly where. As with the procedural faces, a latent
//! trait t = y d / 2 + N(0, 1) drives how strongly the property is drawn, alike for both classes, and labels are imbalanced
//! and, for two pairs, correlated.
//!
//! The layout is what [`TableFolder`](dataset::TableFolder) reads: `labels.csv`, `images/` (JPEG and PNG of several sizes),
//! `masks/ATTRIBUTE/`.

mod counterfactual;
mod draw;
mod labels;
mod pairs;
mod store;
mod writer;

pub use counterfactual::{counterfactual, difference_mask, with_other_noise};
pub use labels::ATTRIBUTES;
pub use pairs::{DIFFERENCES, PAIRS, PICTURE};
pub use store::{IMAGES, MASKS, TABLE};
pub use writer::{Config, GENERATOR_VERSION, write};
