//! Files of the Hugging Face hub: listed, downloaded, verified and put in their place.
//!
//! hf-hub speaks the protocol and keeps its cache as the Python library does, so that both share what one has
//! downloaded. Around it, this module honours the environment, tries again where that may help, and believes no file
//! whose size and SHA-256 are not those that the hub states.

mod environment;
mod error;
mod repository;

pub use environment::Environment;
pub use error::HubError;
pub use repository::{Hub, RemoteFile, is_placed, place};
