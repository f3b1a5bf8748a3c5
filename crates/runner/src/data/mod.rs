//! The data set of a run: found or drawn, opened, split, and told by its content.
//!
//! | file | |
//! |---|---|
//! | `set.rs` | a data set as an experiment uses it: which images each split has |
//! | `straddling.rs` | who is trained on and tested |
//! | `open.rs`, `place.rs`, `celeba.rs` | where it is, and opening it in whichever form it is there |
//! | `generate.rs` | writing procedural faces and shapes |
//! | `packed.rs` | decoded images in one file |
//! | `bad_images.rs` | images that cannot be used |
//! | `content.rs` | what its files hold, by content |

pub mod bad_images;
pub mod celeba;
mod content;
mod generate;
mod open;
mod packed;
mod place;
mod set;
mod straddling;

pub use content::{Content, ContentOfSplit, Reading};
pub use generate::{write_procedural, write_shapes};
pub use open::{check_visible, faults, look, open, prepare};
pub use place::{Place, folder};
pub use set::{BadImage, DataSet};
