//! Whether a map tells what the network uses: the pure parts of deletion, insertion, ROAD, the pointing game and Attention-IoU.
//!
//! Deletion, insertion and ROAD take pixels out of an image in the order of a map and watch the explained score; what is here
//! is the order, the area under the curve, and what needs no network.

mod attention_iou;
mod pointing_game;
mod relevance;
mod road;

pub use attention_iou::attention_iou;
pub use pointing_game::pointing_game;
pub use relevance::{curve_area, relevance_order, relevance_order_with};
pub use road::{ROAD_PERCENTILES, removed_pixels, road_combined};
