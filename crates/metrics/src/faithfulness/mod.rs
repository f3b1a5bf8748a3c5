//! Whether a map tells what the network uses: the pure parts of deletion, insertion, ROAD, the pointing game and Attention-IoU, of how
//! stable a map is, and of what changes of the image's places do.
//!
//! Deletion, insertion and ROAD take pixels out of an image in the order of a map and watch the explained score; what is here
//! is the order, the area under the curve, and what needs no network.

mod arcc;
mod attention_iou;
mod patches;
mod pointing_game;
mod relevance;
mod road;
mod sensitivity;
mod structural_similarity;

pub use arcc::{ARCC_PERCENTILES, arcc, coherency, complexity};
pub use attention_iou::attention_iou;
pub use patches::{patch_correlation, patch_means};
pub use pointing_game::pointing_game;
pub use relevance::{curve_area, relevance_order, relevance_order_with};
pub use road::{ROAD_PERCENTILES, removed_pixels, road_combined};
pub use sensitivity::{Sensitivity, relative_change, sensitivity};
pub use structural_similarity::structural_similarity;
