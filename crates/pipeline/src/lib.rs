//! One results folder: steps that declare what they read, files that are told apart by their content, and the reasons why a step
//! runs again. Knows nothing of what the steps compute.
//!
//! | file | |
//! |---|---|
//! | `declaration.rs` | what a step reads |
//! | `settings.rs` | settings as dotted keys with a value each |
//! | `content.rs` | files by their content, without reading them all each time |
//! | `record.rs` | what is kept of a step that ran |
//! | `reason.rs` | why a step runs again, in words |

mod content;
mod declaration;
mod reason;
mod record;
mod settings;

pub use content::{Belief, ContentHash, Contents, ListHash};
pub use declaration::{Declaration, Reads};
pub use reason::{Change, Reason};
pub use record::{Provenance, StepRecord};
