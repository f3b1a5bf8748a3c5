//! Procedural faces: pictures in CelebA's alignment and layout, with its 40 attributes, its class imbalance and its
//! dependence between attributes, for work that must not need CelebA.
//!
//! # How a face comes about
//! 1. [`LabelSampler`] draws a row of labels from a Gaussian copula with CelebA's marginals and tetrachoric correlations.
//! 2. Each label becomes a latent [trait](Traits): t = y d / 2 + N(0, 1), where d says how hard the attribute is for people.
//!    The trait, not the label, drives what is drawn, so that labels are as noisy as opinions are.
//! 3. The face is drawn. Every attribute has a cue of its own that a person sees, in the region where one expects it;
//!    pose, light, skin, clothes, background, occlusion, blur and noise vary freely.
//!
//! Only the first step knows how frequent a class is. The drawing treats an attribute's two classes alike: its strength
//! is an odd function of the trait about one half.
//!
//! ```
//! use synthetic::faces::{Attribute, FacePlan, Traits};
//!
//! let mut plan = FacePlan::new(1, 7);
//! plan.traits = plan.traits.with(Attribute::Eyeglasses, Traits::mean(Attribute::Eyeglasses));
//! let with_glasses = plan.draw();
//! assert!(with_glasses.masks.area(Attribute::Eyeglasses as usize) > 0);
//! ```

mod attribute;
mod config;
mod counterfactual;
mod encoded;
mod face;
mod form;
mod hiding;
mod labels;
mod nuisance;
mod pairs;
mod parts;
mod person;
mod raster;
mod shard_writer;
mod store;
mod traits;
mod writer;

pub use attribute::Attribute;
pub use config::{Config, GENERATOR_VERSION};
pub use counterfactual::{counterfactual, difference_mask, with_other_noise};
pub use face::{Face, FacePlan, render};
pub use form::{Form, Layout, Toggled};
pub use labels::LabelSampler;
pub use pairs::{DIFFERENCES, LEFT_OUT, PAIRS};
pub use traits::Traits;
pub use writer::{MARKER, write, write_in};
