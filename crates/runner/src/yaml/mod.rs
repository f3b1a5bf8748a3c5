//! YAML files as typed values, with faults that say where they are: the file and line, or the `--set`, and the key.
//!
//! A file is read into a tree ([`Node`]); trees are laid over each other ([`Layers`]) and read into types, whose faults know the key;
//! the key leads back to the layer and line that said it.

mod key;
mod layers;
mod node;
mod reference;
mod schema;
mod text;
mod typed;

pub use key::KeyPath;
pub use layers::{Layers, parse};
pub use node::Node;
pub use reference::{keys_of, reference};
pub use schema::schema_of;
pub use text::{line_of, write};
