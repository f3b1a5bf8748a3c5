//! From an image of any size to an aligned square.

mod alignment;
mod framing;
mod similarity;
mod stretch;
mod warp;

pub use alignment::{Alignment, FaceReference};
pub use framing::{Fit, Framing};
pub use similarity::Similarity;
pub use warp::warp_into;
pub(crate) use warp::{Pixels, shrunk};
