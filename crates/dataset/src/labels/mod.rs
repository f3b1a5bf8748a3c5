//! What is known about images beside their pixels: attributes, labels, splits, landmarks.

mod annotations;
mod attributes;
mod landmarks;
mod split;

pub(crate) use annotations::class_counts;
pub use annotations::{Annotations, ClassCounts};
pub use attributes::Attributes;
pub use landmarks::Landmarks;
pub use split::Split;
