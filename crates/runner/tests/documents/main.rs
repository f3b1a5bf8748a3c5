//! What the documents of this repository promise: that their links lead somewhere.

mod links;
mod pages;
