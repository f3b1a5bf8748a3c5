//! Images that are shown: those of the figure of examples, best, worst and at random, and those that the report lets one browse.

mod attributes;
mod browse;
mod choose;
mod chosen;
mod shown;

pub use attributes::positions;
pub use browse::{Browse, STEP as BROWSE, read as read_browser};
pub use choose::{Choose, STEP as CHOOSE};
pub use chosen::{Chosen, WAYS};
