//! What a run's steps can read: pieces of the plan, of the data set and of each other's files, of which a step holds those that it needs.
//!
//! A piece says what it is when a step declares what it reads, and hands out what it holds when the step works: nothing can be read
//! that is not declared. It is as narrow as what a step makes of it: who trains reads the labels, landmarks and pixels of the training
//! images, and not the threshold that chose the test images, nor a mask.
//!
//! | file | |
//! |---|---|
//! | `all.rs` | everything there is to read in a run, from which steps take their pieces |
//! | `images.rs`, `masks.rs` | the images of a split, with or without labels; exact masks |
//! | `counterfactuals.rs` | test images drawn again with an attribute toggled |
//! | `people.rs` | who is in the test images |
//! | `regions.rs` | where attributes should be visible |
//! | `parts.rs` | a setting, the attributes' names, another step's file, weights from elsewhere |

mod all;
mod counterfactuals;
mod images;
mod looked_at;
mod masks;
mod parts;
mod people;
mod regions;

pub use all::Inputs;
pub use counterfactuals::{Counterfactuals, Toggled};
pub use images::{Images, Split, SplitImages, SplitLabels, TestImages, TrainingImages};
pub use looked_at::LookedAt;
pub use masks::Masks;
pub use parts::{Artefact, Attributes, ClassCounts, Facts, Setting, Squares, Weights};
pub use people::People;
pub use regions::{AttributeRegions, DeclaredRegions, regions_of};
